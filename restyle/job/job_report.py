"""The report of a job: its pictures, and the page that is made of them and of what the windows noted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from restyle.footage import probe
from restyle.job.report_pictures import ReportPictures
from restyle.job.window_report import frame_rows, key_cards, large_pairs
from restyle.job.windows import Windows
from restyle.progress import Meter
from restyle.quality.pictures import facts_of
from restyle.quality.report import ReportData, ShotRow, write_report
from restyle.quality.verdict import verdict_of
from restyle.recipe import Recipe
from restyle.render.engine import Engine
from restyle.render.protocols import Look
from restyle.versions import versions

__all__ = ["JobReport"]

CHEAP = (
    100.0  # of ``Capabilities.cost``, all looks together, up to which the worst moments are painted without being asked
)


class JobReport:
    """The report of finished windows.

    ``paint``: paint the worst moments by themselves, to show what the look allows there; ``None``: where that costs little.
    """

    def __init__(self, windows: Windows, looks: Sequence[Look], *, paint: bool | None) -> None:
        self._windows, self._looks = windows, looks
        self._frames = frame_rows(windows.folders, windows.plan)
        if paint is None:
            paint = sum(look.painter.capabilities.cost for look in looks) <= CHEAP
        self._paint = paint
        self._pictures = ReportPictures(windows, self._frames, paint=paint)

    @property
    def keys(self) -> dict[str, set[str]]:
        """Keys of what it keeps in the job folder."""
        return {"pictures": {self._pictures.key}}

    def prepare(self, engine: Engine, meter: Meter) -> None:
        """Make the pictures. Raises as ``ReportPictures.make``."""
        self._pictures.make(engine, meter)

    def write(self, recipe: Recipe, seconds: Mapping[str, float], notes: Sequence[str]) -> tuple[tuple[str, str], str]:
        """Write ``report.html`` and ``report.json`` into the job folder; give these names and the verdict in words."""
        windows, frames = self._windows, self._frames
        plan, out = windows.plan, windows.out
        output = probe(out.path, rate=windows.source.rate if out.kind == "sequence" else None)
        data = ReportData(
            title=Path(out.path).name,
            rate=plan.rate,
            frames=frames,
            shots=[ShotRow(shot.index, shot.start, shot.stop, shot.begins) for shot in plan.shots],
            keys=key_cards(windows.folders, plan, frames),
            pairs=large_pairs(windows.folders, plan),
            moments=self._pictures.moments(),
            moments_note=self._why_not_painted(),
            moving_pair=self._pictures.moving_pair(),
            facts=facts_of(windows.source, output, frames=(windows.source.frames, len(frames))),
            notes=notes,
            timings=seconds,
            recipe=recipe.model_dump(mode="json"),
            versions=versions(),
            pictures=self._pictures.name,
        )
        page = windows.store.folder / "report.html"
        write_report(data, page, page.with_suffix(".json"))
        return (page.name, page.with_suffix(".json").name), verdict_of(data).text

    def _why_not_painted(self) -> str:
        if self._paint:
            return ""
        names = " and ".join(dict.fromkeys(look.painter.name for look in self._looks))
        return (
            f"A painting of these frames by themselves would show what the look allows there. With {names} that takes long, so "
            "it is made only when asked for: run the same command again with --paint-moments --overwrite."
        )
