"""Control maps of keyframes: each found once per job and reused by every look and every rerun, or read from a folder.

Depth, edges and joints are made to agree with those of the keyframes beside them (``controls.stabilise.keyframes``): so a
keyframe's map is decided by those before it in its shot, and by the next few, but by no later ones.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from importlib.metadata import packages_distributions
from itertools import accumulate
from typing import Any, cast

import numpy as np

from controls.maps import kinds
from controls.maps.base import StabiliseMethod
from controls.maps.files import MapFiles, read_maps
from controls.stabilise.keyframes import (
    KEYFRAME_METHODS,
    keyframes_ahead,
    stabilise_keyframes,
    stabilise_to_keyframes,
)
from controls.stabilise.motion import KeyframeTracker
from controls.types import ControlMap
from restyle.errors import RecipeError, translated
from restyle.footage import Footage, ShotPictures
from restyle.job.inputs import Inputs
from restyle.job.keys import digest, map_key
from restyle.job.store import JobStore, load_map, save_map
from restyle.recipe import Control
from restyle.registry import make_detector, make_estimator, options_of
from restyle.render.contracts import checked_map
from restyle.types import Frame, Keyframe, Shot
from restyle.versions import deciding, parts_of

__all__ = ["KeyframeMaps", "PlannedFootage"]

REMEMBER = 12  # gaps between keyframes whose motion is kept, for the next kind of map that asks for it


@dataclass(frozen=True)
class PlannedFootage:
    """A footage, and what of its plan bears on keyframes' control maps."""

    footage: Footage
    key: str
    """Its content's, for cache keys."""
    pts: Sequence[int]
    shots: Sequence[Shot]
    keyframes: Sequence[Keyframe]

    def keyframes_in(self, shot: Shot) -> list[int]:
        """Frames of a shot's keyframes that are painted, ascending; those of the storyboard need no maps."""
        return [key.frame for key in self.keyframes if shot.start <= key.frame < shot.stop and key.picture is None]


