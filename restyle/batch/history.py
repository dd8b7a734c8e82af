"""Costs of jobs on this machine (time, disk and memory), learned from those that were done, for estimates.

Kept in the user's cache folder, one entry for each way of working (painter, filler, what else costs). Old jobs count less with
each new one, so that a faster machine, or a faster restyle, is noticed.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from interp.regular import require_regular
from restyle.files.cache import user_cache
from restyle.files.writing import write_file
from restyle.recipe import Recipe

__all__ = ["Estimate", "History", "default_path"]

FADES = 0.9  # by which what was known weighs less with each new job
SUMS = ("frames", "megapixels", "seconds", "job_bytes", "output_bytes", "shots", "painted")


@dataclass(frozen=True)
class Estimate:
    """Estimate of one job."""

    seconds: float
    bytes: int
    """Of the job folder and the result."""
    shots: float
    painted: float


def default_path() -> Path:
    """Name the file in the user's cache folder (``XDG_CACHE_HOME``, or ``~/.cache``)."""
    return user_cache() / "history.json"


class History:
    """Costs that are known. A file that cannot be read holds nothing; that one cannot be written matters to nobody."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path or default_path()
        self._entries: dict[str, dict[str, Any]] = {}
        with suppress(OSError, ValueError, RecursionError, AttributeError, TypeError):
            require_regular(self._path, largest=1 << 24)
            plain = json.loads(self._path.read_bytes())
            self._entries = {str(name): _checked(entry) for name, entry in plain["entries"].items()}

    def add(self, recipe: Recipe, facts: Mapping[str, Any]) -> None:
        """Learn from a finished job. ``facts``: of its outcome. One that found most of its work done tells nothing."""
        if facts["rendered"] < facts["frames"]:
            return
        entry = self._entries.setdefault(_kind_of(recipe), {"jobs": 0, **dict.fromkeys(SUMS, 0.0), "peaks": {}})
        measured = {**facts, "megapixels": facts["frames"] * facts["width"] * facts["height"] / 1e6}
        measured["seconds"] = facts.get("busy_seconds", facts["seconds"])
        for name in SUMS:
            entry[name] = entry[name] * FADES + measured[name]
        entry["jobs"] += 1
        size = str(_size_class(facts["width"] * facts["height"]))
        entry["peaks"][size] = max(int(entry["peaks"].get(size, 0) * FADES), facts["peak"])
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_file(self._path, (json.dumps({"entries": self._entries}, indent=1) + "\n").encode())

    def estimate(self, recipe: Recipe, frames: int, width: int, height: int) -> Estimate | None:
        """Estimate a job; ``None`` if none of its kind was done on this machine yet."""
        entry = self._entries.get(_kind_of(recipe))
        if entry is None or not entry["megapixels"] or not entry["frames"]:
            return None
        share = frames * width * height / 1e6 / entry["megapixels"]
        return Estimate(
            seconds=entry["seconds"] * share,
            bytes=int((entry["job_bytes"] + entry["output_bytes"]) * share),
            shots=max(1.0, entry["shots"] * frames / entry["frames"]),
            painted=max(1.0, entry["painted"] * frames / entry["frames"]),
        )

    def memory(self, recipe: Recipe, width: int, height: int) -> int | None:
        """Bytes that jobs of pictures of this size, or a larger one, took at most; ``None`` if none was done yet."""
        peaks = self._entries.get(_kind_of(recipe), {}).get("peaks", {})
        wanted = _size_class(width * height)
        known = [peak for size, peak in peaks.items() if int(size) >= wanted]
        return min(known) if known else None


def _kind_of(recipe: Recipe) -> str:
    parts = [recipe.painter, recipe.filler, *sorted({control.kind for control in recipe.controls})]
    if recipe.objects:
        parts.append("objects")
    return "/".join(parts)


def _size_class(pixels: int) -> int:
    """Pictures of up to 2 to the power of this many pixels."""
    return math.ceil(math.log2(max(1, pixels)))


def _checked(entry: Mapping[str, Any]) -> dict[str, Any]:
    peaks = {str(int(size)): int(peak) for size, peak in entry["peaks"].items()}
    return {"jobs": int(entry["jobs"]), **{name: float(entry[name]) for name in SUMS}, "peaks": peaks}
