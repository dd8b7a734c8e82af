"""Weights from the model hub into its cache on this machine: what there is to fetch, and fetching it.

Files lie where the hub's own library looks for them (``HF_HOME``), so that other programs find them, too. That library throws
away what it has of a file when it is cut off, and checks sizes alone; both is done better here.
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
from restyle.errors import MissingExtraError, MissingModelError, OutputError, RestyleError, show_path, why
from restyle.painters.diffusion.selection import chosen

__all__ = ["HubFile", "Offer", "check_room", "fetch", "hub_library", "look_up", "store_of"]

GIB = 1 << 30
BLOCK = 1 << 20
Tell = Callable[[str, int, int], None]
"""Called with a file's name, bytes that are here, and bytes in all; may raise to stop."""


@dataclass(frozen=True)
class HubFile:
    """One file of a repository on the hub."""

    name: str
    size: int
    """Bytes."""
    digest: str
    """SHA-256 of a large file, git's SHA-1 of a small one: also what the hub's cache calls it."""


@dataclass(frozen=True)
class Offer:
    """What would be fetched of a repository."""

    hub_id: str
    what: str
    revision: str
    files: tuple[HubFile, ...]
    licence: str | None
    """As its page tells it."""

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)

    @property
    def missing(self) -> int:
        """Bytes that are not on this machine."""
        blobs = store_of(self.hub_id) / "blobs"
        return self.size - sum(_here(blobs, file) for file in self.files)


def hub_library() -> Any:
    """The hub's own library. Raises ``MissingExtraError``."""
    try:
        import huggingface_hub
        import huggingface_hub.constants
        import huggingface_hub.utils
    except ImportError:
        raise MissingExtraError("painter 'diffusion'", "diffusion") from None
    return huggingface_hub


def store_of(hub_id: str) -> Path:
    """The folder of a repository in the hub's cache. Raises ``MissingExtraError``."""
    return Path(hub_library().constants.HF_HUB_CACHE) / f"models--{hub_id.replace('/', '--')}"


def look_up(hub_id: str, what: str = "model", *, files: Sequence[str] = (), variant: str | None = None) -> Offer:
    """Ask the hub what it has; fetches nothing yet. ``files``, ``variant``: see ``selection.chosen``.

    Raises ``MissingModelError`` (no such id, no network, access refused, nothing that can be used), ``RecipeError`` (a file has
    to be named), ``MissingExtraError``.
    """
    hub = hub_library()
    with _told(hub_id, what):
        info = hub.HfApi().model_info(hub_id, files_metadata=True, timeout=30)
        there = {file.rfilename: file for file in info.siblings or ()}
        found = []
        for name in chosen(hub_id, list(there), files, variant):
            file = there[name]
            found.append(HubFile(name, file.size or 0, file.lfs.sha256 if file.lfs else file.blob_id))
        return Offer(hub_id, what, info.sha, tuple(found), _licence(info))


def _licence(info: Any) -> str | None:
    card = info.card_data.to_dict() if info.card_data is not None else {}
    told = card.get("license")
    if told == "other":
        told = card.get("license_name") or told
    return " ".join(told) if isinstance(told, list) else told


def check_room(offers: Sequence[Offer]) -> None:
    """Raises ``OutputError`` if the disk has not the room for them all, or the cache cannot be written."""
    place = Path(hub_library().constants.HF_HUB_CACHE)
    names = ", ".join(repr(offer.hub_id) for offer in offers)
    try:
        place.mkdir(parents=True, exist_ok=True)
        needed, free = sum(offer.missing for offer in offers), shutil.disk_usage(place).free
    except OSError as error:
        raise _unkept(names, error, place) from error
    if needed > free:
        raise OutputError(
            f"{names} {'takes' if len(offers) == 1 else 'take'} {needed / GIB:.1f} GiB more, {show_path(place)} has "
            f"{free / GIB:.1f} GiB left: free some, or set HF_HOME to a folder on another disk"
        )


