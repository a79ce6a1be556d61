"""Real folders through real sessions: results, report, exit codes."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cctranslate.emotions import EMOTIONS
from tests.support import pictures
from tests.support.cli import Run
from tests.support.reports import rows, tree


def test_each_face_gets_each_target_and_a_row(run: Run, faces: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = run(faces, "--to", "all", "-o", out)
    assert result.exit_code == 0, result.output
    found = rows(out)
    assert len(found) == 49
    assert {row["status"] for row in found} == {"done"}
    assert all((out / row["output"]).is_file() for row in found)
    happy = next(r for r in found if r["target"] == "happy" and r["source_label"] == "sad")
    assert happy["output"] == "happy/sad__4.png"
    assert happy["predicted"] == "happy"
    assert happy["confirmed"] == "true"
    assert (happy["width"], happy["height"], happy["mode"]) == ("48", "48", "L")
    assert sum(float(happy[f"p_{e}"]) for e in EMOTIONS) == pytest.approx(1, abs=1e-4)


def test_the_result_is_what_the_generator_made(run: Run, faces: Path, tmp_path: Path) -> None:
    run(faces, "--to", "happy", "-o", tmp_path / "out")
    with Image.open(tmp_path / "out" / "happy" / "sad__4.png") as picture:
        got = np.asarray(picture)
    assert got.shape == (48, 48)
    assert got.dtype == np.uint8
    np.testing.assert_array_equal(got[:8, :8], 128)  # -0.9 + 0.3 * 3 is middle gray
    np.testing.assert_array_equal(got[8:], pictures.draw_face(4, 0)[8:])


@pytest.mark.parametrize("size", [48, 200])
def test_a_face_that_has_the_expression_already_is_left_as_it_is(
    run: Run, tmp_path: Path, size: int
) -> None:
    smiling = pictures.draw_face(4, 0).copy()
    smiling[:8, :8] = 118  # which the tiny judge reads as happy, and the generator takes to 128
    picture = Image.fromarray(smiling).resize((size, size), Image.Resampling.NEAREST)
    picture.save(tmp_path / "smiling.png")
    out = tmp_path / "out"
    run(tmp_path / "smiling.png", "--to", "happy,sad", "--faces", "whole", "-o", out)
    for target, changed in (("happy", False), ("sad", True)):
        with Image.open(out / target / "smiling.png") as result:
            gap = np.abs(np.asarray(result).astype(int) - np.asarray(picture))
        assert (gap.max() > 5) == changed, target
    assert [row["confirmed"] for row in rows(out)] == ["true", "true"]


def test_run_json_adds_up_and_says_what_ran(run: Run, faces: Path, tmp_path: Path) -> None:
    (faces / "broken.png").write_bytes(b"\x89PNG\r\n")
    (faces / "notes.txt").write_text("no picture")
    out = tmp_path / "out"
    result = run(faces, "--to", "happy,sad", "-o", out)
    assert result.exit_code == 1, result.output
    manifest = json.loads((out / "run.json").read_text())
    counted = [manifest[name] for name in ("found", "done", "skipped", "failed")]
    assert counted == [9, 7, 1, 1]
    assert manifest["confirmed_share"] == {"happy": 1.0, "sad": 1.0}
    assert manifest["provider"] == "CPUExecutionProvider"
    assert set(manifest["bundle"]) == {"generator", "judge"}
    assert manifest["options"]["format"] == "png"
    assert "7 done, 1 skipped, 1 failed" in result.stderr
    assert "happy     100.0% of 7 confirmed" in result.stderr


def test_a_result_that_is_not_confirmed_is_written(run: Run, tmp_path: Path) -> None:
    bright = np.full((48, 48), 255, np.uint8)
    Image.fromarray(bright).save(tmp_path / "bright.png")
    out = tmp_path / "out"
    result = run(tmp_path / "bright.png", "--to", "happy,neutral", "-o", out)
    assert result.exit_code == 0, result.output
    by_target = {row["target"]: row for row in rows(out)}
    assert by_target["happy"]["predicted"] == "neutral"
    assert by_target["happy"]["confirmed"] == "false"
    assert by_target["neutral"]["confirmed"] == "true"
    assert (out / "happy" / "bright.png").exists()


def test_min_confidence_decides_what_is_confirmed(run: Run, faces: Path, tmp_path: Path) -> None:
    run(faces / "sad", "--to", "happy", "-o", tmp_path / "a", "--min-confidence", "1")
    assert rows(tmp_path / "a")[0]["confirmed"] == "false"
    run(faces / "sad", "--to", "happy", "-o", tmp_path / "b", "--min-confidence", "0.5")
    assert rows(tmp_path / "b")[0]["confirmed"] == "true"


def test_out_can_be_read_by_image_folder_loaders(run: Run, faces: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(faces, "--to", "happy,fear", "-o", out)
    pictures = [p for p in out.rglob("*") if p.suffix in (".png", ".jpg", ".webp")]
    assert {p.parent.relative_to(out).as_posix() for p in pictures} == {"happy", "fear"}
    assert sorted(p.name for p in out.iterdir()) == [
        "fear",
        "happy",
        "report.csv",
        "report.html",
        "run.json",
    ]


@pytest.mark.parametrize(("form", "suffix"), [("jpeg", ".jpg"), ("webp", ".webp"), ("png", ".png")])
def test_every_result_is_marked_and_names_no_source(
    run: Run, faces: Path, tmp_path: Path, form: str, suffix: str
) -> None:
    out = tmp_path / "out"
    run(faces / "sad", "--to", "happy", "-o", out, "--format", form)
    content = (out / "happy" / f"4{suffix}").read_bytes()
    assert b"compositeWithTrainedAlgorithmicMedia" in content
    assert b"cctranslate" in content
    assert str(tmp_path).encode() not in content
    plain = tmp_path / "plain"
    run(faces / "sad", "--to", "happy", "-o", plain, "--format", form, "--no-mark")
    assert b"TrainedAlgorithmicMedia" not in (plain / "happy" / f"4{suffix}").read_bytes()


def test_equal_names_never_share_a_file(run: Run, tmp_path: Path) -> None:
    places = ["a/x.png", "a/x.jpg", "b/x.png", "b/X.png", "a__x.png"]
    for number, place in enumerate(places):
        path = tmp_path / "in" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pictures.draw_face(number, 9)).save(path)
    out = tmp_path / "out"
    result = run(tmp_path / "in", tmp_path / "in" / "a", "--to", "sad", "-o", out)
    assert result.exit_code == 0, result.output
    found = rows(out)
    assert len(found) == len(places), "a file that is named twice comes once"
    outputs = [row["output"].lower() for row in found]
    assert len(set(outputs)) == len(places)
    for row in found:
        with Image.open(out / row["output"]) as picture, Image.open(row["source"]) as source:
            gap = np.abs(np.asarray(picture, int)[8:] - np.asarray(source.convert("L"), int)[8:])
        assert gap.max() == 0


def test_workers_and_batches_do_not_change_a_byte(run: Run, faces: Path, tmp_path: Path) -> None:
    for number in range(40):
        Image.fromarray(pictures.draw_face(number % 7, number)).save(faces / f"{number:02d}.png")
    for name, options in {"one": ("--workers", "1"), "many": ("--workers", "8")}.items():
        run(faces, "--to", "all", "-o", tmp_path / name, *options)
    assert tree(tmp_path / "one") == tree(tmp_path / "many")
    timeless = [[{**row, "ms": ""} for row in rows(tmp_path / n)] for n in ("one", "many")]
    assert timeless[0] == timeless[1]


def test_the_sheet_lies_beside_out_or_where_it_is_asked_for(
    run: Run, faces: Path, tmp_path: Path
) -> None:
    run(faces, "--to", "happy,sad", "-o", tmp_path / "out")
    with Image.open(tmp_path / "out-sheet.png") as sheet:
        assert sheet.height == 7 * (96 + 14) + 28
        assert sheet.width >= 3 * 96
    run(faces, "--to", "happy", "-o", tmp_path / "two", "--sheet", tmp_path / "mine.png")
    assert (tmp_path / "mine.png").exists()
    assert not (tmp_path / "two-sheet.png").exists()


def test_the_report_can_be_copied_in_other_formats(run: Run, faces: Path, tmp_path: Path) -> None:
    result = run(faces, "--to", "happy", "-o", tmp_path / "out", "--report", "-")
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line["confirmed"] for line in lines] == [True] * 7
    assert lines[0]["confidence"] > 0.9
    again = run(faces, "--to", "happy", "-o", tmp_path / "out", "--report", tmp_path / "r.jsonl")
    assert again.exit_code == 0, again.output
    copied = [json.loads(line) for line in (tmp_path / "r.jsonl").read_text().splitlines()]
    assert copied == lines


def test_a_dry_run_writes_nothing(run: Run, faces: Path, tmp_path: Path) -> None:
    result = run(faces, "--to", "happy", "-o", tmp_path / "out", "--dry-run")
    assert result.exit_code == 0, result.output
    assert len(result.stdout.splitlines()) == 7
    assert sorted(p.name for p in tmp_path.iterdir()) == ["faces"]


def test_limit_takes_the_first(run: Run, faces: Path, tmp_path: Path) -> None:
    run(faces, "--to", "happy", "-o", tmp_path / "out", "--limit", "2")
    assert [row["source_label"] for row in rows(tmp_path / "out")] == ["angry", "disgust"]


def test_a_translator_gives_one_translation_or_many(weights: Path) -> None:
    from cctranslate import Translator

    translator = Translator(weights=weights, device="cpu")
    picture = Image.fromarray(pictures.draw_face(4, 0))
    one = translator.translate(picture, "happiness")
    assert (one.target, one.predicted, one.confirmed) == ("happy", "happy", True)
    assert one.image.size == (48, 48)
    many = list(translator.translate_many([picture] * 20, ["sad", "angry"]))
    assert [[t.target for t in each] for each in many] == [["angry", "sad"]] * 20
    for words in (["sad", "x"], []):
        with pytest.raises(ValueError, match="choose from"):
            translator.translate_many([picture], words)
    for word in ("sad,angry", "all"):  # which are several
        with pytest.raises(ValueError, match="is no expression"):
            translator.translate(picture, word)
