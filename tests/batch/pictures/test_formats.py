"""Results in the formats and qualities that are chosen."""

from pathlib import Path

import pytest
from PIL import Image

from tests.support import pictures
from tests.support.cli import Run
from tests.support.reports import rows, tree


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """One photograph as a JPEG, a WebP, a PNG and a TIFF."""
    folder = tmp_path / "mixed"
    folder.mkdir()
    photograph = pictures.portrait(pictures.COLLINS)
    for name in ("a.jpeg", "b.webp", "c.png", "d.tif"):
        photograph.save(folder / name)
    return folder


def formats(folder: Path) -> dict[str, str | None]:
    found = {}
    for path in sorted(folder.iterdir()):
        with Image.open(path) as picture:
            found[path.name] = picture.format
    return found


def test_results_can_have_their_sources_formats(
    run: Run, mouth_weights: Path, mixed: Path, tmp_path: Path
) -> None:
    out, words = tmp_path / "out", ("--to", "sad", "--weights", mouth_weights, "--format", "same")
    result = run(mixed, *words, "-o", out)
    assert result.exit_code == 0, result.output
    assert formats(out / "sad") == {
        "a.jpg": "JPEG",
        "b.webp": "WEBP",
        "c.png": "PNG",
        "d.png": "PNG",
    }
    again = run(mixed, *words, "-o", out)
    assert again.exit_code == 0, again.output
    assert len(rows(out)) == len(tree(out)) == 4


def test_lower_quality_is_smaller(
    run: Run, mouth_weights: Path, mixed: Path, tmp_path: Path
) -> None:
    words = ("--to", "sad", "--weights", mouth_weights, "--format")
    for form in ("jpeg", "webp"):
        sizes: list[int] = []
        for quality in ((), ("--quality", "90"), ("--quality", "30")):
            out = tmp_path / f"{form}{len(sizes)}"
            result = run(mixed / "a.jpeg", *words, form, *quality, "-o", out)
            assert result.exit_code == 0, result.output
            (size,) = [len(content) for content in tree(out).values()]
            sizes.append(size)
        assert sizes == sorted(sizes, reverse=True)
        assert sizes[-1] < sizes[0] / 3


def test_quality_without_a_lossy_format_is_refused(run: Run, mixed: Path, tmp_path: Path) -> None:
    result = run(mixed, "--to", "sad", "--quality", "80", "-o", tmp_path / "out")
    assert result.exit_code == 2
    assert "--quality is of jpeg and webp" in result.stderr
