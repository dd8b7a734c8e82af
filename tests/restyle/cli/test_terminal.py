"""What is printed, and where."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from clips import moving_frames, read_pictures, write_clip
from command import Caller, start

from restyle.cli.terminal import plain


def test_a_failure_with_json_is_a_document_too(restyle_command: Caller) -> None:
    said = restyle_command("inspect", "none.mp4", "--json", code=3)
    assert said.json["error"]["kind"] == "FootageError"
    assert said.json["error"]["exit_code"] == 3
    assert "none.mp4" in said.json["error"]["message"]
    assert said.err.count("\n") == 1
    assert restyle_command("inspect", "--json", "--what", code=2).json["error"]["kind"] == "UsageError"


def test_the_traceback_comes_with_v_only(restyle_command: Caller) -> None:
    assert "Traceback" not in restyle_command("inspect", "none.mp4", code=3).err
    said = restyle_command("inspect", "none.mp4", "-v", code=3).err
    assert "Traceback" in said
    assert said.splitlines()[-1].startswith("restyle: ")


def test_libraries_say_nothing_beside_the_line(tmp_path: Path) -> None:
    write_clip(tmp_path / "a.mp4", moving_frames(2, (32, 32)))
    noise = np.random.default_rng(0).integers(0, 65536, (32, 32, 3), np.uint16)
    cv2.imwrite(str(tmp_path / "deep.png"), noise)
    whole = (tmp_path / "deep.png").read_bytes()
    (tmp_path / "deep.png").write_bytes(whole[: len(whole) // 2])
    words = ("run", "a.mp4", "-o", "b.mp4", "--style", "deep.png", "--no-report")
    said = start(*words, cwd=tmp_path).communicate(timeout=60)[1]
    assert [line.split()[1] for line in said.splitlines()] == ["style"]


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_nobodys_files(closed: str, tmp_path: Path) -> None:
    """What is printed would go into the file that got the stream's number."""
    write_clip(tmp_path / "a.mp4", moving_frames(2, (32, 32)))
    line = f"{sys.executable} -m restyle run a.mp4 -o b.mkv --painter identity --no-report {closed}"
    ended = subprocess.run(line, shell=True, cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True)
    assert ended.returncode == 0, ended.stderr
    assert len(read_pictures(tmp_path / "b.mkv")) == 2


@pytest.mark.parametrize(
    "name", ["[red]loud[red].mp4", "two words.mp4", "100%d.mp4", "line\nbreak.mp4", "-dash.mp4", "ümläut 映画.mp4"]
)
def test_hostile_names_are_shown_as_they_are(name: str, restyle_command: Caller, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"")
    line = restyle_command.fails("inspect", "--", name, code=3)
    assert name.replace("\n", "\\n") in line
    write_clip(tmp_path / name, moving_frames(3, (32, 32)))
    said = restyle_command("inspect", "--no-cuts", "--", name).out
    assert name.replace("\n", "\\n") in said
    assert restyle_command("inspect", "--no-cuts", "--json", "--", name).json["footage"]["path"] == name


def test_a_very_long_name_is_neither_wrapped_nor_cut(restyle_command: Caller) -> None:
    name = "long " * 40 + ".mp4"
    assert name in restyle_command.fails("inspect", name, code=3)


def test_a_closed_pipe_ends_quietly(tmp_path: Path) -> None:
    done = subprocess.run(
        f"{sys.executable} -m restyle doctor --json | head -c 1",
        shell=True,
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert done.stderr == ""


def test_json_values() -> None:
    assert plain({"rate": Fraction(24), "path": Path("a"), "all": (1, None, float("nan"))}) == {
        "rate": "24",
        "path": "a",
        "all": [1, None, None],
    }


def test_a_wrong_command_line_with_v_is_one_line_still(restyle_command: Caller) -> None:
    assert restyle_command.fails("run", "a.mp4", "-v", code=2).startswith("missing option '--output'")
