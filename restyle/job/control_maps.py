"""Control maps of a footage, written as pictures or clips: detected frame by frame, held still shot by shot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from controls.maps.files import write_map
from controls.stabilise.consecutive import stabilise
from controls.stabilise.motion import SlidingTracker
from controls.types import ControlMap
from interp.pixels.depth import to_uint8
from restyle.errors import RecipeError, translated
from restyle.files.writing import scratch
from restyle.footage import ClipWriter, Footage, ShotPictures, plan_output
from restyle.footage.colour import to_depth
from restyle.job.store import load_map, save_map
from restyle.progress import Meter
from restyle.quality.contact_sheet import Tile
from restyle.recipe import Control
from restyle.registry import make_detector, make_estimator, options_of
from restyle.render.contracts import checked_map
from restyle.types import Frame, Shot
from restyle.weights.parts import local_detector_options

__all__ = ["MapOutput", "make_detectors", "map_tiles", "require_maps", "write_control_maps"]

MOST_TILES = 6
"""Frames on the sheet of maps."""
REMEMBER = 16  # pairs of neighbours whose motion is remembered while maps are stabilised


def make_detectors(
    kinds: Sequence[str], options: Mapping[str, Any] | None = None, *, offline: bool = False
) -> dict[str, Any]:
    """Kind -> its detector, in the order of ``kinds``, each with those of the ``options`` that it has.

    ``offline``: no weights are fetched. Raises ``RecipeError`` (an unknown kind, an option that none of them has, a wrong
    value), ``MissingExtraError``, ``MissingModelError``.
    """
    own = {kind: options_of("detector", kind) for kind in kinds}  # says so where there is no such kind
    known = {name for names in own.values() for name in names}
    for name in options or {}:
        if name not in known:
            raise RecipeError(
                f"none of the control maps {', '.join(kinds)} has an option {name!r}; there are: {', '.join(sorted(known))}"
            )
    wanted = {"offline": offline, **(options or {})}
    return {
        kind: make_detector(kind, {name: value for name, value in wanted.items() if name in names})
        for kind, names in own.items()
    }


def require_maps(controls: Sequence[Control], *, offline: bool = False) -> None:
    """Find what the detectors of these controls need, and fetch it unless ``offline``, so that none fails later on.

    Raises as ``make_detectors``.
    """
    for control in controls:
        options_of("detector", control.kind)  # says so where there is no such kind
        if control.source is None:
            with translated():
                local_detector_options(control.kind, {**control.options, "offline": offline})


@dataclass(frozen=True, kw_only=True)
class MapOutput:
    """Files that control maps are written into."""

    folder: Path
    """There are ``KIND/NUMBER.png`` in it."""
    stabilise: bool = True
    """Maps are stabilised along the footage's motion, shot by shot."""
    bits: int = 8
    """16: depth as 16-bit grey; other kinds stay pictures."""
    video: bool = False
    """Each kind as a clip, too: ``KIND.mp4``."""


def write_control_maps(
    footage: Footage,
    shots: Sequence[Shot],
    detectors: dict[str, Any],
    output: MapOutput,
    *,
    pts: Sequence[int],
    meter: Meter,
) -> list[str]:
    """Write each kind's maps of every frame of ``shots``.

    ``detectors``: kind -> its detector (``make_detectors``); emptied as it is used. Memory does not grow with length. Gives the
    names of the folders and clips. Raises ``RecipeError``, ``OutputError``, ``Cancelled``.
    """
    names = []
    meter.begin("maps", len(detectors) * sum(len(shot) for shot in shots), shots=len(shots))
    for kind in list(detectors):
        detector = detectors.pop(kind)  # and its network is gone before the next one's maps are made
        with translated():
            (output.folder / kind).mkdir()
            for shot in shots:
                pictures = ShotPictures(footage, shot.start, shot.stop, pts)
                for number, control_map in _maps_of(detector, shot, pictures, meter, stabilised=output.stabilise):
                    bits = output.bits if control_map.kind == "depth" else 8
                    write_map(output.folder / kind, number, control_map, bits=bits)
        names.append(kind)
        if output.video:
            _write_video(footage, output.folder / kind, output.folder / f"{kind}.mp4", pts)
            names.append(f"{kind}.mp4")
    return names


