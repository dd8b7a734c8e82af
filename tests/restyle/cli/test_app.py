"""The command line as such: help, usage errors, exit codes, what is printed where."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from clips import moving_frames, read_pictures, write_clip, write_pictures
from command import Caller, start

from restyle import RestyleError, __version__, errors
from restyle.cli.app import COMMANDS
from restyle.cli.options import rate_parser
from restyle.cli.recipe_options import build_recipe
from restyle.cli.terminal import plain
from restyle.recipe import Recipe

NAMES = list(COMMANDS)


def test_version(restyle_command: Caller) -> None:
    assert restyle_command("--version").out == f"restyle {__version__}\n"


def test_help_lists_every_command_in_full_and_every_exit_code(restyle_command: Caller) -> None:
    said = restyle_command("--help").out
    assert restyle_command().out == said
    for name in NAMES:
        assert f"\n  {name} " in said
    assert "..." not in said.replace("[ARGS]...", "")
    codes = {
        kind.exit_code for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, RestyleError)
    }
    for code in (codes - {RestyleError.exit_code}) | {0, 1, 70, 143}:
        assert f" {code}" in said


@pytest.mark.parametrize("name", NAMES)
def test_every_command_explains_itself_and_has_json(name: str, restyle_command: Caller) -> None:
    said = restyle_command(name, "--help").out
    assert "Example: restyle " + name in " ".join(said.split())
    assert "--json" in said
    assert "--verbose" in said
    assert "--quiet" in said
    assert "…" not in said


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("run", "a.mp4", "-o", "b.mp4", "--stlye", "x"), "did you mean --style?"),
        (("run", "a.mp4", "-o", "b.mp4", "--keep-color=maybe"), "--keep-color"),
        (("rnu", "a.mp4"), "Did you mean 'run'?"),
        (("run", "a.mp4"), "--output"),
        (("run", "-o", "b.mp4"), "INPUT"),
        (("run", "a.mp4", "-o", "b.mp4", "--strength", "much"), "--strength"),
        (("inspect", "a.mp4", "b.mp4"), "b.mp4"),
    ],
)
def test_a_wrong_command_line_is_one_line_with_what_was_meant(
    words: tuple[str, ...], hint: str, restyle_command: Caller
) -> None:
    line = restyle_command.fails(*words, code=2)
    assert hint in line
    assert "--help)" in line


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


def test_what_nobody_foresaw_is_one_line_as_well(restyle_command: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise ZeroDivisionError("nobody\nforesaw this")

    monkeypatch.setattr("restyle.cli.doctor.examine", broken)
    line = restyle_command.fails("doctor", code=70)
    assert line == (
        "internal error: ZeroDivisionError: nobody foresaw this (run with -v for the traceback, please report it)"
    )
    assert "Traceback" in restyle_command("doctor", "-v", code=70).err


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (("run", "", "-o", "a.mp4"), "INPUT"),
        (("run", "a.mp4", "-o", ""), "--output"),
        (("run", "a.mp4", "--output="), "--output"),
        (("run", "a.mp4", "-o", "b.mp4", "--recipe", ""), "--recipe"),
        (("run", "a.mp4", "-o", "b.mp4", "--job", ""), "--job"),
        (("plan", ""), "INPUT"),
        (("preview", "a.mp4", "-o", ""), "--output"),
        (("matte", "a.mp4", "-o", "", "--object", "a=point:1,1@0"), "--output"),
        (("controls", "a.mp4", "-o", ""), "--output"),
        (("controls", ""), "INPUT"),
        (("retime", "a.mp4", "-o", "", "--fps", "12"), "--output"),
        (("styles", "--sheet", "", "-o", "a.png"), "--sheet"),
        (("styles", "--sheet", "a.mp4", "-o", ""), "--output"),
        (("inspect", ""), "FOOTAGE"),
        (("measure", "", "a.mp4"), "SOURCE"),
        (("measure", "a.mp4", ""), "RESULT"),
    ],
    ids=" ".join,
)
def test_an_empty_name_is_not_the_folder_at_hand(
    words: tuple[str, ...], option: str, restyle_command: Caller, tmp_path: Path
) -> None:
    write_clip(tmp_path / "a.mp4", moving_frames(2, (32, 32)))
    line = restyle_command.fails(*words, code=2)
    assert "an empty name" in line
    assert option in line
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def test_the_root_is_no_output(restyle_command: Caller, tmp_path: Path) -> None:
    write_clip(tmp_path / "a.mp4", moving_frames(2, (32, 32)))
    assert "cannot be '/' itself" in restyle_command.fails("run", "a.mp4", "-o", "/", code=4)


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


def test_inspect_tells_facts_cuts_and_motion(restyle_command: Caller, tmp_path: Path) -> None:
    write_clip(tmp_path / "a.mp4", moving_frames(12, (64, 48)), rate=Fraction(24000, 1001), audio=True)
    said = restyle_command("inspect", "a.mp4")
    for fact in ("64 × 48", "24000/1001", "h264", "1 stream", "0:12"):
        assert fact in said.out
    found = restyle_command("inspect", "a.mp4", "--json").json
    assert found["footage"]["rate"] == "24000/1001"
    assert found["frames"] == 12
    assert [(shot["start"], shot["stop"]) for shot in found["shots"]] == [(0, 12)]
    assert len(found["moved"]) == 12
    assert 0.01 < found["moved"][5] < 0.05  # (2, 1) pixels a frame on a diagonal of 80
    headers = restyle_command("inspect", "a.mp4", "--json", "--no-cuts").json
    assert set(headers) == {"footage"}
    assert len(restyle_command("inspect", "a.mp4", "--json", "--range", "2:6").json["moved"]) == 4


def test_inspect_a_sequence_at_a_rate(restyle_command: Caller, tmp_path: Path) -> None:
    write_pictures(tmp_path / "shot", moving_frames(3, (32, 32)))
    assert restyle_command("inspect", "shot", "--json", "--no-cuts").json["footage"]["rate"] == "24"
    found = restyle_command("inspect", "shot/frame.%04d.png", "--fps", "29.97", "--json", "--no-cuts").json
    assert found["footage"]["rate"] == "30000/1001"
    assert "--fps" in restyle_command.fails("inspect", "shot", "--fps", "quick", code=2)


@pytest.mark.parametrize(
    ("text", "rate"),
    [("24", 24), ("23.976", Fraction(24000, 1001)), ("29.97", Fraction(30000, 1001)), ("59.94", Fraction(60000, 1001)),
     ("30000/1001", Fraction(30000, 1001)), ("12.5", Fraction(25, 2)), ("25", 25), ("23.5", Fraction(47, 2))],
)  # fmt: skip
def test_rates(text: str, rate: Fraction) -> None:
    assert rate_parser("--fps")(text) == rate


@pytest.mark.parametrize("text", ["0", "-24", "1/0", "nan", "inf", "1e9", ""])
def test_wrong_rates(text: str) -> None:
    with pytest.raises(errors.RecipeError, match="--fps"):
        rate_parser("--fps")(text)


def test_only_options_really_given_come_before_the_recipe_file(tmp_path: Path) -> None:
    path = tmp_path / "look.json"
    path.write_text(
        json.dumps({"style": "oil", "strength": 0.4, "keep_colour": True, "keyframes": [0, 8], "cuts": "none"})
    )
    given = {"style": None, "strength": None, "keep_colour": None, "keyframes": None, "storyboard": None, "cuts": None}
    assert build_recipe(path, **given) == Recipe.load(path)
    changed = build_recipe(
        path, **given | {"strength": 0.0, "keep_colour": False, "keyframes": "every:4", "cuts": "5,9"}
    )
    assert (changed.style, changed.strength, changed.keep_colour) == ("oil", 0.0, False)
    assert (changed.keyframes, changed.cuts) == ("every:4", (5, 9))


def test_wrong_options_are_told_by_name(restyle_command: Caller, tmp_path: Path) -> None:
    write_clip(tmp_path / "a.mp4", moving_frames(3, (32, 32)))
    for option, value in (
        ("--strength", "2"), ("--seed", "-1"), ("--keyframes", "some"), ("--cuts", "here"), ("--coverage", "7"),
        ("--max-gap", "0"), ("--quality", "101"), ("--keyframe-image", "nine"), ("--recipe", "none.json"),
    ):  # fmt: skip
        line = restyle_command.fails("run", "a.mp4", "-o", "b.mp4", option, value, code=2)
        assert option.lstrip("-").replace("-", "_").split("_")[0] in line
    assert not (tmp_path / "b.mp4").exists()


def test_json_values() -> None:
    assert plain({"rate": Fraction(24), "path": Path("a"), "all": (1, None, float("nan"))}) == {
        "rate": "24",
        "path": "a",
        "all": [1, None, None],
    }


def test_python_m_restyle_and_the_installed_command() -> None:
    process = start("--version")
    assert process.communicate(timeout=60)[0] == f"restyle {__version__}\n"
    assert process.returncode == 0
