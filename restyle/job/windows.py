"""The windows of one job: missing ones are rendered; all of them are counted and listed."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

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

    def make_missing(self, engine: Engine, meter: Meter) -> int:
        """Render every window that is not finished yet; give how many frames were finished before.

        Raises what ``Engine.render`` raises, and ``OutputError``; windows that are finished stay.
        """
        meter.begin("render", self.plan.frames, shots=len(self.plan.shots))
        missing = [window for window in self.plan.windows if not self.store.has("windows", self._key(window))]
        reused = self.plan.frames - sum(window.stop - window.start for window in missing)
        if reused:
            meter.skip(reused)
        if not missing:
            return reused
        rendering = engine.render(missing, StoredPaintings(self.store, self.keys.paintings), meter)
        with closing(rendering):
            for window, frames in rendering:
                with self.store.making("windows", self._key(window)) as folder:
                    notes = WindowNotes(folder, self.source, preview_span(self.plan))
                    with SegmentWriter(folder / "segment", self.out, self.source) as writer:

                        def write(frame: Rendered, notes: WindowNotes = notes, writer: SegmentWriter = writer) -> None:
                            notes.add(frame)
                            if not frame.boundary:
                                writer.write(frame.result, region=frame.edited_region)

                        with WriteBehind(write, depth=8) as sink:
                            for frame in frames:
                                sink.put(frame)
                                if not frame.boundary:
                                    meter.step(shot=frame.shot)
                    notes.save()
        return reused

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
