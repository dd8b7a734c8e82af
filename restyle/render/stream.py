"""Bounded prefetch and write-behind: two small threads with a short queue each.

Errors travel to whoever waits; closing the consumer stops the producer; nothing hangs.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterable
from typing import Generic, TypeVar

__all__ = ["WriteBehind", "prefetch"]

T = TypeVar("T")

_POLL = 0.1  # seconds between looks at the stop flag while a queue is full or empty


class _End:
    """Last item of a queue: the source ended, or failed with ``error``."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


def prefetch(source: Iterable[T], depth: int = 4) -> Generator[T, None, None]:
    """Iterate over ``source`` in a thread, at most ``depth`` items ahead.

    What the source raises is raised here. When this generator is closed (or dropped), the source is closed too, in its own
    thread, before ``close`` returns.
    """
    if depth < 1:
        raise ValueError(f"depth is at least 1, got {depth}")
    items: queue.Queue[T | _End] = queue.Queue(depth)
    stop = threading.Event()

    def put(item: T | _End) -> bool:
        while not stop.is_set():
            try:
                items.put(item, timeout=_POLL)
                return True
            except queue.Full:
                continue
        return False

    def work() -> None:
        iterator = iter(source)
        error: BaseException | None = None
        try:
            for item in iterator:
                if not put(item):
                    break
        except BaseException as caught:
            error = caught
        finally:
            close = getattr(iterator, "close", None)
            if close is not None:
                try:
                    close()
                except BaseException as caught:
                    error = error or caught
        put(_End(error))

    thread = threading.Thread(target=work, name="restyle-prefetch", daemon=True)
    thread.start()
    try:
        while True:
            item = items.get()
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return
            yield item
    finally:
        stop.set()
        thread.join()


class WriteBehind(Generic[T]):
    """Hands items to ``sink`` in a thread, at most ``depth`` behind. Use as a context manager.

    Leaving the block waits until all is written; what the sink raised is raised by the next ``put`` or on leaving.
    Leaving through an exception throws away what waits.
    """

    def __init__(self, sink: Callable[[T], None], depth: int = 4) -> None:
        self._items: queue.Queue[T | _End] = queue.Queue(depth)
        self._stop = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._work, args=(sink,), name="restyle-write", daemon=True)
        self._thread.start()

    def _work(self, sink: Callable[[T], None]) -> None:
        while not self._stop.is_set():
            try:
                item = self._items.get(timeout=_POLL)
            except queue.Empty:
                continue
            if isinstance(item, _End):
                return
            try:
                sink(item)
            except BaseException as error:
                self._error = error
                self._stop.set()

    def put(self, item: T | _End) -> None:
        """Queue one item; waits while ``depth`` items are behind. Raises what the sink raised."""
        while True:
            if self._error is not None:
                raise self._error
            try:
                self._items.put(item, timeout=_POLL)
                return
            except queue.Full:
                continue

    def __enter__(self) -> WriteBehind[T]:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if kind is not None:
            self._stop.set()
            self._thread.join()
            return
        self.put(_End())
        self._thread.join()
        if self._error is not None:
            raise self._error
