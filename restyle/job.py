"""A job: one piece of footage, one recipe, one result. This is what the command line and the Python API call."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from restyle.engine import Engine, Look, Rendered
from restyle.errors import RecipeError, show_path
from restyle.framing import Framing
from restyle.layers import LayerCompositor, backdrop, edge_reach, layers_of, looks_of, painted_objects
from restyle.mattes import Mattes, export, follow_objects, matte_files
from restyle.memory import keep_freed_memory
from restyle.plan import Analysis, Plan, make_plan
from restyle.progress import Meter, ProgressCallback
from restyle.recipe import Recipe
from restyle.registry import make_filler, make_painter
from restyle.shelf import MemoryShelf, Shelf, file_digest, fingerprint, versions
from restyle.store import JobStore, digest
from restyle.stream import WriteBehind
from restyle.types import FootageSpec, Keyframe, Shot, Window

if TYPE_CHECKING:
    import numpy as np

    from restyle.footage import Footage, OutputSpec
    from restyle.painters.base import Painter

__all__ = ["Job", "Result", "restyle"]


MARGIN = 48  # pixels round restyled objects that the painter sees, at least: marks begin outside of what they paint


@dataclass(frozen=True)
class Result:
    """What a finished job made."""

    output: Path
    folder: Path
    """The job folder: delete it when nothing is to be changed any more."""
    report: Path | None
    frames: int
    shots: int
    painted: int
    """Frames that were painted: keyframes and repairs."""
    repaired: int
    """Frames among them that no neighbour explained."""
    reused: int
    """Frames that an earlier run had finished."""
    seconds: float
    notes: tuple[str, ...] = ()
    """What a person should know: one line each."""

    def to_json(self) -> dict[str, Any]:
        """Plain values for ``--json``."""
        plain = asdict(self)
        return plain | {name: str(plain[name]) if plain[name] else None for name in ("output", "folder", "report")}


@dataclass
class _Tally:
    painted: int = 0
    repaired: int = 0
    reused: int = 0
    notes: list[str] = field(default_factory=list)


class Job:
    """Restyles one piece of footage.

    ``source``: a video file, a GIF, a folder of pictures or a pattern such as ``shot/frame.%04d.png``.
    ``output``: a file or a pattern; needed by ``run`` only. ``folder``: the job folder, by default ``OUTPUT.restyle``.
    ``rate``: frames a second of a picture sequence, which has none of its own.
    ``progress`` is called with a ``Progress`` many times a second, in the caller's thread. Setting ``cancel`` stops the work
    with ``Cancelled``; what is finished is kept.

    Raises ``FootageError`` if the source cannot be read and ``RecipeError`` if the recipe does not fit it.
    """

    def __init__(
        self,
        source: str | Path,
        output: str | Path | None = None,
        recipe: Recipe | None = None,
        *,
        folder: str | Path | None = None,
        fresh: bool = False,
        overwrite: bool = False,
        report: bool = True,
        offline: bool = False,
        rate: Any = None,
        progress: ProgressCallback | None = None,
        cancel: threading.Event | None = None,
    ) -> None:
        from restyle.footage import probe

        self.source = Path(source)
        self.output = None if output is None else Path(output)
        self.recipe = recipe or Recipe()
        self.fresh = fresh
        self.overwrite = overwrite
        self.report = report
        self.offline = offline
        self.rate = rate
        self.spec: FootageSpec = probe(self.source, rate=rate)
        self.folder = Path(folder) if folder is not None else _default_folder(self.output)
        self._meter = Meter(progress, cancel)

    # What will be done

    def plan(self) -> Plan:
        """Look at the footage once and say what would be done; paints nothing, writes nothing but into a job folder that
        exists already."""
        with self._looks() as looks, self._open() as footage:
            return self._plan(looks, self._analyse(footage))

    def analyse(self) -> Analysis:
        """Pass 1 alone: cuts, motion and coverage."""
        with self._open() as footage:
            return self._analyse(footage)

    # Doing it

    def frames(self) -> Iterator[Rendered]:
        """Restyle, and hand out frame by frame; nothing is written. Closing the iterator stops the work."""
        with self._ready() as (plan, engine):
            self._meter.begin("render", plan.frames, shots=len(plan.shots))
            rendering = engine.render(plan.windows, MemoryShelf(), self._meter)
            with closing(rendering):
                for _, window in rendering:
                    for made in window:
                        if not made.boundary:
                            self._meter.step(shot=made.shot)
                            yield made

    def run(self) -> Result:
        """Restyle the footage into the output. Run again after any kind of end, it goes on where it was.

        Raises ``OutputExistsError``, ``OutputError``, ``JobLockedError``, ``FootageError``, ``RecipeError``,
        ``PainterError``, ``Cancelled``.
        """
        from restyle.footage import check_output, conform, plan_output

        keep_freed_memory()
        began = time.perf_counter()
        if self.output is None or self.folder is None:
            raise RecipeError("an output is needed: -o OUTPUT")
        out = plan_output(self.spec, self.output, codec=self.recipe.codec, quality=self.recipe.quality)
        check_output(self.spec, out, overwrite=self.overwrite)
        tally = _Tally()
        with ExitStack() as stack:
            looks = stack.enter_context(self._looks())
            store = stack.enter_context(JobStore(self.folder, fresh=self.fresh))
            footage = stack.enter_context(self._open())
            store.put_text("recipe.json", self.recipe.to_text())
            analysis, analysis_key = self._analyse_once(footage, store)
            plan = self._plan(looks, analysis)
            store.put_text("plan.json", json.dumps(plan.to_json(), indent=1) + "\n")
            mattes, mattes_key = self._mattes_once(footage, analysis, plan, store)
            if mattes is not None:
                tally.notes += mattes.notes(len(plan.shots))
            framing = self._framing(plan, mattes)
            shelf = self._shelf(store, plan, looks, mattes_key, None if framing is None else framing.facts, out)
            analysed = time.perf_counter()
            engine = self._engine(footage, analysis, plan, looks, mattes, framing)
            self._render(engine, plan, store, shelf, out, tally)
            rendered = time.perf_counter()
            segments = [folder / "segment" for folder in self._windows(store, shelf, plan)]
            span = range(analysis.start, analysis.stop)
            self._meter.begin("finish", plan.frames)
            tally.notes += conform(segments, out, self.spec, pts=analysis.pts, span=span, overwrite=self.overwrite)
            seconds = {
                "analyse": analysed - began,
                "render": rendered - analysed,
                "finish": time.perf_counter() - rendered,
            }
            self._count(store, shelf, plan, tally)
            report = self._report(store, shelf, plan, out, tally, seconds) if self.report else None
            store.prune(
                {
                    "analysis": {analysis_key},
                    "mattes": {mattes_key},
                    "paintings": set(shelf.paint_keys.values()),
                    "windows": set(shelf.frame_keys.values()),
                }
            )
        return Result(
            output=self.output,
            folder=self.folder,
            report=report,
            frames=plan.frames,
            shots=len(plan.shots),
            painted=tally.painted,
            repaired=tally.repaired,
            reused=tally.reused,
            seconds=time.perf_counter() - began,
            notes=tuple(tally.notes),
        )

    def preview(self) -> list[tuple[Keyframe, np.ndarray, np.ndarray]]:
        """Paint only the first keyframe of each shot: (keyframe, source, painting) for each."""
        shown: list[tuple[Keyframe, np.ndarray, np.ndarray]] = []
        with self._ready() as (plan, engine):
            self._meter.begin("render", len(plan.shots), shots=len(plan.shots))
            for window in plan.windows:
                if window.index == 0:
                    key = window.keys[0]
                    alone = Window(window.shot, 0, key.frame, key.frame + 1, (key,))
                    for _, frames in engine.render([alone], MemoryShelf(), self._meter):
                        for made in frames:
                            shown.append((key, made.source.picture, made.result.picture))
                    self._meter.step(f"painted frame {key.frame}", shot=window.shot)
        return shown

    def mattes(self, folder: str | Path, *, overwrite: bool = False) -> list[str]:
        """Follow the recipe's objects and write their mattes alone, one folder of pictures each; paints nothing. Gives notes
        for a person. Raises ``RecipeError`` (no objects, a prompt that cannot be followed), ``OutputExistsError``,
        ``OutputError``.
        """
        if not self.recipe.objects:
            raise RecipeError("no object is marked: mark one, such as --object car=box:120,80,400,300@0")
        from restyle.footage.place import new_folder

        with (
            new_folder(Path(folder), overwrite=overwrite) as place,
            self._open() as footage,
            TemporaryDirectory(prefix="restyle-") as aside,
        ):
            analysis = self._analyse(footage)
            shots = self._plan([], analysis).shots
            found = self._follow(footage, analysis, shots, Path(aside))
            if found is None:
                raise RuntimeError("objects were marked, but no mattes were made")
            export(found, range(analysis.start, analysis.stop), place)
            return found.notes(len(shots))

    def control_maps(
        self,
        folder: str | Path,
        kinds: Sequence[str],
        *,
        steady: bool = True,
        bits: int = 8,
        video: bool = False,
        overwrite: bool = False,
    ) -> list[Path]:
        """Make control maps of every frame and write them, one folder of pictures a kind: see
        ``control_maps.write_control_maps``, which tells what is raised. Paints nothing."""
        from restyle.control_maps import write_control_maps

        with self._open() as footage:
            analysis = self._analyse(footage)
            return write_control_maps(
                footage,
                self._plan([], analysis).shots,
                Path(folder),
                kinds,
                pts=analysis.pts,
                meter=self._meter,
                steady=steady,
                bits=bits,
                video=video,
                options={"offline": self.offline},
                overwrite=overwrite,
            )

    # The pieces

    @contextmanager
    def _ready(self) -> Iterator[tuple[Plan, Engine]]:
        """What there is to do and who does it, for work that is not kept."""
        with self._looks() as looks, self._open() as footage, TemporaryDirectory(prefix="restyle-") as aside:
            analysis = self._analyse(footage)
            plan = self._plan(looks, analysis)
            mattes = self._follow(footage, analysis, plan.shots, Path(aside))
            yield plan, self._engine(footage, analysis, plan, looks, mattes, self._framing(plan, mattes))

    def _open(self) -> Footage:
        from restyle.footage import open_footage

        return open_footage(self.source, rate=self.rate)

    @contextmanager
    def _looks(self) -> Iterator[list[Look]]:
        """What has to be painted, with painters that are closed in the end."""
        with ExitStack() as stack:
            painters: dict[Any, Painter] = {}
            looks = []
            for wanted in looks_of(self.recipe)[0]:
                options: dict[str, Any] = dict(self.recipe.painter_options)
                if wanted.style is not None:
                    options["style"] = wanted.style
                if wanted.style not in painters:
                    painters[wanted.style] = make_painter(self.recipe.painter, options)
                    stack.callback(painters[wanted.style].close)
                looks.append(Look(painters[wanted.style], wanted.strength, wanted.keep_colour, wanted.seed))
            yield looks

    def _span(self) -> tuple[int, int | None]:
        if self.recipe.range is None:
            return 0, None
        from restyle.footage import parse_span, timing

        total = self.spec.frames
        if total is None:
            total = len(timing(self.source))
        span = parse_span(self.recipe.range, self.spec.rate, total)
        return span.start, span.stop

    def _analyse(self, footage: Footage) -> Analysis:
        from restyle.analyse import analyse

        return analyse(footage, self.recipe, *self._span(), self._meter)

    def _analyse_once(self, footage: Footage, store: JobStore) -> tuple[Analysis, str]:
        recipe = self.recipe
        walk = [recipe.coverage, recipe.max_gap] if recipe.keyframes == "auto" else []
        start, stop = self._span()
        key = digest(
            self._footage_key(), versions(), recipe.cuts, recipe.keyframes == "auto", walk, start, stop,
            sorted(recipe.storyboard),
        )  # fmt: skip
        place = store.path("analysis", key) / "analysis.json"
        if not store.has("analysis", key):
            found = self._analyse(footage)
            with store.making("analysis", key) as folder:
                (folder / "analysis.json").write_text(json.dumps(asdict(found)))
        return _analysis_from(json.loads(place.read_text())), key

    def _plan(self, looks: Sequence[Look], analysis: Analysis) -> Plan:
        cost = sum(getattr(look.painter, "cost", 0.0) for look in looks)
        return make_plan(self.spec, self.recipe, analysis, key_cost=cost)

    # Mattes

    def _follow(self, footage: Footage, analysis: Analysis, shots: Sequence[Shot], place: Path) -> Mattes | None:
        """Follow the recipe's objects, their mattes going to the empty folder ``place``; ``None`` if it has no objects."""
        if not self.recipe.objects:
            return None
        follow_objects(
            footage,
            self.recipe.objects,
            shots,
            pts=analysis.pts,
            frames=self.spec.frames or len(analysis.pts),
            masker=self.recipe.masker,
            options=self._masker_options(),
            place=place,
            meter=self._meter,
        )
        return Mattes(place)

    def _mattes_once(
        self, footage: Footage, analysis: Analysis, plan: Plan, store: JobStore
    ) -> tuple[Mattes | None, str]:
        """The objects' mattes, from an earlier run where there was one, and the key under which they are stored."""
        recipe = self.recipe
        if not recipe.objects:
            return None, ""
        files = [file_digest(path) for path in matte_files(recipe.objects)]
        shots = [(shot.start, shot.stop) for shot in plan.shots]
        key = digest(
            self._footage_key(), versions(), recipe.objects, files, recipe.masker, recipe.masker_options, shots
        )
        if not store.has("mattes", key):
            with store.making("mattes", key) as folder:
                self._follow(footage, analysis, plan.shots, folder)
        return Mattes(store.path("mattes", key)), key

    def _masker_options(self) -> dict[str, Any]:
        options = dict(self.recipe.masker_options)
        return options | {"offline": True} if self.offline and self.recipe.masker == "sam2" else options

    def _hands(self, plan: Plan) -> dict[int, np.ndarray]:
        from restyle.footage import read_picture

        hands: dict[int, np.ndarray] = {}
        for key in plan.keyframes:
            if key.picture is not None:
                picture = read_picture(key.picture, dtype=self.spec.dtype)
                wanted = (self.spec.height, self.spec.width)
                if picture.shape[:2] != wanted:
                    raise RecipeError(
                        f"storyboard picture {show_path(key.picture)} is {picture.shape[1]}x{picture.shape[0]}, "
                        f"the footage {wanted[1]}x{wanted[0]}: give it the footage's size"
                    )
                hands[key.frame] = picture
        return hands

    def _engine(
        self,
        footage: Footage,
        analysis: Analysis,
        plan: Plan,
        looks: Sequence[Look],
        mattes: Mattes | None,
        framing: Framing | None,
    ) -> Engine:
        recipe = self.recipe
        hands = self._hands(plan)
        return Engine(
            footage,
            pts=analysis.pts,
            looks=[replace(look, hands=hands) for look in looks],
            filler=make_filler(recipe.fill, recipe.fill_options),
            compositor=None if not layers_of(recipe) else self._compositor(mattes),
            framing=framing,
            repair=recipe.keyframes == "auto" and not recipe.storyboard,
        )

    def _framing(self, plan: Plan, mattes: Mattes | None) -> Framing | None:
        """The part of each frame that is painted, where only objects are."""
        layers = layers_of(self.recipe)
        painted = painted_objects(layers)
        if mattes is None or painted is None:
            return None
        return Framing(
            plan.shots,
            mattes.boxes(painted),
            size=(self.spec.width, self.spec.height),
            margin=max(MARGIN, edge_reach(layers)),
        )

    def _compositor(self, mattes: Mattes | None) -> LayerCompositor:
        layers = layers_of(self.recipe)
        if mattes is None:
            raise RecipeError("layers need objects: mark one, such as --object car=box:120,80,400,300@0")
        size = (self.spec.width, self.spec.height)
        backdrops = {
            number: backdrop(layer.source, *size, self.spec.dtype)
            for number, layer in enumerate(layers)
            if layer.source is not None
        }
        return LayerCompositor(layers, looks_of(self.recipe)[1], mattes, backdrops)

    def _footage_key(self) -> str:
        from restyle.footage import files_of

        return fingerprint(self.spec, files_of(self.source))

    def _shelf(
        self, store: JobStore, plan: Plan, looks: Sequence[Look], mattes_key: str, framing: Any, out: OutputSpec
    ) -> Shelf:
        recipe = self.recipe
        base = [self._footage_key(), versions()]
        repair = recipe.keyframes == "auto" and not recipe.storyboard
        touched = [[look.strength, look.keep_colour] for look in looks]
        frames = [recipe.fill, recipe.fill_options, touched, repair, out.identity]
        if layers := layers_of(recipe):
            sources = [layer.source for layer in layers if layer.source and not layer.source.startswith("#")]
            frames += [mattes_key, [layer.model_dump() for layer in layers], [file_digest(path) for path in sources]]
        hands = {key.frame: file_digest(key.picture) for key in plan.keyframes if key.picture is not None}
        return Shelf(
            store,
            plan.windows,
            looks=[[*base, framing, look.painter.name, dict(look.painter.identity), look.seed] for look in looks],
            frames=[*base, *frames],
            hands=hands,
        )

    def _render(
        self,
        engine: Engine,
        plan: Plan,
        store: JobStore,
        shelf: Shelf,
        out: OutputSpec,
        tally: _Tally,
    ) -> None:
        """Make every window that is not finished yet."""
        from restyle.footage import SegmentWriter
        from restyle.window_report import WindowNotes

        self._meter.begin("render", plan.frames, shots=len(plan.shots))
        missing: list[Window] = []
        for window in plan.windows:
            if store.has("windows", shelf.frame_keys[window.shot, window.index]):
                tally.reused += window.stop - window.start
                self._meter.skip(window.stop - window.start)
            else:
                missing.append(window)
        if not missing:
            return
        rendering = engine.render(missing, shelf, self._meter)
        with closing(rendering):
            for window, frames in rendering:
                key = shelf.frame_keys[window.shot, window.index]
                with store.making("windows", key) as place:
                    notes = WindowNotes(place)
                    with (
                        SegmentWriter(place / "segment", out, self.spec) as writer,
                        WriteBehind(writer.write, depth=8) as sink,
                    ):
                        for made in frames:
                            notes.add(made)
                            if not made.boundary:
                                sink.put(made.result)
                                self._meter.step(shot=made.shot)
                    notes.save()

    def _count(self, store: JobStore, shelf: Shelf, plan: Plan, tally: _Tally) -> None:
        """How many frames were painted, over all runs of the job."""
        for folder in self._windows(store, shelf, plan):
            for row in json.loads((folder / "rows.json").read_text()):
                if row["reason"] is not None and not row["boundary"]:
                    tally.painted += 1
                    tally.repaired += row["reason"] == "repair"
        if tally.repaired:
            tally.notes.append(f"{tally.repaired} frames were painted because no keyframe explained them")

    def _report(
        self, store: JobStore, shelf: Shelf, plan: Plan, out: OutputSpec, tally: _Tally, seconds: Mapping[str, float]
    ) -> Path:
        from restyle.footage import probe
        from restyle.quality.report import write_report
        from restyle.window_report import report_data

        data = report_data(
            self._windows(store, shelf, plan),
            plan,
            title=Path(out.path).name,
            source=self.spec,
            output=probe(out.path, rate=self.spec.rate if out.kind == "sequence" else None),
            recipe=self.recipe.model_dump(mode="json"),
            versions=versions(),
            timings=seconds,
            notes=tally.notes,
        )
        page = store.folder / "report.html"
        write_report(data, page, page.with_suffix(".json"))
        return page

    def _windows(self, store: JobStore, shelf: Shelf, plan: Plan) -> list[Path]:
        """Folders of the finished windows, in order."""
        return [store.path("windows", shelf.frame_keys[w.shot, w.index]) for w in plan.windows]


