"""Values that painters find out on a machine, and keep with the job."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol

__all__ = ["RunSettings", "Settings"]


class Settings(Protocol):
    """Values that a painter finds out on a machine and that decide pixels (how many keyframes it has memory for), kept with the
    job, so that one that goes on paints as it did before."""

    def get(self, facts: Mapping[str, Any]) -> Any:
        """Give the newest value, plain JSON, that was put for these facts, plain JSON as well; ``None``: there is none."""
        ...

    def put(self, facts: Mapping[str, Any], value: Any) -> None:
        """Keep a value, before anything is painted by it."""
        ...


class RunSettings:
    """``Settings`` that are kept in memory."""

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}

    def get(self, facts: Mapping[str, Any]) -> Any:
        """See ``Settings.get``."""
        return self._values.get(json.dumps(facts, sort_keys=True))

    def put(self, facts: Mapping[str, Any], value: Any) -> None:
        """See ``Settings.put``."""
        self._values[json.dumps(facts, sort_keys=True)] = value
