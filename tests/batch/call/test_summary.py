"""What a call tells at its end."""

import json
from pathlib import Path

import pytest

from cctranslate.batch.call.summary import Reasons
from cctranslate.batch.report.row import Row
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


def test_an_example_is_named_once() -> None:
    reasons = Reasons()
    for name, reason in (
        ("face", "no face found"),
        ("e", "decode: a folder"),
        ("a.zip", "decode: a.zip: damaged"),
    ):
        reasons.add([Row(source=name, status="failed", reason=reason)])
    ends = [line.partition(" x ")[2] for line in reasons.lines()]
    assert ends == [
        "no face found, for example face",
        "decode: a folder, for example e",
        "decode: a.zip: damaged",
    ]


def test_the_rest_of_many_reasons_is_counted() -> None:
    reasons = Reasons()
    for letter in "abcdefghij":
        reasons.add([Row(source=f"{letter}.png", status="failed", reason=letter * 3)])
    assert list(reasons.lines())[-1] == "  and 2 more reasons: see the report"
    del reasons.groups[next(iter(reasons.groups))]
    assert list(reasons.lines())[-1] == "  and 1 more reason: see the report"


def test_a_second_call_says_what_is_new(run: Run, tmp_path: Path) -> None:
    folder, out = write_many(tmp_path / "in", 3), tmp_path / "out"
    assert "3 inputs: 3 done" in run(folder, "--to", "sad", "-o", out).stderr
    write_many(tmp_path / "more", 1)
    result = run(folder, tmp_path / "more", "--to", "sad", "-o", out)
    message = "4 inputs: 4 done, 0 skipped, 0 failed (1 in this call, 3 from before; 1 new result)"
    assert message in result.stderr
    assert (
        "(4 in this call, 0 from before; 4 new results)"
        in run(folder, tmp_path / "more", "--to", "happy,sad", "-o", out).stderr
    )
    assert f"results in {out}, report in {out / 'report.csv'}" in result.stderr


def test_the_contact_sheet_is_named_if_there_is_one(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_many(Path("in"), 1)
    assert ", contact sheet in o1-sheet.png\n" in run("in", "--to", "sad", "-o", "o1").stderr
    words = ("in", "--to", "sad", "--sheet", "my.png", "-o", "o2")
    assert ", contact sheet in my.png\n" in run(*words).stderr
    out = tmp_path / "d" / "o3"
    assert f", contact sheet in {out}-sheet.png\n" in run("in", "--to", "sad", "-o", out).stderr
    assert "contact sheet" not in run("in", "--to", "sad", "-o", "o4", "--no-sheet").stderr
    Path("empty.png").touch()
    assert "contact sheet" not in run("empty.png", "--to", "sad", "-o", "o5").stderr


@pytest.mark.parametrize("layout", ["imagefolder", "webdataset", "fer-csv"])
def test_a_summary_is_of_inputs_as_they_are_now(run: Run, tmp_path: Path, layout: str) -> None:
    folder, out = write_many(tmp_path / "in", 3), tmp_path / "out"
    broken = sorted(folder.iterdir())[0]
    whole = broken.read_bytes()
    words = (folder, "--to", "happy", "--layout", layout, "-o", out)
    broken.write_bytes(whole[:90])
    assert run(*words).exit_code == 1
    broken.write_bytes(whole[:100])
    again = run(*words)
    assert "2 done, 0 skipped, 1 failed (1 in this call, 2 from before; 0 new results)" in (
        again.stderr
    )
    assert again.stderr.count("failed        1 x decode") == 1
    broken.write_bytes(whole)
    mended = run(*words)
    assert mended.exit_code == 0
    message = "3 done, 0 skipped, 0 failed (1 in this call, 2 from before; 1 new result)"
    assert message in mended.stderr
    assert " x " not in mended.stderr, "nothing has failed as things are"
    assert json.loads((out / "run.json").read_text())["inputs_per_second"] > 0


def test_results_that_are_judged_only_are_counted(run: Run, tmp_path: Path) -> None:
    folder = write_many(tmp_path / "in", 7)
    words = (folder, "--to", "happy", "--min-confidence", "1")
    only = run(*words, "--confirmed-only", "-o", tmp_path / "only")
    assert "7 results were not written: not confirmed\n" in only.stderr
    quota = run(folder, "--to", "happy", "--samples", "2", "--per-class", "3", "-o", tmp_path / "n")
    assert "1 result was not written: beyond --per-class 3\n" in quota.stderr
    apart = run(*words, "--unconfirmed-to", tmp_path / "others", "-o", tmp_path / "apart")
    assert "not written" not in apart.stderr
    assert f"those not confirmed in {tmp_path / 'others'}, report in" in apart.stderr


def test_a_file_that_was_not_written_is_not_named(run: Run, tmp_path: Path) -> None:
    (face,) = write_many(tmp_path / "in", 1).iterdir()
    words = (face, "--to", "happy", "--min-confidence", "1", "--confirmed-only")
    result = run(*words, "-o", tmp_path / "happy.png")
    assert result.exit_code == 0
    assert "1 result was not written: not confirmed" in result.stderr
    assert "result in" not in result.stderr
    assert not (tmp_path / "happy.png").exists()


def test_a_stream_names_no_report(run: Run, tmp_path: Path) -> None:
    folder = write_many(tmp_path / "in", 1)
    (folder / "broken.png").write_bytes(b"broken")
    result = run(folder, "--to", "happy", "-o", "-", "--max-failures", "0")
    assert result.exit_code == 5
    assert result.stderr.endswith("1 failed, --max-failures 0\n")
