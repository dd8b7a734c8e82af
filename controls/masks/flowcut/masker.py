"""Objects followed by their colours, their shape and the footage's motion; no learned weights, OpenCV and numpy only.

From frame to frame two layers are carried along the flow: the object, hidden parts included, and what is around it. Each pixel
of the new frame is compared with what either layer has near it; where neither knows it (it has just come into view), colour
models decide; a min-cut along the picture's edges then settles the matte. Because the hidden parts of an object stay in its
layer, it comes back from behind a post without being prompted again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np

from controls.masks.flowcut.frame_walk import FrameContext, walk
from controls.masks.flowcut.object_step import carry
from controls.masks.flowcut.params import Params
from controls.masks.flowcut.region import Region, ScaledPicture, resample
from controls.masks.flowcut.seed import seed
from controls.masks.flowcut.soft_edge import soft_edge
from controls.masks.flowcut.tracked_object import Seed, TrackedObject, begin, fit_grid
from controls.masks.spill import MatteSpill
from controls.prompts import check_kinds, check_prompts
from controls.types import Box, Masked, MaskerTraits, Matte, Pictures, Point, Prompt, Prompted

__all__ = ["FlowCutMasker", "resolve_overlaps"]


class FlowCutMasker:
    """Follows points, boxes and drawn mattes. The same footage and prompts give the same mattes.

    ``edge``: how far, in pixels of a picture 1000 pixels wide, a matte's edge may be moved to the picture's own; 0 leaves
    mattes hard, as they were cut.
    """

    name = "flowcut"
    traits = MaskerTraits(title="flowcut", prompts=frozenset({Point, Box, Matte}), outlines_people=True)

    def __init__(self, *, edge: float = 6.0) -> None:
        self._params = Params(edge=edge)

    def follow(self, pictures: Pictures, prompts: Sequence[Prompted]) -> Iterator[Masked]:
        """Yield every frame of the shot once, ascending. Mattes of several objects do not overlap.

        An object prompted on several frames is carried from each of them both ways; between two of them the nearer one counts
        more. Points alone, on a frame to which an object has been carried, correct it there, from there on, and back to the
        prompt before: what they put in or took out counts in all of these frames. An object that cannot be found is
        looked for where it should be for two seconds' worth of frames (48), and is in ``lost`` until it is found.
        Raises ``ValueError``, one line for a person: see ``controls.prompts.check_prompts``; a prompt of another kind, or one
        that marks nothing.
        """
        check_kinds(self.name, self.traits, prompts)
        check_prompts(prompts, pictures.size, len(pictures))
        return _Shot(pictures, prompts, self._params).mattes()


@dataclass(frozen=True, eq=False)
class _Contribution:
    """A matte of one object in one frame, on a region, and how much it counts."""

    share: float
    region: Region
    matte: np.ndarray
    certain: np.ndarray | None = None
    """float32: where it alone counts."""


@dataclass
class _Seeds:
    """One object's prompts by frame, and what they have been made into."""

    prompts: dict[int, list[Prompt]] = field(default_factory=dict)
    mattes: dict[int, Seed] = field(default_factory=dict)

    @property
    def first(self) -> int:
        """The frame to begin with: the first box or matte, or else the first point."""
        full = [frame for frame, own in self.prompts.items() if any(isinstance(p, Box | Matte) for p in own)]
        positive = [
            frame for frame, own in self.prompts.items() if any(isinstance(p, Point) and p.positive for p in own)
        ]
        return min(full or positive)


