"""A lease: the right of one process, among those of all machines, to work at an address. Stores have no locks.

Whoever has it writes a small file again and again, another number each time. Whoever finds one watches it: if it stays as it
is, its writer is gone. So no clocks are compared, and nothing is asked of a store but to give back what was written last.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex

from restyle.files.remote import RemoteError, Url, read_bytes, remove, send_bytes
from restyle.files.writing import write_file

__all__ = ["Lease", "LeaseHeld", "leased"]

EVERY = 5.0  # seconds between two writings
GONE = 20.0  # seconds after which one who has written nothing is gone
LARGEST = 1000  # bytes


class LeaseHeld(Exception):
    """Another process has the lease. ``owner``: which one, for a person."""

    def __init__(self, owner: str) -> None:
        self.owner = owner
        super().__init__(owner)


class Lease:
    """A lease that was taken. It may be lost: to another who could not see that this process was still there."""

    def __init__(self, url: Url, token: str) -> None:
        self.lost = ""
        """The process that has it now; empty while it is this one."""
        self._url, self._token = url, token
        self._count = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name="lease", daemon=True)

    def _take(self) -> None:
        self._write()
        self._look()
        if self.lost:  # two began at once, and the last to write has it
            raise LeaseHeld(self.lost)
        self._thread.start()

    def _write(self) -> None:
        self._count += 1
        send_bytes(self._url, f"{self._token}\n{_this_process()}\n{self._count}\n".encode())

    def _look(self) -> None:
        now = _read(self._url)
        if now is not None and now[0] != self._token:
            self.lost = now[1]

    def _go_on(self) -> None:
        while not self._over.wait(EVERY) and not self.lost:
            with suppress(RemoteError, OSError):  # it is tried again; if that takes long, another may have the lease
                self._look()
                if not self.lost:
                    self._write()

    def _give_back(self) -> None:
        self._over.set()
        self._thread.join()
        with suppress(RemoteError, OSError):
            self._look()
            if not self.lost:
                remove([self._url])


@contextmanager
def leased(url: Url, known: Path) -> Iterator[Lease]:
    """Hold the lease at an address. ``known``: a file for it on this machine, of which two never get here at once: with it, who
    was killed need not be waited for on the same machine.

    Raises ``LeaseHeld``, ``RemoteError``; ``OSError`` if ``known`` cannot be written.
    """
    _await_end(url, known.read_text() if known.exists() else "")
    token = token_hex(16)
    write_file(known, token.encode())
    lease = Lease(url, token)
    lease._take()
    try:
        yield lease
    finally:
        lease._give_back()


def _await_end(url: Url, own: str) -> None:
    """Return when nobody has the lease, or nobody who writes any more. Raises ``LeaseHeld``: somebody does."""
    first = _read(url)
    deadline = time.monotonic() + GONE
    while first is not None and first[0] != own and time.monotonic() < deadline:
        time.sleep(EVERY / 5)
        now = _read(url)
        if now != first and now is not None:
            raise LeaseHeld(now[1])
        first = now


def _read(url: Url) -> list[str] | None:
    """Token, owner and number; ``None``: there is no lease."""
    data = read_bytes(url, largest=LARGEST)
    lines = [] if data is None else data.decode(errors="replace").split("\n")
    return None if data is None else (lines + [""] * 3)[:3]


def _this_process() -> str:
    return f"a process of {socket.gethostname()} ({os.getpid()})"
