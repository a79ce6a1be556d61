"""Store a block of a plan as a Parquet file: inputs in typed columns, never as pickles.

Members of archives and rows of datasets are stored with their content, because the command reads
an archive once, from beginning to end. A new kind of item needs its columns here.
"""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow
from pyarrow import parquet

from cctranslate.batch.inputs.remote_files import RemoteFile
from cctranslate.batch.items import (
    BrokenItem,
    ContentItem,
    DatasetRow,
    Item,
    Remainder,
)
from cctranslate.files.paths import FileStamp
from cctranslate.files.remote import is_remote, open_path
from cctranslate.files.writing import replacing

_TAKEN = b"taken"
"""Key of the metadata with the reserved names of results."""
_TYPES = {
    "number": pyarrow.int64(),
    "path": pyarrow.binary(),
    "relative": pyarrow.binary(),
    "named": pyarrow.bool_(),
    "inner": pyarrow.binary(),
    "met": pyarrow.bool_(),
    "targets": pyarrow.list_(pyarrow.string()),
    "result_name": pyarrow.binary(),
    "replaces": pyarrow.bool_(),
    "altered": pyarrow.list_(pyarrow.binary()),
    "content": pyarrow.binary(),
    "pixels": pyarrow.string(),
    "emotion": pyarrow.string(),
    "part": pyarrow.string(),
    "reason": pyarrow.binary(),
    "skipped": pyarrow.bool_(),
    "size": pyarrow.int64(),
    "mtime_ns": pyarrow.int64(),
}
_SCHEMA = pyarrow.schema(list(_TYPES.items()))
Numbered = tuple[int, Item]
"""An input with its number in the order of the inputs."""


def write_block(path: Path, items: Sequence[Numbered], reserved: Sequence[str]) -> None:
    """Write a block's inputs, and the names that their results must not get.

    Raises:
        OSError: The file cannot be written.
    """
    records = [_record(number, item) for number, item in items]
    schema = _SCHEMA.with_metadata({_TAKEN: json.dumps(reserved).encode()})
    table = pyarrow.Table.from_pylist(records, schema)
    with replacing(path) as file:
        parquet.write_table(table, file, compression="zstd")


def read_block(path: Path) -> tuple[list[Numbered], list[str]]:
    """Return a block's inputs and the names that its results must not get.

    Raises:
        OSError: The file cannot be read.
    """
    with path.open("rb") as file:
        table = parquet.read_table(file)
    reserved: list[str] = json.loads(table.schema.metadata[_TAKEN])
    return [(record["number"], _item(record)) for record in table.to_pylist()], reserved


def _record(number: int, item: Item) -> dict[str, Any]:
    remainder = item.remainder
    record: dict[str, Any] = {
        "number": number,
        "path": os.fsencode(str(item.path)),
        "relative": os.fsencode(item.relative),
        "named": item.named,
        "inner": os.fsencode(item.inner),
        "met": item.has_earlier_rows,
        "targets": list(remainder.targets) if remainder else None,
        "result_name": os.fsencode(remainder.result_name)
        if remainder and remainder.result_name
        else None,
        "replaces": remainder.replaces if remainder else None,
        "altered": list(map(os.fsencode, remainder.altered)) if remainder else None,
        "size": item.store_stamp.size if item.store_stamp else None,
        "mtime_ns": item.store_stamp.mtime_ns if item.store_stamp else None,
    }
    if isinstance(item, ContentItem):
        record["content"] = item.content
    elif isinstance(item, DatasetRow):
        record |= {"pixels": item.pixels, "emotion": item.emotion, "part": item.usage_cell}
    elif isinstance(item, BrokenItem):
        record["reason"] = item.reason.encode("utf-8", "surrogateescape")
        record["skipped"] = item.skipped
    return record


def _item(record: dict[str, Any]) -> Item:
    name, remainder = record["result_name"], None
    if record["targets"] is not None:
        remainder = Remainder(
            has_earlier_rows=record["met"],
            targets=tuple(record["targets"]),
            result_name=None if name is None else os.fsdecode(name),
            replaces=record["replaces"],
            altered=tuple(map(os.fsdecode, record["altered"])),
        )
    common: dict[str, Any] = {
        "path": open_path(os.fsdecode(record["path"])),
        "relative": os.fsdecode(record["relative"]),
        "named": record["named"],
        "inner": os.fsdecode(record["inner"]),
        "remainder": remainder,
        "store_stamp": None
        if record["size"] is None
        else FileStamp(size=record["size"], mtime_ns=record["mtime_ns"]),
    }
    if record["content"] is not None:
        return ContentItem(**common, content=record["content"])
    if record["pixels"] is not None:
        return DatasetRow(
            **common,
            pixels=record["pixels"],
            emotion=record["emotion"],
            usage_cell=record["part"],
        )
    if record["reason"] is not None:
        reason = record["reason"].decode("utf-8", "surrogateescape")
        return BrokenItem(**common, reason=reason, skipped=record["skipped"])
    return RemoteFile(**common) if is_remote(common["path"]) else Item(**common)
