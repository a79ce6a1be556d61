"""What a call tells at its end."""

from pathlib import Path

from cctranslate.batch.report.row import Row
from cctranslate.batch.report.summary import Reasons
from tests.support.cli import Run
from tests.support.pictures import write_many


def test_reasons_are_grouped_whatever_their_figures() -> None:
    reasons = Reasons()
    for name, reason in (
        ("a.jpg", "decode: truncated (3 bytes not processed)"),
        ("b.jpg", "decode: truncated (17 bytes not processed)"),
        ("c.nef", "decode: camera raw (NEF)"),
        ("d.dng", "decode: camera raw (DNG)"),
    ):
        reasons.add([Row(source=name, status="failed", reason=reason)])
    reasons.add([Row(source="e.txt", status="skipped", reason="no picture")])
    reasons.add([Row(source="f.png", status="done")])
    first, *others = reasons.lines()
    assert first.startswith("  failed ")
    assert "2 x decode: truncated (3 bytes not processed), for example a.jpg" in first
    assert [line.split(", for example ")[1] for line in others] == ["c.nef", "d.dng", "e.txt"]


def test_the_rest_of_many_reasons_is_counted() -> None:
    reasons = Reasons()
    for letter in "abcdefghij":
        reasons.add([Row(source=f"{letter}.png", status="failed", reason=letter * 3)])
    assert list(reasons.lines())[-1] == "  and 2 more reasons: see the report"


def test_a_second_call_says_what_is_new(run: Run, tmp_path: Path) -> None:
    folder, out = write_many(tmp_path / "in", 3), tmp_path / "out"
    assert "3 inputs: 3 done" in run(folder, "--to", "sad", "-o", out).stderr
    write_many(tmp_path / "more", 1)
    result = run(folder, tmp_path / "more", "--to", "sad", "-o", out)
    told = "4 inputs: 4 done, 0 skipped, 0 failed (1 new, 3 from before; 1 new result)"
    assert told in result.stderr
    assert (
        "(0 new, 4 from before; 4 new results)"
        in run(folder, tmp_path / "more", "--to", "happy,sad", "-o", out).stderr
    )
    assert f"results in {out}, report in {out / 'report.csv'}" in result.stderr
