"""What is found out about a footage before it is painted, each thing once per job folder: its analysis, its objects' mattes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from restyle.compositing.layers import removals
from restyle.errors import RecipeError
from restyle.footage import files_of, parse_span, timing
from restyle.job.clean_plates import CleanFootage, make_plates
from restyle.job.inputs import Inputs
from restyle.job.keys import analysis_key, mattes_key, plates_key
from restyle.job.masker_choice import choose_masker
from restyle.job.mattes import TEXT_OPTIONS, Mattes, follow_objects, matte_files
from restyle.job.store import JobStore
from restyle.planning.analyse import analyse
from restyle.planning.plan import Analysis
from restyle.progress import Meter
from restyle.recipe import Recipe
from restyle.registry import options_of
from restyle.types import Keyframe, Shot

if TYPE_CHECKING:
    from restyle.footage import Footage
    from restyle.job.clean_plates import CleanFootage

__all__ = ["Findings"]


class Findings:
    """Looks things up in the job folder, or finds them out and stores them there.

    ``source``: as ``Job``'s. ``inputs``: knows the files that are read. ``offline``: nothing may be fetched. ``keys`` holds
    what was used: kind -> keys.
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
        self._offline = offline

    @property
    def looked(self) -> bool:
        """Whether the footage has been looked at before, in this job."""
        return self._store.has("analysis", self._analysis_key())

    def _analysis_key(self) -> str:
        return analysis_key(self.footage_key, self._recipe, self._span())

    def analysis(self) -> Analysis:
        """Cuts, motion and coverage. Raises ``FootageError``, ``RecipeError`` (a range that is not there), ``Cancelled``."""
        recipe = self._recipe
        start, stop = self._span()
        key = self._analysis_key()
        if not self._store.has("analysis", key):
            found = analyse(self._footage, recipe, start, stop, self._meter)
            with self._store.making("analysis", key) as folder:
                (folder / "analysis.json").write_text(json.dumps(asdict(found)))
        self.keys["analysis"].add(key)
        with self._store.reading("analysis", key) as folder:
            return _analysis_from(json.loads((folder / "analysis.json").read_text()))

    def mattes(self, analysis: Analysis, shots: Sequence[Shot]) -> Mattes | None:
        """The recipe's objects, followed through ``shots``; ``None`` if it has none. Raises as ``mattes.follow_objects``."""
        recipe = self._recipe
        if not recipe.objects:
            return None
        files = [self._inputs.digest(path) for path in matte_files(recipe.objects)]
        masker, options, why = self._masker()
        words = {name: options.pop(name) for name in TEXT_OPTIONS if name in options}
        key = mattes_key(self.footage_key, recipe.objects, files, (masker, options, words), shots)
        if not self._store.has("mattes", key):
            with self._store.making("mattes", key) as folder:
                follow_objects(
                    self._footage,
                    recipe.objects,
                    shots,
                    pts=analysis.pts,
                    frames=self._footage.spec.frames or len(analysis.pts),
                    masker=masker,
                    options=options | ({"offline": True} if self._offline and masker == "sam2" else {}),
                    finder={name.removeprefix("text_"): value for name, value in words.items()}
                    | {"offline": self._offline},
                    why=why,
                    place=folder,
                    meter=self._meter,
                )
        self.keys["mattes"].add(key)
        with self._store.reading("mattes", key) as folder:
            return Mattes(folder)

    def clean(self, analysis: Analysis, shots: Sequence[Shot], mattes: Mattes | None) -> CleanFootage | None:
        """The footage without what the recipe's layers remove; ``None`` if they remove nothing. Raises ``Cancelled``."""
        taken = removals(self._recipe.layers)
        if mattes is None or not taken:
            return None
        key = plates_key(self.footage_key, self.keys["mattes"], taken, shots)
        if not self._store.has("plates", key):
            with self._store.making("plates", key) as folder:
                make_plates(self._footage, shots, taken, mattes, pts=analysis.pts, place=folder, meter=self._meter)
        self.keys["plates"].add(key)
        with self._store.reading("plates", key) as folder:
            return CleanFootage(self._footage, folder, taken, mattes)

    def _masker(self) -> tuple[str, dict[str, Any], str | None]:
        """Who follows the objects, with what options; and why it is not the best one, where the recipe leaves the choice."""
        name, options = self._recipe.masker, dict(self._recipe.masker_options)
        if name != "auto":
            return name, options, None
        name, why = choose_masker(options)
        known = {each: [*options_of("masker", each), *TEXT_OPTIONS] for each in ("flowcut", "sam2")}
        for option in options:
            if not any(option in taken for taken in known.values()):
                listed = ", ".join(dict.fromkeys(each for taken in known.values() for each in taken))
                raise RecipeError(f"no masker has an option {option!r}; there are: {listed}")
        return name, {option: value for option, value in options.items() if option in known[name]}, why

    def _span(self) -> tuple[int, int | None]:
        if self._recipe.range is None:
            return 0, None

        spec = self._footage.spec
        total = spec.frames
        if total is None:
            total = len(timing(self._source))
        span = parse_span(self._recipe.range, spec.rate, total)
        return span.start, span.stop


def _analysis_from(plain: dict[str, Any]) -> Analysis:
    plain["cuts"] = {int(frame): kind for frame, kind in plain["cuts"].items()}
    plain["keys"] = tuple(Keyframe(key["frame"], key["reason"]) for key in plain["keys"])
    for name in ("pts", "coverage", "moved", "notes"):
        plain[name] = tuple(plain[name])
    return Analysis(**plain)
