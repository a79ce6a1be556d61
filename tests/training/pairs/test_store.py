"""Draws in files."""

from pathlib import Path

import numpy as np
import pytest

from cctranslate.errors import RunError
from cctranslate.training.pairs import store
from cctranslate.training.pairs.store import Draws


def draws(count: int) -> Draws:
    random = np.random.default_rng(count)
    return Draws(
        images=random.integers(0, 256, (count, 48, 48)).astype(np.uint8),
        sources=np.arange(count),
        targets=np.arange(count) % 7,
        spec_indices=np.zeros(count, np.int64),
        target_probabilities=random.random(count).astype(np.float32),
        cosines=random.random(count).astype(np.float32),
    )


def test_what_was_written_is_read(tmp_path: Path) -> None:
    path = store.path_of(tmp_path, 12)
    written = draws(5)
    store.write(path, written)
    assert path == tmp_path / "draws" / "00012.npz"
    assert [file.name for file in path.parent.iterdir()] == ["00012.npz"]
    for name, values in vars(store.read(path)).items():
        assert (values == vars(written)[name]).all()


def test_files_name_arrays_as_earlier_runs_did(tmp_path: Path) -> None:
    path = store.path_of(tmp_path, 0)
    store.write(path, draws(5))
    with np.load(path) as arrays:
        assert set(arrays.files) == {"images", "sources", "targets", "ways", "chances", "cosines"}


def test_a_damaged_file_is_named_with_what_to_do(tmp_path: Path) -> None:
    path = store.path_of(tmp_path, 0)
    store.write(path, draws(5))
    whole = path.read_bytes()
    altered = bytearray(whole)
    altered[200] ^= 255  # in the compressed pixels
    for damaged in (whole[:300], bytes(altered), whole.replace(b"\x08\0", b"\x63\0"), b""):
        path.write_bytes(damaged)
        with pytest.raises(RunError, match=r"00000\.npz: cannot be read .* remove it and resume"):
            store.read(path)


def test_parts_are_joined_in_order_and_taken_by_mask_or_index() -> None:
    whole = store.joined([draws(2), draws(3)])
    assert whole.sources.tolist() == [0, 1, 0, 1, 2]
    assert whole.take(whole.targets == 1).sources.tolist() == [1, 1]
    assert whole.take(np.array([4, 0])).sources.tolist() == [2, 0]
