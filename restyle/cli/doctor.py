"""``restyle doctor``. It imports nothing that may be broken: that is for ``environment`` to try."""

from __future__ import annotations

import typer

from restyle.cli.environment import examine
from restyle.cli.options import command
from restyle.cli.terminal import Terminal

__all__ = ["doctor"]


@command
def doctor(terminal: Terminal) -> None:
    """Say what is installed, what is missing and the line that installs it. Exits 1 if the core does not work.

    Example: restyle doctor
    """
    examination = examine()
    if terminal.as_json:
        terminal.document(examination.to_json())
    else:
        for title, checks in examination.groups():
            terminal.line(title)
            wide = max(len(check.name) for check in checks)
            for check in checks:
                terminal.line(f"  {check.mark:<7} {check.name:<{wide}}  {check.detail}")
                if check.remedy:
                    terminal.line(f"  {'':<7} {'':<{wide}}  -> {check.remedy}")
        works = "restyle works here."
        terminal.line(works if examination.ok else "restyle does not work here: see what is marked BROKEN.")
    if not examination.ok:
        raise typer.Exit(1)
