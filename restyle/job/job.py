"""A job: one piece of footage, one recipe, one result. This is what the command line and the Python API call."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from restyle.footage import conform
from restyle.job.exports import JobExports
from restyle.job.inputs import Inputs
from restyle.job.job_report import JobReport
from restyle.job.mattes import Mattes
from restyle.job.opened import Begun, Earlier, OpenJob
from restyle.job.paintings import MemoryPaintings
from restyle.job.result import Result
from restyle.job.windows import Windows
from restyle.planning.plan import Analysis, Plan
from restyle.render.protocols import Rendered

if TYPE_CHECKING:
    from restyle.footage import OutputSpec

__all__ = ["Job"]


class Job(JobExports):
    """Restyling of one piece of footage.

    ``source``: a video file, a GIF, a folder of pictures or a pattern such as ``shot/frame.%04d.png``; also an address such as
    ``s3://bucket/clip.mov``, which is copied into the user's cache here.
    ``output``: a file or a pattern, or a video file's address; needed by ``run`` only. ``folder``: the job folder, by default
    ``OUTPUT.restyle``; also an address, such as ``s3://bucket/jobs/a``.
    ``rate``: frames a second of a picture sequence, which has none of its own.
    ``report``: write a report; in it, ``paint_moments``: show the worst moments painted by themselves, too, in some more time
    (``None``: where the painter takes little).
    ``progress`` is called with a ``Progress`` many times a second, in the caller's thread. Setting ``cancel`` stops the work
    with ``Cancelled``; what is finished is kept.

    Raises ``FootageError`` if the source cannot be read and ``RecipeError`` if the recipe does not fit it.
    """

    # What will be done

    def plan(self) -> Plan:
        """Look at the footage once and say what would be done, and what memory painting takes; paints and writes nothing."""
        with self._scratch_job() as parts, self._looks() as looks:
            memory = dict.fromkeys(estimate.line for estimate in self._memory(looks))
            plan = self._plan(looks, self._findings(*parts, looks).analysis())
            return replace(plan, notes=(*plan.notes, *memory))

    def analyse(self) -> Analysis:
        """Make pass 1 alone: cuts, motion and coverage."""
        with self._scratch_job() as parts:
            return self._findings(*parts).analysis()

    # Doing it

    def frames(self) -> Iterator[Rendered]:
        """Restyle, and hand out frame by frame; nothing is written. Closing the iterator stops the work."""
        with self._scratch_engine() as (plan, engine):
            self._meter.begin("render", plan.frames, shots=len(plan.shots))
            rendering = engine.render(plan.windows, MemoryPaintings(), self._meter)
            with closing(rendering):
                for _, window in rendering:
                    for frame in window:
                        if not frame.boundary:
                            self._meter.step(shot=frame.shot)
                            yield frame

    def run(self, earlier: Earlier | None = None) -> Result:
        """Restyle the footage into the output. Run again after any kind of end, it goes on where it was.

        ``earlier``: what others did of this run. Raises ``OutputExistsError``, ``OutputError``, ``JobLockedError``,
        ``FootageError``, ``RecipeError``, ``PainterError``, ``Cancelled``.
        """
        began = time.perf_counter()
        with self._opened() as opened:
            return self._finished(opened, began, earlier or Earlier())

    def spans(self) -> tuple[tuple[int, int], ...]:
        """Find cuts alone, and give spans of frames (from one up to another) that others can ``look_at`` before the job is
        begun: as the whole is looked at, but at once. Empty where that is not worth its trouble. Raises as ``run``."""
        with self._ready() as ready:
            return self._findings_of(ready).spans()

    def look_at(self, span: tuple[int, int]) -> None:
        """Look at one of ``spans``, beside others. Raises as ``run``."""
        with self._ready(shared=True) as ready, ready.store.held():
            self._findings_of(ready).look(span)

    def begin(self, *, alone: int = 1) -> Begun | Result:
        """Do what comes before the windows (analysis, mattes, plates), and say which are missing, for others to make them
        (``open_windows``) before ``run`` joins them. Where no more than ``alone`` are missing, they are made, and it is run to
        its end. Raises as ``run``."""
        began = time.perf_counter()
        with self._opened() as opened:
            if len(opened.windows.unfinished) <= alone:
                return self._finished(opened, began, Earlier())
            return opened.begun(time.perf_counter() - began)

    @contextmanager
    def open_windows(self) -> Iterator[OpenJob]:
        """Open a job that has begun, to make windows of it beside others (``OpenJob.make``). Raises as ``run``."""
        with self._opened(shared=True) as opened:
            yield opened

    def _finished(self, opened: OpenJob, began: float, earlier: Earlier) -> Result:
        """Make the windows that are missing, join them all, and write the report."""
        windows, assembly, engine, store = opened.windows, opened.assembly, opened.engine, opened.windows.store
        assert self.output_place is not None
        assert self.folder is not None
        seconds = {"analyse": opened.seconds}
        reused = windows.make_missing(engine, self._meter)
        seconds["render"] = time.perf_counter() - began - sum(seconds.values())
        report = JobReport(windows, assembly.looks, paint=self.paint_moments) if self.report else None
        if report is not None:
            report.prepare(engine, self._meter)
            seconds["report"] = time.perf_counter() - began - sum(seconds.values())
        notes = [*self.spec.notes, *assembly.analysis.notes]
        if isinstance(assembly.mattes, Mattes):
            notes += assembly.mattes.notes(len(assembly.plan.shots))
        if assembly.clean_footage is not None:
            notes += assembly.clean_footage.notes()
        notes += dict.fromkeys((*earlier.notes, *opened.painters_notes))
        notes += self._join(windows, windows.out, assembly.analysis, opened.inputs)
        if self._remote_output is not None:
            self._remote_output.send()
        seconds["finish"] = time.perf_counter() - began - sum(seconds.values())
        tally = windows.tally()
        if tally.repaired:
            notes.append(f"{tally.repaired} frames were painted because no keyframe explained them")
        notes += store.notes()
        self.doubts = tuple(assembly.mattes.doubts) if isinstance(assembly.mattes, Mattes) else ()
        seconds = {stage: spent + earlier.seconds.get(stage, 0.0) for stage, spent in seconds.items()}
        page, verdict = None, ""
        if report is not None:
            names, verdict = report.write(self.recipe, seconds, notes)
            store.publish(*names)
            page = store.place / names[0]
        kept = {"pictures": set()} if report is None else report.keys
        store.prune(opened.findings.keys | assembly.used_keys(windows.keys) | kept)
        result = Result(
            output=self.output_place,
            folder=self.folder,
            report=page,
            verdict=verdict,
            frames=assembly.plan.frames,
            shots=len(assembly.plan.shots),
            painted=tally.painted,
            repaired=tally.repaired,
            reused=reused if earlier.reused is None else earlier.reused,
            seconds=time.perf_counter() - began + sum(earlier.seconds.values()),
            footage=opened.findings.footage_key,
            notes=tuple(notes),
            doubts=self.doubts,
        )
        store.put_text("result.json", json.dumps(result.to_json(), indent=1) + "\n")
        return result

    def _join(self, windows: Windows, out: OutputSpec, analysis: Analysis, inputs: Inputs) -> list[str]:
        """Join the finished windows into the output; give warnings for a person."""
        self._meter.begin("finish", windows.plan.frames)
        windows.require_whole()
        return conform(
            windows.segments,
            out,
            self.spec,
            pts=analysis.pts,
            span=range(analysis.start, analysis.stop),
            overwrite=self.overwrite,
            unchanged=inputs.check,
        )
