"""Copies of what lies elsewhere, in the user's cache folder: made once, held while used, given up when they are long unused.

::

    ~/.cache/restyle/remote/NAME/    one copy, which never changes: it appears whole
      lock                           held (flock) by all who use it; its time is that of the last use
      ...                            what was copied

``RESTYLE_REMOTE_CACHE`` (such as ``200G``) says how much there may be in all.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from restyle.errors import OutputError, OutputLockedError, show_path, why
from restyle.files.remote import Report, Url
from restyle.files.sizes import parse_size
from restyle.files.writing import (
    LockHeld,
    discard,
    finalise,
    fitted_name,
    lock_file,
    output_lock,
    partial_path,
    write_file,
)

__all__ = ["Copy", "copy_name", "copy_path", "give_up_copies", "hold", "user_cache"]

LOCK = "lock"
USUAL = "50G"
LEFT = 1 << 30  # bytes of the disk that are left to others
COUNTED = ".counted"
AGAIN = 60.0  # seconds after which copies are counted again
YOUNG = 3600.0  # seconds for which an unfinished copy without a lock may be one that is just begun
POLL = 0.2


def user_cache() -> Path:
    """Name this program's part of the user's cache folder (``XDG_CACHE_HOME``, or ``~/.cache``)."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if os.path.isabs(base) else Path.home() / ".cache") / "restyle"


@dataclass(frozen=True, eq=False)
class Copy:
    """A copy that is held: while this object is there, nobody removes it."""

    folder: Path

    def _keep(self, handle: int) -> None:
        weakref.finalize(self, os.close, handle)


def copy_name(url: Url, version: str = "") -> str:
    """Name the copy of what lies at an address, in a version: readable, and told from all others by a digest."""
    readable = re.sub(r"[^\w.-]+", "+", str(url), flags=re.ASCII)
    return fitted_name(
        readable[-150:].lstrip("+.-"), f"~{_digest(str(url))}" + (f"~{_digest(version)}" if version else "")
    )


def copy_path(name: str) -> Path:
    """Name the folder of a copy, there or not."""
    return user_cache() / "remote" / name


def _digest(text: str) -> str:
    return blake2b(text.encode(errors="surrogateescape"), digest_size=8).hexdigest()


def hold(name: str, fill: Callable[[Path], None], *, size: int = 0, report: Report = lambda doing: None) -> Copy:
    """Hold a copy; ``fill`` makes it, in an empty folder, if it is not there. ``size``: bytes that it will take.

    Of several who want the same at once, one makes it, and the others wait. ``report`` is called meanwhile, and may raise.
    Raises ``OutputError`` if there is no room for it, or the cache folder cannot be written.
    """
    folder = copy_path(name)
    root = folder.parent
    try:
        root.mkdir(parents=True, exist_ok=True)
        while True:
            copy = _held(folder)
            if copy is not None:
                return copy
            with _making(folder, report):
                if not folder.is_dir():
                    _make_room(root, size)
                    return _made(folder, fill)
    except OSError as error:
        raise OutputError(f"cannot write into the cache {show_path(root)}: {why(error)}") from error


def _held(folder: Path) -> Copy | None:
    """Hold a copy that is there. ``None``: it is not, or is just given up."""
    try:
        if not folder.is_dir():
            return None
        handle = lock_file(folder / LOCK, shared=True)
    except (FileNotFoundError, LockHeld):
        return None
    os.utime(folder / LOCK)
    return _copy(folder, handle)


def _copy(folder: Path, handle: int) -> Copy:
    copy = Copy(folder)
    copy._keep(handle)
    return copy


@contextmanager
def _making(folder: Path, report: Report) -> Iterator[None]:
    """Hold the right to make a copy; whoever has it is waited for."""
    with ExitStack() as stack:
        while True:
            try:
                stack.enter_context(output_lock(folder))
                break
            except OutputLockedError:
                report(f"waiting for another that fetches {folder.name}")
                time.sleep(POLL)
        yield


