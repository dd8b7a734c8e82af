"""An object as it is carried from frame to frame: its appearance, all of it and the part that is visible."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from controls.masks.flowcut.colour_models import ColourModel
from controls.masks.flowcut.region import Region, ScaledPicture, region_around, resample, working_grid

__all__ = ["Seed", "TrackedObject", "begin", "fit_grid"]


@dataclass(frozen=True, eq=False)
class Seed:
    """An object as the prompts on one frame show it."""

    region: Region
    matte: np.ndarray
    """float32 h x w in [0, 1]."""
    corrected: np.ndarray | None = None
    """float32 h x w, 0 or 1: where points corrected what had been carried to the frame; ``None``: they did not."""


@dataclass(frozen=True, eq=False)
class TrackedObject:
    """An object in one frame, on ``region`` of its working grid; all arrays are h x w of it."""

    region: Region
    appearance: np.ndarray
    """CIELAB float32 h x w x 3 of the object, also where something hides it."""
    amodal: np.ndarray
    """float32 in [0, 1]: where the object is, visible or hidden."""
    visible: np.ndarray
    """float32 in [0, 1]: where it is visible."""
    log_odds: np.ndarray
    """float32, for the object."""
    background: np.ndarray
    """CIELAB float32 h x w x 3 of what it hides."""
    background_known: np.ndarray
    """float32 in [0, 1]: where ``background`` was visible once."""
    colours: tuple[ColourModel, ...]
    """Its colours: as prompted, and as they are lately."""
    surrounding_colours: ColourModel
    """Colours around it."""
    usual_area: float
    """Visible pixels as a rule."""
    motion: np.ndarray
    """float64 2 x 3: its last motion, a similarity transform."""
    age: int = 0
    """Frames since the prompt."""
    frames_missing: int = 0
    """Frames since it was last visible; 0: it is."""
    corrected: np.ndarray | None = None
    """float32 in [0, 1]: where a correction by points, made on the frame it was carried from, holds; ``None``: nowhere."""


def begin(
    frame: ScaledPicture, region: Region, matte: np.ndarray, corrected: np.ndarray | None = None
) -> TrackedObject:
    """The object as a prompt showed it: ``matte`` is float32 h x w of the region, at least one pixel of it above a half.
    ``corrected``: as ``Seed``'s."""
    appearance = frame.lab(region.grid)[region.slices]
    inside = matte > 0.5
    outside = cv2.dilate(inside.astype(np.uint8), np.ones((3, 3), np.uint8)) == 0
    return TrackedObject(
        region=region,
        appearance=appearance.copy(),
        amodal=matte,
        visible=matte,
        log_odds=np.where(inside, np.float32(4), np.float32(-4)),
        background=appearance,
        background_known=(matte < 0.05).astype(np.float32),
        colours=(ColourModel(appearance[inside]),),
        surrounding_colours=ColourModel(appearance[outside] if outside.any() else appearance.reshape(-1, 3), parts=8),
        usual_area=float(inside.sum()),
        motion=np.eye(2, 3),
        corrected=corrected,
    )


def fit_grid(tracked: TrackedObject, size: tuple[int, int], working_side: float) -> TrackedObject:
    """Bring the object to a finer or coarser grid if it has become much smaller or larger. ``size``: the picture's."""
    y, x = np.nonzero(tracked.amodal > 0.5)
    if tracked.frames_missing or len(x) < 12:
        return tracked
    old = tracked.region
    a, b = size[0] / old.grid[0], size[1] / old.grid[1]
    left, right = float((x.min() + old.left) * a), float((x.max() + 1 + old.left) * a)
    top, bottom = float((y.min() + old.top) * b), float((y.max() + 1 + old.top) * b)
    grid = working_grid(size, (left, top, right, bottom), working_side)
    ratio = grid[0] / old.grid[0]
    if 0.7 < ratio < 1.4 or grid == old.grid:
        return tracked
    box = (
        left / size[0] * grid[0],
        top / size[1] * grid[1],
        right / size[0] * grid[0],
        bottom / size[1] * grid[1],
    )
    region = region_around(box, 8, grid)
    motion = tracked.motion.copy()
    motion[:, 2] *= ratio
    return replace(
        tracked,
        region=region,
        appearance=resample(tracked.appearance, old, region),
        amodal=resample(tracked.amodal, old, region),
        visible=resample(tracked.visible, old, region),
        log_odds=resample(tracked.log_odds, old, region, outside=-5),
        background=resample(tracked.background, old, region),
        background_known=resample(tracked.background_known, old, region),
        usual_area=tracked.usual_area * ratio**2,
        motion=motion,
        corrected=None if tracked.corrected is None else resample(tracked.corrected, old, region),
    )
