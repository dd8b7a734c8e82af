"""Checks, folder and parts that every work on a job begins with."""

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
from typing import TYPE_CHECKING, NamedTuple

from restyle.compositing.layers import layers_of, painted_objects
from restyle.errors import PainterError, RecipeError, show_path
from restyle.files.owned import new_folder
from restyle.files.remote import Url, place_of
from restyle.files.writing import output_lock, scratch
from restyle.footage import check_output, files_of, open_footage, plan_output, probe
from restyle.footage.samples import keeps_samples
from restyle.footage.staging import stage
from restyle.job.assembly import Assembly, Painters, open_looks
from restyle.job.control_maps import require_maps
from restyle.job.findings import Findings
from restyle.job.inputs import FileFacts, Inputs, named_files, require_files
from restyle.job.keyframe_maps import KeyframeMaps, PlannedFootage
from restyle.job.mattes import MatteDoubt
from restyle.job.opened import OpenJob
from restyle.job.order import JobOrder
from restyle.job.remote_output import RemoteOutput
from restyle.job.remote_store import open_store
from restyle.job.result import default_folder
from restyle.job.settings import JobSettings
from restyle.job.store import JobStore
from restyle.job.windows import Windows
from restyle.planning.effort import key_rules
from restyle.planning.every_frame import planned
from restyle.planning.plan import Analysis, Plan, make_plan
from restyle.progress import Meter, ProgressCallback
from restyle.recipe import Recipe
from restyle.render.engine import Engine
from restyle.render.protocols import Look
from restyle.types import FootageSpec

if TYPE_CHECKING:
    from restyle.footage import Footage, OutputSpec
    from restyle.painters.base import EveryFrame
    from restyle.painters.memory import MemoryEstimate

__all__ = ["JobBase", "cost_of"]


class _Ready(NamedTuple):
    """All that a run begins with."""

    out: OutputSpec
    inputs: Inputs
    looks: Sequence[Look]
    store: JobStore
    footage: Footage


class JobBase:
    """A job before anything is done with it; arguments as of ``Job``."""

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

    def discard_sent(self) -> None:
        """Remove, here, a result that was sent elsewhere."""
        if self._remote_output is not None:
            self._remote_output.discard()

    @property
    def inputs(self) -> list[Path]:
        """Files and folders that are read: the footage, and what the recipe names. No output may replace one."""
        return [self.source, *files_of(self.source), *named_files(self.recipe)]

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
            looks = stack.enter_context(self._looks())
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
        with self._scratch_job() as (footage, store, inputs), self._looks() as looks:
            assembly = self._assembly(footage, store, self._findings(footage, store, inputs, looks), looks, inputs)
            with closing(assembly.engine()) as engine:
                yield assembly.plan, engine

    def _looks(self) -> AbstractContextManager[list[Look]]:
        return open_looks(self.recipe, offline=self.offline, painters=self._painters)

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
        rules = key_rules(recipe, cost_of(looks))
        return Findings(footage, self.source, recipe, store, inputs, self._meter, rules=rules, offline=self.offline)

    def _findings_of(self, ready: _Ready) -> Findings:
        """Make findings, after a look at whether anything is missing."""
        findings = self._findings(ready.footage, ready.store, ready.inputs, ready.looks)
        self._require_parts(findings, ready.looks)
        return findings

    def _require_parts(self, findings: Findings, looks: Sequence[Look]) -> None:
        """Say what is missing before minutes are spent on looking. Raises ``RecipeError``, ``PainterError``."""
        if not findings.analysed:
            self._require_memory(looks)  # before tens of gigabytes are fetched, by what is known without them
            for look in looks:
                _ = look.painter.identity  # finds its weights
            self._require_memory(looks)
            require_maps(self.recipe.controls, offline=self.offline)

    def _require_memory(self, looks: Sequence[Look]) -> None:
        lacks = [estimate.lack for estimate in self._memory(looks) if estimate.lack is not None]
        if lacks and not painted_objects(
            layers_of(self.recipe)
        ):  # of which a part of the picture is painted, known later
            raise PainterError(lacks[0])

    def _memory(self, looks: Sequence[Look]) -> list[MemoryEstimate]:
        """Estimates of what the painters take of this machine's memory, of those that know."""
        size = self.spec.width, self.spec.height
        estimates = []
        for look in looks:
            rule = look.painter.capabilities.every_frame
            frames = 1 if rule is None else min(rule.longest, self.spec.frames or rule.longest)
            estimates.append(look.painter.memory(size, frames))
        return [estimate for estimate in estimates if estimate is not None]

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
        return make_plan(self.spec, recipe, analysis, key_cost=cost_of(looks), every_frame=every_frame)


def _here(place: Path | Url | None, remote: RemoteOutput | None) -> Path | None:
    """The path at which an output is written."""
    if remote is not None:
        return remote.path
    return place if isinstance(place, Path) else None


def cost_of(looks: Sequence[Look]) -> float:
    """Of painting one keyframe in all looks."""
    return sum(look.painter.capabilities.cost for look in looks)
