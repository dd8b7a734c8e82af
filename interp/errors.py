"""What can go wrong in ``interp``.

InterpError
    MissingPackageError      a package is not installed; ``extra`` names the extra that brings it
    MissingWeightsError      weights are not there, or may not be loaded
"""

from __future__ import annotations

__all__ = ["InterpError", "MissingPackageError", "MissingWeightsError"]


class InterpError(Exception):
    """One line for a person."""


class MissingPackageError(InterpError):
    """A package, or a library of the system, is not there."""

    def __init__(self, message: str, extra: str | None) -> None:
        super().__init__(message)
        self.extra = extra


class MissingWeightsError(InterpError):
    """A network's weights are not there, do not fit, or may not be loaded."""
