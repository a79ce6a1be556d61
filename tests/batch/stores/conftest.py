"""A real server that speaks S3, on this machine, and a store in memory."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def memory() -> Iterator[Any]:
    """fsspec's file system in memory, empty."""
    pytest.importorskip("upath", reason="needs the extra `remote`")
    system = pytest.importorskip("fsspec").filesystem("memory")
    yield system
    system.store.clear()
    system.pseudo_dirs[:] = [""]


@pytest.fixture(scope="session")
def endpoint() -> Iterator[str]:
    """The URL of an S3 server."""
    pytest.importorskip("upath", reason="needs the extra `remote`")
    pytest.importorskip("s3fs", reason="needs the extra `remote`")
    server = pytest.importorskip("moto.server", reason="needs the extra `test`")
    running = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    yield f"http://{host}:{port}"
    running.stop()


@pytest.fixture
def s3(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The file system of an S3 server with an empty bucket, `s3://bucket`."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "tests")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "tests")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    system = pytest.importorskip("fsspec").filesystem(
        "s3", use_listings_cache=False, skip_instance_cache=True
    )
    if system.exists("bucket"):
        system.rm("bucket", recursive=True)
    system.mkdir("bucket")
    return system


def put(system: Any, folder: Path, target: str) -> None:
    """Copy a folder into a store."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            system.pipe_file(f"{target}/{path.relative_to(folder).as_posix()}", path.read_bytes())
