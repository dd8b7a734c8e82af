"""``python killed.py N WORDS``: ``restyle WORDS``, killed by itself right before or after the N-th call that touches the disk.

Counted are the calls in which a job could be caught halfway: opening to write, renaming, removing, making and removing folders,
locking, and syncing (before it and after it). With N = 0 nothing is killed, and the last line of stderr holds their number.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(1, str(Path(__file__).resolve().parents[2]))

TOUCHING = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate", "fcntl.flock"}


class Counter:
    """Counts, and strikes at one number."""

    def __init__(self, at: int) -> None:
        self._at = at
        self._lock = threading.Lock()
        self.number = 0

    def step(self) -> None:
        with self._lock:
            self.number += 1
            if self.number == self._at:
                os.kill(os.getpid(), signal.SIGKILL)

    def watch(self, event: str, args: tuple[Any, ...]) -> None:
        """An audit hook: called before each event."""
        if event in TOUCHING or (event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR)):
            self.step()


def main() -> int:
    from attacks.painter import register
    from restyle.cli import main as restyle

    register()
    at, words = int(sys.argv[1]), sys.argv[2:]
    counter = Counter(at)
    sync = os.fsync

    def watched(handle: int) -> None:
        counter.step()
        sync(handle)
        counter.step()

    os.fsync = watched  # type: ignore[assignment]
    sys.argv = ["restyle", *words]
    sys.addaudithook(counter.watch)
    code = restyle(words)
    if not at:
        print(counter.number, file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
