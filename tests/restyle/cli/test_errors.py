"""Errors that nobody raised on purpose."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from clips import moving_frames, write_clip
from command import Caller


def test_what_nobody_foresaw_is_one_line_as_well(restyle_command: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise ZeroDivisionError("nobody\nforesaw this")

    monkeypatch.setattr("restyle.cli.doctor.examine", broken)
    line = restyle_command.fails("doctor", code=70)
    assert line == (
        "internal error: ZeroDivisionError: nobody foresaw this (run with -v for the traceback, please report it)"
    )
    assert "Traceback" in restyle_command("doctor", "-v", code=70).err


class RuntimeException(Exception):
    """As onnxruntime has it."""


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (MemoryError(), 1, "'a.mp4': not enough memory; close"),
        (
            Exception("OpenCV(4.14.0) alloc.cpp:73: error: (-4:Insufficient memory) Failed to allocate"),
            1,
            "'a.mp4': not enough memory",
        ),
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), 1, "'a.mp4': not enough memory; close"),
        (RuntimeException("[E:...] Failed to allocate memory for requested buffer"), 1, "'a.mp4': not enough memory"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), 1, "'a.mp4': not enough memory; close"),
        (OSError(errno.ENOSPC, "No space", "b.bin"), 4, "'b.bin': no space left on the device"),
        (PermissionError(errno.EACCES, "x", "b.bin"), 1, "'b.bin': permission denied; check"),
        (OSError(errno.EMFILE, "x"), 1, "'a.mp4': too many open files; allow more of them: ulimit -n"),
        (FileNotFoundError(errno.ENOENT, "x", "out of memory.mp4"), 1, "'out of memory.mp4': no such file"),
        (OSError("no number"), 70, "internal error: OSError: no number"),
    ],
    ids=repr,
)
def test_errors_of_others_are_told_with_a_file_and_a_remedy(
    error: Exception, code: int, says: str, restyle_command: Caller, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise error

    write_clip(tmp_path / "a.mp4", moving_frames(2, (32, 32)))
    monkeypatch.setattr("restyle.job.job.Job.__init__", broken)
    assert restyle_command.fails("inspect", "a.mp4", code=code).startswith(says)
