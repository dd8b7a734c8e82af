"""Progress as a bar: in a terminal a line, in a notebook a widget, as ``tqdm.auto`` chooses."""

from __future__ import annotations

from types import TracebackType
from typing import Any

from tqdm.auto import tqdm

from restyle.progress import STAGE_NAMES, Progress

__all__ = ["ProgressBar"]


class ProgressBar:
    """A callback for ``progress=`` that shows each stage as a bar: ``with ProgressBar() as bar: Job(..., progress=bar).run()``.

    ``options``: of ``tqdm``, such as ``leave=False``. Not for several jobs at once.
    """

    def __init__(self, **options: Any) -> None:
        self._options = options
        self._stage = ""
        self._bar: Any = None

    def __call__(self, now: Progress) -> None:
        """Show where the job is."""
        if self._bar is None or now.stage != self._stage or now.done < self._bar.n:
            self.close()
            self._stage = now.stage
            self._bar = tqdm(total=now.total, desc=STAGE_NAMES[now.stage], unit="frame", **self._options)
        self._bar.update(now.done - self._bar.n)

    def close(self) -> None:
        """End the bar that is shown."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
