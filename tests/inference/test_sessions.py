"""Opening a graph where standard output is written to by a thread, is closed or is not there."""

import subprocess
import sys

import onnxruntime
import pytest

from cctranslate import bundle
from cctranslate.inference.sessions import CUDA

SCRIPT = """
import os, sys, threading
from pathlib import Path
from cctranslate.inference.sessions import OnnxRuntimeGraph

def write():
    while not ended.is_set():
        os.write(1, b"x")
        count[0] += 1

ended, count = threading.Event(), [0]
thread = threading.Thread(target=write)
thread.start()
for _ in range(20):
    OnnxRuntimeGraph(Path(sys.argv[1]))
ended.set()
thread.join()
os.write(2, str(count[0]).encode())
"""


def test_what_is_written_while_a_graph_is_opened_arrives() -> None:
    judge = bundle.load(bundle.shipped()).judge
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(judge)], capture_output=True, check=True
    )
    assert int(done.stderr) > 0
    assert len(done.stdout) == int(done.stderr)


WITHOUT_OUTPUT = """
import os, sys
from pathlib import Path
from cctranslate.inference.sessions import OnnxRuntimeGraph, providers
exec(sys.argv[2])
OnnxRuntimeGraph(Path(sys.argv[1]), providers("auto"))
os._exit(7)
"""


@pytest.mark.skipif(
    CUDA not in onnxruntime.get_available_providers(), reason="only CUDA prints as it is opened"
)
@pytest.mark.parametrize(
    "statement",
    ["pass", "sys.stdout = None", "sys.stdout = object()", "sys.stdout.close()", "os.close(1)"],
)
def test_a_graph_is_opened_without_standard_output(statement: str) -> None:
    judge = bundle.load(bundle.shipped()).judge
    command = [sys.executable, "-c", WITHOUT_OUTPUT, str(judge), statement]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 7, done.stderr
