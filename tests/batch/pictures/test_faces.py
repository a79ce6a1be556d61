"""Folders of photographs: faces found, changed, and put back where they were."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.support import bundles, pictures
from tests.support.changes import boxes, levels, outside
from tests.support.cli import Run
from tests.support.reports import rows, tree


def test_only_faces_change_and_each_has_its_rows(
    run: Run, words: tuple[str | Path, ...], album: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    result = run(*words, "-o", out)
    assert result.exit_code == 0, result.output
    report = {name: [r for r in rows(out) if name in r["source"]] for name in ("group", "none")}
    assert [(r["status"], r["faces"]) for r in report["none"]] == [("skipped", "")]
    assert "no face found" in report["none"][0]["reason"]
    reported = [(r["face"], r["target"], r["status"]) for r in report["group"]]
    assert reported[:4] == [(f, e, "done") for f in "12" for e in ("happy", "sad")]
    assert reported[4:] == [("3", "happy", "skipped"), ("3", "sad", "skipped")]
    assert "under 32" in report["group"][4]["reason"]
    assert all(0.8 <= float(r["score"]) <= 1 for r in report["group"])
    assert [r["confirmed"] for r in report["group"]] == ["true"] * 4 + [""] * 2

    changed = (levels(out / "sad" / "group.png") != levels(album / "group.png")).any(-1)
    for box in boxes(report["group"])[:4:2]:
        left, top, width, height = box
        assert changed[top : top + height, left : left + width].any()
        changed = outside(changed, box)
    assert not changed.any()
    assert sorted(tree(out)) == [
        f"{e}/{name}.png" for e in ("happy", "sad") for name in ("face", "group", "one")
    ]
    assert (levels(out / "sad" / "face.png").shape) == (48, 48)


def test_a_face_that_is_turned_away_is_marked(
    run: Run, mouth_weights: Path, tmp_path: Path
) -> None:
    """A squeezed face has landmarks as in a profile."""
    portrait = Image.open(pictures.PHOTOS.parent / "portraits" / "barkla.jpg")
    portrait.save(tmp_path / "front.png")
    portrait.resize((portrait.width // 2, portrait.height)).save(tmp_path / "side.png")
    words = ("--to", "sad", "--weights", mouth_weights, "-o", tmp_path / "out")
    result = run(tmp_path / "front.png", tmp_path / "side.png", *words)
    assert result.exit_code == 0, result.output
    reasons = {Path(row["source"]).stem: row["reason"] for row in rows(tmp_path / "out")}
    hard = "hard to change: the face is turned away, off the middle or covered"
    assert reasons == {"front": "", "side": hard}


@pytest.mark.parametrize(
    ("which", "chosen"), [("largest", [1]), ("2", [2]), ("3", []), ("9", []), ("all", [1, 2])]
)
def test_which_faces_are_translated_can_be_chosen(
    run: Run, mouth_weights: Path, album: Path, tmp_path: Path, which: str, chosen: list[int]
) -> None:
    """The group's third face is too small, whatever is chosen."""
    out = tmp_path / "out"
    words = ("--to", "sad", "--which", which, "--weights", mouth_weights)
    result = run(album / "group.png", *words, "-o", out)
    assert result.exit_code == (0 if chosen else 3), result.output
    report = {int(row["face"]): row for row in rows(out)}
    assert sorted(report) == [1, 2, 3]
    assert [f for f in (1, 2, 3) if report[f]["status"] == "done"] == chosen
    if which != "all":
        assert f"--which {which}" in report[2 if which == "largest" else 1]["reason"]
    areas = [int(w) * int(h) for w, h in (report[f]["box"].split()[2:] for f in (1, 2, 3))]
    assert areas == sorted(areas, reverse=True)
    if not chosen:
        assert tree(out) == {}
        return
    changed = (levels(out / "sad" / "group.png") != levels(album / "group.png")).any(-1)
    for face, row in report.items():
        left, top, width, height = (int(v) for v in row["box"].split())
        assert changed[top : top + height, left : left + width].any() == (face in chosen)


