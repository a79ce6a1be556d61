"""Archives and datasets as inputs: streamed, never extracted, each fault a row."""

import gzip
import io
import os
import tarfile
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cctranslate.batch.inputs.archives import LARGEST
from cctranslate.batch.inputs.exclusions import InputFilter, OutputPaths
from cctranslate.batch.inputs.items import Broken
from cctranslate.batch.inputs.sources import again, from_inputs
from cctranslate.emotions import EMOTIONS
from cctranslate.fer2013 import member_path
from tests.support import pictures
from tests.support.cli import Run
from tests.support.pictures import png
from tests.support.reports import rows, tree


def zipped(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def tarred(path: Path, members: dict[str, bytes], mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


SEVEN = {f"pictures/{EMOTIONS[k]}/{k}.png": png(k) for k in (0, 1, 2, 3, 6, 4, 5)}
"""In the order in which a folder of them would be walked."""


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tar.gz", "nameless"])
def test_members_are_translated_as_files_are(run: Run, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name == "a.zip":
        zipped(path, SEVEN)
    else:
        tarred(path, SEVEN, "w" if name == "a.tar" else "w:gz")
    for place, content in SEVEN.items():
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_bytes(content)
    out = tmp_path / "out"
    result = run(path, "--to", "happy,sad", "-o", out)
    assert result.exit_code == 0, result.output
    told = rows(out)
    assert told[0]["source"] == f"{path}:pictures/angry/0.png"
    assert told[0]["output"] == "happy/pictures__angry__0.png"
    assert [row["source_label"] for row in told[::2]] == sorted(EMOTIONS)
    (tmp_path / "in").mkdir()
    (tmp_path / "pictures").rename(tmp_path / "in" / "pictures")
    run(tmp_path / "in", "--to", "happy,sad", "-o", tmp_path / "files")
    assert tree(out) == tree(tmp_path / "files")
    with (
        Image.open(tmp_path / "out-sheet.png") as one,
        Image.open(tmp_path / "files-sheet.png") as two,
    ):
        np.testing.assert_array_equal(np.asarray(one), np.asarray(two))


@pytest.mark.parametrize("make", [zipped, tarred])
def test_names_that_climb_write_nothing_outside(run: Run, tmp_path: Path, make: object) -> None:
    names = ["../up.png", "/etc/root.png", "a/../../b.png", "..\\back.png", "C:\\x.png", "../.."]
    path = tmp_path / "evil"
    assert callable(make)
    make(path, {name: png(k) for k, name in enumerate(names)})
    out = tmp_path / "deep" / "out"
    result = run(path, "--to", "sad", "-o", out)
    assert result.exit_code == 0, result.output
    assert len(rows(out)) == len(names)
    made = {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()}
    inside = {f"deep/out/{row['output']}" for row in rows(out)}
    known = {"evil", "deep/out-sheet.png"}
    known |= {f"deep/out/{name}" for name in ("report.csv", "report.html", "run.json")}
    assert made == inside | known
    assert member_path("..") == "member"


def test_a_member_that_explodes_is_a_row_and_not_memory(run: Run, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("bomb.png", "w", force_zip64=True) as member:
            for _ in range(LARGEST >> 20):
                member.write(bytes(1 << 20))
            member.write(b"one more")
        archive.writestr("good.png", png(3))
    tracemalloc.start()
    result = run(tmp_path / "a.zip", "--to", "sad", "-o", tmp_path / "out")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert result.exit_code == 1, result.output
    bomb, good = rows(tmp_path / "out")
    assert bomb["reason"].startswith("decode: more than 64 MiB in its archive")
    assert good["status"] == "done"
    assert peak < LARGEST


def test_a_header_that_says_it_is_huge_is_not_read(tmp_path: Path) -> None:
    info = tarfile.TarInfo("bomb")
    info.type, info.size = tarfile.XHDTYPE, 1 << 34
    block = info.tobuf(tarfile.GNU_FORMAT)
    with gzip.open(tmp_path / "a.tar.gz", "wb") as file:
        file.write(block)
        file.write(bytes(1 << 22))
    tracemalloc.start()
    (item,) = from_inputs([str(tmp_path / "a.tar.gz")], OutputPaths(()), InputFilter())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert isinstance(item, Broken)
    assert "64 MiB" in item.reason
    assert peak < 1 << 22


def encrypted(path: Path) -> Path:
    """A zip whose members' flags say so: all that a reader without the password can see."""
    content = bytearray(zipped(path, SEVEN).read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = -1
        while (at := content.find(signature, at + 1)) >= 0:
            content[at + offset] |= 1
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    "fault", ["cut tar.gz", "cut tar", "bad header", "cut zip", "encrypted", "no tar", "empty"]
)
def test_a_bad_archive_is_one_failure_and_the_run_goes_on(
    run: Run, faces: Path, tmp_path: Path, fault: str
) -> None:
    path = tmp_path / "bad.zip"
    if fault == "cut tar":
        path.write_bytes(tarred(tmp_path / "whole", SEVEN, "w").read_bytes()[:9000])
    elif fault == "bad header":
        content = bytearray(tarred(tmp_path / "whole", SEVEN, "w").read_bytes())
        content[content.find(b"pictures/fear") + 150] ^= 1
        path.write_bytes(content)
    elif fault == "cut tar.gz":
        path.write_bytes(tarred(tmp_path / "whole", SEVEN).read_bytes()[:9000])
    elif fault == "cut zip":
        path.write_bytes(zipped(tmp_path / "whole", SEVEN).read_bytes()[:-200])
    elif fault == "encrypted":
        encrypted(path)
    elif fault == "no tar":
        path.write_bytes(gzip.compress(b"a letter"))
    else:
        path.write_bytes(b"")
    result = run(path, faces, "--to", "sad", "-o", tmp_path / "out")
    assert result.exit_code == 1, result.output
    told = rows(tmp_path / "out")
    (failed,) = [row for row in told if row["source"] == str(path)]
    assert failed["status"] == "failed"
    assert failed["reason"].startswith("decode: the archive cannot be read: ")
    assert sum(row["status"] == "done" for row in told if str(faces) in row["source"]) == 7
    assert "Traceback" not in result.output


def test_a_damaged_member_is_a_row(run: Run, tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"a.png": png(0), "b.png": png(1), "notes.txt": b"hello"})
    content = bytearray(path.read_bytes())
    content[content.find(b"a.png") + 40] ^= 0xFF
    path.write_bytes(content)
    result = run(path, "--to", "sad", "-o", tmp_path / "out")
    assert result.exit_code == 1, result.output
    told = rows(tmp_path / "out")
    assert [row["status"] for row in told] == ["failed", "done", "skipped"]
    assert told[0]["reason"].startswith("decode: damaged in its archive")


def test_links_in_a_tar_are_not_followed(run: Run, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        link = tarfile.TarInfo("secret.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    result = run(tmp_path / "a.tar", "--to", "sad", "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert "a link or a device" in rows(tmp_path / "out")[0]["reason"]


def test_what_file_managers_put_beside_is_left_alone(run: Run, tmp_path: Path) -> None:
    names = ["./a.png", "__MACOSX/._a.png", ".DS_Store", "b/.hidden/c.png"]
    path = tarred(tmp_path / "a.tar.gz", dict.fromkeys(names, png(3)))
    assert run(path, "--to", "sad", "-o", tmp_path / "out").exit_code == 0
    assert [row["output"] for row in rows(tmp_path / "out")] == ["sad/a.png"]


def test_a_long_archive_takes_no_more_memory(tmp_path: Path) -> None:
    def peak(count: int) -> int:
        path = tarred(tmp_path / f"{count}.tar.gz", {f"{k}.png": b"" for k in range(count)})
        tracemalloc.start()
        assert sum(1 for _ in from_inputs([str(path)], OutputPaths(()), InputFilter())) == count
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    # What tarfile keeps of a member is a kilobyte or more; the digest of its name is kept.
    assert peak(4000) - peak(400) < 900_000


def test_a_dataset_is_read_row_by_row(run: Run, tmp_path: Path) -> None:
    path = pictures.write_csv(tmp_path / "icml.csv", 14, "emotion, Usage, pixels")
    result = run(path, "--to", "happy", "-o", tmp_path / "out")
    assert result.exit_code == 0, result.output
    told = rows(tmp_path / "out")
    assert told[3]["source"] == f"{path}:3"
    assert told[3]["output"] == "happy/icml__0000003.png"
    assert [row["source_label"] for row in told] == list(EMOTIONS) * 2
    assert (told[0]["width"], told[0]["mode"], len(told[0]["source_sha256"])) == ("48", "L", 64)
    with Image.open(tmp_path / "out" / told[4]["output"]) as picture:
        np.testing.assert_array_equal(np.asarray(picture)[8:], pictures.draw_face(4, 4)[8:])


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("3", "too few columns"),
        ("9," + "1 " * 2304, "emotion is '9', expected 0 to 6"),
        ("²," + "1 " * 2304, "emotion is '²'"),
        ("3,1 2 3", "3 pixels, expected 2304"),
        ("3,", "pixels hold something that is no number"),
        ("3,1 x", "pixels hold something that is no number"),
        ("3," + "256 " * 2304, "outside 0 to 255"),
        ("3," + "1 " * 200_000, "pixels, expected 2304"),
        ('3,"1 2', "unexpected end of data"),
    ],
)
def test_a_bad_row_fails_alone(run: Run, tmp_path: Path, line: str, reason: str) -> None:
    pixels = " ".join(map(str, pictures.draw_face(3, 0).ravel()))
    text = f"emotion,pixels\n3,{pixels}\n{line}\n\n4,{pixels}\n"
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    result = run(tmp_path / "a.csv", "--to", "sad", "-o", tmp_path / "out")
    assert result.exit_code == 1, result.output
    told = rows(tmp_path / "out")
    assert [row["status"] for row in told] == ["done", "failed", "done"]
    assert reason in told[1]["reason"]
    assert told[2]["source"].endswith("a.csv:2")


def test_bytes_that_are_no_text_fail_alone_and_a_test_set_has_no_labels(
    run: Run, tmp_path: Path
) -> None:
    pixels = " ".join(map(str, pictures.draw_face(3, 0).ravel())).encode()
    (tmp_path / "test.csv").write_bytes(b"pixels\n" + pixels + b"\n\xff\xfe\n")
    result = run(tmp_path / "test.csv", "--to", "sad", "-o", tmp_path / "out")
    assert result.exit_code == 1, result.output
    good, bad = rows(tmp_path / "out")
    assert (good["status"], good["source_label"]) == ("done", "")
    assert bad["reason"] == "decode: not UTF-8 text"


def test_archives_in_lists_and_folders(run: Run, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    path = zipped(tmp_path / "in" / "a.zip", SEVEN)
    (tmp_path / "list").write_bytes(os.fsencode(path) + b"\n")
    assert run("-T", tmp_path / "list", "--to", "sad", "-o", tmp_path / "a").exit_code == 0
    assert len(rows(tmp_path / "a")) == 7
    assert run(tmp_path / "in", "--to", "sad", "-o", tmp_path / "b").exit_code == 3
    (told,) = rows(tmp_path / "b")
    assert told["status"] == "skipped"


def table(usages: tuple[str, ...]) -> bytes:
    """A dataset of drawn faces of label 3, one for each usage."""
    pixels = " ".join(map(str, pictures.draw_face(3, 0).ravel()))
    lines = [f"3,{pixels},{usage}\n" for usage in usages]
    return ("emotion,pixels,Usage\n" + "".join(lines)).encode()


def test_a_row_of_an_unknown_usage_fails_alone(run: Run, tmp_path: Path) -> None:
    words = ("Training", "test", "publictest", "Private Test")
    (tmp_path / "a.csv").write_bytes(table(words))
    out = tmp_path / "out"
    result = run(tmp_path / "a.csv", "--to", "sad", "-o", out, "--layout", "fer-csv")
    assert result.exit_code == 1, result.output
    told = [(row["status"], row["reason"][:23]) for row in rows(out)]
    assert told == [("done", ""), ("failed", "decode: Usage is 'test'"), ("done", ""), ("done", "")]
    lines = (out / "fer2013.csv").read_text().splitlines()[1:]
    assert [line.rpartition(",")[2] for line in lines] == ["Training", "PublicTest", "PrivateTest"]


@pytest.mark.parametrize("kind", ["gz", "bz2", "xz"])
def test_other_packings_are_read_as_streams(run: Run, tmp_path: Path, kind: str) -> None:
    path = tarred(tmp_path / f"a.tar.{kind}", SEVEN | {"d/faces.csv": table(("Training",))})
    if kind != "gz":
        path = tarred(tmp_path / f"a.tar.{kind}", SEVEN, f"w:{kind}")
    out = tmp_path / "out"
    assert run(path, "--to", "sad", "-o", out).exit_code == 0
    assert len([row for row in rows(out) if row["status"] == "done"]) >= 7
    path.write_bytes(path.read_bytes()[:-300])
    assert run(path, "--to", "sad", "-o", tmp_path / "cut").exit_code == 1
    assert rows(tmp_path / "cut")[-1]["reason"].startswith("decode: the archive cannot be read")


@pytest.mark.parametrize("form", ["zip", "tar.gz", "csv.gz"])
def test_a_datasets_csv_in_an_archive_is_read_row_by_row(
    run: Run, tmp_path: Path, form: str
) -> None:
    content, path = table(("Training", "PublicTest")), tmp_path / f"fer2013.{form}"
    members = {"d/fer2013.csv": content, "d/about.csv": b"a,b\n1,2\n", "d/x.png": png(3)}
    if form == "csv.gz":
        path.write_bytes(gzip.compress(content))
    else:
        (zipped if form == "zip" else tarred)(path, members)
    out = tmp_path / "out"
    result = run(path, "--to", "sad", "-o", out)
    assert result.exit_code == 0, result.output
    stem, inner = ("fer2013", "") if form == "csv.gz" else ("d__fer2013", "d/fer2013.csv:")
    told = [(row["source"], row["output"], row["source_label"]) for row in rows(out)]
    assert told[0] == (f"{path}:{inner}0", f"sad/{stem}__0000000.png", "happy")
    assert told[1] == (f"{path}:{inner}1", f"sad/{stem}__0000001.png", "happy")
    expected = ["done"] * 2 + (["skipped", "done"] if inner else [])
    assert [row["status"] for row in rows(out)] == expected
    sources = [row["source"] for row in rows(out)]
    assert sorted(item.source for item in again(sources)) == sorted(sources)


@pytest.mark.parametrize("make", [zipped, tarred])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_members_of_one_name_have_a_row_and_a_result_each(
    run: Run, tmp_path: Path, make: object
) -> None:
    path = tmp_path / "a"
    if make is zipped:
        with zipfile.ZipFile(path, "w") as archive:
            for label in (3, 4, 3):
                archive.writestr("f/a.png", png(label))
    else:
        with tarfile.open(path, "w") as archive:
            for label in (3, 4, 3):
                info = tarfile.TarInfo("f/a.png")
                info.size = len(png(label))
                archive.addfile(info, io.BytesIO(png(label)))
    out = tmp_path / "out"
    assert run(path, "--to", "sad", "-o", out).exit_code == 0
    told = rows(out)
    inner = [row["source"].removeprefix(f"{path}:") for row in told]
    assert inner == ["f/a.png", "f/a.png#2", "f/a.png#3"]
    digests = [row["source_sha256"] for row in told]
    assert digests[0] == digests[2] != digests[1]
    assert [row["output"] for row in told] == ["sad/f__a.png", "sad/f__a~2.png", "sad/f__a~3.png"]


def test_folders_of_the_system_are_left_alone(run: Run, tmp_path: Path) -> None:
    names = ["a.png", "@eaDir/a.png/SYNOPHOTO_THUMB_M.png", "$RECYCLE.BIN/$R1.png"]
    for name in names:
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(png(3))
    zipped(tmp_path / "a.zip", dict.fromkeys(names, png(3)))
    for path in ("in", "a.zip"):
        assert run(tmp_path / path, "--to", "sad", "-o", tmp_path / f"o-{path}").exit_code == 0
        assert [row["output"] for row in rows(tmp_path / f"o-{path}")] == ["sad/a.png"]


def test_a_zip_with_backslashes_is_read_as_one_with_slashes(run: Run, tmp_path: Path) -> None:
    for name, mark in (("slash", "/"), ("back", "\\")):
        with zipfile.ZipFile(tmp_path / f"{name}.zip", "w") as archive:
            for emotion in ("happy", "sad"):
                info = zipfile.ZipInfo()
                info.filename = mark.join(("train", emotion, "a.png"))
                archive.writestr(info, png(3))
        assert run(tmp_path / f"{name}.zip", "--to", "sad", "-o", tmp_path / name).exit_code == 0
    told = [
        [(row["output"], row["source_label"]) for row in rows(tmp_path / name)]
        for name in ("slash", "back")
    ]
    assert (
        told[0]
        == told[1]
        == [("sad/train__happy__a.png", "happy"), ("sad/train__sad__a.png", "sad")]
    )
