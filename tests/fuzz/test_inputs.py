"""Any picture, archive or table is read or refused."""

import io
import tarfile
import zipfile
from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st

from cctranslate.batch.inputs.decoded import Decoded, DecodeFailure
from cctranslate.batch.inputs.decoding import DecodeOptions, decode
from cctranslate.batch.inputs.exclusions import InputFilter, OutputPaths
from cctranslate.batch.inputs.sources import from_inputs
from cctranslate.batch.items import ContentItem, Item
from cctranslate.emotions import EMOTIONS
from cctranslate.errors import DataError
from cctranslate.faces.detector import FaceDetector
from cctranslate.training.data import fer2013
from tests.fuzz.spoiling import PICTURES, refused, spoiled
from tests.support import pictures

LOOK = DecodeOptions(face_mode="auto", detector=FaceDetector(), will_reread=True)


def zipped(packed: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", packed) as archive:
        for number in range(3):
            archive.writestr(f"test/happy/{number}.png", PICTURES[number])
    return out.getvalue()


def tarred(mode: str) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:  # type: ignore[call-overload]
        for number in range(3):
            info = tarfile.TarInfo("é" * 120 + f"/{number}.png")
            info.size = len(PICTURES[number])
            archive.addfile(info, io.BytesIO(PICTURES[number]))
    return out.getvalue()


ARCHIVES = [zipped(packed) for packed in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)]
ARCHIVES += [zipped(zipfile.ZIP_LZMA), tarred("w:"), tarred("w:gz")]


def check(item: Item) -> None:
    """An item is decoded, or has a reason of one line and a label at most."""
    one = decode(item.fetch(), LOOK)
    assert one.item.label in ("", *EMOTIONS)
    if isinstance(one, DecodeFailure):
        assert len(one.reason.splitlines()) == 1
    for face in one.faces if isinstance(one, Decoded) else ():
        assert face.levels.shape == (48, 48)


@given(spoiled(st.sampled_from(PICTURES)) | st.binary(max_size=200))
def test_any_picture_is_decoded_or_refused(content: bytes) -> None:
    check(
        ContentItem(
            path=Path("a.zip"),
            relative="x.png",
            named=True,
            inner="x.png",
            read=lambda: content,
        )
    )


@given(spoiled(st.sampled_from(ARCHIVES)))
def test_any_archive_is_read_or_refused(work_folder: Path, content: bytes) -> None:
    path = work_folder / "archive"
    path.write_bytes(content)
    for item in from_inputs([str(path)], OutputPaths(()), InputFilter()):
        check(item)
    refused(lambda: fer2013.load(path), DataError)


FACE = " ".join(map(str, pictures.draw_face(3, 0).ravel()))
CELLS = st.sampled_from(
    ["3", "", FACE, f'"{FACE}"', "Training", "9" * 5000, '"', "-1", "²", " 3\r"]
)
CELLS |= st.text(max_size=9)
ROWS = st.lists(st.lists(CELLS, max_size=4).map(",".join), max_size=4).map("\n".join)


@given(st.sampled_from(["emotion,pixels", "emotion, Usage, pixels", "pixels"]), ROWS | st.text())
@example("emotion,pixels", "9" * 5000 + "," + FACE)
@example("emotion,pixels", '"3\n4",' + FACE)
def test_any_table_is_read_or_refused(work_folder: Path, header: str, body: str) -> None:
    path = work_folder / "fer2013.csv"
    path.write_bytes(f"{header}\n{body}".encode("utf-8", "replace"))
    for item in from_inputs([str(path)], OutputPaths(()), InputFilter()):
        check(item)
    refused(lambda: fer2013.load(path), DataError)
