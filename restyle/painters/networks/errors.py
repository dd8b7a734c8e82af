"""Errors of the libraries that load networks, in one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from restyle.errors import MissingModelError, show_path, why

__all__ = ["loading"]


@contextmanager
def loading(part: str, path: Path, hint: str = "") -> Iterator[None]:
    """The libraries' errors about files as one line of ours: ``MissingModelError``."""
    try:
        yield
    except torch.OutOfMemoryError:
        raise
    except (OSError, ValueError, RuntimeError, KeyError, AttributeError, TypeError) as error:
        more = f"; {hint}" if hint else ""
        raise MissingModelError(f"{part} cannot be loaded from {show_path(path)} ({why(error)}){more}") from error
