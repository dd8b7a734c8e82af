"""A model hub on this machine: its addresses, headers and answers, for folders made by ``tiny_diffusion`` or plain bytes.

What goes wrong on the way can be chosen: a connection that is cut, a server that is down, a file that is not what was told.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

__all__ = ["Hub", "Repository", "hub_server"]


@dataclass
class Repository:
    """What the hub has under one id."""

    files: dict[str, bytes]
    licence: str | None = "openrail"
    gated: bool = False

    @property
    def revision(self) -> str:
        """A commit's name, which changes with the files."""
        return hashlib.sha1(
            repr(sorted((name, digest(name, self.files[name])) for name in self.files)).encode()
        ).hexdigest()

    @classmethod
    def of(cls, folder: str | Path, **more: Any) -> Repository:
        folder = Path(folder)
        found = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        return cls(found, **more)


def is_large(name: str) -> bool:
    """Whether the hub keeps it in its store of large files, known by SHA-256, and answers with a redirection."""
    return name.endswith((".safetensors", ".bin", ".ckpt"))


def digest(name: str, data: bytes) -> str:
    return hashlib.sha256(data).hexdigest() if is_large(name) else git_digest(data)


def git_digest(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


@dataclass
class Hub:
    """The hub, and what happens to it."""

    repositories: dict[str, Repository] = field(default_factory=dict)
    cut: dict[str, int] = field(default_factory=dict)
    """File -> after how many bytes of it the connection is cut, and the server down from then on,"""
    recovers: bool = False
    """or well again at once."""
    lies: dict[str, bytes] = field(default_factory=dict)
    """File -> what comes in its place."""
    down: bool = False
    slow: float = 0.0
    """Seconds that each 64 KiB take."""
    ranges: bool = True
    """Whether the middle of a file can be asked for."""
    sent: list[tuple[str, int]] = field(default_factory=list)
    """Files that were asked for, and from which byte on."""
    asked: list[str] = field(default_factory=list)
    """Every address that was asked for."""
    url: str = ""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def log_message(self, *_: Any) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        path = unquote(urlsplit(self.path).path)
        self.hub.asked.append(path)
        if self.hub.down:
            return self._say(503, {}, b"down", body=body)
        api = re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/(revision|tree)/([^/]+))?", path)
        file = re.fullmatch(r"/(cdn/)?([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path)
        if api is None and file is None:
            return self._say(404, {}, b"", body=body)
        hub_id = api[1] if api else file[2]  # type: ignore[index]
        repository = self.hub.repositories.get(hub_id)
        if repository is None:  # what the hub says to people that it does not know
            return self._say(401, {"X-Error-Message": "Invalid username or password."}, b"", body=body)
        if api:
            told = _tree(repository) if api[2] == "tree" else _facts(hub_id, repository)
            return self._say(200, {"Content-Type": "application/json"}, json.dumps(told).encode(), body=body)
        assert file is not None
        if repository.gated:
            more = {"X-Error-Code": "GatedRepo", "X-Error-Message": f"Access to model {hub_id} is restricted."}
            return self._say(403, more, b"", body=body)
        if file[4] not in repository.files:
            return self._say(404, {"X-Error-Code": "EntryNotFound"}, b"", body=body)
        return self._file(hub_id, repository, file[4], body=body, stored=bool(file[1]))

    def _file(self, hub_id: str, repository: Repository, name: str, *, body: bool, stored: bool) -> None:
        data = repository.files[name]
        more = {"X-Repo-Commit": repository.revision, "ETag": f'"{digest(name, data)}"', "Accept-Ranges": "bytes"}
        if is_large(name) and not stored:
            place = f"{self.hub.url}/cdn/{hub_id}/resolve/{repository.revision}/{name}"
            more |= {"X-Linked-Etag": more["ETag"], "X-Linked-Size": str(len(data)), "Location": place}
            return self._say(302, more, b"", body=body)
        data = self.hub.lies.get(name, data)
        start = 0
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if asked and self.hub.ranges:
            start = int(asked[1])
            more["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        if body:
            self.hub.sent.append((name, start))
        self._say(206 if start else 200, more, data[start:], body=body, name=name, start=start)
        return None

    def _say(
        self, code: int, more: Mapping[str, str], data: bytes, *, body: bool, name: str = "", start: int = 0
    ) -> None:
        self.send_response(code)
        for key, value in more.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if not body:
            return
        stop = self.hub.cut.pop(name, None)
        if stop is not None:
            data = data[: max(0, stop - start)]
            self.hub.down = not self.hub.recovers
            self.close_connection = True
        for place in range(0, len(data), 1 << 16):
            self.wfile.write(data[place : place + (1 << 16)])
            if self.hub.slow:
                threading.Event().wait(self.hub.slow)


def _facts(hub_id: str, repository: Repository) -> dict[str, Any]:
    siblings: list[dict[str, Any]] = []
    for name, data in repository.files.items():
        one: dict[str, Any] = {"rfilename": name, "size": len(data), "blobId": git_digest(data)}
        if is_large(name):
            one |= {"lfs": {"sha256": digest(name, data), "size": len(data), "pointerSize": 134}}
        siblings.append(one)
    card = {} if repository.licence is None else {"license": repository.licence}
    return {
        "id": hub_id,
        "modelId": hub_id,
        "sha": repository.revision,
        "siblings": siblings,
        "cardData": card,
        "tags": [],
    }


def _tree(repository: Repository) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for name, data in repository.files.items():
        one: dict[str, Any] = {"type": "file", "path": name, "size": len(data), "oid": git_digest(data)}
        if is_large(name):
            one |= {"lfs": {"oid": digest(name, data), "size": len(data), "pointerSize": 134}}
        found.append(one)
    return found


@contextmanager
def hub_server() -> Iterator[Hub]:
    """Run a hub at ``Hub.url``."""
    hub = Hub()

    class Handler(_Handler):
        pass

    Handler.hub = hub
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  (clients that are killed)
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
