"""What lies in OUT, in every layout, and sources that change."""

import csv
import os
import tarfile
from pathlib import Path

from PIL import Image

from cctranslate.batch.outputs import webdataset
from tests.support.pictures import draw_face
from tests.support.reports import rows, tree


def change(folder: Path, name: str, level: int = 6) -> None:
    Image.fromarray(draw_face(level, 0)).save(folder / f"{name}.png")
    os.utime(folder / f"{name}.png", ns=(level, level))


def results(out: Path) -> dict[tuple[str, str], bytes]:
    """Return what lies where the report's rows point, by source and target; nothing else may."""
    tars = {path.name: samples(path) for path in out.glob("*.tar")}
    table = out / "fer2013.csv"
    lines = list(csv.reader(table.read_text().splitlines()[1:])) if table.exists() else []
    files = {k for k in tree(out) if not k.endswith(".tar")}
    found, used = {}, set[str]()
    for row in rows(out):
        file, _, inner = row["output"].partition(":")
        used.add(row["output"])
        if file.endswith(".tar"):
            content = tars[file][inner]
        elif inner:
            content = lines[int(inner)][1].encode()
        else:
            content = (out / file).read_bytes()
        found[Path(row["source"]).name, row["target"]] = content
    held = {f"{tar}:{name}" for tar, members in tars.items() for name in members}
    held |= {f"fer2013.csv:{number}" for number in range(len(lines))} | files
    assert used == held
    assert len(used) == len(rows(out))
    return found


def samples(path: Path) -> dict[str, bytes]:
    """Return a tar's pictures; each stands behind its class and its facts, and comes once."""
    with tarfile.open(path, "r:") as archive:
        infos = archive.getmembers()
        keys = [info.name.split(".")[0] for info in infos]
        assert keys == [key for key in dict.fromkeys(keys) for _ in range(3)]
        files = [(info.name, archive.extractfile(info)) for info in infos[2::3]]
        assert path.read_bytes().endswith(webdataset.END)
        return {name: file.read() for name, file in files if file}
