"""What belongs to the whole process is as it was, however many threads were quiet at once."""

from __future__ import annotations

import os
import re
import sys
import threading
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from interp.quiet import ALL, without_logs, without_prints, without_warnings

QUIET = {"warnings": without_warnings, "prints": without_prints, "logs": without_logs}


def overlapping(quiet: Callable[[], AbstractContextManager[None]]) -> None:
    """One thread is quiet while another begins to be, and is done before it."""
    first, second, over = threading.Event(), threading.Event(), threading.Event()

    def one() -> None:
        with quiet():
            first.set()
            second.wait(10)
        over.set()

    def two() -> None:
        first.wait(10)
        with quiet():
            second.set()
            over.wait(10)

    threads = [threading.Thread(target=work) for work in (one, two)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.parametrize("kind", QUIET)
def test_all_is_put_back_when_the_last_thread_is_done(kind: str) -> None:
    filters, streams, error = list(warnings.filters), (sys.stdout, sys.stderr), os.fstat(2)
    overlapping(QUIET[kind])
    assert list(warnings.filters) == filters
    assert (sys.stdout, sys.stderr) == streams
    assert os.fstat(2) == error


def test_only_the_threads_own_prints_are_dropped(capsys: pytest.CaptureFixture[str]) -> None:
    with without_prints():
        print("of a package")
        print("of a package", file=sys.stderr)
        warnings.warn("of a package", stacklevel=1)
        other = threading.Thread(target=print, args=("of somebody else",))
        other.start()
        other.join()
    print("of ours")
    assert capsys.readouterr() == ("of somebody else\nof ours\n", "")


def test_lines_are_told_apart_and_the_others_come_out(capfd: pytest.CaptureFixture[str]) -> None:
    with without_logs():
        with without_logs(re.compile(b"dull")):
            os.write(2, b"dull line\nW0000 absl says\nE0000 a real error\n")
        assert capfd.readouterr().err == "", "not before all are done"
    assert capfd.readouterr().err == "E0000 a real error\n"
    with without_logs(ALL):
        os.write(2, b"anything\n")
    assert capfd.readouterr().err == ""
