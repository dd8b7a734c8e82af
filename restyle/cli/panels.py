"""Help with options under headings, as plain text."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from typer.core import TyperCommand

__all__ = ["PanelCommand"]


class PanelCommand(TyperCommand):
    """A command whose help starts a new list of options where their panel changes."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the lists, each under its heading."""
        shown = [(_panel(param), record) for param in self.get_params(ctx) if (record := param.get_help_record(ctx))]
        headings: list[str] = []
        for heading, items in groupby(shown, key=lambda item: item[0]):
            with formatter.section(f"Other {heading.lower()}" if heading in headings else heading):
                formatter.write_dl([record for _, record in items])
            headings.append(heading)


def _panel(param: Any) -> str:
    if param.param_type_name == "argument":
        return "Arguments"
    return getattr(param, "rich_help_panel", None) or "Options"
