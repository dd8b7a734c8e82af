"""Tables of parts: name -> class, importing only the one that is asked for.

Our own parts stand in a table beside them (a part is one file and one line there); third parties add theirs by entry points
(``name = "package.module:Class"`` in the table's group).
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from interp.errors import InterpError, MissingPackageError, UnknownNameError
from interp.options import checked_options

__all__ = ["PartTable"]


@dataclass(frozen=True)
class PartTable:
    """Every part of one kind."""

    kind: str
    """In words, for messages: ``filler``."""
    group: str
    """Entry points' group: ``restyle.fillers``."""
    own: dict[str, str]
    """Name -> ``module:attribute`` of our own."""
    extras: Mapping[str, str] = field(default_factory=dict)
    """Optional package that a part's module imports -> the extra that installs it."""

    def names(self) -> list[str]:
        """Names of all parts, sorted."""
        return sorted({*self.own, *self._others()})

    def part(self, name: str) -> Any:
        """Import a part's class. Raises ``UnknownNameError``, ``MissingPackageError``."""
        place = self.own.get(name) or self._others().get(name)  # to look for others' takes milliseconds each time
        if place is None:
            raise UnknownNameError(self.kind, name, self.names())
        module, _, attribute = place.partition(":")
        try:
            return getattr(import_module(module), attribute)
        except ModuleNotFoundError as error:
            package = (error.name or "").partition(".")[0]
            if package not in self.extras:
                raise
            raise MissingPackageError(f"{self.kind} {name!r}", package, self.extras[package]) from error

    def options(self, name: str) -> list[str]:
        """Names of the options that a part is built with: of its constructor, or of the fields of its ``Options``.

        Raises as ``part``.
        """
        parameters = inspect.signature(_built_with(self.part(name))).parameters.values()
        return [parameter.name for parameter in parameters if parameter.kind is not parameter.VAR_KEYWORD]

    def make(self, name: str, options: Mapping[str, Any] | None = None) -> Any:
        """Build a part. Raises as ``part``, ``InterpError`` (an option that it does not have, a wrong value), and what its
        constructor raises of ours."""
        options, part, known = options or {}, self.part(name), self.options(name)
        renamed = getattr(part, "renamed_options", {})  # old names still load; the part says so
        for option in options:
            if option not in known and option not in renamed:
                listed = ", ".join(known) or "none"
                raise InterpError(f"{self.kind} {name!r} has no option {option!r}; it has: {listed}")
        try:
            return part(**checked_options(_built_with(part), options))
        except InterpError:
            raise
        except (TypeError, ValueError) as error:
            raise InterpError(f"{self.kind} {name!r} cannot be made: {' '.join(str(error).split())}") from error

    def _others(self) -> dict[str, str]:
        return {entry.name: entry.value for entry in entry_points(group=self.group)}


def _built_with(part: Any) -> Any:
    return getattr(part, "Options", part)
