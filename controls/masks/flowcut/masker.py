"""Objects followed by their colours, their shape and the footage's motion; no learned weights, OpenCV and numpy only.

From frame to frame two layers are carried along the flow: the object, hidden parts included, and what is round it. Each pixel
of the new frame is compared with what either layer has near it; where neither knows it (it has just come into view), colour
models decide; a graph cut along the picture's edges then settles the matte. Because the hidden parts of an object stay in its
layer, it comes back from behind a post without being prompted again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import cv2
import numpy as np

from controls.masks.flowcut.moments import Moment, moments
from controls.masks.flowcut.object_layer import Layer, begin, fit_grid, follow
from controls.masks.flowcut.refine import soft_edge
from controls.masks.flowcut.region import Scaled, Window, onto
from controls.masks.flowcut.seed import seed
from controls.masks.spill import Shelf
from controls.prompts import within
from controls.types import Box, Masked, Matte, Pictures, Point, Prompt, Prompted, Text

__all__ = ["FlowCutMasker"]

Seeds = dict[str, dict[int, tuple[Window, np.ndarray]]]


class FlowCutMasker:
    """Follows points, boxes and drawn mattes. The same footage and prompts give the same mattes.

    ``edge``: how far, in pixels of a picture 1000 pixels wide, a matte's edge may be moved to the picture's own; 0 leaves
    mattes hard, as they were cut.
    """

    name = "flowcut"

    def __init__(self, *, edge: float = 6.0) -> None:
        if not 0 <= edge <= 50:
            raise ValueError(f"edge is from 0 to 50 pixels, got {edge:g}")
        self._edge = edge

    def follow(self, pictures: Pictures, prompts: Sequence[Prompted]) -> Iterator[Masked]:
        """Yield every frame of the shot once, ascending. Mattes of several objects do not overlap.

        An object prompted on several frames is carried from each of them both ways; between two of them the nearer one counts
        more. Points alone, on a frame to which an object has been carried, correct it there. An object that cannot be found is
        looked for where it should be for two seconds' worth of frames (48), and is in ``lost`` until it is found.
        Raises ``ValueError``, one line for a person: see ``controls.prompts.within``; words, which this masker cannot follow; a
        prompt that marks nothing.
        """
        within(prompts, pictures.size, len(pictures))
        for one in prompts:
            if isinstance(one.prompt, Text):
                raise ValueError(
                    f"object {one.name!r}: 'flowcut' cannot look for words ({one.prompt.words!r}); "
                    "give a point, a box or a matte"
                )
        return self._follow(pictures, prompts)

    def _follow(self, pictures: Pictures, prompts: Sequence[Prompted]) -> Iterator[Masked]:
        names = list(dict.fromkeys(one.name for one in prompts))
        seeds = _seeds(pictures, prompts)
        top = max(max(found) for found in seeds.values())
        with Shelf() as shelf:
            if top > 0:
                _carry_back(pictures, seeds, top, shelf)
            layers: dict[str, Layer] = {}
            for moment in moments(pictures, 0, len(pictures) - 1):
                layers = _step(layers, moment, seeds)
                yield self._masked(moment, names, layers, seeds, shelf)

    def _masked(
        self, moment: Moment, names: Sequence[str], layers: dict[str, Layer], seeds: Seeds, shelf: Shelf
    ) -> Masked:
        mattes, lost = {}, set()
        for name in names:
            found: list[tuple[float, Window, np.ndarray]] = []
            left = max((frame for frame in seeds[name] if frame <= moment.number), default=None)
            right = min((frame for frame in seeds[name] if frame > moment.number), default=None)
            share = 1.0  # of what comes from the prompt before; nearer prompts count more
            if left is not None and right is not None:
                share = (right - moment.number) / (right - left)
            if left is not None:
                found.append((share, layers[name].window, layers[name].seen))
            kept = shelf.take(name, moment.number)
            if kept is not None and kept[0] is not None:
                found.append((1 - share if left is not None else 1.0, kept[0], kept[1]))
            mattes[name] = self._matte(moment.frame, found)
            if not any((seen > 0.5).any() for _, _, seen in found):
                lost.add(name)
        return Masked(moment.number, _apart(mattes), frozenset(lost))

    def _matte(self, frame: Scaled, found: Sequence[tuple[float, Window, np.ndarray]]) -> np.ndarray:
        width, height = frame.size
        matte = np.zeros((height, width), np.float32)
        edge = round(self._edge * width / 1000) if self._edge else 0
        edge = max(2, edge) if self._edge else 0
        extent: list[tuple[int, int, int, int]] = []
        for _, window, seen in found:
            if seen.any():
                a, b = width / window.grid[0], height / window.grid[1]
                y, x = np.nonzero(seen)
                pad = 3 * edge + 2 * max(a, b)
                extent.append((
                    max(0, int((x.min() + window.left) * a - pad)), max(0, int((y.min() + window.top) * b - pad)),
                    min(width, int((x.max() + 1 + window.left) * a + pad) + 1),
                    min(height, int((y.max() + 1 + window.top) * b + pad) + 1),
                ))  # fmt: skip
        if not extent:
            return matte
        lows, highs = np.min(extent, axis=0), np.max(extent, axis=0)
        full = Window(int(lows[0]), int(lows[1]), int(highs[2]), int(highs[3]), (width, height))
        mixed = np.zeros(full.shape, np.float32)
        for share, window, seen in found:
            mixed += np.float32(share) * onto(seen, window, full)
        matte[full.slices] = (
            soft_edge(mixed, frame.picture[full.slices], radius=edge) if edge else (mixed > 0.5).astype(np.float32)
        )
        return matte


def _seeds(pictures: Pictures, prompts: Sequence[Prompted]) -> Seeds:
    """Every prompted frame's matte. Points alone are corrections if the object is prompted by more on another frame, or
    earlier; then it is carried there first."""
    seeds: Seeds = {}
    for name in dict.fromkeys(one.name for one in prompts):
        asked: dict[int, list[Prompt]] = {}
        for one in prompts:
            if one.name == name:
                asked.setdefault(one.frame, []).append(one.prompt)
        full = [frame for frame in sorted(asked) if any(isinstance(prompt, Box | Matte) for prompt in asked[frame])]
        positive = [
            frame for frame in sorted(asked)
            if any(isinstance(prompt, Point) and prompt.positive for prompt in asked[frame])
        ]  # fmt: skip
        first = full[0] if full else positive[0]
        found = seeds[name] = {}
        for end in dict.fromkeys((max(asked), min(asked))):
            layers: dict[str, Layer] = {}
            for moment in moments(pictures, first, end):
                layers = _step(layers, moment, seeds, only=name)
                if moment.number in asked and moment.number not in found:
                    try:
                        found[moment.number] = seed(asked[moment.number], moment, layers.get(name))
                    except ValueError as error:
                        raise ValueError(f"object {name!r}, frame {moment.number}: {error}") from error
                    window, seen = found[moment.number]
                    layers = {name: begin(moment.frame, window, seen)}
    return seeds


def _step(layers: dict[str, Layer], moment: Moment, seeds: Seeds, *, only: str | None = None) -> dict[str, Layer]:
    """All objects in the next frame: prompted anew, or carried."""
    after: dict[str, Layer] = {}
    for name, found in seeds.items():
        if only is not None and name != only:
            continue
        if moment.number in found:
            window, seen = found[moment.number]
            after[name] = begin(moment.frame, window, seen)
        elif name in layers and moment.before is not None:
            layer = fit_grid(layers[name], moment.frame.size)
            after[name] = follow(layer, moment)
    return _contest(after)


def _carry_back(pictures: Pictures, seeds: Seeds, top: int, shelf: Shelf) -> None:
    """Carry every object from its prompts toward the shot's first frame."""
    layers: dict[str, Layer] = {}
    for moment in moments(pictures, top, 0):
        layers = _step(layers, moment, seeds)
        for name, layer in layers.items():
            if moment.number not in seeds[name]:
                shelf.put(name, moment.number, layer.window, layer.seen)


def _contest(layers: dict[str, Layer]) -> dict[str, Layer]:
    """Each place goes to the object with the strongest claim."""
    after = dict(layers)
    for name, layer in layers.items():
        beaten = np.zeros(layer.window.shape, bool)
        for other, rival in layers.items():
            if other == name or not rival.seen.any():
                continue
            there = onto(
                np.where(rival.seen > 0.5, rival.claim, np.float32(-99)), rival.window, layer.window, outside=-99
            )
            earlier = list(layers).index(other) < list(layers).index(name)
            beaten |= (there >= layer.claim) if earlier else (there > layer.claim)
        beaten &= layer.seen > 0
        if beaten.any():
            after[name] = replace(layer, seen=np.where(beaten, np.float32(0), layer.seen))
    return after


def _apart(mattes: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Soft edges that meet share the pixel: together they are 1 at most."""
    if len(mattes) < 2:
        return mattes
    total = np.maximum(np.sum(list(mattes.values()), axis=0), 1)
    return {name: cv2.divide(matte, total) for name, matte in mattes.items()}
