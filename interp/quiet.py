"""Libraries that warn, print, or log past Python, kept quiet; by several threads at once, if need be.

Warning filters, ``sys.stdout`` and the file that standard error leads to belong to the whole process. Were each thread to put
back what it had found, the second would put back what the first had made, and it would stay so. So each of these is changed by
the first who asks for it, and put back by the last who is done.
"""

from __future__ import annotations

import os
import re
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from tempfile import TemporaryFile
from typing import Any

__all__ = ["ALL", "without_logs", "without_prints", "without_warnings"]

ALL = re.compile(rb"")
# absl's lines (level, month and day, time), those that it writes before it is set up, and TensorFlow Lite's.
_ABSL = re.compile(
    rb"^(?:[IW]\d{4} \d\d:\d\d:|[IW]0000 |WARNING: All log messages before absl|INFO: Created TensorFlow Lite)"
)


class _Shared:
    """A change of the process, entered by the first thread that wants it and left by the last."""

    def __init__(self, change: Callable[[], AbstractContextManager[Any]]) -> None:
        self._change = change
        self._lock = threading.Lock()
        self._inside = 0
        self._undo = ExitStack()

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._undo.enter_context(self._change())
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._undo.close()


@contextmanager
def _ignoring() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


_WARNINGS = _Shared(_ignoring)


def without_warnings() -> AbstractContextManager[None]:
    """Python's warnings are not shown: libraries' about one another are nothing to a person."""
    return _WARNINGS


class _Aside:
    """A stream that drops what some threads write, and hands on what the others do."""

    def __init__(self, stream: Any, dropped: set[int]) -> None:
        self._stream, self._dropped = stream, dropped

    def write(self, text: str) -> int:
        if threading.get_ident() in self._dropped:
            return len(text)
        written: int = self._stream.write(text)
        return written

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


_dropped: set[int] = set()  # threads whose prints are


@contextmanager
def _set_aside() -> Iterator[None]:
    streams = sys.stdout, sys.stderr
    aside = _Aside(sys.stdout, _dropped), _Aside(sys.stderr, _dropped)
    sys.stdout, sys.stderr = aside  # type: ignore[assignment]
    try:
        yield
    finally:
        if (sys.stdout, sys.stderr) == aside:  # else somebody has set them anew meanwhile
            sys.stdout, sys.stderr = streams


_PRINTS = _Shared(_set_aside)


@contextmanager
def without_prints() -> Iterator[None]:
    """Drop what this thread prints, on standard output or error, and warnings: packages print, warn and draw
    progress bars about their own parts. Not to be nested."""
    with _WARNINGS, _PRINTS:
        _dropped.add(threading.get_ident())
        try:
            yield
        finally:
            _dropped.discard(threading.get_ident())


_unwanted: list[re.Pattern[bytes]] = []  # by all who are within


@contextmanager
def _sorted_out() -> Iterator[None]:
    """Standard error, past Python, goes into a file; what is wanted of it comes out in the end."""
    _unwanted.clear()
    sys.stderr.flush()
    try:
        stderr = os.dup(2)
    except OSError:  # no standard error at all
        yield
        return
    with TemporaryFile() as aside:
        os.dup2(aside.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(stderr, 2)
            os.close(stderr)
            aside.seek(0)
            rest = b"".join(line for line in aside if not any(lines.match(line) for lines in _unwanted))
            if rest:
                os.write(2, rest)


_LOGS = _Shared(_sorted_out)


@contextmanager
def without_logs(lines: re.Pattern[bytes] = _ABSL) -> Iterator[None]:
    """Keep ``lines`` that native libraries log off standard error, whatever Python is told; by default what TensorFlow Lite and
    absl say that is no error. What else is written there comes out when it ends."""
    with _LOGS:
        _unwanted.append(lines)
        yield
