"""When and how `report.html` is written: resumed, interrupted, long and refused."""

import json
import signal
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from cctranslate.batch.gallery import html_page
from tests.support import pictures
from tests.support.cli import Run, held, read_until
from tests.support.reports import count_lines, counted, data, page_results, replicate, rows, tree


def test_a_resumed_run_has_the_page_of_one_in_one_go(run: Run, faces: Path, tmp_path: Path) -> None:
    (faces / "broken.png").write_bytes(b"\x89PNG\r\n")
    out = tmp_path / "out"
    run(faces, "--to", "happy", "-o", out)
    whole = (out / "report.html").read_bytes()
    run(faces, "--to", "happy", "-o", out, "--overwrite", "--limit", "3")
    assert len(page_results(data(out / "report.html"))) == 3
    run(faces, "--to", "happy", "-o", out)
    assert (out / "report.html").read_bytes() == whole
    run(faces, "--to", "happy", "-o", out)
    assert (out / "report.html").read_bytes() == whole


def test_an_interrupted_run_has_a_page_that_says_so(weights: Path, tmp_path: Path) -> None:
    source, out = pictures.write_csv(tmp_path / "faces.csv", 1000), tmp_path / "out"
    process = held(source, "--to", "happy", "--weights", weights, "-o", out, "-q")
    read_until(process, lambda: count_lines(out) >= 20)
    process.send_signal(signal.SIGINT)
    process.communicate()
    assert process.returncode == 130
    found = data(out / "report.html")
    assert found["run"]["finished"] is False
    assert 19 < len(page_results(found)) == len(rows(out)) < 1000
    assert len(found["pictures"]) == len(found["faces"])


def test_no_html_leaves_out_the_page_and_removes_an_earlier_one(
    run: Run, faces: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run(faces, "--to", "happy", "-o", out, "--limit", "3")
    kept = tree(out)
    result = run(faces, "--to", "happy", "-o", out, "--no-html")
    assert result.exit_code == 0, result.output
    assert not (out / "report.html").exists(), "it would not be of this report"
    assert "report.html" not in result.stderr
    assert kept.items() < tree(out).items()
    result = run(faces, "--to", "happy", "-o", out)
    assert "report.html" in result.stderr
    assert len(page_results(data(out / "report.html"))) == 7


@pytest.mark.parametrize("report", ["-", "copy.csv", "copy.jsonl"])
def test_the_page_is_in_out_wherever_the_report_goes(
    run: Run, faces: Path, tmp_path: Path, report: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(faces, "--to", "happy", "-o", "out", "--report", report)
    assert result.exit_code == 0, result.output
    assert "html" not in result.stdout
    assert len(page_results(data(tmp_path / "out" / "report.html"))) == 7


def test_a_page_that_cannot_be_written_is_one_line(run: Run, faces: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(faces, "--to", "happy", "-o", out, "--no-html")
    (out / "report.html").mkdir()
    for words in ((), ("--no-html",)):
        result = run(faces, "--to", "happy", "-o", out, *words)
        assert result.exit_code == 1, result.output
        assert result.stderr.splitlines()[-1].startswith(f"Error: {out / 'report.html'}: ")
    assert not (out / ".report.html.partial").exists()


def test_the_page_of_a_long_report_shows_an_evenly_spread_part(
    run: Run, faces: Path, tmp_path: Path
) -> None:
    run(faces, "--to", "happy", "-o", tmp_path / "out")
    manifest = json.loads((tmp_path / "out" / "run.json").read_text())
    journal = replicate(tmp_path / "out", 1000, tmp_path / "long")
    html_page.write(
        tmp_path / "long" / "report.html", journal, counted(journal), manifest, limit=50
    )
    shown = data(tmp_path / "long" / "report.html")
    numbers = [int(face["source"].removesuffix(".png")) for face in shown["faces"]]
    assert len(numbers) == 50
    assert set(np.diff(numbers)) == {20}
    assert (shown["run"]["rows"], shown["run"]["results"]) == (1000, 1000)
    assert shown["run"]["heat"]["label"]["sad"]["happy"] == [143, 143]


def test_memory_does_not_grow_with_the_report(run: Run, faces: Path, tmp_path: Path) -> None:
    run(faces, "--to", "happy", "-o", tmp_path / "out")
    manifest = json.loads((tmp_path / "out" / "run.json").read_text())
    peaks: list[int] = []
    for count in (100, 100, 20_000):  # the first one fills caches
        folder = tmp_path / f"long-{len(peaks)}"
        journal = replicate(tmp_path / "out", count, folder)
        counts = counted(journal)
        tracemalloc.start()
        html_page.write(folder / "report.html", journal, counts, manifest, limit=50)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[2] < 1.2 * peaks[1]
