"""Opening a graph beside a thread that writes results to standard output."""

import subprocess
import sys

from cctranslate import bundle

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