class _Shot:
    """The objects that are followed through one shot."""

    def __init__(self, pictures: Pictures, prompts: Sequence[Prompted], params: Params) -> None:
        self._pictures, self._params = pictures, params
        self._seeds: dict[str, _Seeds] = {}
        for prompted in prompts:
            seeds = self._seeds.setdefault(prompted.name, _Seeds())
            seeds.prompts.setdefault(prompted.frame, []).append(prompted.prompt)

    def mattes(self) -> Iterator[Masked]:
        """Yield every frame, ascending."""
        for name in self._seeds:
            self._make_seeds(name)
        last_prompt = max(max(seeds.mattes) for seeds in self._seeds.values())
        with MatteSpill() as spill:
            if last_prompt > 0:
                self._carry_back(last_prompt, spill)
            objects: dict[str, TrackedObject] = {}
            for context in self._walk(0, len(self._pictures) - 1):
                objects = self._step(objects, context)
                yield self._masked(context, objects, spill)

    def _walk(self, start: int, stop: int) -> Iterator[FrameContext]:
        return walk(self._pictures, start, stop, self._params.walk)

    def _make_seeds(self, name: str) -> None:
        """Make every prompted frame's matte of an object. Points alone are corrections if the object is prompted by more on
        another frame, or earlier; then it is carried there first."""
        seeds = self._seeds[name]
        for end in dict.fromkeys((max(seeds.prompts), min(seeds.prompts))):
            objects: dict[str, TrackedObject] = {}
            for context in self._walk(seeds.first, end):
                objects = self._step(objects, context, only=name)
                if context.number in seeds.prompts and context.number not in seeds.mattes:
                    try:
                        made = seed(seeds.prompts[context.number], context, self._params, objects.get(name))
                    except ValueError as error:
                        raise ValueError(f"object {name!r}, frame {context.number}: {error}") from error
                    if made is not None:
                        seeds.mattes[context.number] = made
                        objects = {name: begin(context.frame, made.region, made.matte, made.corrected)}

    def _step(
        self, objects: Mapping[str, TrackedObject], context: FrameContext, *, only: str | None = None
    ) -> dict[str, TrackedObject]:
        """All objects (or ``only`` one) in the next frame: prompted anew, or carried."""
        after: dict[str, TrackedObject] = {}
        for name, seeds in self._seeds.items():
            if only is not None and name != only:
                continue
            if context.number in seeds.mattes:
                made = seeds.mattes[context.number]
                after[name] = begin(context.frame, made.region, made.matte, made.corrected)
            elif name in objects and context.previous is not None:
                tracked = fit_grid(objects[name], context.frame.size, self._params.working_side)
                after[name] = carry(tracked, context, self._params)
        return resolve_overlaps(after)

    def _carry_back(self, last_prompt: int, spill: MatteSpill) -> None:
        """Carry every object from its prompts toward the shot's first frame."""
        objects: dict[str, TrackedObject] = {}
        for context in self._walk(last_prompt, 0):
            objects = self._step(objects, context)
            for name, tracked in objects.items():
                if context.number not in self._seeds[name].mattes:
                    spill.put(name, context.number, tracked.region, tracked.visible)
                    if tracked.corrected is not None:
                        spill.put(_corrected(name), context.number, tracked.region, tracked.corrected)

    def _masked(self, context: FrameContext, objects: Mapping[str, TrackedObject], spill: MatteSpill) -> Masked:
        """One frame's mattes, out of what was carried to it from the prompts before and after."""
        mattes, lost = {}, set()
        for name, seeds in self._seeds.items():
            contributions: list[_Contribution] = []
            left = max((frame for frame in seeds.mattes if frame <= context.number), default=None)
            right = min((frame for frame in seeds.mattes if frame > context.number), default=None)
            share = 1.0  # of what comes from the prompt before; nearer prompts count more
            if left is not None and right is not None:
                share = (right - context.number) / (right - left)
            if left is not None:
                contributions.append(_Contribution(share, objects[name].region, objects[name].visible))
            carried_back = spill.take(name, context.number)
            if carried_back is not None and carried_back[0] is not None:
                correction = spill.take(_corrected(name), context.number)
                certain = None if correction is None else correction[1]
                counts = 1 - share if left is not None else 1.0
                contributions.append(_Contribution(counts, carried_back[0], carried_back[1], certain))
            mattes[name] = self._matte(context.frame, contributions)
            if not any((part.matte > 0.5).any() for part in contributions):
                lost.add(name)
        return Masked(context.number, _normalised(mattes), frozenset(lost))

    def _matte(self, frame: ScaledPicture, contributions: Sequence[_Contribution]) -> np.ndarray:
        """The matte at the picture's size, float32 H x W, its edge softened as the picture's is."""
        width, height = frame.size
        matte = np.zeros((height, width), np.float32)
        edge = max(2, round(self._params.edge * width / 1000)) if self._params.edge else 0
        extents: list[tuple[int, int, int, int]] = []
        for part in contributions:
            if part.matte.any():
                a, b = width / part.region.grid[0], height / part.region.grid[1]
                y, x = np.nonzero(part.matte)
                pad = 3 * edge + 2 * max(a, b)
                extents.append((
                    max(0, int((x.min() + part.region.left) * a - pad)), max(0, int((y.min() + part.region.top) * b - pad)),
                    min(width, int((x.max() + 1 + part.region.left) * a + pad) + 1),
                    min(height, int((y.max() + 1 + part.region.top) * b + pad) + 1),
                ))  # fmt: skip
        if not extents:
            return matte
        lows, highs = np.min(extents, axis=0), np.max(extents, axis=0)
        full = Region(int(lows[0]), int(lows[1]), int(highs[2]), int(highs[3]), (width, height))
        mixed = np.zeros(full.shape, np.float32)
        for part in contributions:
            mixed += np.float32(part.share) * resample(part.matte, part.region, full)
        for part in contributions:
            if part.certain is not None:
                certain = resample(part.certain, part.region, full) > 0.5
                mixed = np.where(certain, resample(part.matte, part.region, full), mixed)
        if edge:
            matte[full.slices] = soft_edge(mixed, frame.picture[full.slices], radius=edge)
        else:
            matte[full.slices] = (mixed > 0.5).astype(np.float32)
        return matte


def resolve_overlaps(objects: Mapping[str, TrackedObject]) -> dict[str, TrackedObject]:
    """Give each pixel to the object with the highest log odds; where two are alike, to the first."""
    after = dict(objects)
    names = list(objects)
    for name, tracked in objects.items():
        beaten = np.zeros(tracked.region.shape, bool)
        for other, rival in objects.items():
            if other == name or not rival.visible.any():
                continue
            odds = np.where(rival.visible > 0.5, rival.log_odds, np.float32(-99))
            there = resample(odds, rival.region, tracked.region, outside=-99)
            earlier = names.index(other) < names.index(name)
            beaten |= (there >= tracked.log_odds) if earlier else (there > tracked.log_odds)
        beaten &= tracked.visible > 0
        if beaten.any():
            after[name] = replace(tracked, visible=np.where(beaten, np.float32(0), tracked.visible))
    return after


def _corrected(name: str) -> str:
    """Name under which an object's corrections are put aside; no object has such a name (``prompts.check_name``)."""
    return f"{name}/corrected"


def _normalised(mattes: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Soft edges that meet share the pixel: together they are 1 at most."""
    if len(mattes) < 2:
        return mattes
    total = np.maximum(np.sum(list(mattes.values()), axis=0), 1)
    return {name: cv2.divide(matte, total) for name, matte in mattes.items()}