def _made(folder: Path, fill: Callable[[Path], None]) -> Copy:
    part = partial_path(folder)
    part.mkdir()
    handle = lock_file(part / LOCK)  # a part without a holder is given up by whoever makes room
    try:
        fill(part)
        finalise(part, folder)
        fcntl.flock(handle, fcntl.LOCK_SH)
    except BaseException:
        os.close(handle)
        discard(part)
        raise
    return _copy(folder, handle)


# Room


def _make_room(root: Path, size: int) -> None:
    """Give up copies that nobody uses, the longest unused first, until ``size`` more bytes fit. Raises ``OutputError``."""
    most = parse_size(os.environ.get("RESTYLE_REMOTE_CACHE") or USUAL)
    counted = _Count.read(root)
    if counted is not None and counted.bytes + size <= most and _free(root) >= size:
        counted.note(root, size)
        return
    there = sorted(_copies(root))
    taken = sum(bytes_of for _, bytes_of, _ in there)
    for _, bytes_of, folder in there:
        unfinished = folder.suffix == ".part"
        if not unfinished and taken + size <= most and _free(root) >= size:
            continue
        if _give_up(folder, unfinished):
            taken -= bytes_of
    if _free(root) < size:
        raise OutputError(
            f"the cache {show_path(root)} has no room for {size:,} bytes more: free some, or set XDG_CACHE_HOME "
            "to another folder"
        )
    _Count(taken, time.time()).note(root, size)


@dataclass(frozen=True)
class _Count:
    """Bytes of all copies, and when they were counted: that takes the longer the more there are, so not for each copy."""

    bytes: int
    time: float

    @classmethod
    def read(cls, root: Path) -> _Count | None:
        """Read the last count; ``None`` if it is too old: copies of job folders have grown since."""
        with suppress(OSError, ValueError):
            taken, when = (root / COUNTED).read_text().split()
            if 0 <= time.time() - float(when) < AGAIN:
                return cls(int(taken), float(when))
        return None

    def note(self, root: Path, more: int) -> None:
        write_file(root / COUNTED, f"{self.bytes + more} {self.time}".encode())


def give_up_copies() -> int:
    """Give up all copies that nobody uses: the disk is full. Gives the bytes."""
    root = user_cache() / "remote"
    if not root.is_dir():
        return 0
    return sum(size for _, size, folder in sorted(_copies(root)) if _give_up(folder, folder.suffix == ".part"))


def _free(root: Path) -> int:
    return max(0, shutil.disk_usage(root).free - LEFT)


def _copies(root: Path) -> Iterator[tuple[float, int, Path]]:
    """Time of the last use, bytes, folder: of each copy, and of what killed processes left unfinished."""
    for entry in list(os.scandir(root)):
        if entry.is_dir(follow_symlinks=False) and (entry.name.endswith(".part") or not entry.name.startswith(".")):
            folder = Path(entry.path)
            with suppress(OSError):
                lock = folder / LOCK
                used = (lock if lock.exists() else folder).stat().st_mtime
                yield used, _bytes_in(folder), folder


def _bytes_in(folder: Path) -> int:
    total = 0
    for here, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += os.lstat(os.path.join(here, name)).st_size
    return total


def _give_up(folder: Path, unfinished: bool) -> bool:
    """Remove a copy that nobody holds."""
    try:
        if unfinished and not (folder / LOCK).exists() and time.time() - folder.stat().st_mtime < YOUNG:
            return False
        handle = lock_file(folder / LOCK)
    except (OSError, LockHeld):
        return False
    try:
        part = folder if unfinished else partial_path(folder)
        if not unfinished:
            os.rename(folder, part)  # killed meanwhile, it is no copy any more
        discard(part)
        return True
    except OSError:
        return False
    finally:
        os.close(handle)