def test_a_chosen_face_alone_is_named_by_its_number(
    run: Run, mouth_weights: Path, album: Path, tmp_path: Path
) -> None:
    words = ("--to", "sad", "--which", "2", "--result", "face", "--weights", mouth_weights)
    result = run(album / "group.png", *words, "-o", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert set(tree(tmp_path / "out")) == {"sad/group.f2.png"}


@pytest.mark.parametrize("word", ["0", "-1", "first", "1.5", ""])
def test_a_face_that_cannot_be_chosen_is_a_usage_error(run: Run, album: Path, word: str) -> None:
    result = run(album, "--to", "sad", "--which", word)
    assert result.exit_code == 2
    assert "all, largest or a number from 1" in result.stderr


def test_the_report_is_the_same_for_any_workers_and_after_any_cut(
    run: Run, words: tuple[str | Path, ...], tmp_path: Path
) -> None:
    run(*words, "-o", tmp_path / "one", "--workers", "1", "--batch-size", "2")
    run(*words, "-o", tmp_path / "many", "--workers", "8")
    whole = (tmp_path / "one" / "report.csv").read_bytes()
    assert tree(tmp_path / "one") == tree(tmp_path / "many")
    for lines in (4, 6):
        cut = b"".join(whole.splitlines(keepends=True)[:lines])
        (tmp_path / "one" / "report.csv").write_bytes(cut)
        again = run(*words, "-o", tmp_path / "one")
        assert again.exit_code == 0, again.output
        timeless = [{**row, "ms": ""} for row in rows(tmp_path / "one")]
        assert timeless == [{**row, "ms": ""} for row in rows(tmp_path / "many")]
    assert tree(tmp_path / "one") == tree(tmp_path / "many")


def test_faces_alone_are_gray_and_48_pixels_and_never_share_a_name(
    run: Run, words: tuple[str | Path, ...], album: Path, tmp_path: Path
) -> None:
    Image.fromarray(pictures.draw_face(3, 1)).save(album / "group.f2.png")
    out = tmp_path / "out"
    result = run(*words, "-o", out, "--result", "face")
    assert result.exit_code == 0, result.output
    names = ("face", "group", "group.f2", "group.f2_", "one")
    assert set(tree(out)) == {f"{e}/{name}.png" for e in ("happy", "sad") for name in names}
    for path in out.rglob("*.png"):
        with Image.open(path) as picture:
            assert (picture.mode, picture.size) == ("L", (48, 48))
    patch = levels(out / "happy" / "group.f2.png")[bundles.MOUTH]
    assert set(patch.ravel()) == {128}
    again = run(*words, "-o", out, "--result", "face")
    assert again.exit_code == 0, again.output
    assert len(tree(out)) == 10


def test_faces_that_are_left_out_stay_as_they_were(
    run: Run, mouth_weights: Path, album: Path, tmp_path: Path
) -> None:
    out, words = tmp_path / "out", ("--to", "sad", "--per-class", "1", "--weights", mouth_weights)
    run(album / "group.png", *words, "-o", out)
    report = rows(out)
    assert [r["output"] for r in report] == ["sad/group.png", "", ""]
    assert [r["disposition"] for r in report] == ["written", "over_quota", ""]
    changed = (levels(out / "sad" / "group.png") != levels(album / "group.png")).any(-1)
    (left, top, width, height), second = boxes(report)[:2]
    assert changed[top : top + height, left : left + width].any()
    left, top, width, height = second
    assert not changed[top : top + height, left : left + width].any()


def test_small_color_pictures_are_faces_and_stay_in_color(
    run: Run, mouth_weights: Path, tmp_path: Path
) -> None:
    sample = pictures.PHOTOS.parent / "samples" / "collins-colour.jpg"
    run(sample, "--to", "happy", "--weights", mouth_weights, "-o", tmp_path / "out")
    (row,) = rows(tmp_path / "out")
    assert (row["box"], row["score"], row["faces"]) == ("0 0 96 96", "", "1")
    with Image.open(sample) as before:
        same = np.asarray(before).astype(int)
    after = levels(tmp_path / "out" / "happy" / "collins-colour.png")
    assert after.shape == (96, 96, 3)
    np.testing.assert_array_equal(after[:56], same[:56])
    assert np.abs(after.mean(-1)[68:76, 44:52] - 128).mean() < 30


def test_the_option_faces_says_what_is_taken_for_a_face(
    run: Run, mouth_weights: Path, tmp_path: Path
) -> None:
    pictures.portrait(pictures.COLLINS, 90).save(tmp_path / "small.png")
    pictures.landscape().save(tmp_path / "none.png")
    words = ("--to", "sad", "--weights", mouth_weights)
    run(tmp_path / "none.png", *words, "-o", tmp_path / "whole", "--faces", "whole")
    assert [(r["status"], r["box"]) for r in rows(tmp_path / "whole")] == [("done", "0 0 400 300")]
    assert levels(tmp_path / "whole" / "sad" / "none.png").shape == (300, 400)
    none = run(tmp_path / "none.png", *words, "-o", tmp_path / "none")
    assert none.exit_code == 3
    run(tmp_path / "small.png", *words, "-o", tmp_path / "found", "--faces", "detect")
    (row,) = rows(tmp_path / "found")
    assert (row["status"], row["score"] != "") == ("skipped", True)


def test_a_bundle_that_says_how_it_moves_moves_the_picture_itself(run: Run, tmp_path: Path) -> None:
    moving = bundles.write_bundle(tmp_path / "moving", bundles.MOUTH, edits=True)
    portrait = pictures.portrait(pictures.HOPPER)
    portrait.save(tmp_path / "a.png")
    run(tmp_path / "a.png", "--to", "happy", "--weights", moving, "-o", tmp_path / "out")
    before, after = np.asarray(portrait).astype(int), levels(tmp_path / "out" / "happy" / "a.png")
    (row,) = rows(tmp_path / "out")
    left, top, width, height = boxes([row])[0]
    middle = slice(top + height // 3, top + 2 * height // 3), slice(left + 40, left + width - 40)
    gaps = {
        x: np.abs(after[middle] - np.roll(before, -x, 1)[middle]).mean() for x in range(-50, 51)
    }
    moved = min(gaps, key=lambda x: gaps[x])
    assert 35 <= moved <= 43, "2 to 2.4 times 4 pixels of a face of 212"
    run(
        *(tmp_path / "a.png", "--to", "happy", "--weights", moving, "--strength", "0"),
        *("-o", tmp_path / "still"),
    )
    np.testing.assert_array_equal(levels(tmp_path / "still" / "happy" / "a.x0.png"), before)
