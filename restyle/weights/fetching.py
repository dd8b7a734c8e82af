"""Files from the model hub into its cache on this machine, whole and checked.

The hub's own library throws away what it has of a file when it is cut off, and checks sizes alone; both is done better here.
"""

from __future__ import annotations

import errno
import fcntl
import glob
import hashlib
import io
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from interp.quiet import without_warnings
from restyle.errors import MissingModelError, OutputError, show_path
from restyle.weights.hub import HubFile, Offer, cache_folder, hub_errors, hub_library, unwritable

__all__ = ["check_room", "fetch"]

GIB = 1 << 30
BLOCK = 1 << 20
Progress = Callable[[str, int, int], None]
"""Called with a file's name, bytes that are here, and bytes in all; may raise to stop."""


def check_room(offers: Sequence[Offer]) -> None:
    """Raises ``OutputError`` if the disk has not the room for them all, or the cache cannot be written."""
    cache = Path(hub_library().constants.HF_HUB_CACHE)
    names = ", ".join(repr(offer.hub_id) for offer in offers)
    try:
        cache.mkdir(parents=True, exist_ok=True)
        needed, free = sum(offer.missing for offer in offers), shutil.disk_usage(cache).free
    except OSError as error:
        raise unwritable(names, error, cache) from error
    if needed > free:
        raise OutputError(
            f"{names} {'takes' if len(offers) == 1 else 'take'} {needed / GIB:.1f} GiB more, {show_path(cache)} has "
            f"{free / GIB:.1f} GiB left: free some, or set HF_HOME to a folder on another disk"
        )


def fetch(offer: Offer, *, progress: Progress | None = None) -> Path:
    """Fetch what is missing of an offer, and give the folder that it all lies in.

    Goes on where an earlier try was cut off, within a file too. Every file's size and digest is checked before it counts.
    Without ``progress`` the hub's library shows its own progress bars.

    Raises ``MissingModelError``, ``OutputError`` (no room), and what ``progress`` raises.
    """
    hub = hub_library()
    check_room([offer])
    with hub_errors(offer.hub_id, offer.kind), _progress_bars(hub, shown=progress is None):
        blobs = cache_folder(offer.hub_id) / "blobs"
        blobs.mkdir(parents=True, exist_ok=True)
        before = 0
        for file in offer.files:
            _fetch_file(hub, offer, file, blobs, _FileProgress(progress, file.name, before, offer.size))
            before += file.size
        with _progress_bars(hub, shown=False):  # they are all here: this gives them their names
            names = [glob.escape(file.name) for file in offer.files]
            folder = Path(hub.snapshot_download(offer.hub_id, revision=offer.revision, allow_patterns=names))
    if folder.name != offer.commit:
        raise MissingModelError(f"{offer.kind} {offer.hub_id!r} changed on the hub while it was fetched: try again")
    return folder


@dataclass(frozen=True)
class _FileProgress:
    progress: Progress | None
    name: str
    before: int
    total: int

    def __call__(self, done: int) -> None:
        if self.progress is not None:
            self.progress(self.name, self.before + done, self.total)


class _PartialFile(io.FileIO):
    """The beginning of a file; says how long it has become."""

    report: Callable[[int], None]

    def write(self, data: Any) -> int:
        length = len(data)
        written = super().write(data)
        if written != length:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.report(self.tell())
        return written


def _fetch_file(hub: Any, offer: Offer, file: HubFile, blobs: Path, report: _FileProgress) -> None:
    """Get one file, whole and checked."""
    from huggingface_hub.file_download import http_get
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

    whole, part = blobs / file.digest, blobs / file.part
    if whole.is_file():
        report(file.size)
        return
    with _PartialFile(part, "ab") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)  # another process may be at it
        if not whole.is_file():
            if os.fstat(stream.fileno()).st_nlink == 0:
                raise MissingModelError(f"{file.name} of {offer.hub_id!r} failed in another process: try again")
            if stream.tell() > file.size:
                stream.truncate(0)
                stream.seek(0)
            stream.report = report
            report(stream.tell())
            if stream.tell() < file.size:
                url = hub.hf_hub_url(offer.hub_id, file.name, revision=offer.commit)
                try:
                    http_get(
                        url, stream, resume_size=stream.tell(), headers=build_hf_headers(), expected_size=file.size
                    )
                except OSError:
                    if stream.tell() <= file.size:
                        raise
            if stream.tell() != file.size or _digest(part, file) != file.digest:
                part.unlink()
                raise MissingModelError(
                    f"{file.name} of {offer.hub_id!r} did not arrive as the hub describes it (size or digest), "
                    "and is thrown away: try again"
                )
            os.fsync(stream.fileno())
            os.replace(part, whole)
    report(file.size)


def _digest(path: Path, file: HubFile) -> str:
    digest = hashlib.sha256() if len(file.digest) == 64 else hashlib.sha1(f"blob {file.size}\0".encode())
    with open(path, "rb") as stream:
        while block := stream.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


@contextmanager
def _progress_bars(hub: Any, *, shown: bool) -> Iterator[None]:
    """The library's progress bars: as they are, or off."""
    tools = hub.utils
    if shown or tools.are_progress_bars_disabled():
        yield
        return
    with without_warnings():  # HF_HUB_DISABLE_PROGRESS_BARS has the last word
        tools.disable_progress_bars()
        try:
            yield
        finally:
            tools.enable_progress_bars()
