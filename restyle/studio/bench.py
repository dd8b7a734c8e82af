"""The thread in which pictures are made for the page: one after the other; of what is asked for often, the last."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

__all__ = ["Bench", "Superseded"]

T = TypeVar("T")

LEISURE = 0.5  # seconds: what was made is also to be shown


class Superseded(Exception):
    """Somebody asked for the same kind of thing again before this one was begun."""


class Bench:
    """Runs functions in one thread of its own, so that the event loop goes on."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="studio")
        self._latest: dict[str, int] = {}
        self._urgent, self._free = 0, 0.0
        self._closed = False

    async def run(self, kind: str, function: Callable[[], T], *, at_leisure: bool = False) -> T:
        """Run ``function``, after what waits before it; ``at_leisure``: not before nothing else was wanted for a while.

        Raises ``Superseded`` if another of its ``kind`` came meanwhile, and what the function raises.
        """
        mine = self._latest[kind] = self._latest.get(kind, 0) + 1
        while at_leisure and not self._closed and (self._urgent or time.monotonic() < self._free):
            await asyncio.sleep(0.05)
        if self._closed:
            raise Superseded

        def work() -> T:
            if self._latest[kind] != mine:
                raise Superseded
            return function()

        self._urgent += not at_leisure
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        finally:
            if not at_leisure:
                self._urgent, self._free = self._urgent - 1, time.monotonic() + LEISURE

    def forget(self, kind: str) -> None:
        """Let what waits of a kind not begin."""
        self._latest[kind] = self._latest.get(kind, 0) + 1

    def close(self, last: Callable[[], object]) -> None:
        """Begin nothing more, but ``last``, after what goes on now."""
        self._closed = True
        for kind in self._latest:
            self.forget(kind)
        self._thread.submit(last)
        self._thread.shutdown(wait=False)
