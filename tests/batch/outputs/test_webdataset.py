"""`--layout webdataset`: tars that grow at their end, and come out the same after any kill."""

import json
import tarfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cctranslate.batch.outputs import webdataset
from cctranslate.emotions import EMOTIONS
from tests.support import pictures
from tests.support.cli import Run
from tests.support.reports import rows, timeless, tree

SMALL = 20_000
"""Bytes that a tar of these tests takes."""
END = bytes(1024)


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """Twenty faces, one broken picture among them, and one that is never confirmed."""
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(20):
        Image.fromarray(pictures.draw_face(number % 7, number)).save(folder / f"{number:02}.png")
    (folder / "05.png").write_bytes(b"broken")
    Image.fromarray(np.full((48, 48), 255, np.uint8)).save(folder / "06.png")
    return folder


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webdataset, "FULL", SMALL)


def members(path: Path) -> dict[str, bytes]:
    with tarfile.open(path, "r:") as archive:
        found = {info.name: archive.extractfile(info) for info in archive}
        assert len(found) == len(archive.getnames())
        return {name: file.read() for name, file in found.items() if file}


def tarred(run: Run, *words: str | Path) -> None:
    result = run(*words, "--layout", "webdataset")
    assert result.exit_code in (0, 1), result.output


def test_a_sample_is_a_picture_its_class_and_what_is_known(
    run: Run, faces: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    tarred(run, faces, "--to", "happy,sad", "-o", out)
    assert set(tree(out)) == {"000000.tar"}
    run(faces, "--to", "happy,sad", "-o", tmp_path / "files")
    found = members(out / "000000.tar")
    assert len(found) == 3 * 14
    for place, content in tree(tmp_path / "files").items():
        assert found[place] == content
    for row in rows(out):
        archive, _, member = row["output"].partition(":")
        key = member.removesuffix(".png")
        assert (archive, "." in key) == ("000000.tar", False)
        assert EMOTIONS[int(found[f"{key}.cls"])] == row["target"]
        facts = json.loads(found[f"{key}.json"])
        assert (facts["target"], facts["confirmed"]) == (row["target"], True)
        assert facts["source_label"] == row["source_label"]
        assert facts["faces"][0]["probabilities"]["happy"] == float(row["p_happy"])
        assert str(tmp_path) not in found[f"{key}.json"].decode()


def test_keys_have_no_dot_and_no_two_are_one(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    places = ["a.b/x.y.png", "a-b/x-y.png", "a-b/X-y.bmp", "x-f2.png", "x.f2.png", "x.png"]
    places += ["é" * 120 + ".png"]
    for number, place in enumerate(places):
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pictures.draw_face(number % 7, 9)).save(folder / place)
    out = tmp_path / "out"
    words = (folder, "--to", "sad", "--result", "face", "--strength", "0.5", "--strength", "1")
    tarred(run, *words, "-o", out)
    outputs = [row["output"] for row in rows(out)]
    assert len({output.lower() for output in outputs}) == 2 * len(places)
    assert {output.count(".") for output in outputs} == {2}, "of .tar and .png"
    assert set(members(out / "000000.tar")) >= {output.partition(":")[2] for output in outputs}
    tarred(run, *words, "-o", tmp_path / "halves", "--limit", "3")
    tarred(run, *words, "-o", tmp_path / "halves")
    assert tree(tmp_path / "halves") == tree(out)


def test_a_full_tar_is_ended_and_the_next_begun(
    run: Run, many: Path, tmp_path: Path, small: None
) -> None:
    out = tmp_path / "out"
    tarred(run, many, "--to", "happy,sad", "-o", out)
    archives = sorted(tree(out))
    assert archives == [f"{number:06}.tar" for number in range(len(archives))]
    assert len(archives) > 3
    held = {name: members(out / name) for name in archives}
    for name in archives:
        assert (out / name).read_bytes().endswith(END)
        assert {row["output"].partition(":")[2] for row in rows(out) if name in row["output"]} == {
            member for member in held[name] if member.endswith(".png")
        }
    assert all((out / name).stat().st_size >= SMALL for name in archives[:-1])


def left_by_a_kill(whole: Path, out: Path, inputs: int, more: int) -> None:
    """Take `out` back to where so many inputs had rows, and the tars `more` bytes of the next."""
    report, found = (whole / "report.csv").read_bytes(), rows(whole)
    sources = list(dict.fromkeys(row["source"] for row in found))[:inputs]
    done = [row for row in found if row["source"] in sources]
    lines = report.splitlines(keepends=True)
    kept = b"".join(lines[: 1 + len(done)])
    (out / "report.csv").write_bytes(report[: len(kept) + more // 10])
    outputs = [row["output"].partition(":") for row in done if row["output"]]
    now, end = 0, 0
    if outputs:
        archive, _, member = outputs[-1]
        now = int(archive.removesuffix(".tar"))
        with tarfile.open(whole / archive) as opened:
            info = opened.getmember(member)
            end = info.offset_data + -(-info.size // 512) * 512
    for path in sorted(out.glob("*.tar")):
        number, content = int(path.stem), (whole / path.name).read_bytes()
        if (number, end) == (now, len(content) - len(END)):
            now, end = now + 1, 0  # full: the next input went to the next one
        if number < now:
            path.write_bytes(content)
        elif number == now and end + more:
            path.write_bytes(content[: end + more])
        else:
            path.unlink()


@pytest.mark.parametrize("more", [0, 4000])
def test_after_a_kill_at_any_moment_it_comes_out_the_same(
    run: Run, many: Path, tmp_path: Path, small: None, more: int
) -> None:
    """A kill leaves a beginning of the report, and of the tars what that names or more of it."""
    whole, out = tmp_path / "whole", tmp_path / "out"
    words = (many, "--to", "happy,sad", "--confirmed-only", "--no-html")
    tarred(run, *words, "-o", whole)
    tarred(run, *words, "-o", out)
    for inputs in (0, 2, 6, 7, 19):
        left_by_a_kill(whole, out, inputs, more)
        tarred(run, *words, "-o", out)
        assert tree(out) == tree(whole), inputs
        assert timeless(out) == timeless(whole)


def test_what_failed_is_done_again_at_the_end(run: Run, many: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    tarred(run, many, "--to", "happy", "-o", out)
    before = (out / "000000.tar").read_bytes()
    Image.fromarray(pictures.draw_face(5, 5)).save(many / "05.png")
    tarred(run, many, "--to", "happy", "-o", out, "--retry-failed")
    after = (out / "000000.tar").read_bytes()
    assert after.startswith(before.removesuffix(END))
    assert list(members(out / "000000.tar"))[-1] == "happy/05.png"
    assert rows(out)[-1]["output"] == "000000.tar:happy/05.png"


def test_overwrite_leaves_no_tar_of_the_run_before(
    run: Run, many: Path, tmp_path: Path, small: None
) -> None:
    out = tmp_path / "out"
    tarred(run, many, "--to", "happy,sad", "-o", out)
    tarred(run, many, "--to", "happy", "-o", out, "--overwrite", "--limit", "1")
    assert set(tree(out)) == {"000000.tar"}
    run(many, "--to", "happy", "-o", out, "--overwrite", "--limit", "1")
    assert set(tree(out)) == {"happy/00.png"}


def test_tars_hold_the_quota_of_each_class(run: Run, many: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    tarred(run, many, "--to", "happy,sad", "--confirmed-only", "--per-class", "4", "-o", out)
    found = [member for member in members(out / "000000.tar") if member.endswith(".png")]
    assert Counter(member.partition("/")[0] for member in found) == {"happy": 4, "sad": 4}


def test_no_result_is_no_tar(run: Run, tmp_path: Path) -> None:
    (tmp_path / "in.png").write_bytes(b"broken")
    tarred(run, tmp_path / "in.png", "--to", "happy", "-o", tmp_path / "out")
    assert not tree(tmp_path / "out")


def test_shards_have_their_own_tars(
    run: Run, faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Names decide on the shard. Relative ones are the same in each run: both shards have inputs.
    monkeypatch.chdir(faces.parent)
    faces = Path(faces.name)
    tarred(run, faces, "--to", "sad", "-o", tmp_path / "whole")
    found: dict[str, bytes] = {}
    for number in (1, 2):
        out = tmp_path / str(number)
        tarred(run, faces, "--to", "sad", "-o", out, "--shard", f"{number}/2")
        found |= members(out / "000000.tar")
    assert found == members(tmp_path / "whole" / "000000.tar")


def test_the_sheet_and_the_page_show_what_is_in_tars(run: Run, faces: Path, tmp_path: Path) -> None:
    tarred(run, faces, "--to", "happy,sad", "-o", tmp_path / "out")
    run(faces, "--to", "happy,sad", "-o", tmp_path / "files")
    assert (tmp_path / "out-sheet.png").read_bytes() == (tmp_path / "files-sheet.png").read_bytes()
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert page.count(':"/9j/') == 14, "a JPEG of each result; the sources are linked"


def test_faces_of_one_picture_are_one_sample(run: Run, mouth_weights: Path, tmp_path: Path) -> None:
    pictures.group().save(tmp_path / "group.jpg", quality=95)
    words = (tmp_path / "group.jpg", "--to", "sad,happy", "--weights", mouth_weights)
    tarred(run, *words, "-o", tmp_path / "out", "--format", "jpeg")
    found = members(tmp_path / "out" / "000000.tar")
    assert list(found) == [
        f"{target}/group.{suffix}"
        for target in ("happy", "sad")
        for suffix in ("cls", "json", "jpg")
    ]
    facts = json.loads(found["sad/group.json"])
    assert [face["face"] for face in facts["faces"]] == [1, 2]
    tarred(run, *words, "-o", tmp_path / "faces", "--result", "face")
    assert {name for name in members(tmp_path / "faces" / "000000.tar") if "sad" in name} == {
        f"sad/{key}.{suffix}" for key in ("group", "group-f2") for suffix in ("cls", "json", "png")
    }