def fetch(offer: Offer, *, tell: Tell | None = None) -> Path:
    """Fetch what is missing of an offer, and give the folder that it all lies in.

    Goes on where an earlier try was cut off, within a file too. Every file's size and digest is checked before it counts.
    Without ``tell`` the hub's library shows its own progress bars. Raises ``MissingModelError``, ``OutputError`` (no room), and
    what ``tell`` raises.
    """
    hub = hub_library()
    check_room([offer])
    with _told(offer.hub_id, offer.what), _bars(hub, shown=tell is None):
        blobs = store_of(offer.hub_id) / "blobs"
        blobs.mkdir(parents=True, exist_ok=True)
        before = 0
        for file in offer.files:
            _bring(hub, offer, file, blobs, _Report(tell, file.name, before, offer.size))
            before += file.size
        with _bars(hub, shown=False):  # they are all here: this gives them their names
            names = [glob.escape(file.name) for file in offer.files]
            folder = Path(hub.snapshot_download(offer.hub_id, allow_patterns=names))
    if folder.name != offer.revision:
        raise MissingModelError(f"{offer.what} {offer.hub_id!r} changed on the hub while it was fetched: try again")
    return folder


@dataclass(frozen=True)
class _Report:
    tell: Tell | None
    name: str
    before: int
    total: int

    def __call__(self, done: int) -> None:
        if self.tell is not None:
            self.tell(self.name, self.before + done, self.total)


class _Part(io.FileIO):
    """The beginning of a file; says how long it has become."""

    report: Callable[[int], None]

    def write(self, data: Any) -> int:
        length = len(data)
        written = super().write(data)
        if written != length:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.report(self.tell())
        return written


def _here(blobs: Path, file: HubFile) -> int:
    """Bytes of a file that are here."""
    if (blobs / file.digest).is_file():
        return file.size
    part = blobs / f"{file.digest}.part"
    return min(part.stat().st_size, file.size) if part.is_file() else 0


def _bring(hub: Any, offer: Offer, file: HubFile, blobs: Path, report: _Report) -> None:
    """Get one file, whole and checked."""
    from huggingface_hub.file_download import http_get
    from huggingface_hub.utils import build_hf_headers

    whole, part = blobs / file.digest, blobs / f"{file.digest}.part"
    if whole.is_file():
        report(file.size)
        return
    with _Part(part, "ab") as stream:
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
                url = hub.hf_hub_url(offer.hub_id, file.name, revision=offer.revision)
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
    found = hashlib.sha256() if len(file.digest) == 64 else hashlib.sha1(f"blob {file.size}\0".encode())
    with open(path, "rb") as stream:
        while block := stream.read(BLOCK):
            found.update(block)
    return found.hexdigest()


@contextmanager
def _bars(hub: Any, *, shown: bool) -> Iterator[None]:
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


@contextmanager
def _told(hub_id: str, what: str) -> Iterator[None]:
    """The hub's errors as one line of ours."""
    from huggingface_hub import errors

    again = "try again, it goes on where it was; or give a local folder"
    try:
        yield
    except RestyleError:
        raise
    except errors.GatedRepoError as error:
        raise MissingModelError(
            f"{what} {hub_id!r} is given only to people who accepted its terms: accept them on its page, then hf auth login"
        ) from error
    except errors.HfHubHTTPError as error:
        response = error.response
        if response.status_code in (401, 404):  # the hub tells people that it does not know no more than this
            raise MissingModelError(
                f"there is no {what} {hub_id!r} on the model hub, or it is private (then hf auth login)"
            ) from error
        said = f"the hub answers {response.status_code} {response.reason_phrase}"
        raise MissingModelError(f"cannot fetch {what} {hub_id!r} ({said}): {again}") from error
    except OSError as error:
        if error.filename is not None or error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO):  # of this machine
            raise _unkept(f"{what} {hub_id!r}", error, store_of(hub_id)) from error
        raise MissingModelError(f"cannot fetch {what} {hub_id!r} ({why(error)}): {again}") from error
    except MemoryError:
        raise
    except Exception as error:  # HTTP libraries have errors of their own
        raise MissingModelError(f"cannot reach the model hub for {what} {hub_id!r} ({why(error)}): {again}") from error


def _unkept(what: str, error: OSError, place: Path) -> OutputError:
    return OutputError(
        f"cannot keep {what} in {show_path(error.filename or place)}: {why(error)}; HF_HOME says where else"
    )
