"""The command line as such: help, usage errors, exit codes, what is printed where."""

from __future__ import annotations

from pathlib import Path

import pytest
from clips import moving_frames, write_clip
from command import Caller, start

from restyle import RestyleError, __version__, errors
from restyle.cli.app import COMMANDS

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


def test_the_root_is_no_output(restyle_command: Caller, tmp_path: Path) -> None:
    write_clip(tmp_path / "a.mp4", moving_frames(2, (32, 32)))
    assert "cannot be '/' itself" in restyle_command.fails("run", "a.mp4", "-o", "/", code=4)


def test_python_m_restyle_and_the_installed_command() -> None:
    process = start("--version")
    assert process.communicate(timeout=60)[0] == f"restyle {__version__}\n"
    assert process.returncode == 0
