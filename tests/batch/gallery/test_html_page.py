"""`report.html` without a browser: it says what the report says, and its links lead somewhere."""

import base64
import hashlib
import io
import json
import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote_to_bytes

import numpy as np
import pytest
from PIL import Image

from cctranslate.batch.gallery.thumbnails import PIXELS, Thumbnails
from cctranslate.batch.report.row import Row
from tests.support import pictures
from tests.support.cli import Run
from tests.support.reports import data, page_results, rows, write_odd

linux = pytest.mark.skipif(sys.platform != "linux", reason="such file names are Linux's alone")


def linked(out: Path, link: str) -> Path:
    """The file that a link in OUT's page leads to."""
    return out / unquote_to_bytes(link).decode("utf-8", "surrogateescape")


@linux
def test_the_page_has_the_values_of_the_report(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "out"
    inputs = write_odd(tmp_path)
    options = ("--to", "happy,sad", "--strength", "0.5", "--strength", "1", "--samples", "2")
    result = run(*inputs, *options, "-o", out)
    assert result.exit_code == 1, result.output
    found, wanted = data(out / "report.html"), rows(out)
    assert len(page_results(found)) == len(wanted) > 100
    for (face, row), cells in zip(page_results(found), wanted, strict=True):
        assert (row["target"], row["status"], row["predicted"]) == (
            cells["target"],
            cells["status"],
            cells["predicted"],
        )
        assert row["confirmed"] == (cells["confirmed"] == "true")
        assert row["confidence"] == (float(cells["confidence"]) if cells["confidence"] else None)
        assert row["reason"] == cells["reason"]
        assert (face["face"], face["label"]) == (int(cells["face"] or 0), cells["source_label"])
        if cells["target"]:
            strength = "" if cells["strength"] == "1" else f" x{cells['strength']}"
            sample = "" if cells["sample"] == "1" else f" s{cells['sample']}"
            assert row["variant"] == strength + sample
    assert {face["face"] for face in found["faces"] if face["source"].endswith("group.png")} == {
        1,
        2,
        3,
    }
    run_json = json.loads((out / "run.json").read_text())
    for status in ("done", "skipped", "failed"):
        assert found["run"]["inputs"][status] == run_json[status]


def test_the_table_adds_up_to_the_confirmed_shares(run: Run, faces: Path, tmp_path: Path) -> None:
    Image.fromarray(np.full((48, 48), 255, np.uint8)).save(faces / "bright.png")
    out = tmp_path / "out"
    run(faces, "--to", "happy,neutral", "-o", out)
    manifest = data(out / "report.html")["run"]
    fractions = json.loads((out / "run.json").read_text())["confirmed_share"]
    assert fractions == {"happy": 0.875, "neutral": 1}
    assert manifest["heat"]["label"]["unknown"] == {"happy": [0, 1], "neutral": [1, 1]}
    assert manifest["heat"]["label"]["sad"] == {"happy": [1, 1], "neutral": [1, 1]}
    for by in ("label", "read"):
        for target, fraction in fractions.items():
            cells = [source[target] for source in manifest["heat"][by].values()]
            assert sum(c for c, _ in cells) / sum(n for _, n in cells) == fraction


@linux
@pytest.mark.parametrize("layout", ["imagefolder", "tree"])
def test_links_lead_to_sources_and_results(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layout: str
) -> None:
    write_odd(tmp_path)
    monkeypatch.chdir(tmp_path)
    for out in (Path("out"), tmp_path / "elsewhere" / "out"):
        run("in", "--to", "happy", "-o", out, "--layout", layout)
        found, wanted = data(out / "report.html"), rows(out)
        done = 0
        for (face, row), cells in zip(page_results(found), wanted, strict=True):
            if cells["status"] == "done":
                done += 1
                assert linked(out, row["picture"]).samefile(out / cells["output"])
                if not cells["source"].endswith(".tif"):
                    assert linked(out, face["picture"]).samefile(cells["source"])
            else:
                assert (face["picture"], row["picture"]) == (None, None)
        assert done == 8


@linux
def test_what_no_browser_could_reach_is_in_the_page(run: Run, tmp_path: Path) -> None:
    inputs = write_odd(tmp_path)
    run(*inputs, "--to", "happy", "-o", tmp_path / "out")
    page = data(tmp_path / "out" / "report.html")
    inside = {
        face["source"]: face["picture"]
        for face in page["faces"]
        if isinstance(face["picture"], int)
    }
    assert len(inside) == 1 + 2 + 7
    assert page["pictures"].keys() == {str(number) for number in inside.values()}
    expected = {
        str(tmp_path / "in" / "face.tif"): pictures.draw_face(3, 2),
        f"{tmp_path / 'faces.zip'}:b/plain.png": pictures.draw_face(1, 4),
        f"{tmp_path / 'faces.csv'}:5": pictures.draw_face(5, 5),
    }
    for source, face in expected.items():
        jpeg = io.BytesIO(base64.b64decode(page["pictures"][str(inside[source])]))
        with Image.open(jpeg) as picture:
            assert np.abs(np.asarray(picture, int) - face).mean() < 8


def test_a_face_from_an_archive_is_cut_out_of_its_picture(run: Run, tmp_path: Path) -> None:
    write_odd(tmp_path)
    with Image.open(tmp_path / "group.png") as picture:
        picture.save(tmp_path / "group.tif")
    run(tmp_path / "group.tif", "--to", "happy", "-o", tmp_path / "out")
    page = data(tmp_path / "out" / "report.html")
    pictures = []
    for face in page["faces"][:2]:
        with Image.open(
            io.BytesIO(base64.b64decode(page["pictures"][str(face["picture"])]))
        ) as picture:
            pictures.append(np.asarray(picture.convert("L").resize((96, 96)), int))
    assert max(page["faces"][0]["box"][2:]) < 400
    assert np.abs(pictures[0] - pictures[1]).mean() > 10


class Scripts(HTMLParser):
    """Counts elements."""

    def __init__(self) -> None:
        super().__init__()
        self.opaque_levels: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.opaque_levels.append(tag)


@linux
def test_no_name_becomes_part_of_the_page(run: Run, tmp_path: Path) -> None:
    inputs = write_odd(tmp_path)
    out = tmp_path / "a<b>&\"c'"
    run(*inputs, "--to", "happy", "-o", out)
    text = (out / "report.html").read_text(encoding="utf-8")
    scripts = Scripts()
    scripts.feed(text)
    assert scripts.opaque_levels.count("script") == 4
    assert "img" not in scripts.opaque_levels
    assert "b" not in scripts.opaque_levels
    assert "onerror" in text
    assert not re.findall(r"https?:", text)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy
    assert "unsafe" not in policy[1]
    for tag in ("style", "script"):
        content = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digests = [base64.b64encode(hashlib.sha256(c.encode()).digest()).decode() for c in content]
        assert [f"{tag}-src 'sha256-{digest}'" in policy[1] for digest in digests] == [True]


def test_a_result_that_is_not_written_says_why(run: Run, tmp_path: Path) -> None:
    Image.fromarray(np.full((48, 48), 255, np.uint8)).save(tmp_path / "bright.png")
    run(tmp_path / "bright.png", "--to", "happy", "-o", tmp_path / "out", "--confirmed-only")
    ((_, row),) = page_results(data(tmp_path / "out" / "report.html"))
    assert row["picture"] is None
    assert row["reason"] == rows(tmp_path / "out")[0]["reason"] != ""


def test_pictures_that_would_take_too_long_are_counted(tmp_path: Path) -> None:
    side = int(PIXELS**0.5)
    row = Row(source="x.tif", status="done", width=side, height=side)
    thumbnails = Thumbnails(str(tmp_path))
    assert [thumbnails.show(f"{n}.tif", row) for n in range(3)] == [0, None, None]
    assert thumbnails.unseen == 2
    assert list(thumbnails.encoded()) == [], "what has gone is left out"
