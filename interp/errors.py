"""Errors that ``interp`` and ``controls`` raise on purpose; each is one line for a person. ``restyle.errors.translated`` turns
them into those of the engine.

::

    ValueError
    └── InterpError               a part cannot be made or used: what, which file, what to do
        ├── UnknownNameError      no part has that name; the message lists those that exist
        ├── MissingPackageError   an optional package is not installed; ``extra`` names the extra that brings it
        ├── MissingLibraryError   a library of the system is not installed
        ├── MissingWeightsError   weights are not there, do not fit, or may not be loaded
        └── ControlError          of ``controls`` (``controls.errors``)
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence

__all__ = [
    "InterpError",
    "MissingLibraryError",
    "MissingPackageError",
    "MissingWeightsError",
    "UnknownNameError",
    "unknown",
]


class InterpError(ValueError):
    """Base of the tree."""


class UnknownNameError(InterpError):
    """No part has that name."""

    def __init__(self, kind: str, name: str, known: Sequence[str]) -> None:
        super().__init__(unknown(kind, name, known))
        self.kind, self.name, self.known = kind, name, tuple(known)


class MissingPackageError(InterpError):
    """An optional package is not installed; the message holds the line that installs it."""

    def __init__(self, what: str, package: str, extra: str) -> None:
        super().__init__(f"{what} needs the package {package}, which is not installed: pip install 'restyle[{extra}]'")
        self.what, self.package, self.extra = what, package, extra


class MissingLibraryError(InterpError):
    """A library of the system is not installed."""


class MissingWeightsError(InterpError):
    """A network's weights are not there, do not fit, or may not be loaded."""


def unknown(kind: str, name: str, known: Sequence[str]) -> str:
    """One line about a name that nothing has: the nearest that exists, and all of them."""
    name = name if len(name) <= 80 else f"{name[:60]}..."
    near = difflib.get_close_matches(name, known, n=1)
    hint = f", did you mean {near[0]!r}?" if near else "."
    return f"unknown {kind} {name!r}{hint} There are: {', '.join(known)}"
