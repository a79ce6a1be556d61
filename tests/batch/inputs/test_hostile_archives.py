"""Archives that are damaged or made to do harm: each fault a row, and nothing written outside."""

import gzip
import stat
import tarfile
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from cctranslate.batch.inputs.archives import LARGEST
from cctranslate.batch.inputs.exclusions import InputFilter, OutputPaths
from cctranslate.batch.inputs.sources import from_inputs
from cctranslate.batch.items import BrokenItem
from cctranslate.files.names import member_path
from tests.support.archives import SEVEN, tarred, zipped
from tests.support.cli import Run
from tests.support.pictures import png
from tests.support.reports import rows


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


@pytest.mark.parametrize("make", [zipped, tarred])
def test_names_that_are_one_as_paths_are_each_an_input(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: object
) -> None:
    names = ["a.png", "d/../a.png", "e/b.png", "e//b.png", "e/./b.png", "../../c.png"]
    monkeypatch.chdir(tmp_path)
    assert callable(make)
    make(Path("evil"), {name: png(k) for k, name in enumerate(names)})
    Path("c.png").write_bytes(png(6))
    for _ in range(2):  # the second call finds all of them done
        result = run("evil", "c.png", "--to", "sad", "-o", "out")
        assert result.exit_code == 0, result.output
        found = rows(tmp_path / "out")
        assert [row["source"] for row in found] == [*(f"evil:{name}" for name in names), "c.png"]
        assert len({row["output"] for row in found}) == 7
    assert "0 in this call, 7 from before" in result.output
    assert run(tmp_path / "evil", "./c.png", "--to", "sad", "-o", "out").exit_code == 0
    assert len(rows(tmp_path / "out")) == 7


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
    assert isinstance(item, BrokenItem)
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
    found = rows(tmp_path / "out")
    (failed,) = [row for row in found if row["source"] == str(path)]
    assert failed["status"] == "failed"
    assert failed["reason"].startswith("decode: the archive cannot be read: ")
    assert sum(row["status"] == "done" for row in found if str(faces) in row["source"]) == 7
    assert "Traceback" not in result.output


def test_a_split_zip_is_named_as_such(run: Run, tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"a.png": png(1), "b.png": png(2)})
    content = path.read_bytes()
    end = content.rindex(b"PK\x05\x06")
    parts = (1).to_bytes(2, "little")  # as `zip -s` counts: the members may lie in the first of two
    path.write_bytes(content[: end + 4] + parts + content[end + 6 :])
    (tmp_path / "a.z01").write_bytes(b"PK\x07\x08" + content[:100])
    result = run(path, tmp_path / "a.z01", "--to", "sad", "-o", tmp_path / "out")
    assert result.exit_code == 1
    first, second = (row["reason"] for row in rows(tmp_path / "out"))
    assert first.endswith("the last part of a split zip: join its parts by `zip -s 0`")
    assert second.endswith("an archive that cannot be read: unpack it first")


def test_a_damaged_member_is_a_row(run: Run, tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"a.png": png(0), "b.png": png(1), "notes.txt": b"hello"})
    content = bytearray(path.read_bytes())
    content[content.find(b"a.png") + 40] ^= 0xFF
    path.write_bytes(content)
    result = run(path, "--to", "sad", "-o", tmp_path / "out")
    assert result.exit_code == 1, result.output
    found = rows(tmp_path / "out")
    assert [row["status"] for row in found] == ["failed", "done", "skipped"]
    assert found[0]["reason"].startswith("decode: damaged in its archive")


def test_links_in_a_tar_are_not_followed(run: Run, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        link = tarfile.TarInfo("secret.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    result = run(tmp_path / "a.tar", "--to", "sad", "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert "a link or a device" in rows(tmp_path / "out")[0]["reason"]


@pytest.mark.parametrize("make", [zipped, tarred])
def test_links_are_rows_of_one_kind_in_every_packing(
    run: Run, tmp_path: Path, make: object
) -> None:
    path = tmp_path / "a"
    if make is zipped:
        with zipfile.ZipFile(path, "w") as archive:
            for name in ("b.png", "README"):
                link = zipfile.ZipInfo(name)
                link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
                archive.writestr(link, "a.png")
    else:
        with tarfile.open(path, "w") as tar:
            for name in ("b.png", "README"):
                info = tarfile.TarInfo(name)
                info.type, info.linkname = tarfile.SYMTYPE, "a.png"
                tar.addfile(info)
    assert run(path, "--to", "sad", "-o", tmp_path / "out").exit_code == 1
    picture, other = rows(tmp_path / "out")
    assert (picture["status"], other["status"]) == ("failed", "skipped")
    assert picture["reason"] == f"decode: {other['reason']}"
    assert other["reason"].startswith("a link or a device")


def test_a_packing_that_is_not_known_is_not_called_damage(run: Run, tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"a.png": png(0)})
    content = bytearray(path.read_bytes())
    deflate64 = 9  # as Windows packs large files
    content[content.find(b"PK\x03\x04") + 8] = deflate64
    content[content.find(b"PK\x01\x02") + 10] = deflate64
    path.write_bytes(content)
    assert run(path, "--to", "sad", "-o", tmp_path / "out").exit_code == 1
    (row,) = rows(tmp_path / "out")
    assert row["reason"].startswith("decode: packed in a way that cannot be read")
    assert row["reason"].endswith("pack it anew")


def test_a_name_with_a_wrong_flag_leaves_all_members_readable(run: Run, tmp_path: Path) -> None:
    archive = zipped(
        tmp_path / "a.zip", {"a.png": png(0), "n\u00e4me.png": png(1), "b.png": png(2)}
    )
    content = archive.read_bytes()
    archive.write_bytes(content.replace("n\u00e4me".encode(), b"n\x84\x84me"))  # still "UTF-8"
    result = run(archive, "--to", "sad", "-o", tmp_path / "out")
    assert result.exit_code == 0, result.output
    found = [row["source"].partition(":")[2] for row in rows(tmp_path / "out")]
    assert found == ["a.png", "n\u00e4\u00e4me.png", "b.png"]