def restyle(source: str | Path, output: str | Path, **options: Any) -> Result:
    """Restyle footage in one call: ``restyle("in.mp4", "out.mp4", style="winter-ink")``.

    ``options``: any field of ``Recipe`` and any option of ``Job``; or ``recipe=`` (a ``Recipe`` or a recipe file's path),
    whose fields the others override. Raises what ``Job.run`` raises.
    """
    recipe = options.pop("recipe", None)
    fields = {name: options.pop(name) for name in list(options) if name in Recipe.model_fields}
    if isinstance(recipe, Recipe):
        fields = recipe.model_dump(exclude_unset=True) | fields
    elif recipe is not None:
        fields = Recipe.read(recipe) | fields
    try:
        job = Job(source, output, Recipe.build("restyle()", **fields), **options)
    except TypeError as error:
        raise RecipeError(f"restyle(): {error}".replace("Job.__init__() ", "")) from None
    return job.run()


def _default_folder(output: Path | None) -> Path | None:
    if output is None:
        return None
    from restyle.footage.sequence import Numbering
    from restyle.footage.stills import FORMATS

    if output.suffix.lower() in FORMATS and Numbering.of(output) is not None and output.parent.name:
        output = output.parent  # a pattern of pictures: beside their folder
    if not output.name:
        output = output.resolve()
    return output.parent / f"{output.name}.restyle"


def _analysis_from(plain: dict[str, Any]) -> Analysis:
    plain["cuts"] = {int(frame): kind for frame, kind in plain["cuts"].items()}
    plain["keys"] = tuple(Keyframe(key["frame"], key["reason"]) for key in plain["keys"])
    for name in ("pts", "coverage", "moved"):
        plain[name] = tuple(plain[name])
    return Analysis(**plain)
