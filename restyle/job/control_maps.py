"""Control maps of a footage, written as pictures or clips: detected frame by frame, held still shot by shot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from restyle.errors import RecipeError, translated
from restyle.files.writing import scratch
from restyle.job.store import load_map, save_map
from restyle.progress import Meter
from restyle.recipe import Control
from restyle.registry import make_detector, make_estimator, options_of
from restyle.render.contracts import checked_map
from restyle.types import Frame, Shot
from restyle.weights.parts import local_detector_options

if TYPE_CHECKING:
    from controls.types import ControlMap
    from restyle.footage import Footage, ShotPictures

__all__ = ["make_detectors", "require_maps", "write_control_maps"]

BEHIND = 16  # pairs of neighbours whose motion is remembered while maps are stabilised


def make_detectors(
    kinds: Sequence[str], options: Mapping[str, Any] | None = None, *, offline: bool = False
) -> dict[str, Any]:
    """Kind -> its detector, in the order of ``kinds``, each with those of the ``options`` that it has.

    ``offline``: no weights are fetched. Raises ``RecipeError`` (an unknown kind, an option that none of them has, a wrong
    value), ``MissingExtraError``, ``MissingModelError``.
    """
    taken = {kind: options_of("detector", kind) for kind in kinds}  # says so where there is no such kind
    known = {name for names in taken.values() for name in names}
    for name in options or {}:
        if name not in known:
            raise RecipeError(
                f"none of the control maps {', '.join(kinds)} has an option {name!r}; there are: {', '.join(sorted(known))}"
            )
    wanted = {"offline": offline, **(options or {})}
    return {
        kind: make_detector(kind, {name: value for name, value in wanted.items() if name in names})
        for kind, names in taken.items()
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


def write_control_maps(
    footage: Footage,
    shots: Sequence[Shot],
    folder: Path,
    detectors: dict[str, Any],
    *,
    pts: Sequence[int],
    meter: Meter,
    stabilise: bool = True,
    bits: int = 8,
    video: bool = False,
) -> list[str]:
    """Write each kind's maps of every frame of ``shots``: ``folder/KIND/NUMBER.png``, and with ``video`` ``folder/KIND.mp4``.

    ``detectors``: kind -> its detector (``make_detectors``); emptied as it is used. ``bits``: 16 writes depth as 16-bit grey
    (other kinds stay pictures). Memory does not grow with length. Gives the names of what was made. Raises ``RecipeError``,
    ``OutputError``, ``Cancelled``.
    """
    made = []
    meter.begin("maps", len(detectors) * sum(len(shot) for shot in shots), shots=len(shots))
    for kind in list(detectors):
        detector = detectors.pop(kind)  # and its network is gone before the next one's maps are made
        with translated():
            (folder / kind).mkdir()
            for shot in shots:
                _write_shot(
                    footage, shot, detector, folder / kind, pts=pts, meter=meter, stabilise=stabilise, bits=bits
                )
        made.append(kind)
        if video:
            _write_video(footage, folder / kind, folder / f"{kind}.mp4", pts)
            made.append(f"{kind}.mp4")
    return made


def _write_shot(
    footage: Footage,
    shot: Shot,
    detector: Any,
    place: Path,
    *,
    pts: Sequence[int],
    meter: Meter,
    stabilise: bool,
    bits: int,
) -> None:
    """Detect first, into files, at full precision; then stabilise from there: depth is looked at twice."""
    from controls.maps.files import write_map
    from controls.stabilise.consecutive import stabilise as stabilised_maps
    from controls.stabilise.motion import SlidingTracker
    from restyle.footage import ShotPictures

    pictures = ShotPictures(footage, shot.start, shot.stop, pts)
    traits = detector.traits
    deep = bits if traits.kind == "depth" else 8
    if not stabilise or traits.stabilise_method == "none":
        for frame, made in _detected(detector, pictures):
            write_map(place, shot.start + frame, made, bits=deep)
            meter.step(f"{traits.name} of frame {shot.start + frame}", shot=shot.index)
        return
    with scratch() as kept:
        for frame, made in _detected(detector, pictures):
            save_map(kept / str(frame), made)
            meter.report(f"{traits.name} of frame {shot.start + frame}")
        tracker = SlidingTracker(pictures, make_estimator("dis"), remember=BEHIND)
        frames = range(len(shot))
        for frame, made in stabilised_maps(
            lambda number: load_map(kept / str(number)), frames, tracker, method=traits.stabilise_method
        ):
            write_map(place, shot.start + frame, made, bits=deep)
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
    import cv2

    from restyle.footage import ClipWriter, plan_output
    from restyle.footage.colour import to_depth

    spec = footage.spec
    plan = plan_output(spec, path, quality=95)
    files = sorted(maps.glob("*.png"))
    numbers = [int(file.stem) for file in files]
    with ClipWriter(plan, spec, pts=pts, span=range(numbers[0], numbers[-1] + 1), overwrite=True) as writer:
        for number, file in zip(numbers, files, strict=True):
            picture = cv2.cvtColor(cv2.imread(str(file), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
            writer.write(Frame(number, pts[number], to_depth(picture, spec.dtype, linear=False)))
