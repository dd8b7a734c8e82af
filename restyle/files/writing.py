"""Writing files so that nothing is lost: whole or not at all, under names that nobody else uses, one writer at a time.

What is not finished lies beside its final name under a hidden one that nobody can guess, and gets its name in one step when it
is complete and on the disk. Whoever writes an output holds its lock, so whatever lies there unfinished under that output's
mark was left by a process that is gone. No link is followed where something is made, cut or removed.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from restyle.errors import OutputError, OutputExistsError, OutputLockedError, show_path, why

__all__ = [
    "LockHeld",
    "discard",
    "finalise",
    "fitted_name",
    "lock_file",
    "output_lock",
    "partial_path",
    "scratch",
    "sign_lock",
    "sync",
    "write_file",
    "writing",
]

LONGEST = 255  # bytes of a name, on all the file systems that matter
LOCK_MARK = "held by restyle, process "
SCRATCH = "restyle-"
SCRATCH_LOCK = ".scratch"


class LockHeld(Exception):
    """Somebody else holds a lock file. ``owner``: ``another process (NUMBER)``, or ``another job of this process (NUMBER)``."""

    def __init__(self, signed: str) -> None:
        who = signed.strip().removeprefix(LOCK_MARK)
        what = "another job of this process" if who == str(os.getpid()) else "another process"
        self.owner = f"{what} ({who or 'unknown'})"
        super().__init__(self.owner)


def partial_path(final: Path) -> Path:
    """Make up a hidden name beside a final one, for what is not finished: nobody can guess it, and it always fits."""
    return final.with_name(f"{_mark(final)}.{secrets.token_hex(8)}.part")


def fitted_name(name: str, suffix: str) -> str:
    """Join ``name`` and ``suffix``; a name too long for a file system is cut, and told from others by a digest."""
    whole = os.fsencode(name + suffix)
    if len(whole) <= LONGEST:
        return name + suffix
    mark = f"~{hashlib.sha256(os.fsencode(name)).hexdigest()[:16]}{suffix}"
    beginning = os.fsencode(name)[: LONGEST - len(mark)]
    return beginning.decode(errors="ignore") + mark


def _mark(final: Path) -> str:
    return f".restyle-{hashlib.sha256(os.fsencode(final.name)).hexdigest()[:16]}"


def discard(path: Path) -> None:
    """Remove a file, a link (not what it leads to) or a folder of ours, if it is there."""
    with suppress(OSError):
        if stat.S_ISDIR(path.lstat().st_mode):
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()


def sync(path: Path) -> None:
    """Make a file's content, or the names in a folder, durable. Raises ``OSError``, also for what the disk could not take."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def finalise(part: Path, final: Path) -> None:
    """Make a finished file or folder of files durable and give it its final name; a file of that name is replaced.

    Raises ``OSError``, also where a folder that holds something has that name.
    """
    if part.is_dir():
        for path in part.rglob("*"):
            sync(path)
    sync(part)
    os.replace(part, final)
    with suppress(OSError):  # where a folder cannot be synced, the system knows no better
        sync(final.parent)


def write_file(path: Path, data: bytes) -> None:
    """Write one small file in one step. A link of that name is replaced, not followed. Raises ``OSError``."""
    part = partial_path(path)
    try:
        with open(part, "xb") as file:
            file.write(data)
        finalise(part, path)
    except BaseException:
        discard(part)
        raise


# Locks


