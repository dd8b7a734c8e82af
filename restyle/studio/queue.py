"""The queue in which renders wait, one after the other, each in a process of its own.

Who waits holds a numbered file in the queue's folder, locked as long as its process lives; the lowest number works. So the
queue needs nobody who runs it: it goes on without the page, and who dies or is stopped just falls out of it.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from restyle.errors import Cancelled
from restyle.files.writing import LockHeld, lock_file

__all__ = ["Waiting", "turn_in", "waiting_in"]

DOOR = "door.lock"
EVERY = 0.3  # seconds between two looks at who is ahead


@dataclass(frozen=True)
class Waiting:
    """Somebody in the queue; the first one works."""

    title: str
    folder: Path
    """Where its order and its state lie (``Work``)."""


@contextmanager
def turn_in(
    queue: Path, title: str, folder: Path, cancel: threading.Event, tell: Callable[[int], None]
) -> Iterator[None]:
    """Wait until all who came before are done, and keep the turn within the block. ``tell`` is told how many are ahead.

    Raises ``Cancelled``, ``OSError``.
    """
    queue.mkdir(parents=True, exist_ok=True)
    door = lock_file(queue / DOOR, wait=True)  # so that nobody is seen before its file is locked
    try:
        number = 1 + max((_number(path) for path in _files(queue)), default=0)
        mine = queue / f"{number:08d}.turn"
        handle = lock_file(mine, wait=True)  # who looks at it just now lets go at once
        os.pwrite(handle, json.dumps({"title": title, "folder": str(folder)}).encode(), 0)
    finally:
        os.close(door)
    try:
        while ahead := sum(_number(path) < number and _read(path) is not None for path in _files(queue)):
            tell(ahead)
            if cancel.wait(EVERY):
                raise Cancelled
        yield
    finally:
        with suppress(OSError):
            mine.unlink()
        os.close(handle)


def waiting_in(queue: Path) -> list[Waiting]:
    """All who are in the queue, the one that works first."""
    return [waiting for path in _files(queue) if (waiting := _read(path)) is not None]


def _files(queue: Path) -> list[Path]:
    return sorted(path for path in queue.glob("*.turn") if path.stem.isdecimal())


def _number(path: Path) -> int:
    return int(path.stem)


def _read(path: Path) -> Waiting | None:
    """Read who holds a file; ``None``: nobody does, and it is cleared away."""
    try:
        handle = lock_file(path)
    except LockHeld as held:
        try:
            plain = json.loads(path.read_bytes())
            return Waiting(str(plain["title"]), Path(plain["folder"]))
        except (OSError, ValueError, KeyError, TypeError):
            return Waiting(str(held), path.parent)
    except OSError:
        return None
    with suppress(OSError):
        path.unlink()
    os.close(handle)
    return None
