"""Progress on a terminal, in a log, and not at all."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
from clips import moving_frames, write_clip

from restyle.cli import progress
from restyle.cli.progress import Lines, display, duration, line_of
from restyle.progress import Progress


class Clock:
    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


def test_a_line_says_all_that_is_known() -> None:
    now = Progress("render", 96, 240, 12.34, 11.7, shot=1, shots=3, doing="painting frame 96")
    assert line_of(now) == "restyle: restyling  40 %: 96/240 frames, shot 2/3, 12.3 frames/s, about 12 s left"
    assert line_of(now, verbose=True).endswith("(painting frame 96)")
    assert line_of(Progress("analyse", 5, None, 0.0, None)) == "restyle: looking: 5 frames"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (59.6, "1 min 00 s"), (200, "3 min 20 s"), (3900, "1 h 05 min")]
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_slow_work_says_something_every_five_seconds(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    lines = Lines()
    for done in range(61):  # one frame a second of a thousand
        lines(Progress("render", done, 1000, 1.0, 1000.0 - done))
        clock.now += 1
    assert len(capsys.readouterr().err.splitlines()) == 12


def test_quick_work_says_something_every_ten_per_cent(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    lines = Lines()
    with lines:
        for stage in ("analyse", "render"):
            for done in range(101):
                lines(Progress(stage, done, 100, 5.0, None))  # type: ignore[arg-type]
                clock.now += 0.2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 20
    assert [line for line in said if "100 %" in line] == [
        "restyle: looking 100 %: 100/100 frames, 5.0 frames/s",
        "restyle: restyling 100 %: 100/100 frames, 5.0 frames/s",
    ]


def test_verbose_tells_each_painting(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    lines = Lines(verbose=True)
    for doing in ("painting frame 0", "painting frame 0", "painting frame 8", "filling"):
        lines(Progress("render", 0, 100, 0.0, None, doing=doing))
    assert [re.findall(r"\((.*)\)", line) for line in capsys.readouterr().err.splitlines()] == [
        ["painting frame 0"],
        ["painting frame 8"],
    ]


def test_quiet_shows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with display(quiet=True) as shown:
        shown(Progress("render", 100, 100, 1.0, None))
    assert capsys.readouterr() == ("", "")


def test_a_terminal_gets_a_bar_and_nothing_of_it_stays(tmp_path: Path) -> None:
    write_clip(tmp_path / "in.mp4", moving_frames(90, (160, 96)))
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "restyle", "run", "in.mp4", "-o", "out.mp4", "--keyframes", "every:2", "--no-report"],
        stdout=subprocess.PIPE,
        stderr=theirs,
        stdin=theirs,
        cwd=tmp_path,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "80"},
    )
    os.close(theirs)
    data = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # the other end has gone
            break
        if not part:
            break
        data += part
    os.close(ours)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    text = data.decode()
    assert "restyling" in text
    assert re.search(r"\d+/90 frames, ", text)
    assert "restyle: restyling" not in text  # no lines of a log
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l")  # the cursor is back
    assert text.endswith("\x1b[2K")  # the last line has been wiped
    assert "'out.mp4'" in out.decode()
