"""What the README and the commands' own help say, done."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from command import Caller
from documentation import PAGES, run_line, run_page

from restyle.cli.app import application


def test_every_command_and_every_program_of_the_readme_does_what_it_says(
    restyle_command: Caller, furnished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_page(PAGES[0], restyle_command, furnished, monkeypatch)


def test_every_example_in_the_help_does_what_it_says(restyle_command: Caller, furnished: Path) -> None:
    for command in typer.main.get_command(application()).commands.values():  # type: ignore[attr-defined]
        assert command.help is not None
        example = " ".join(command.help.partition("Example: ")[2].split())
        assert example.startswith(f"restyle {command.name}")
        run_line(example, restyle_command, furnished)
