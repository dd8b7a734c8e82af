"""The windows of one job: missing ones are rendered; all of them are counted and listed."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from restyle.errors import JobError, show_path
from restyle.footage import SegmentWriter
from restyle.job.keys import WindowKeys
from restyle.job.paintings import StoredPaintings
from restyle.job.store import JobStore, damaged
from restyle.job.window_report import WindowNotes, preview_span
from restyle.planning.plan import Plan
from restyle.progress import Meter
from restyle.render.engine import Engine
from restyle.render.protocols import Rendered
from restyle.render.stream import WriteBehind
from restyle.types import FootageSpec, Window

if TYPE_CHECKING:
    from restyle.footage import OutputSpec

__all__ = ["Tally", "Windows"]


@dataclass(frozen=True)
class Tally:
    """Frames, counted over all runs of a job."""

    painted: int
    """Keyframes and repairs."""
    repaired: int
    """Repairs alone: frames that no neighbour explained."""


@dataclass(frozen=True)
class Windows:
    """A plan's windows in a job folder, each a segment of the output and the rows of its report."""

    plan: Plan
    store: JobStore
    keys: WindowKeys
    source: FootageSpec
    out: OutputSpec

    @property
    def folders(self) -> list[Path]:
        """Folders of the finished windows, in order."""
        return [self.store.path("windows", self._key(window)) for window in self.plan.windows]

    @property
    def segments(self) -> list[Path]:
        """Segments that are joined to the output, in order."""
        return [folder / "segment" for folder in self.folders]

    @property
    def missing(self) -> list[Window]:
        """Windows that are not finished, and those before them whose paintings are lost and are built on. In order."""
        return self._missing(self.store.has)

    @property
    def unfinished(self) -> list[Window]:
        """Those that are missing as far as the job folder lists them: what lies elsewhere is not fetched to see if it is whole,
        which whoever joins the windows does."""
        return self._missing(self.store.lists)

    def _missing(self, has: Callable[[str, str], bool]) -> list[Window]:
        wanted: list[Window] = []
        for window in reversed(self.plan.windows):
            after = wanted[-1] if wanted else None
            builds = after is not None and (after.shot, after.index) == (window.shot, window.index + 1)
            if not has("windows", self._key(window)) or (
                builds and after is not None and not self.painted(after) and not self.painted(window)
            ):
                wanted.append(window)
        return wanted[::-1]

    def window(self, shot: int, index: int) -> Window:
        """Find a window of the plan. Raises ``JobError`` if it has none such."""
        place = bisect_left(self.plan.windows, (shot, index), key=lambda window: (window.shot, window.index))
        found = self.plan.windows[place : place + 1]
        if not found or (found[0].shot, found[0].index) != (shot, index):
            raise JobError(f"{show_path(self.store.folder)} is of another plan by now: run the same command again")
        return found[0]

    def has(self, window: Window) -> bool:
        """True if a window is finished."""
        return self.store.has("windows", self._key(window))

    def painted(self, window: Window) -> bool:
        """True if all paintings of a window are there."""
        number = 0
        while (key := self.keys.paintings.get((window.shot, window.index, number))) is not None:
            if not self.store.has("paintings", key):
                return False
            number += 1
        return True

    def make_missing(self, engine: Engine, meter: Meter) -> int:
        """Render every window that is not finished yet; give how many frames were finished before. Raises as ``make``."""
        meter.begin("render", self.plan.frames, shots=len(self.plan.shots))
        missing = self.missing
        reused = self.plan.frames - sum(window.stop - window.start for window in missing)
        if reused:
            meter.skip(reused)
        self.make(missing, engine, meter)
        return reused

    def make(
        self,
        windows: Sequence[Window],
        engine: Engine,
        meter: Meter,
        painted: Callable[[Window], None] = lambda window: None,
    ) -> None:
        """Render some windows, in order. ``painted`` is called when a window's paintings are kept, and all else is to be done.

        Raises what ``Engine.render`` raises, and ``OutputError``; windows that are finished stay.
        """
        if not windows:
            return
        rendering = engine.render(windows, StoredPaintings(self.store, self.keys.paintings), meter)
        with closing(rendering):
            for window, frames in rendering:
                painted(window)
                self._keep(window, frames, meter)

    def _keep(self, window: Window, frames: Iterator[Rendered], meter: Meter) -> None:
        with self.store.making("windows", self._key(window)) as folder:
            notes = WindowNotes(folder, self.source, preview_span(self.plan))
            with SegmentWriter(folder / "segment", self.out, self.source) as writer:

                def write(frame: Rendered) -> None:
                    notes.add(frame)
                    if not frame.boundary:
                        writer.write(frame.result, region=frame.edited_region)

                with WriteBehind(write, depth=8) as sink:
                    for frame in frames:
                        sink.put(frame)
                        if not frame.boundary:
                            meter.step(shot=frame.shot)
            notes.save()

    def tally(self) -> Tally:
        """Count the frames that were painted, over all runs of the job."""
        reasons = []
        for window in self.plan.windows:
            with self.store.reading("windows", self._key(window)) as folder:
                rows = json.loads((folder / "rows.json").read_text())
                reasons += [row["reason"] for row in rows if row["reason"] is not None and not row["boundary"]]
        return Tally(len(reasons), reasons.count("repair"))

    def require_whole(self) -> None:
        """Look at all finished windows once more, before they are joined: hours may have passed. Raises ``JobError``."""
        for window in self.plan.windows:
            if not self.store.still_has("windows", self._key(window)):
                raise damaged(self.store.path("windows", self._key(window)))

    def _key(self, window: Window) -> str:
        return self.keys.windows[window.shot, window.index]
