"""Limits of what is computed at once on this machine: found out once, kept with the job, so that it goes on the same.

A keyframe's pixels depend, by rounding, on how many are computed with it, and on whether the VAE works in tiles. So where
memory runs out, less at once is tried from then on, the whole window is begun again, and the job keeps it before that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from restyle.errors import PainterError
from restyle.painters.diffusion.models import Models
from restyle.painters.diffusion.options import Options
from restyle.painters.networks.devices import free_memory
from restyle.painters.networks.memory import MEMORY_ERRORS, StartAgain, peak_of, ran_out, release
from restyle.painters.settings import RunSettings, Settings

__all__ = ["Limits", "rows_that_fit"]

ON_CPU = 4  # rows at once: more are no faster
MOST = 64
SHARE = 0.6  # of the free memory: a row that attends to others takes more than one by itself, and decoding follows


def rows_that_fit(free: int, row: int) -> int:
    """Number of rows that are computed at once where a row takes ``row`` bytes, and so many are ``free``."""
    return max(1, min(MOST, int(SHARE * free / max(1, row))))


class Limits:
    """Number of rows that are computed at once, and whether the VAE works in tiles."""

    def __init__(self, models: Models, options: Options, *, tell: Callable[[str], None]) -> None:
        self._models = models
        self._options = options
        self._tell = tell
        self._own = RunSettings()  # of this process: what one job found out holds for the next
        self._settings: Settings = self._own
        self._facts: dict[str, Any] = {}
        self._tiled = models.coder.tiled
        self.rows: int | None = None
        """``None``: it has to be measured."""

    def begin(self, settings: Settings | None, size: tuple[int, int]) -> None:
        """Take up what is known for a painted size in this job; what another found out in this process, if it knows nothing."""
        models, options = self._models, self._options
        self._settings = self._own if settings is None else settings
        self._facts = {
            "painter": "diffusion",
            "model": options.model,
            "size": list(size),
            "device": str(models.device),
            "dtype": str(models.dtype),
            "batch": options.batch,
            "controls": [spec.kind for spec in models.controls],
            "guided": models.guided,
            "attention": [options.attention, options.layers],
        }
        known = _checked(self._settings.get(self._facts)) or _checked(self._own.get(self._facts))
        first = options.batch or (ON_CPU if models.device.type == "cpu" else None)
        self.rows, tiled = (first, self._tiled) if known is None else (known["rows"], known["tiled"])
        models.coder.tile(tiled)
        if self.rows is not None:
            self.keep()

    def keep(self) -> None:
        """Write it down, before anything is painted by it."""
        value = {"rows": self.rows, "tiled": self._models.coder.tiled}
        for settings in (self._own, self._settings):
            settings.put(self._facts, value)

    def measure(self, row: Callable[[], object]) -> None:
        """Find out how many rows fit, by doing one ``row``. Raises as ``fitting``."""
        device = self._models.device
        needed = self.fitting(1, lambda: peak_of(device, row))
        free = free_memory(str(device))
        self.rows = MOST if free is None else rows_that_fit(free, needed)
        self._tell(f"a keyframe takes {needed / 2**20:.0f} MiB: up to {self.rows} at once")
        self.keep()

    def fitting(self, rows: int, work: Callable[[], Any]) -> Any:
        """Do ``work`` on so many rows.

        Raises ``StartAgain`` where memory ran out, and fewer rows are to be computed at once, or networks take turns;
        ``PainterError`` where there are no fewer, and they do.
        """
        try:
            return work()
        except MEMORY_ERRORS as error:
            if not ran_out(error):
                raise
        release(self._models.device)  # here the error is gone, and what its frames held
        self._fewer(rows)

    def _fewer(self, rows: int) -> None:
        joint = self._options.attention == "joint"
        if (rows == 1 or joint) and self._models.placing.take_turns():
            self._tell("out of memory; from now on networks take turns")
            raise StartAgain
        if rows == 1 or joint:
            how = "attention=woven, " if joint else ""
            raise PainterError(
                f"out of memory on {self._models.device}, with {rows} keyframes at once: "
                f"use {how}a smaller resolution{self._models.placing.hint} (--painter-option)"
            )
        self.rows = max(1, rows // 2)
        self._tell(f"out of memory with {rows} keyframes at once; going on with {self.rows}")
        raise StartAgain


def _checked(value: Any) -> Mapping[str, Any] | None:
    """Give what was kept, if it can be that: job folders may have been written by anybody."""
    rows, tiled = (value.get("rows"), value.get("tiled")) if isinstance(value, Mapping) else (None, None)
    fine = isinstance(rows, int) and not isinstance(rows, bool) and 1 <= rows <= 1000 and isinstance(tiled, bool)
    return {"rows": rows, "tiled": tiled} if fine else None
