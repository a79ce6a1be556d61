"""Checkpoints that cannot be written, or are of something else."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from subprocess import PIPE

import pytest
import torch

from cctranslate.errors import (
    CheckpointError,
)
from cctranslate.training import checkpoint
from cctranslate.training.fit import fit
from cctranslate.training.run_folder import (
    load_classifier,
)
from tests.support.cli import run_python
from tests.support.training import MakeRun, small

LIMITED = """
import resource, signal, sys
from pathlib import Path
import torch
from cctranslate.errors import CheckpointError
from cctranslate.training import checkpoint
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
try:
    checkpoint.save(Path(sys.argv[1]), {"weights": torch.ones(100_000)})
except CheckpointError as error:
    print(error)
"""

INTERRUPTED = """
import signal, sys
from pathlib import Path
import torch
from cctranslate.training import checkpoint
signal.signal(signal.SIGINT, signal.default_int_handler)
try:
    checkpoint.save(Path(sys.argv[1]), {"weights": torch.ones(1_000_000)})
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="a file's size is limited by POSIX only")
def test_a_checkpoint_that_does_not_fit_the_disk_leaves_the_one_before(tmp_path: Path) -> None:
    (tmp_path / checkpoint.FILE).write_bytes(b"the one before")
    done = run_python(LIMITED, tmp_path)
    assert "checkpoint.pt: cannot be written ([Errno 27] File too large)" in done.stdout, (
        done.stderr
    )
    assert done.stdout.count("\n") == 1
    assert [p.name for p in tmp_path.iterdir()] == [checkpoint.FILE]
    assert (tmp_path / checkpoint.FILE).read_bytes() == b"the one before"


@pytest.mark.skipif(sys.platform == "win32", reason="no named pipes there")
def test_ctrl_c_while_a_checkpoint_is_written_is_no_full_disk(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / checkpoint.FILE)
    started = subprocess.Popen([sys.executable, "-c", INTERRUPTED, tmp_path], stdout=PIPE)
    with (tmp_path / checkpoint.FILE).open("rb") as pipe:
        pipe.read(1000)  # it is in the midst of the weights, as a pipe holds less
        started.send_signal(signal.SIGINT)
        pipe.read()
    assert started.communicate()[0] == b"interrupted\n"


def test_an_altered_checkpoint_is_refused(make_run: MakeRun) -> None:
    run = make_run(small("guide-plain", 2))
    fit(run)
    file = run.folder / checkpoint.FILE
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(CheckpointError, match="altered since it was written"):
        load_classifier(run.folder)


def test_a_checkpoint_of_something_else_is_refused(make_run: MakeRun) -> None:
    run = make_run(small("guide-plain", 2))
    fit(run)
    file = run.folder / checkpoint.FILE
    shutil.copy(file, run.folder.parent / "good.pt")
    other = make_run(small("guide-smooth", 2), "other")
    fit(other)
    contents = {
        "of another recipe": (other.folder / checkpoint.FILE).read_bytes(),
        "not a readable checkpoint": b"no checkpoint",
    }
    for reason, content in contents.items():
        file.write_bytes(content)
        with pytest.raises(CheckpointError, match=rf"checkpoint\.pt: {reason}") as caught:
            fit(make_run(run.recipe, resume=True))
        assert "\n" not in str(caught.value)
    saved = torch.load(other.folder / checkpoint.FILE, weights_only=True)
    torch.save({**saved, "recipe": {**saved["recipe"], "newer": 1}}, file)
    with pytest.raises(CheckpointError, match="of another recipe"):
        load_classifier(run.folder)
    good = torch.load(run.folder.parent / "good.pt", weights_only=True)
    for other_state in (
        {"weights": torch.ones(1)},
        *({**good, "trainer": trainer} for trainer in (None, [1], "x")),
        *({**good, "step": step} for step in ("2", None, -1, good["steps"] + 1)),
    ):
        torch.save(other_state, file)
        for use in (load_classifier, lambda _: fit(make_run(run.recipe, resume=True))):
            with pytest.raises(CheckpointError, match="not a checkpoint that `fit` wrote: put"):
                use(run.folder)
    file.unlink()
    with pytest.raises(CheckpointError, match="no checkpoint yet: go on with `fit --resume`"):
        load_classifier(run.folder)


def test_a_checkpoint_of_other_networks_is_refused(make_run: MakeRun) -> None:
    run = make_run(small("guide-plain", 2))
    fit(run)
    file = run.folder / checkpoint.FILE
    saved = torch.load(file, weights_only=True)
    network = dict(saved["trainer"]["network"])
    name, weight = next((k, v) for k, v in network.items() if v.ndim == 4)
    halved = {**saved["trainer"], "network": {**network, name: weight[: len(weight) // 2]}}
    for trainer in ({}, halved, dict.fromkeys(saved["trainer"], 5)):
        torch.save({**saved, "trainer": trainer}, file)
        with pytest.raises(CheckpointError, match=r"checkpoint\.pt: does not fit") as caught:
            fit(make_run(run.recipe, resume=True))
        assert "\n" not in str(caught.value)
    torch.save({**saved, "trainer": {**halved, "average": halved["network"]}}, file)
    with pytest.raises(CheckpointError, match=r"checkpoint\.pt: does not fit"):
        load_classifier(run.folder)
