"""Results are drawn one after the other into one copy of their picture."""

from pathlib import Path

import pytest

from tests.support import bundles, pictures
from tests.support.cli import Run
from tests.support.reports import tree


@pytest.mark.parametrize("mode", ["RGB", "L", "LA"])
def test_each_of_several_results_is_as_it_is_alone(run: Run, tmp_path: Path, mode: str) -> None:
    weights = bundles.write_bundle(tmp_path / "weights", edits=True)
    pictures.group().convert(mode).save(tmp_path / "group.png")
    words = (tmp_path / "group.png", "--weights", weights, "--strength", "0.5", "--strength", "1")
    run(*words, "--to", "happy,sad", "-o", tmp_path / "both")
    both = {path: content for path, content in tree(tmp_path / "both").items() if "/" in path}
    assert len(both) == 4
    alone: dict[str, bytes] = {}
    for target in ("sad", "happy"):
        run(*words, "--to", target, "-o", tmp_path / target)
        alone |= {p: content for p, content in tree(tmp_path / target).items() if "/" in p}
    assert both == alone
    assert len(set(both.values())) > 2