class KeyframeMaps:
    """``render.protocols.ControlMapSource`` out of the job folder.

    Each control has a name of its own, its kind (``names``). A map of a pair of frames (``flow``) cannot be made here.
    Raises ``RecipeError`` when it is built (unknown kind, a folder without maps), ``MissingExtraError``, ``MissingModelError``.
    """

    def __init__(
        self,
        controls: Sequence[Control],
        planned: PlannedFootage,
        store: JobStore,
        inputs: Inputs,
        *,
        offline: bool,
    ) -> None:
        self._footage, self._footage_key = planned.footage, planned.key
        self._size = (planned.footage.spec.width, planned.footage.spec.height)
        self._pts, self._shots = planned.pts, planned.shots
        self._keyframes = {shot.index: planned.keyframes_in(shot) for shot in self._shots}
        self._chains = {
            shot.index: [*accumulate(self._keyframes[shot.index], digest, initial=digest(shot.start))]
            for shot in self._shots
        }  # of the keyframes before each, as one digest
        self._runs: dict[tuple[str, int], Iterator[tuple[int, ControlMap]]] = {}
        self._motion: tuple[int, KeyframeTracker] | None = (
            None  # the shot that is worked on, and motion between its keyframes
        )
        self._store = store
        self._inputs = inputs
        self._offline = offline
        self._methods: dict[str, StabiliseMethod] = {}
        self._controls = {control.kind: control for control in controls}
        if len(self._controls) < len(controls):
            raise RecipeError("a kind of control is given twice; give each once")
        self._from_files: dict[str, MapFiles] = {}
        self._detectors: dict[str, Any] = {}
        for kind, control in self._controls.items():
            with translated():
                options_of("detector", kind)  # says so where there is no such kind
                traits = kinds()[kind]
                self._methods[kind] = traits.stabilise_method
                if control.source is not None:
                    self._from_files[kind] = read_maps(control.source, traits.kind)
                elif traits.takes != "picture":
                    raise RecipeError(
                        f"control map {kind!r} shows two frames and cannot condition one: give a folder of maps, {kind}=FOLDER"
                    )

    @property
    def keys(self) -> set[str]:
        """Keys of all maps that the job folder may hold for this job: any frame may be repaired, and want its own."""
        keys = set()
        for kind in self._controls.keys() - self._from_files.keys():
            for frame in (frame for shot in self._shots for frame in range(shot.start, shot.stop)):
                keys |= {self._raw_key(kind, frame), self._key(kind, frame)}
        return keys

    def identity(self, frame: int) -> dict[str, Any]:
        """All that decides the maps of one frame: plain JSON."""
        return {kind: self._facts(kind, frame) for kind in self._controls}

    def of(self, kind: str, frame: Frame) -> ControlMap:
        """The map of a frame, of its size. Raises as the class, and for a frame of which a folder has no map."""
        if kind in self._from_files:
            with translated():
                return self._from_files[kind].load(frame.index, self._size)
        if not self._stabilised(kind):
            return self._raw(kind, frame.index, frame.picture)
        key = self._key(kind, frame.index)
        if not self._store.has("maps", key):
            with translated():
                self._make(kind, frame)
        return self._load(key)

    def _make(self, kind: str, frame: Frame) -> None:
        """Make the stabilised map of a frame, and of all keyframes before it in its shot that have none yet."""
        shot = self._shot(frame.index)
        keyframes = self._keyframes[shot.index]
        if frame.index in keyframes:
            self._advance(kind, shot, frame.index)
            return
        near = {}
        for keyframe in (
            max((keyframe for keyframe in keyframes if keyframe < frame.index), default=None),
            min((keyframe for keyframe in keyframes if keyframe > frame.index), default=None),
        ):
            if keyframe is not None:
                if not self._store.has("maps", self._key(kind, keyframe)):
                    self._advance(kind, shot, keyframe)
                near[keyframe - shot.start] = self._load(self._key(kind, keyframe))
        here = frame.index - shot.start
        tracker = KeyframeTracker(self._pictures(shot), make_estimator("dis"), sorted([here, *near]))
        raw = self._raw(kind, frame.index, frame.picture)
        self._store_map(kind, frame.index, stabilise_to_keyframes(here, raw, near, tracker, method=self._methods[kind]))

    def _advance(self, kind: str, shot: Shot, frame: int) -> None:
        """Stabilise the shot's keyframes, from where it was left, up to ``frame``."""
        if (kind, shot.index) not in self._runs:
            for gone in [run for run in self._runs if run[0] == kind]:
                del self._runs[gone]  # of a shot that is done, with the footage that it holds open
            self._runs[kind, shot.index] = self._run(kind, shot)
        for number, control_map in self._runs[kind, shot.index]:
            if not self._store.has("maps", self._key(kind, shot.start + number)):
                self._store_map(kind, shot.start + number, control_map)
            if shot.start + number == frame:
                return
        raise RuntimeError(f"the {kind} map of frame {frame} was lost from the job folder while it was used")

    def _run(self, kind: str, shot: Shot) -> Iterator[tuple[int, ControlMap]]:
        keyframes = [keyframe - shot.start for keyframe in self._keyframes[shot.index]]
        if self._motion is None or self._motion[0] != shot.index:
            tracker = KeyframeTracker(self._pictures(shot), make_estimator("dis"), keyframes, remember=REMEMBER)
            self._motion = (shot.index, tracker)

        def load(keyframe: int) -> ControlMap:
            return self._raw(kind, shot.start + keyframe)

        return stabilise_keyframes(load, keyframes, self._motion[1], method=self._methods[kind])

    def _raw(self, kind: str, frame: int, picture: np.ndarray | None = None) -> ControlMap:
        """Return the map as detected."""
        key = self._raw_key(kind, frame)
        if not self._store.has("maps", key):
            with translated():
                if picture is None:
                    shot = self._shot(frame)
                    reading = self._pictures(shot).read(frame - shot.start, frame - shot.start + 1)
                    with closing(cast("Any", reading)):
                        picture = next(reading)
                control_map = checked_map(self._detector(kind), picture)
            with self._store.making("maps", key) as folder:
                save_map(folder / "map", control_map)
        return self._load(key)

    def _store_map(self, kind: str, frame: int, control_map: ControlMap) -> None:
        with self._store.making("maps", self._key(kind, frame)) as folder:
            save_map(folder / "map", control_map)

    def _load(self, key: str) -> ControlMap:
        with self._store.reading("maps", key) as folder:
            return load_map(folder / "map")

    def _raw_key(self, kind: str, frame: int) -> str:
        return map_key(self._footage_key, frame, self._detected(kind))

    def _key(self, kind: str, frame: int) -> str:
        return map_key(self._footage_key, frame, self._facts(kind, frame))

    def _pictures(self, shot: Shot) -> ShotPictures:
        return ShotPictures(self._footage, shot.start, shot.stop, self._pts)

    def _shot(self, frame: int) -> Shot:
        return self._shots[bisect_right(self._shots, frame, key=lambda shot: shot.start) - 1]

    def _stabilised(self, kind: str) -> bool:
        return kind not in self._from_files and self._methods[kind] in KEYFRAME_METHODS

    def _facts(self, kind: str, frame: int) -> dict[str, Any]:
        if kind in self._from_files:
            file = self._from_files[kind].files.get(frame)
            return {"file": None if file is None else self._inputs.digest(file)}
        if not self._stabilised(kind):
            return self._detected(kind)
        shot = self._shot(frame)
        keyframes = self._keyframes[shot.index]
        before = self._chains[shot.index][bisect_right(keyframes, frame)]
        return {**self._detected(kind), "before": before, "after": [*keyframes_ahead(keyframes, frame)]}

    def _detected(self, kind: str) -> dict[str, Any]:
        return {"kind": kind, "options": self._controls[kind].options, "packages": _versions(kind)}

    def _detector(self, kind: str) -> Any:
        if kind not in self._detectors:
            options: Mapping[str, Any] = self._controls[kind].options
            if self._offline and "offline" in options_of("detector", kind):
                options = {**options, "offline": True}
            self._detectors[kind] = make_detector(kind, options)
        return self._detectors[kind]


@cache
def _versions(kind: str) -> dict[str, Any]:
    """Versions that decide that kind of map, those of the packages that find it among them."""
    names = packages_distributions()
    traits = kinds()[kind]
    networks = traits.weights.files if traits.weights is not None else ()
    runs = ("onnxruntime",) if any(file.endswith(".onnx") for file in networks) else ()
    packages = [package for module in (*runs, *traits.packages) for package in names.get(module, [module])]
    return deciding("maps") | {package: parts_of(package) for package in packages}
