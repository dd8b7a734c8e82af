"""Ctrl-C and SIGTERM: the first asks the work to stop, the second stops the process."""

from __future__ import annotations

import os
import signal
import sys
import threading
from types import FrameType, TracebackType
from typing import Any

from restyle.errors import Cancelled

__all__ = ["Stop"]

GRACE = 1.0  # seconds that the work gets to notice the event by itself; one painting may take longer


class Stop:
    """While open, SIGINT and SIGTERM set ``event`` instead of killing the process.

    What does not look at the event within ``GRACE`` seconds (a painter in the middle of a picture) gets ``Cancelled`` raised
    into it, again and again until it gets through: the job folder is safe to be left at any instant. A second signal ends the
    process at once.
    """

    def __init__(self) -> None:
        self.event = threading.Event()
        self.signal: int | None = None
        """The signal that came first."""
        self.quiet = False
        self._before: dict[int, Any] = {}
        self._settled = False

    @property
    def exit_code(self) -> int:
        """128 + the signal's number, as shells have it."""
        return 128 + (self.signal or signal.SIGINT)

    def __enter__(self) -> Stop:
        if threading.current_thread() is threading.main_thread():
            asked = {signal.SIGINT: self._ask, signal.SIGTERM: self._ask, signal.SIGALRM: self._insist}
            self._before = {number: signal.signal(number, handler) for number, handler in asked.items()}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.settle()
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def check(self) -> None:
        """Raises ``Cancelled`` if a stop was asked for."""
        if self.event.is_set():
            raise Cancelled("stopped")

    def settle(self) -> None:
        """The work has stopped: raise nothing any more."""
        self._settled = True
        if self.signal is not None and self._before:
            signal.setitimer(signal.ITIMER_REAL, 0)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self.event.is_set():
            if sys.stderr.isatty():
                _say(b"\x1b[?25h\n")  # a progress bar has hidden the cursor
            os._exit(128 + number)
        self.signal = number
        self.event.set()
        if not self.quiet:  # not by print: the signal may have come in the middle of one
            _say(b"\nrestyle: stopping (once more to stop at once)\n")
        signal.setitimer(
            signal.ITIMER_REAL, GRACE, GRACE
        )  # a destructor or a library's callback may swallow what is raised

    def _insist(self, number: int, frame: FrameType | None) -> None:
        if self._settled:
            return
        current = sys.exc_info()[1]
        while current is not None:
            if isinstance(current, Cancelled):
                return  # it is on its way out already
            current = current.__context__
        raise Cancelled("stopped; what is finished is kept: the same command goes on from there")


def _say(text: bytes) -> None:
    """On standard error, past what is being printed there at this moment."""
    try:
        os.write(sys.stderr.fileno(), text)
    except (OSError, ValueError):  # no file, or one that is closed
        os.write(2, text)
