"""A store of objects on this machine that speaks S3, and what was asked of it."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

__all__ = ["Bucket", "bucket", "object_store"]

REQUEST = re.compile(r"\b(GET|HEAD|PUT|POST|DELETE) (\S+) HTTP")


@dataclass
class Bucket:
    """One bucket."""

    name: str
    files: Any
    """Its file system."""
    asked: list[str] = field(default_factory=list)
    """``METHOD /bucket/key`` of every request since it was emptied."""

    @property
    def url(self) -> str:
        return f"s3://{self.name}"

    def put(self, path: Path, key: str) -> str:
        """Put a file, or all files of a folder, under a key; gives the address."""
        for file in [path] if path.is_file() else [file for file in sorted(path.rglob("*")) if file.is_file()]:
            inner = "" if file == path else f"/{file.relative_to(path)}"
            self.files.pipe_file(f"{self.name}/{key}{inner}", file.read_bytes())
        return f"{self.url}/{key}"

    def names(self) -> list[str]:
        return sorted(name.removeprefix(f"{self.name}/") for name in self.files.find(self.name))

    def contents(self, key: str = "") -> dict[str, bytes]:
        root = f"{self.name}/{key}".rstrip("/")
        return {name.removeprefix(f"{root}/"): self.files.cat_file(name) for name in sorted(self.files.find(root))}

    def fetched(self) -> list[str]:
        """Keys of the objects that were read since ``asked`` was emptied."""
        reads = [line.partition("/")[2] for line in self.asked if line.startswith("GET ")]
        return [
            path.removeprefix(f"{self.name}/") for path in reads if path.startswith(f"{self.name}/") and "?" not in path
        ]


class _Log(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        found = REQUEST.search(record.getMessage())
        if found:
            self.lines.append(f"{found[1]} {found[2]}")


@dataclass
class Store:
    port: int
    log: _Log
    server: Any


@pytest.fixture(scope="session")
def object_store() -> Iterator[Store]:
    from moto.server import ThreadedMotoServer

    log = _Log()
    logger = logging.getLogger("werkzeug")
    logger.addHandler(log)
    logger.propagate = False
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=True)
    server.start()
    yield Store(server.get_host_and_port()[1], log, server)
    server.stop()
    logger.removeHandler(log)


@pytest.fixture
def bucket(object_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """An empty bucket, which this process and those that it starts reach; the cache is the test's own."""
    import fsspec
    import s3fs

    options = {"endpoint_url": f"http://127.0.0.1:{object_store.port}"}
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("FSSPEC_S3", json.dumps(options))
    monkeypatch.setitem(fsspec.config.conf, "s3", options)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    files = s3fs.S3FileSystem(use_listings_cache=False)
    name = f"bucket-{abs(hash(str(tmp_path))) % 10**12}"
    files.mkdir(name)
    object_store.log.lines = []
    return Bucket(name, files, object_store.log.lines)
