"""Worker processes are started while signals come."""

import subprocess
import sys
from pathlib import Path

import pytest

_START = """
import os, signal
from multiprocessing import forkserver
from cctranslate.batch.workers.worker_process import WorkerProcess

def double(work, number):
    return work * number

if __name__ == "__main__":
    first = WorkerProcess(2)
    server = forkserver._forkserver._forkserver_pid
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(server, number)
    second = WorkerProcess(3)
    answers = [worker.call(double, 5) for worker in (first, second)]
    assert forkserver._forkserver._forkserver_pid == server
    for worker in (first, second):
        worker.close()
        worker.join()
    print(answers)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a fork server")
def test_a_signal_does_not_end_the_server_that_starts_workers(tmp_path: Path) -> None:
    script = tmp_path / "start.py"
    script.write_text(_START)
    words = [sys.executable, str(script)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, "[10, 15]\n", "")
