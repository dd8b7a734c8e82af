"""Control maps of keyframes: each found once per job and reused by every look and every rerun, or read from a folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from restyle.control_maps import told
from restyle.errors import RecipeError
from restyle.recipe import Control
from restyle.shelf import file_digest
from restyle.store import JobStore, digest, load_map, save_map
from restyle.types import FootageSpec, Frame

if TYPE_CHECKING:
    from controls.maps.files import KeptMaps
    from controls.types import ControlMap

__all__ = ["KeyframeMaps"]


class KeyframeMaps:
    """``engine_parts.Conditions`` out of the job folder.

    Each control has a name of its own, its kind (``names``). Maps are found frame by frame: they are not steadied, since the
    keyframes beside one another are too far apart for that. A map of a pair of frames (``flow``) cannot be made here.
    Raises ``RecipeError`` when it is built (unknown kind, a folder without maps), ``MissingExtraError``, ``MissingModelError``.
    """

    def __init__(
        self, controls: Sequence[Control], spec: FootageSpec, store: JobStore, footage_key: str, *, offline: bool
    ) -> None:
        from controls.maps import kinds, options_of

        self._size = (spec.width, spec.height)
        self._store = store
        self._footage_key = footage_key
        self._offline = offline
        self._controls = {control.kind: control for control in controls}
        if len(self._controls) < len(controls):
            raise RecipeError("a kind of control is given twice; give each once")
        self._kept: dict[str, KeptMaps] = {}
        self._detectors: dict[str, Any] = {}
        self.keys: set[str] = set()
        """Of the maps that were used."""
        for kind, control in self._controls.items():
            with told(kind):
                options_of(kind)  # says so where there is no such kind
                facts = kinds()[kind]
                if control.source is not None:
                    from controls.maps.files import read_maps

                    self._kept[kind] = read_maps(control.source, facts.kind)
                elif facts.takes != "picture":
                    raise RecipeError(
                        f"control map {kind!r} shows two frames and cannot condition one: give a folder of maps, {kind}=FOLDER"
                    )

    def identity(self, frame: int) -> dict[str, Any]:
        """All that decides the maps of one frame: plain JSON."""
        return {kind: self._facts(kind, frame) for kind in self._controls}

    def of(self, kind: str, frame: Frame) -> ControlMap:
        """The map of a frame, of its size. Raises as the class, and for a frame of which a folder has no map."""
        if kind in self._kept:
            with told(kind):
                return self._kept[kind].load(frame.index, self._size)
        key = digest(self._footage_key, frame.index, self._facts(kind, frame.index))
        if not self._store.has("maps", key):
            with told(kind):
                made = self._detector(kind).detect(frame.picture)
            with self._store.making("maps", key) as folder:
                save_map(folder / "map", made)
        self.keys.add(key)
        return load_map(self._store.path("maps", key) / "map")

    def _facts(self, kind: str, frame: int) -> dict[str, Any]:
        control = self._controls[kind]
        if kind in self._kept:
            file = self._kept[kind].files.get(frame)
            return {"file": None if file is None else file_digest(file)}
        return {"kind": kind, "options": control.options, "packages": _versions(kind)}

    def _detector(self, kind: str) -> Any:
        from controls.maps import make_map, options_of

        if kind not in self._detectors:
            options: Mapping[str, Any] = self._controls[kind].options
            if self._offline and "offline" in options_of(kind):
                options = {**options, "offline": True}
            self._detectors[kind] = make_map(kind, options)
        return self._detectors[kind]


def _versions(kind: str) -> dict[str, str]:
    """Of the packages that find that kind of map."""
    from importlib.metadata import PackageNotFoundError, packages_distributions, version

    from controls.maps import kinds

    names = {"cv2": ["opencv-python"]} | dict(packages_distributions())
    facts = kinds()[kind]
    networks = facts.weights.files if facts.weights is not None else ()
    runs = ("onnxruntime",) if any(file.endswith(".onnx") for file in networks) else ()
    found = {}
    for module in ("cv2", *runs, *facts.packages):
        for package in names.get(module, [module]):
            try:
                found[package] = version(package)
            except PackageNotFoundError:
                found[package] = "absent"
    return found
