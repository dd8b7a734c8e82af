"""What maps and maskers raise on purpose; each is one line for a person.

::

    ValueError
    └── ControlError              it cannot be made: what, which file, what to do
        ├── MissingPackageError   an optional package is not installed
        └── MissingWeightsError   weights are not where they were looked for
"""

from __future__ import annotations

__all__ = ["ControlError", "MissingPackageError", "MissingWeightsError"]


class ControlError(ValueError):
    """Base of the tree."""


class MissingPackageError(ControlError):
    """An optional package is not installed; the message holds the line that installs it."""

    def __init__(self, what: str, package: str, extra: str) -> None:
        super().__init__(f"{what} needs the package {package}, which is not installed: pip install 'restyle[{extra}]'")
        self.package, self.extra = package, extra


class MissingWeightsError(ControlError):
    """Weights are not where they were looked for; the message says which, where, and how to fetch them."""