def map_tiles(footage: Footage, folder: Path, kinds: Sequence[str], span: range, pts: Sequence[int]) -> list[Tile]:
    """Some frames, evenly spread, beside the maps that ``write_control_maps`` made of them in ``folder``."""
    tiles = []
    for frame in dict.fromkeys(span[number * (len(span) - 1) // (MOST_TILES - 1)] for number in range(MOST_TILES)):
        with closing(footage.frames(frame, frame + 1, pts=pts)) as frames:
            pictures = [to_uint8(next(frames).picture)]
        for kind in kinds:
            file = next(path for path in (folder / kind).glob("*.png") if int(path.stem) == frame)
            pictures.append(cv2.cvtColor(cv2.imread(str(file), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB))
        tiles.append(Tile(f"frame {frame}: footage, {', '.join(kinds)}", tuple(pictures)))
    return tiles


def _maps_of(
    detector: Any, shot: Shot, pictures: ShotPictures, meter: Meter, *, stabilised: bool
) -> Iterator[tuple[int, ControlMap]]:
    """(frame, map) for a whole shot. To be stabilised, maps are detected first, into files, at full precision, and read from
    there: depth is looked at twice."""
    traits = detector.traits
    if not stabilised or traits.stabilise_method == "none":
        for frame, control_map in _detected(detector, pictures):
            yield shot.start + frame, control_map
            meter.step(f"{traits.name} of frame {shot.start + frame}", shot=shot.index)
        return
    with scratch() as folder:
        for frame, control_map in _detected(detector, pictures):
            save_map(folder / str(frame), control_map)
            meter.report(f"{traits.name} of frame {shot.start + frame}")

        def load(frame: int) -> ControlMap:
            return load_map(folder / str(frame))

        tracker = SlidingTracker(pictures, make_estimator("dis"), remember=REMEMBER)
        for frame, control_map in stabilise(load, range(len(shot)), tracker, method=traits.stabilise_method):
            yield shot.start + frame, control_map
            meter.step(f"stabilising {traits.name}", shot=shot.index)


def _detected(detector: Any, pictures: ShotPictures) -> Iterator[tuple[int, ControlMap]]:
    """(frame, map) for a whole shot. A detector of pairs sees each frame and the next; for the last, the one before."""
    if detector.traits.takes == "picture":
        for number, picture in enumerate(pictures.read(0, len(pictures))):
            yield number, checked_map(detector, picture)
        return
    before: np.ndarray | None = None
    last: np.ndarray | None = None
    for number, picture in enumerate(pictures.read(0, len(pictures))):
        if last is not None:
            yield number - 1, checked_map(detector, last, picture)
        before, last = last, picture
    if last is not None:
        there, backward = (last, False) if before is None else (before, True)
        yield len(pictures) - 1, checked_map(detector, last, there, backward=backward)


def _write_video(footage: Footage, maps: Path, path: Path, pts: Sequence[int]) -> None:
    """One kind's maps as a clip, with the footage's timing and sound."""
    spec = footage.spec
    plan = plan_output(spec, path, quality=95)
    files = sorted(maps.glob("*.png"))
    numbers = [int(file.stem) for file in files]
    with ClipWriter(plan, spec, pts=pts, span=range(numbers[0], numbers[-1] + 1), overwrite=True) as writer:
        for number, file in zip(numbers, files, strict=True):
            picture = cv2.cvtColor(cv2.imread(str(file), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
            writer.write(Frame(number, pts[number], to_depth(picture, spec.dtype, linear=False)))
