"""Any bundle card, `run.json` or report is taken up or refused."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cctranslate import bundle
from cctranslate.batch.gallery import contact_sheet, html_page
from cctranslate.batch.merge_reports import merge
from cctranslate.batch.outputs import folder
from cctranslate.batch.outputs.earlier.claiming import claim
from cctranslate.batch.report import formats
from cctranslate.batch.report.journal import Journal
from cctranslate.batch.report.resume import ResumeState
from cctranslate.emotions import EMOTIONS
from cctranslate.errors import BundleError, OptionError
from cctranslate.inference.variants import Variant
from tests.fuzz.spoiling import PICTURES, refused, spoiled
from tests.support.cli import child

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


ASKED = {
    "INPUT": ["in"],
    "--to": ["happy"],
    "--strength": [1.0],
    "--shard": [1, 1],
    "--unconfirmed-to": "../aside",
}
RUN = {"asked": ASKED, "finished": True, "folder": "/a", "place": "/a/out"}


@given(cards(RUN) | JSON.map(json.dumps) | st.text())
@example(DEEP[0])
@example(DEEP[1])
@example(json.dumps(RUN | {"asked": ASKED | {"--shard": [1, float("inf")]}}))
@example(json.dumps(RUN | {"asked": ASKED | {"--unconfirmed-to": "/a\0b"}}))
@example(json.dumps(RUN | {"folder": ""}))
@example(json.dumps(RUN | {"place": "/a\0b"}))
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
