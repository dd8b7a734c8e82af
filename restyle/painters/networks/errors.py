"""Errors of the libraries that load networks, in one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from restyle.errors import MissingModelError, show_path, why
from restyle.painters.networks.memory import ran_out

__all__ = ["loading"]


@contextmanager
def loading(part: str, path: Path, hint: str = "") -> Iterator[None]:
    """The libraries' errors about files as one line of ours: ``MissingModelError``."""
    try:
        yield
    except (OSError, ValueError, RuntimeError, KeyError, AttributeError, TypeError) as error:
        if ran_out(error):
            raise
        more = f"; {hint}" if hint else ""
        raise MissingModelError(f"{part} cannot be loaded from {show_path(path)} ({why(error)}){more}") from error
