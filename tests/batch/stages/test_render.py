"""Results are drawn one after the other into one copy of their picture."""

from pathlib import Path

import numpy as np
import pytest

from cctranslate.batch.outputs.encoding import Encoding, Result
from tests.support import bundles, pictures
from tests.support.cli import Run
from tests.support.reports import rows, tree


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


def test_whatever_goes_wrong_with_a_result_is_its_pictures_row(
    run: Run, faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encode = Encoding.encode

    def raising(self: Encoding, result: Result, target: str) -> bytes:
        content = encode(self, result, target)
        if target == "happy" and len(content) % 2:
            raise np.linalg.LinAlgError("Singular matrix")
        return content

    whole = run(faces, "--to", "sad,happy", "-o", tmp_path / "whole", "--threads")
    assert whole.exit_code == 0
    done = [row for row in rows(tmp_path / "whole") if row["target"] == "happy"]
    odd = sum(int(row["output_size"]) % 2 for row in done)
    monkeypatch.setattr(Encoding, "encode", raising)
    result = run(faces, "--to", "sad,happy", "-o", tmp_path / "out", "--threads")
    assert result.exit_code == 1, result.output
    found = rows(tmp_path / "out")
    failed = [row for row in found if row["status"] == "failed"]
    assert {row["reason"] for row in failed} == {"write: Singular matrix"}
    assert 0 < len(failed) == odd < 7
    written = {row["output"] for row in found if row["output"]}
    assert written == {path for path in tree(tmp_path / "out") if "/" in path}
