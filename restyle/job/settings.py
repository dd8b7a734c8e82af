"""Values that painters found out on a machine, kept in the job folder, so that a job that goes on paints as it did before."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from restyle.job.keys import digest
from restyle.job.store import JobStore

__all__ = ["JobSettings"]

VALUE = "value.json"


class JobSettings:
    """``painters.settings.Settings`` in a job folder. A later value stands beside earlier ones: nothing finished changes."""

    def __init__(self, store: JobStore) -> None:
        self._store = store

    def get(self, facts: Mapping[str, Any]) -> Any:
        """See ``Settings.get``."""
        values = self._values(facts)
        return values[-1] if values else None

    def put(self, facts: Mapping[str, Any], value: Any) -> None:
        """See ``Settings.put``."""
        values = self._values(facts)
        if values and values[-1] == value:
            return
        with self._store.making("settings", digest("settings", dict(facts), values)) as folder:
            (folder / VALUE).write_text(json.dumps(value))

    def _values(self, facts: Mapping[str, Any]) -> list[Any]:
        """All values, the newest last: each is found by those before it."""
        values: list[Any] = []
        while self._store.has("settings", key := digest("settings", dict(facts), values)):
            with self._store.reading("settings", key) as folder:
                values.append(json.loads((folder / VALUE).read_text()))
        return values
