"""Findings about a footage before it is painted, each made once per job folder: analysis, mattes, plates."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from restyle.compositing.layers import layers_of, painted_region, removals
from restyle.errors import translated
from restyle.footage import files_of, parse_span, timing
from restyle.job.clean_plates import CleanFootage, make_plates
from restyle.job.following import FollowRequest, any_marked, follow_objects
from restyle.job.inputs import Inputs
from restyle.job.keys import analysis_key, digest, mattes_key, plates_key
from restyle.job.masker_choice import choose_masker, deciding_files, deciding_packages
from restyle.job.mattes import Mattes, matte_files
from restyle.job.store import JobStore
from restyle.planning.analyse import Walked, analyse, keyframes_within, put_together, survey, walk_span
from restyle.planning.effort import KeyRules
from restyle.planning.plan import Analysis
from restyle.planning.survey import LEAST, Survey
from restyle.progress import Meter
from restyle.recipe import Recipe
from restyle.types import Keyframe, Shot

if TYPE_CHECKING:
    from restyle.footage import Footage
    from restyle.job.clean_plates import CleanFootage

__all__ = ["Findings"]


class Findings:
    """Looks findings up in the job folder, or makes and stores them there.

    ``source``: as ``Job``'s. ``inputs``: the watch over the files that are read. ``rules``: how near keyframes lie.
    ``offline``: nothing may be fetched. ``keys`` holds what was used: kind -> keys.
    """

    def __init__(
        self,
        footage: Footage,
        source: Path,
        recipe: Recipe,
        store: JobStore,
        inputs: Inputs,
        meter: Meter,
        *,
        rules: KeyRules,
        offline: bool = False,
    ) -> None:
        self.footage_key = inputs.footage(footage.spec, files_of(source))
        self._inputs = inputs
        self.keys: dict[str, set[str]] = {"analysis": set(), "mattes": set(), "plates": set()}
        self._footage = footage
        self._source = source
        self._recipe = recipe
        self._store = store
        self._meter = meter
        self._rules = rules
        self._offline = offline

    @property
    def analysed(self) -> bool:
        """True if the footage was analysed before, in this job."""
        return self._store.has("analysis", self._analysis_key())

    def _analysis_key(self) -> str:
        return analysis_key(self.footage_key, self._recipe, self._rules, self._span())

    def analysis(self) -> Analysis:
        """Find cuts, motion and coverage. Raises ``FootageError``, ``RecipeError`` (no such range), ``Cancelled``."""
        recipe = self._recipe
        start, stop = self._span()
        key = self._analysis_key()
        if not self._store.has("analysis", key):
            analysis = self._from_spans() or analyse(self._footage, recipe, self._rules, start, stop, self._meter)
            with self._store.making("analysis", key) as folder:
                (folder / "analysis.json").write_text(json.dumps(asdict(analysis)))
        self.keys["analysis"].add(key)
        with self._store.reading("analysis", key) as folder:
            return Analysis(**_with_types(json.loads((folder / "analysis.json").read_text())))

    def spans(self) -> tuple[tuple[int, int], ...]:
        """Find cuts alone, and give the spans that ``look`` can look at one by one, before ``analysis`` puts them together;
        empty where that is not worth its trouble. Raises as ``analysis``."""
        start, stop = self._span()
        stop = self._footage.spec.frames if stop is None else stop
        short = stop is not None and stop - start < 2 * LEAST
        if self._recipe.keyframes != "auto" or short or self.analysed:
            return ()
        key = self._survey_key()
        if not self._store.has("analysis", key):
            found = survey(self._footage, self._recipe, *self._span(), self._meter)
            with self._store.making("analysis", key) as folder:
                (folder / "survey.json").write_text(json.dumps(asdict(found)))
        spans = self._survey().spans(self._recipe)
        return spans if len(spans) > 1 else ()

    def look(self, span: tuple[int, int]) -> None:
        """Look at one of ``spans``. Raises as ``analysis``."""
        key = self._span_key(span)
        if not self._store.has("analysis", key):
            walked = walk_span(self._footage, self._recipe, self._rules, self._survey().told, span, self._meter)
            with self._store.making("analysis", key) as folder:
                (folder / "span.json").write_text(json.dumps(asdict(walked)))

    def _survey_key(self) -> str:
        return digest("survey", self._analysis_key())

    def _span_key(self, span: tuple[int, int]) -> str:
        return digest("span", self._analysis_key(), *span)

    def _survey(self) -> Survey:
        with self._store.reading("analysis", self._survey_key()) as folder:
            plain = json.loads((folder / "survey.json").read_text())
        plain["told"] = tuple((at, frame, kind) for at, frame, kind in plain["told"])
        return Survey(**{**plain, "pts": tuple(plain["pts"]), "notes": tuple(plain["notes"])})

    def _from_spans(self) -> Analysis | None:
        """Put together what was found span by span, if all of it is there."""
        if not self._store.has("analysis", self._survey_key()):
            return None
        found = self._survey()
        keys = [self._span_key(span) for span in found.spans(self._recipe)]
        if not all(self._store.has("analysis", key) for key in keys):
            return None
        walked = []
        for key in keys:
            with self._store.reading("analysis", key) as folder:
                plain = _with_types(json.loads((folder / "span.json").read_text()))
            walked.append(Walked(**plain))
        return put_together(found, walked)

    def keyframes(self, shots: Sequence[Shot], mattes: Mattes) -> tuple[Keyframe, ...]:
        """Choose keyframes by what of the objects is painted, where nothing else is. Raises as ``analysis``."""
        layers = layers_of(self._recipe)
        edges = [[layer.object, layer.grow, layer.feather] for layer in layers if layer.mode == "restyle"]
        key = digest("keyframes", self._analysis_key(), sorted(self.keys["mattes"]), edges)
        if not self._store.has("analysis", key):
            region = painted_region(self._recipe, mattes)
            keys = keyframes_within(self._footage, shots, self._recipe, self._rules, region, self._meter)
            with self._store.making("analysis", key) as folder:
                (folder / "keyframes.json").write_text(json.dumps([asdict(key) for key in keys]))
        self.keys["analysis"].add(key)
        with self._store.reading("analysis", key) as folder:
            return _keyframes_from(json.loads((folder / "keyframes.json").read_text()))

    def mattes(self, analysis: Analysis, shots: Sequence[Shot]) -> Mattes | None:
        """Follow the recipe's objects through ``shots``; ``None`` if it has none. Raises as ``following.follow_objects``."""
        recipe = self._recipe
        if not recipe.objects:
            return None
        files = [self._inputs.digest(path) for path in matte_files(recipe.objects)]
        with translated():
            masker = choose_masker(recipe.masker, recipe.masker_options)
            marked = any_marked(recipe.objects)
            weights = deciding_files(masker, offline=self._offline) if marked else []
            packages = deciding_packages(masker) if marked else {}
        decided_by = {"weights": [self._inputs.digest(file) for file in weights], **packages}
        masker_facts = (masker.name, masker.options, masker.grounding, decided_by)
        key = mattes_key(self.footage_key, recipe.objects, files, masker_facts, shots)
        if not self._store.has("mattes", key):
            frames = self._footage.spec.frames or len(analysis.pts)
            request = FollowRequest(recipe.objects, shots, analysis.pts, frames, masker, offline=self._offline)
            with self._store.making("mattes", key) as folder:
                follow_objects(self._footage, request, folder, self._meter)
        self.keys["mattes"].add(key)
        with self._store.reading("mattes", key) as folder:
            return Mattes(folder)

    def clean_footage(self, analysis: Analysis, shots: Sequence[Shot], mattes: Mattes | None) -> CleanFootage | None:
        """Make the footage without what the recipe's layers remove; ``None`` if they remove nothing. Raises ``Cancelled``."""
        removed = removals(self._recipe.layers)
        if mattes is None or not removed:
            return None
        key = plates_key(self.footage_key, self.keys["mattes"], removed, shots)
        if not self._store.has("plates", key):
            with self._store.making("plates", key) as folder:
                make_plates(self._footage, shots, removed, mattes, pts=analysis.pts, folder=folder, meter=self._meter)
        self.keys["plates"].add(key)
        with self._store.reading("plates", key) as folder:
            return CleanFootage(self._footage, folder, removed, mattes)

    def _span(self) -> tuple[int, int | None]:
        if self._recipe.range is None:
            return 0, None

        spec = self._footage.spec
        total = spec.frames
        if total is None:
            total = len(timing(self._source))
        span = parse_span(self._recipe.range, spec.rate, total)
        return span.start, span.stop


def _keyframes_from(plain: Sequence[Mapping[str, Any]]) -> tuple[Keyframe, ...]:
    return tuple(Keyframe(key["frame"], key["reason"]) for key in plain)


def _with_types(plain: dict[str, Any]) -> dict[str, Any]:
    """Undo what JSON does to the fields of an ``Analysis``, and of ``Walked``, which has some of them."""
    plain["cuts"] = {int(frame): kind for frame, kind in plain["cuts"].items()}
    plain["keys"] = _keyframes_from(plain["keys"])
    return {name: tuple(value) if isinstance(value, list) else value for name, value in plain.items()}
