"""A job: one piece of footage, one recipe, one result. This is what the command line and the Python API call."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, nullcontext
from dataclasses import replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

from restyle.compositing.layers import layers_of, painted_objects
from restyle.errors import RecipeError, show_path, translated
from restyle.files.owned import new_folder
from restyle.files.remote import Url, place_of
from restyle.files.writing import output_lock, scratch
from restyle.footage import check_output, conform, files_of, open_footage, plan_output, probe, timing
from restyle.footage.samples import keeps_samples
from restyle.footage.staging import stage
from restyle.job.anchors import write_anchors
from restyle.job.assembly import Assembly, Painters, open_looks
from restyle.job.control_maps import MapOutput, make_detectors, map_tiles, require_maps, write_control_maps
from restyle.job.findings import Findings
from restyle.job.following import FollowRequest
from restyle.job.inputs import FileFacts, Inputs, named_files, require_files
from restyle.job.job_report import JobReport
from restyle.job.keyframe_maps import KeyframeMaps, PlannedFootage
from restyle.job.masker_choice import choose_masker
from restyle.job.matte_clips import CLIPS, export_clips
from restyle.job.matte_sheet import LARGE_SIDE, look_tiles, marked_picture, matte_tiles, preview_tiles
from restyle.job.mattes import Form, MatteDoubt, Mattes, export
from restyle.job.opened import Begun, Earlier, OpenJob
from restyle.job.order import JobOrder
from restyle.job.paintings import MemoryPaintings
from restyle.job.remote_output import RemoteOutput
from restyle.job.remote_store import open_store
from restyle.job.result import Result, default_folder
from restyle.job.settings import JobSettings
from restyle.job.store import JobStore
from restyle.job.windows import Windows
from restyle.planning.effort import key_rules
from restyle.planning.every_frame import planned
from restyle.planning.plan import Analysis, Plan, make_plan
from restyle.progress import Meter, ProgressCallback
from restyle.quality.contact_sheet import check_sheet, write_sheet
from restyle.recipe import Recipe
from restyle.render.engine import Engine
from restyle.render.protocols import Look, Rendered
from restyle.types import FootageSpec, Keyframe, Shot, Window

if TYPE_CHECKING:
    import numpy as np

    from restyle.footage import Footage, OutputSpec
    from restyle.painters.base import EveryFrame

__all__ = ["SHEET", "Job"]

SHEET = "sheet.jpg"


class _Ready(NamedTuple):
    """All that a run begins with."""

    out: OutputSpec
    inputs: Inputs
    looks: Sequence[Look]
    store: JobStore
    footage: Footage


class Job:
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

    def __init__(
        self,
        source: str | PurePath,
        output: str | PurePath | None = None,
        recipe: Recipe | None = None,
        *,
        folder: str | PurePath | None = None,
        fresh: bool = False,
        overwrite: bool = False,
        report: bool = True,
        paint_moments: bool | None = None,
        offline: bool = False,
        rate: Fraction | int | None = None,
        progress: ProgressCallback | None = None,
        cancel: threading.Event | None = None,
    ) -> None:
        self._meter = Meter(progress, cancel)
        self.place = place_of(source)
        """The footage as it was named: a path, or an address."""
        self.staged = stage(self.place, offline=offline, report=self._meter.report)
        self.source = self.staged.path
        """The footage, or its copy, on this machine."""
        self.output_place = None if output is None else place_of(output)
        """The output as it was named: a path, or an address."""
        self._remote_output = (
            RemoteOutput(self.output_place, offline=offline, report=self._meter.report)
            if isinstance(self.output_place, Url)
            else None
        )
        self.output = _here(self.output_place, self._remote_output)
        """The output on this machine, where it is written."""
        self.recipe = recipe or Recipe()
        self.fresh = fresh
        self.overwrite = overwrite
        self.report = report
        self.paint_moments = paint_moments
        self.offline = offline
        self.rate = None if rate is None else Fraction(rate)
        self.spec: FootageSpec = probe(self.source, rate=self.rate, deinterlace=self.recipe.deinterlace)
        require_files(self.recipe)
        self.folder: Path | Url | None = None if folder is None else place_of(folder)
        if self.folder is None and self.output_place is not None:
            self.folder = default_folder(self.output_place)
        self._painters: Painters | None = None
        self._known: Mapping[str, FileFacts] = {}
        self.doubts: tuple[MatteDoubt, ...] = ()
        """Frames in which objects' mattes should be looked at, as the last call found them."""

    @property
    def order(self) -> JobOrder:
        """The job as plain values: for workers in other processes. Raises ``RecipeError`` if there is no output."""
        if self.output is None or self.folder is None:
            raise RecipeError("an output is needed: -o OUTPUT")
        return JobOrder(
            str(self.place),
            str(self.output_place),
            str(self.folder),
            self.recipe.to_text(),
            fresh=self.fresh,
            overwrite=self.overwrite,
            report=self.report,
            paint_moments=self.paint_moments,
            offline=self.offline,
            rate=self.rate,
        )

    def lend(self, painters: Painters, known: Mapping[str, FileFacts]) -> None:
        """Let the job use what others made: ``painters``, which stay open, and digests of files (``Inputs``)."""
        self._painters, self._known = painters, known

    @property
    def inputs(self) -> list[Path]:
        """Files and folders that are read: the footage, and what the recipe names. No output may replace one."""
        return [self.source, *files_of(self.source), *named_files(self.recipe)]

    # What will be done

    def plan(self) -> Plan:
        """Look at the footage once and say what would be done; paints and writes nothing."""
        with self._scratch_job() as parts, open_looks(self.recipe, offline=self.offline) as looks:
            return self._plan(looks, self._findings(*parts, looks).analysis())

    @cached_property
    def output_plan(self) -> OutputSpec:
        """Format of the output: decided and tried before any work. Its ``notes`` say what it will not hold.

        Raises ``OutputError``, ``RecipeError``.
        """
        if self.output is None:
            raise RecipeError("an output is needed: -o OUTPUT")
        out = plan_output(self._result_spec(), self.output, codec=self.recipe.codec, quality=self.recipe.quality)
        if self._cuts_out and not out.has_alpha:
            raise RecipeError(
                f"{show_path(self.output)} cannot hold the alpha that the mode 'cutout' makes; what can: .mov (prores), "
                ".webm (vp9), .mkv with --codec ffv1, and pictures: png, tiff, webp, exr"
            )
        return out

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
            if len(opened.windows.missing) <= alone:
                return self._finished(opened, began, Earlier())
            return opened.begun(time.perf_counter() - began)

    @contextmanager
    def open_windows(self) -> Iterator[OpenJob]:
        """Open a job that has begun, to make windows of it beside others (``OpenJob.make``). Raises as ``run``."""
        with self._opened(shared=True) as opened:
            yield opened

    @contextmanager
    def _ready(self, *, shared: bool = False) -> Iterator[_Ready]:
        """Check and open what a run begins with; the folder is this job's alone, or shared with others that work on it."""
        if self.output is None or self.folder is None:
            raise RecipeError("an output is needed: -o OUTPUT")
        out = self.output_plan
        inputs = Inputs(self._meter.report, self._known)
        with ExitStack() as stack:
            if not shared:
                if self._remote_output is not None:
                    self._remote_output.check(self.place, overwrite=self.overwrite)
                check_output(self.spec, out, overwrite=self.overwrite, inputs=self.inputs)
                stack.enter_context(output_lock(out.target))
            looks = stack.enter_context(open_looks(self.recipe, offline=self.offline, painters=self._painters))
            store = open_store(
                self.folder,
                fresh=self.fresh,
                shared=shared,
                unchanged=inputs.check,
                offline=self.offline,
                report=self._meter.report,
            )
            stack.enter_context(store)
            footage = stack.enter_context(self._open())
            if not shared:
                store.drop_text("result.json")
                store.put_text("recipe.json", self.recipe.to_text())
            yield _Ready(out, inputs, looks, store, footage)

    @contextmanager
    def _opened(self, *, shared: bool = False) -> Iterator[OpenJob]:
        """Open all that windows are rendered with; ``shared`` as of ``_ready``."""
        began = time.perf_counter()
        with ExitStack() as stack:
            ready = stack.enter_context(self._ready(shared=shared))
            out, inputs, looks, store, footage = ready
            with store.held() if shared else nullcontext():
                findings = self._findings(footage, store, inputs, looks)
                assembly = self._assembly(footage, store, findings, looks, inputs)
            if not shared:
                plan = {**assembly.plan.to_json(), "mattes": sorted(findings.keys["mattes"])}
                store.put_text("plan.json", json.dumps(plan, indent=1) + "\n")
            keys = assembly.keys(findings.footage_key, findings.keys["mattes"], out)
            windows = Windows(assembly.plan, store, keys, self.spec, out)
            samples = keeps_samples(out, self.spec)
            engine = stack.enter_context(closing(assembly.engine(associated=out.codec == "exr", samples=samples)))
            yield OpenJob(inputs, findings, assembly, windows, engine, self._meter, time.perf_counter() - began)

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

    def preview(self, *, marked: bool = False) -> list[tuple[Keyframe, np.ndarray, np.ndarray]]:
        """Paint only the first keyframe of each shot: (keyframe, source, painting) for each. ``marked``: where there are
        objects, the source is uint8, with what layers touch tinted and the prompts for that frame drawn in."""
        previews: list[tuple[Keyframe, np.ndarray, np.ndarray]] = []
        with self._scratch_engine() as (plan, engine):
            self._meter.begin("render", len(plan.shots), shots=len(plan.shots))
            for window in plan.windows:
                if window.index == 0:
                    key = window.keys[0]
                    for _, frames in engine.render([_single_window(key, window.shot)], MemoryPaintings(), self._meter):
                        for frame in frames:
                            source = frame.source.picture
                            if marked and self.recipe.objects:
                                source = marked_picture(source, key.frame, frame.edited_region, self.recipe.objects)
                            previews.append((key, source, frame.result.picture))
                    self._meter.step(f"painted frame {key.frame}", shot=window.shot)
        return previews

    def paint_anchor(self, folder: str | Path) -> None:
        """Paint one keyframe, in the middle of the longest shot, and write it into a new ``folder`` as an anchor, whose look
        other footage can take over (``Recipe.anchor``). The analysis goes into the job folder, where a run finds it.

        Raises ``RecipeError`` if nothing is painted, and what ``run`` raises.
        """
        if self.folder is None:
            raise RecipeError("a job folder is needed")
        inputs = Inputs(self._meter.report)
        with ExitStack() as stack:
            target = stack.enter_context(self._new_folder(folder, "batch", True))
            looks = stack.enter_context(open_looks(self.recipe, offline=self.offline, painters=self._painters))
            store = stack.enter_context(
                open_store(self.folder, unchanged=inputs.check, offline=self.offline, report=self._meter.report)
            )
            footage = stack.enter_context(self._open())
            if not looks:
                raise RecipeError("the recipe paints nothing, so there is no look to share")
            assembly = self._assembly(footage, store, self._findings(footage, store, inputs), looks, inputs)
            shot = max(assembly.plan.shots, key=lambda shot: shot.stop - shot.start)
            keys = [key for key in assembly.plan.keyframes if shot.start <= key.frame < shot.stop]
            window = _single_window(keys[len(keys) // 2], shot.index)
            self._meter.begin("render", 1)
            paintings = MemoryPaintings()
            with closing(assembly.engine()) as engine:
                for _, frames in engine.render([window], paintings, self._meter):
                    for frame in frames:
                        picture = frame.source.picture
            inputs.check()
            write_anchors(target, *assembly.anchor(window, picture, paintings))

    def look(self, frames: Sequence[int], sheet: str | Path, *, overwrite: bool = False) -> None:
        """Show ``frames`` under a grid with coordinates, with the recipe's prompts for them, on a sheet (.png or .jpg).

        Raises ``RecipeError`` (no such frame), ``OutputExistsError``, ``OutputError``, ``FootageError``.
        """
        check_sheet(Path(sheet), overwrite=overwrite, inputs=self.inputs)
        with self._open() as footage:
            tiles = look_tiles(footage, self.recipe.objects, frames)
        write_sheet(Path(sheet), tiles, overwrite=overwrite, long_side=LARGE_SIDE)

    def preview_mattes(self, folder: str | Path, *, overwrite: bool = False) -> list[int]:
        """Make the mattes of the frames on which objects are marked, and write only a sheet of them, ``sheet.jpg``; nothing is
        followed, and cuts are not looked for. Gives the frames. Raises as ``mattes``."""
        self._require_objects()
        with self._new_folder(folder, "matte", overwrite) as target, self._open() as footage:
            with translated():
                masker = choose_masker(self.recipe.masker, self.recipe.masker_options)
            pts = timing(self.source)
            whole = (Shot(0, 0, len(pts)),)
            request = FollowRequest(self.recipe.objects, whole, pts, len(pts), masker, offline=self.offline)
            tiles = preview_tiles(footage, request, self._meter)
            write_sheet(target / SHEET, list(tiles.values()), overwrite=True, long_side=LARGE_SIDE)
        return list(tiles)

    def _require_objects(self) -> None:
        if not self.recipe.objects:
            raise RecipeError("no object is marked: mark one, such as --object car=box:120,80,400,300@0")

    def mattes(
        self, folder: str | Path, *, form: Form = "png", sheet: bool = False, overwrite: bool = False
    ) -> list[str]:
        """Follow the recipe's objects and write their mattes alone; paints nothing. ``form``: pictures, one folder of them for
        each object (``png`` of 8 bits, ``png16``, ``exr``), or a clip for each (``mov``,
        ``webm``): the footage with the matte as its alpha. ``sheet``: also ``sheet.jpg``, of prompted and doubtful frames and
        some between. Gives notes for a person.

        Raises ``RecipeError`` (no objects, a prompt that cannot be followed), ``OutputExistsError``, ``OutputError``.
        """
        if form not in get_args(Form):
            raise RecipeError(f"mattes are written as {', '.join(get_args(Form))}; got {form!r}")
        self._require_objects()
        with self._new_folder(folder, "matte", overwrite) as target, self._scratch_job() as (footage, store, inputs):
            findings = self._findings(footage, store, inputs)
            analysis = findings.analysis()
            shots = self._plan([], analysis).shots
            mattes = findings.mattes(analysis, shots)
            if mattes is None:
                raise RuntimeError("objects were marked, but no mattes were made")
            span = range(analysis.start, analysis.stop)
            if form in CLIPS:
                export_clips(mattes, footage, analysis.pts, span, target, form)
            else:
                export(mattes, span, target, form)
            if sheet:
                tiles = matte_tiles(footage, mattes, self.recipe.objects, span, analysis.pts)
                write_sheet(target / SHEET, tiles, overwrite=True)
            inputs.check()
            self.doubts = tuple(mattes.doubts)
            return [*self.spec.notes, *mattes.notes(len(shots))]

    def control_maps(
        self,
        folder: str | Path,
        kinds: Sequence[str],
        *,
        stabilise: bool = True,
        bits: int = 8,
        video: bool = False,
        options: Mapping[str, Any] | None = None,
        sheet: bool = False,
        overwrite: bool = False,
    ) -> list[Path]:
        """Make control maps of every frame and write them, one folder of pictures a kind; with ``sheet`` also ``sheet.jpg``, on
        which some frames stand beside their maps. Paints nothing.

        See ``control_maps.write_control_maps`` and ``make_detectors``, which tell what is taken and raised. What can be refused
        is refused before the footage is looked at.
        """
        with self._new_folder(folder, "controls", overwrite) as target:
            detectors = make_detectors(kinds, options, offline=self.offline)
            with self._scratch_job() as (footage, store, inputs):
                analysis = self._findings(footage, store, inputs).analysis()
                shots = self._plan([], analysis).shots
                output = MapOutput(folder=target, stabilise=stabilise, bits=bits, video=video)
                names = write_control_maps(footage, shots, detectors, output, pts=analysis.pts, meter=self._meter)
                if sheet:
                    span = range(analysis.start, analysis.stop)
                    write_sheet(target / SHEET, map_tiles(footage, target, kinds, span, analysis.pts), overwrite=True)
                inputs.check()
        return [Path(folder, name) for name in names]

    # Parts of a run

    @contextmanager
    def _scratch_job(self) -> Iterator[tuple[Footage, JobStore, Inputs]]:
        """Open the footage, a job folder for work that is not kept, and the watch over the files that are read."""
        inputs = Inputs(self._meter.report)
        with scratch() as folder, JobStore(folder, unchanged=inputs.check) as store, self._open() as footage:
            yield footage, store, inputs

    def _new_folder(self, folder: str | Path, command: str, overwrite: bool) -> AbstractContextManager[Path]:
        return new_folder(Path(folder), command=command, overwrite=overwrite, inputs=self.inputs)

    @contextmanager
    def _scratch_engine(self) -> Iterator[tuple[Plan, Engine]]:
        """Make a plan and an engine that renders it, for work that is not kept."""
        with self._scratch_job() as (footage, store, inputs), open_looks(self.recipe, offline=self.offline) as looks:
            assembly = self._assembly(footage, store, self._findings(footage, store, inputs, looks), looks, inputs)
            with closing(assembly.engine()) as engine:
                yield assembly.plan, engine

    @property
    def _cuts_out(self) -> bool:
        return any(layer.mode == "cutout" for layer in self.recipe.layers)

    def _result_spec(self) -> FootageSpec:
        """Describe the result as footage: it has alpha where a layer cuts out."""
        return replace(self.spec, has_alpha=True) if self._cuts_out else self.spec

    def _open(self) -> Footage:
        return open_footage(self.source, rate=self.rate, deinterlace=self.recipe.deinterlace)

    def _findings(self, footage: Footage, store: JobStore, inputs: Inputs, looks: Sequence[Look] = ()) -> Findings:
        recipe, _ = self._planned(looks)
        rules = key_rules(recipe, _cost(looks))
        return Findings(footage, self.source, recipe, store, inputs, self._meter, rules=rules, offline=self.offline)

    def _findings_of(self, ready: _Ready) -> Findings:
        """Make findings, after a look at whether anything is missing."""
        findings = self._findings(ready.footage, ready.store, ready.inputs, ready.looks)
        self._require_parts(findings, ready.looks)
        return findings

    def _require_parts(self, findings: Findings, looks: Sequence[Look]) -> None:
        """Say what is missing before minutes are spent on looking. Raises ``RecipeError``, ``PainterError``."""
        if not findings.analysed:
            for look in looks:
                _ = look.painter.identity  # finds its weights
            require_maps(self.recipe.controls, offline=self.offline)

    def _assembly(
        self, footage: Footage, store: JobStore, findings: Findings, looks: Sequence[Look], inputs: Inputs
    ) -> Assembly:
        self._require_parts(findings, looks)
        analysis = findings.analysis()
        plan = self._plan(looks, analysis)
        mattes = findings.mattes(analysis, plan.shots)
        recipe, _ = self._planned(looks)
        if mattes is not None and recipe.keyframes == "auto" and painted_objects(layers_of(recipe)):
            analysis = replace(analysis, keys=findings.keyframes(plan.shots, mattes))
            plan = self._plan(looks, analysis)
        clean_footage = findings.clean_footage(analysis, plan.shots, mattes)
        maps = None
        if self.recipe.controls:
            maps = KeyframeMaps(
                self.recipe.controls,
                PlannedFootage(
                    clean_footage or footage,
                    findings.footage_key if clean_footage is None else clean_footage.key,
                    analysis.pts,
                    plan.shots,
                    plan.keyframes,
                ),
                store,
                inputs,
                offline=self.offline,
            )
        return Assembly(
            self.recipe, footage, analysis, plan, looks, mattes, maps, clean_footage, inputs, JobSettings(store)
        )

    def _planned(self, looks: Sequence[Look]) -> tuple[Recipe, EveryFrame | None]:
        return planned(self.recipe, [look.painter for look in looks])

    def _plan(self, looks: Sequence[Look], analysis: Analysis) -> Plan:
        recipe, every_frame = self._planned(looks)
        return make_plan(self.spec, recipe, analysis, key_cost=_cost(looks), every_frame=every_frame)


def _here(place: Path | Url | None, remote: RemoteOutput | None) -> Path | None:
    """The path at which an output is written."""
    if remote is not None:
        return remote.path
    return place if isinstance(place, Path) else None


def _cost(looks: Sequence[Look]) -> float:
    """Of painting one keyframe in all looks."""
    return sum(look.painter.capabilities.cost for look in looks)


def _single_window(key: Keyframe, shot: int) -> Window:
    """Make a window of one keyframe, to be painted by itself."""
    return Window(shot, 0, key.frame, key.frame + 1, (key,))
