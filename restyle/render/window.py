"""One window: its keyframes painted, the paintings propagated to the frames between them, and the frames composited."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from interp.pixels.boxes import Box
from interp.types import Gap, Propagated
from restyle.compositing import blend as composite
from restyle.errors import PainterError
from restyle.painters.base import Painter, PaintRequest, RegionRequest
from restyle.progress import Meter
from restyle.render.contracts import checked_paintings, checked_propagation, checked_region
from restyle.render.protocols import Compositor, Look, Paintings, Rendered, RenderParts
from restyle.render.reading import FrameView, WindowFrames
from restyle.render.regions import MARGIN, RegionRepair
from restyle.types import Carry, Frame, Keyframe

__all__ = ["WindowRenderer", "composited", "seed_of"]

REPAIR_BELOW = 0.35  # a frame of which its neighbours explain less than this is painted itself


def seed_of(seed: int, frame: int) -> int:
    """Seed of one keyframe, below 2**63: derived, never drawn, so that it does not depend on what was painted before.

    The shot's number is left out on purpose: a cut that is added or taken away leaves the other shots as they are.
    """
    data = f"{seed}/{frame}".encode()
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "big") >> 1


def composited(
    looks: Sequence[Look], compositor: Compositor, view: FrameView, paintings: Sequence[np.ndarray]
) -> np.ndarray:
    """The result's picture, H x W x 3. ``paintings``: of each look, of the view's part of the frame."""
    pictures = []
    for look, painting in zip(looks, paintings, strict=True):
        if look.keep_colour:
            painting = composite.keep_colour(view.picture, painting)
        pictures.append(view.paste(composite.blend(view.picture, painting, look.mix)))
    return compositor.compose(view.frame, pictures)


@dataclass(frozen=True)
class _Stretch:
    """The frames from one keyframe to the next, of one look, both ends included."""

    frames: Mapping[int, Propagated]
    repaired: frozenset[int] = frozenset()
    """Those among them that were painted because their neighbours did not explain them."""


@dataclass(frozen=True)
class WindowRenderer:
    """Renders one window, of which it has all frames. Keeps no state between calls."""

    parts: RenderParts
    compositor: Compositor
    frames: WindowFrames
    meter: Meter

    def paint(self, look: Look, carry: Carry | None, shared: Mapping[int, np.ndarray]) -> Paintings:
        """Paint a look's keyframes. ``carry``, ``shared``: from the window before in the shot, its carry and its paintings of
        the keyframes that both share, by frame number. Raises ``PainterError``, ``Cancelled``."""
        numbers = [key.frame for key in self.frames.window.keys]
        fixed = {
            position: self.frames.view(number).crop(look.storyboard[number])
            for position, number in enumerate(numbers)
            if number in look.storyboard
        }
        fixed |= {position: shared[number] for position, number in enumerate(numbers) if number in shared}
        self.meter.report(f"painting {len(numbers)} keyframes from frame {numbers[0]}")
        pictures, carry = self._call_painter(look, numbers, fixed, carry)
        return Paintings(dict(zip(numbers, pictures, strict=True)), carry)

    def finish(self, paintings: Sequence[Paintings]) -> Iterator[Rendered]:
        """Propagate each look's paintings, composite, and hand out the window's frames in order."""
        window = self.frames.window
        keys = {key.frame: key for key in window.keys}
        for left, right in self._bounds():
            stretches = [
                self._propagate(look, painted.pictures, left, right, painted.carry)
                for look, painted in zip(self.parts.looks, paintings, strict=True)
            ]
            repaired = {number: Keyframe(number, "repair") for each in stretches for number in each.repaired}
            if left >= window.stop:
                break  # frames that the next window shares, besides the first
            final = right == window.last or right == window.stop
            for number in range(left, right + 1 if final else right):
                looks = [stretch.frames[number] for stretch in stretches]
                yield self._composite(self.frames.view(number), looks, repaired.get(number, keys.get(number)))

    def _bounds(self) -> list[tuple[int, int]]:
        """First and last frame of each stretch: from keyframe to keyframe, and from the window's ends to the nearest."""
        window = self.frames.window
        marks = [key.frame for key in window.keys]
        bounds = list(pairwise(marks))
        if window.start < marks[0]:
            bounds.insert(0, (window.start, marks[0]))
        if window.last > marks[-1]:
            bounds.append((marks[-1], window.last))
        return bounds or [(marks[0], marks[0])]

    def _propagate(
        self, look: Look, paintings: Mapping[int, np.ndarray], left: int, right: int, carry: Carry
    ) -> _Stretch:
        """A look's pictures of the frames from ``left`` to ``right``, of which at least one is among ``paintings`` (by frame
        number). Where a frame is explained too little it is painted, and its painting propagated, too."""
        first = left - self.frames.window.start
        gap = Gap(
            frames=[view.picture for view in self.frames.views[first : first + right - left + 1]],
            first=first,
            tracker=self.frames.track,
            left=paintings.get(left),
            right=paintings.get(right) if right != left else None,
        )
        ends = {number: paintings[number] for number in (left, right) if number in paintings}
        inner: dict[int, Propagated] = {}
        for position, propagated in checked_propagation(self.parts.filler, gap):
            inner[left + position] = propagated
            self.meter.report("propagating paintings")
        painted = {number: Propagated(picture, 1.0) for number, picture in ends.items()}
        if self.parts.repair is None or not inner:
            return _Stretch(painted | inner)
        worst = min(inner, key=lambda number: inner[number].coverage)
        if inner[worst].coverage >= REPAIR_BELOW:
            return _Stretch(painted | inner | self._repair_regions(look.painter, ends, inner))
        self.meter.report(f"painting frame {worst}, which its neighbours do not explain")
        numbers = sorted({*ends, worst})
        fixed = {position: ends[number] for position, number in enumerate(numbers) if number in ends}
        pictures, _ = self._call_painter(look, numbers, fixed, carry)
        ends[worst] = pictures[numbers.index(worst)]
        halves = [
            self._propagate(look, ends, *bounds, carry)
            for bounds in ((left, worst), (worst, right))
            if bounds[0] != bounds[1]
        ]
        return _Stretch(
            {number: picture for half in halves for number, picture in half.frames.items()},
            frozenset({worst}).union(*(half.repaired for half in halves)),
        )

    def _repair_regions(
        self, painter: Painter, ends: Mapping[int, np.ndarray], inner: Mapping[int, Propagated]
    ) -> dict[int, Propagated]:
        """In-betweens that lost the structure of some regions, with those painted anew. ``ends``: the keyframes' paintings."""
        rules = self.parts.repair
        if rules is None or not painter.capabilities.paints_regions:
            return {}
        start = self.frames.window.start
        pictures = {number: self.frames.view(number).picture for number in (*ends, *inner)}

        def paint(picture: np.ndarray, box: Box, keyframe: np.ndarray) -> np.ndarray:
            self.meter.report("painting regions that no keyframe explains")
            frame_size = self.frames.view(start).frame_size
            request = RegionRequest(picture, box, keyframe, margin=MARGIN, frame_size=frame_size)
            return checked_region(painter, request)

        repair = RegionRepair(
            paint,
            self.frames.track,
            {number - start: (pictures[number], painting) for number, painting in ends.items()},
            rules,
        )
        repaired = repair({n - start: (pictures[n], propagated.picture) for n, propagated in inner.items()})
        return {
            position + start: Propagated(picture, inner[position + start].coverage)
            for position, picture in repaired.items()
        }

    def _call_painter(
        self, look: Look, numbers: Sequence[int], fixed: Mapping[int, np.ndarray], carry: Carry | None
    ) -> tuple[list[np.ndarray], Carry]:
        window = self.frames.window
        views = [self.frames.view(number) for number in numbers]
        prompts, matte = look.prompts, look.matte
        request = PaintRequest(
            shot=window.shot,
            frames=tuple(numbers),
            pictures=tuple(view.picture for view in views),
            seeds=tuple(seed_of(look.seed, number) for number in numbers),
            tracker=self.frames.track,
            positions=tuple(number - window.start for number in numbers),
            fixed=fixed,
            prompts=() if prompts is None else tuple(prompts(number) for number in numbers),
            controls=self._control_maps(look.painter, views),
            mattes=() if matte is None else tuple(view.crop(matte(view.frame.index)) for view in views),
            anchor=look.anchor,
            frame_size=views[0].frame_size,
            rate=self.parts.rate,
            settings=look.settings,
            tick=self.meter.report,
        )
        return checked_paintings(look.painter, request, carry)

    def _control_maps(self, painter: Painter, views: Sequence[FrameView]) -> dict[str, tuple[np.ndarray, ...]]:
        """The control maps that the painter wants to see, cropped as it sees the frames."""
        source = self.parts.control_maps
        maps: dict[str, tuple[np.ndarray, ...]] = {}
        for kind in painter.capabilities.controls:
            if source is None:
                raise PainterError(f"painter {painter.name!r} wants {kind} maps, and there is nobody who makes them")
            self.meter.report(f"making {kind} maps")
            maps[kind] = tuple(view.crop(source.of(kind, view.frame).picture) for view in views)
        return maps

    def _composite(self, view: FrameView, looks: Sequence[Propagated], key: Keyframe | None) -> Rendered:
        frame, window = view.frame, self.frames.window
        paintings = [propagated.picture for propagated in looks]
        picture = composited(self.parts.looks, self.compositor, view, paintings)
        return Rendered(
            source=view.source,
            result=Frame(
                frame.index,
                frame.pts,
                np.ascontiguousarray(picture),
                self.compositor.alpha(frame),
                view.source.samples,
            ),
            shot=window.shot,
            key=key,
            coverage=min((propagated.coverage for propagated in looks), default=1.0),
            edited_region=self.compositor.edited_region(frame),
            boundary=frame.index >= window.stop,
        )