def lock_file(path: Path, *, wait: bool = False, shared: bool = False) -> int:
    """Take the lock file ``path`` (flock), made if it is not there; closing the handle that comes back gives it free.

    ``shared``: with others who take it so. A file that somebody else put there is not touched. Raises ``LockHeld``; ``OSError``
    where ``path`` is a link or no file.
    """
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, 0o666)
        try:
            state = os.fstat(handle)
            if not stat.S_ISREG(state.st_mode) or state.st_nlink > 1:
                raise FileExistsError(f"{show_path(path)} is in the way")
            try:
                how = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
                fcntl.flock(handle, how | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError:
                raise LockHeld(os.pread(handle, 200, 0).decode(errors="replace")) from None
            with suppress(FileNotFoundError):
                current = os.stat(path, follow_symlinks=False)
                if (current.st_dev, current.st_ino) == (state.st_dev, state.st_ino):
                    return handle
            os.close(handle)  # who held it took it away while we waited
        except BaseException:
            os.close(handle)
            raise


@contextmanager
def output_lock(final: Path, *, wait: bool = False) -> Iterator[None]:
    """Hold the right to write an output, and remove what killed runs left of it unfinished.

    ``final``: the file, folder or pattern, in a folder that is there. ``wait``: for whoever holds it now.
    Raises ``OutputLockedError`` while another writes it, ``OutputError`` if no lock can be had there.
    """
    lock = final.with_name(f"{_mark(final)}.lock")
    try:
        handle = lock_file(lock, wait=wait)
    except LockHeld as busy:
        raise OutputLockedError(
            f"{busy.owner} is writing {show_path(final)}: wait for it, or give another name"
        ) from None
    except OSError as error:
        raise OutputError(f"cannot write {show_path(final)}: its lock {show_path(lock)}: {why(error)}") from error
    ours = os.fstat(handle).st_size == 0 or os.pread(handle, len(LOCK_MARK), 0) == LOCK_MARK.encode()
    try:
        if ours:
            sign_lock(handle)
        _sweep(final)
        yield
    finally:
        _sweep(final)
        if ours:
            with suppress(OSError):
                lock.unlink()
        os.close(handle)


def sign_lock(handle: int) -> None:
    """Write this process's number into a lock file of ours."""
    os.ftruncate(handle, 0)
    os.pwrite(handle, f"{LOCK_MARK}{os.getpid()}\n".encode(), 0)


def _sweep(final: Path) -> None:
    """Remove what is unfinished of an output: whoever holds the lock alone writes it, so none of that is in use."""
    mark = _mark(final) + "."
    with suppress(OSError):
        for entry in list(os.scandir(final.parent)):
            middle, dot, end = entry.name.removeprefix(mark).partition(".")
            if entry.name.startswith(mark) and dot and end == "part" and len(middle) == 16:
                discard(Path(entry.path))


@contextmanager
def writing(final: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Give a hidden name to write one file at; leaving the block without an exception gives it its final name.

    Raises ``OutputExistsError`` before anything is done, ``OutputLockedError``, ``OutputError``.
    """
    if os.path.lexists(final) and not overwrite:
        raise OutputExistsError(f"{show_path(final)} is there already; give another name, or --overwrite")
    with output_lock(final):
        part = partial_path(final)
        try:
            yield part
            finalise(part, final)
        except OSError as error:
            raise OutputError(f"cannot write {show_path(final)}: {why(error)}") from error
        finally:
            discard(part)


# Temporary folders


@contextmanager
def scratch() -> Iterator[Path]:
    """Open an empty folder in the system's temporary one, removed at the end; those that killed runs left are removed first.

    Raises ``OutputError`` if there is no room for one.
    """
    _sweep_scratch()
    try:
        folder = Path(tempfile.mkdtemp(prefix=SCRATCH))
    except OSError as error:
        raise OutputError(f"cannot write into the temporary folder: {why(error)}; set TMPDIR to another") from error
    handle = -1
    try:
        handle = lock_file(folder / SCRATCH_LOCK)
        sign_lock(handle)  # only now do others take it for one of ours
        inside = folder / "files"
        inside.mkdir()
        yield inside
    finally:
        _empty_scratch(folder)
        if handle >= 0:
            os.close(handle)


def _empty_scratch(folder: Path) -> None:
    """Remove a scratch folder, its lock last: killed halfway, it is still known for what it is."""
    shutil.rmtree(folder / "files", ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


def _sweep_scratch() -> None:
    """Remove scratch folders of this user whose process is gone: its lock is free, and says what the folder is."""
    with suppress(OSError):
        for entry in list(os.scandir(tempfile.gettempdir())):
            if not entry.name.startswith(SCRATCH) or not entry.is_dir(follow_symlinks=False):
                continue
            with suppress(OSError):
                if entry.stat(follow_symlinks=False).st_uid == os.geteuid():
                    _remove_scratch(Path(entry.path))


def _remove_scratch(folder: Path) -> None:
    handle = os.open(folder / SCRATCH_LOCK, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.read(handle, len(LOCK_MARK)) == LOCK_MARK.encode():
            _empty_scratch(folder)
    finally:
        os.close(handle)
