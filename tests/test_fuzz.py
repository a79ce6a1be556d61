"""Whatever bytes come in, what comes out is a result or a refusal of one line.

CCTRANSLATE_FUZZ=long tries many more inputs, and other ones every time.
"""

import io
import json
import os
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image

from cctranslate import bundle
from cctranslate.batch.gallery import contact_sheet, html_page
from cctranslate.batch.inputs.decoding import DecodeOptions, decode
from cctranslate.batch.inputs.exclusions import InputFilter, OutputPaths
from cctranslate.batch.inputs.items import ContentItem, Decoded, DecodeFailure, Item
from cctranslate.batch.inputs.sources import from_inputs
from cctranslate.batch.merge_reports import merge
from cctranslate.batch.outputs import folder
from cctranslate.batch.outputs.earlier.claiming import claim
from cctranslate.batch.report import formats
from cctranslate.batch.report.journal import Journal
from cctranslate.batch.report.resume import ResumeState
from cctranslate.emotions import EMOTIONS
from cctranslate.errors import BundleError, DataError, OptionError, UserError
from cctranslate.faces.detector import FaceDetector
from cctranslate.inference.variants import Variant
from cctranslate.training.data import fer2013
from tests.support import pictures
from tests.support.cli import child

settings.register_profile("quick", max_examples=50, deadline=None, derandomize=True, database=None)
settings.register_profile(
    "long",
    max_examples=4000,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
settings.load_profile(os.environ.get("CCTRANSLATE_FUZZ", "quick"))

LOOK = DecodeOptions(face_mode="auto", detector=FaceDetector(), will_reread=True)
FORMATS = ("png", "jpeg", "gif", "webp", "bmp", "tiff", "ppm", "tga", "ico", "pcx", "sgi", "dds")


def saved(form: str, mode: str) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pictures.draw_face(3, 0)).convert(mode).save(out, form)
    return out.getvalue()


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


PICTURES = [saved(form, mode) for form in FORMATS for mode in ("L", "RGB")]
ARCHIVES = [zipped(packed) for packed in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)]
ARCHIVES += [zipped(zipfile.ZIP_LZMA), tarred("w:"), tarred("w:gz")]


@st.composite
def spoiled(draw: st.DrawFn, whole: st.SearchStrategy[bytes]) -> bytes:
    """Bytes of a good file after some edits, the first ones being where headers are."""
    content = bytearray(draw(whole))
    for _ in range(draw(st.integers(1, 5))):
        at = draw(st.integers(0, min(64, len(content))) | st.integers(0, len(content)))
        cut = draw(st.sampled_from([0, 1, 1, 1, 4, 1000]))
        content[at : at + cut] = draw(st.binary(min_size=min(cut, 4), max_size=4))
    return bytes(content)


def refused(work: Callable[[], object], kind: type[UserError]) -> bool:
    """Whether `work` refuses, in one line; any other exception is the test's failure."""
    said = ""
    try:
        work()
    except kind as error:
        said = str(error)
    assert len(said.splitlines()) <= 1
    return said != ""


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


@pytest.fixture(scope="module")
def work_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all inputs of a test, each overwritten by the next."""
    return tmp_path_factory.mktemp("fuzz")


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


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
DEEP = [opened * 100_000 for opened in ("[", '{"asked":')]


@st.composite
def cards(draw: st.DrawFn, whole: dict[str, Any]) -> str:
    """A card's text with one of its values, at any depth, another one."""
    card = json.loads(json.dumps(whole))
    inner = card
    while True:
        key = draw(st.sampled_from(sorted(inner)))
        if not (isinstance(inner[key], dict) and inner[key] and draw(st.booleans())):
            break
        inner = inner[key]
    inner[key] = draw(JSON | st.text(min_size=200, max_size=300))
    return json.dumps(card)


TINY: dict[str, Any] = {
    "format": bundle.FORMAT,
    "classes": list(EMOTIONS),
    "image_size": 48,
    "files": {m: {"name": f"{m}.onnx", "sha256": "0" * 64} for m in bundle.MODELS},
}


@given(cards(TINY) | JSON.map(json.dumps) | st.text())
@example(DEEP[0])
@example(DEEP[1])
@example(json.dumps(TINY | {"format": 0}).replace("0", "[" * 900 + "]" * 900, 1))
@example(json.dumps(TINY).replace("generator.onnx", "x" * 300))
@example(json.dumps(TINY).replace('"generator.onnx"', "[" * 900 + "]" * 900))
def test_any_other_card_is_refused(work_folder: Path, text: str) -> None:
    (work_folder / bundle.CARD).write_bytes(text.encode("utf-8", "surrogatepass"))
    assert refused(lambda: bundle.load(work_folder), BundleError)


ASKED = {"INPUT": ["in"], "--to": ["happy"], "--strength": [1.0], "--shard": [1, 1]}


@given(cards({"asked": ASKED, "finished": True}) | JSON.map(json.dumps) | st.text())
@example(DEEP[0])
@example(DEEP[1])
@example(json.dumps({"asked": ASKED | {"--shard": [1, float("inf")]}, "finished": True}))
def test_any_run_json_is_taken_up_or_refused(work_folder: Path, text: str) -> None:
    (work_folder / folder.RUN).write_bytes(text.encode("utf-8", "surrogatepass"))
    refused(lambda: claim(work_folder, None, ASKED, overwrite=False), OptionError)
    refused(lambda: merge([work_folder], work_folder / "joined.csv"), OptionError)


@pytest.fixture(scope="module")
def finished(work_folder: Path, weights: Path) -> bytes:
    """The report of a run with a result, a failure and a skipped file."""
    (work_folder / "in").mkdir()
    (work_folder / "in" / "a.png").write_bytes(PICTURES[0])
    (work_folder / "in" / "b.png").write_bytes(b"broken")
    (work_folder / "in" / "c.txt").write_bytes(b"text")
    words = (
        work_folder / "in",
        "--to",
        "happy",
        "--weights",
        weights,
        "-o",
        work_folder / "run",
        "-q",
    )
    assert child("batch", *words).wait() == 1
    return (work_folder / "run" / "report.csv").read_bytes()


@given(st.data())
def test_any_report_is_gone_on_from_or_refused(
    work_folder: Path, finished: bytes, data: Any
) -> None:
    out, journal = work_folder / "run", work_folder / "run" / folder.REPORT
    journal.write_bytes(data.draw(spoiled(st.just(finished))))
    run = {"finished": True, "done": 1, "skipped": 1, "failed": 1}

    def go_on() -> None:
        resume = ResumeState(
            ["happy"],
            base=work_folder,
            is_there=lambda row: True,
            altered=(),
            position=lambda output: None,
        )
        opened = Journal(journal, resume, lambda rows: None)
        opened.close()
        counts = opened.counts
        variants = (Variant(target="happy", strength=1),)
        contact_sheet.draw(journal, out, variants, counts.faces_done)
        html_page.write(out / folder.PAGE, journal, counts, run)
        formats.copy(journal, work_folder / "copy.jsonl")

    refused(go_on, OptionError)
