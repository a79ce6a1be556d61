"""Inputs with all that makes names hard, and blocks without a cluster."""

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from cctranslate.batch.call.options import Options
from cctranslate.batch.runners.blocks.block_translator import BlockTranslator, WorkerSetup
from cctranslate.batch.runners.blocks.blocks import BlockResult
from tests.support import pictures
from tests.support.archives import SEVEN, table, zipped


@pytest.fixture
def inputs(tmp_path: Path) -> list[Path]:
    """Two folders whose names meet, with texts and broken pictures, an archive and a dataset."""
    for folder in ("a", "b"):
        for k in range(20):
            path = tmp_path / "in" / folder / str(k % 2) / f"{k}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pictures.draw_face(k % 7, k)).save(path)
            if k % 3 == 0:
                path.with_suffix(".BMP.txt").write_text("no picture")
                path.with_suffix(".gif").write_text("no picture")
            if k % 5 == 0:
                path.with_suffix(".jpg").write_bytes(b"\xff\xd8\xff broken")
    # What one input would be called is what another is.
    Image.fromarray(pictures.draw_face(1, 1)).save(tmp_path / "in" / "a" / "0" / "0~2.png")
    data = tmp_path / "in" / "faces.csv"
    data.write_bytes(table(("Training", "PublicTest", "Training")))
    archive = zipped(tmp_path / "in" / "faces.zip", SEVEN)
    return [tmp_path / "in" / "a", tmp_path / "in" / "b", archive, data]


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Blocks are translated here, the last one first, and no cluster is started."""
    pytest.importorskip("ray", reason="needs the extra `ray`")
    from cctranslate.batch.runners import ray_blocks

    seen = SimpleNamespace(blocks=[], until=None)

    def translate(
        self: object, options: Options, first_tar: int, numbers: Sequence[int]
    ) -> Iterator[BlockResult]:
        here = Path.cwd()
        translator = BlockTranslator(
            WorkerSetup(
                options=options,
                folder=here,
                device="cpu",
                engine="onnxruntime",
                threads=1,
                first_tar=first_tar,
            )
        )
        for number in reversed(numbers):
            if seen.until is not None and len(seen.blocks) == seen.until:
                seen.until = None
                raise KeyboardInterrupt
            seen.blocks.append(number)
            yield translator.translate(number)

    monkeypatch.setattr(ray_blocks.RayBlocks, "translate", translate)
    monkeypatch.setattr(ray_blocks, "connected", nullcontext)
    alike = ray_blocks.Resources(cpus=4, gpus=0, cpus_of_a_gpu=1)
    monkeypatch.setattr(ray_blocks, "resources", lambda: alike)
    return seen
