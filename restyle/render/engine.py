"""Pass 2: runs a plan, one window at a time. Knows no model, no codec and no file format.

decode -> motion -> painter (keyframes only) -> filler -> composite; what comes out is handed to whoever iterates.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from interp.pixels.boxes import Box, cropped, part_of
from interp.types import Filler, Gap, Propagated
from restyle.compositing import blend as composite
from restyle.errors import FootageError, PainterError, show_path
from restyle.painters.base import Painter, PaintRequest
from restyle.progress import Meter
from restyle.registry import make_estimator
from restyle.render.contracts import filled, painted
from restyle.render.protocols import Compositor, Conditions, Frames, Look, Paintings, PaintingStore, Rendered
from restyle.render.stream import prefetch
from restyle.types import Carry, Frame, Keyframe, Window

if TYPE_CHECKING:
    from interp.tracks import MotionTrack
    from restyle.footage import Footage

__all__ = ["Engine", "seed_of"]

AHEAD = 16  # frames that decoding and motion run ahead of painting
REPAIR_BELOW = 0.35  # a frame of which its neighbours explain less than this is painted itself


class _First:
    """The only look, all over the picture."""

    def compose(self, frame: Frame, pictures: Sequence[np.ndarray]) -> np.ndarray:
        return pictures[0] if pictures else frame.picture

    def touched(self, frame: Frame) -> np.ndarray | None:
        return None

    def alpha(self, frame: Frame) -> np.ndarray | None:
        return frame.alpha

    def close(self) -> None:
        """Nothing is open."""


@dataclass(frozen=True)
class _View:
    """A frame: the footage's own, what all is done upon (``frame``), and what painter and filler see of that."""

    source: Frame
    frame: Frame
    picture: np.ndarray
    box: Box | None

    def part(self, picture: np.ndarray) -> np.ndarray:
        """The same part of another picture of the frame's size."""
        if self.box is None:
            return picture
        return cropped(picture, self.box)

    def whole(self, part: np.ndarray) -> np.ndarray:
        """The frame with that part in its place."""
        if self.box is None:
            return part
        made = self.frame.picture.copy()
        made[part_of(self.box)] = part
        return made


def seed_of(seed: int, frame: int) -> int:
    """Seed of one keyframe, below 2**63: derived, never drawn, so that it does not depend on what was painted before.

    The shot's number is left out on purpose: a cut that is added or taken away leaves the other shots as they are.
    """
    data = f"{seed}/{frame}".encode()
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "big") >> 1


class Engine:
    """Renders windows of one footage.

    ``looks``: every one is painted and filled; the ``compositor`` makes one picture of them (by default the first look is it).
    ``ground``: a frame of the footage -> what is painted and composited instead of it, of the same size.
    ``framing``: painter and filler see only that part of each frame; the rest of a look is the ground itself.
    ``conditions``: control maps of the keyframes, for painters that want to see some. ``repair``: paint frames that neither
    neighbour explains. Use ``render`` once, with the windows that are wanted, in order.
    """

    def __init__(
        self,
        footage: Footage,
        *,
        pts: Sequence[int],
        looks: Sequence[Look],
        filler: Filler,
        compositor: Compositor | None = None,
        ground: Callable[[Frame], Frame] | None = None,
        framing: Frames | None = None,
        conditions: Conditions | None = None,
        repair: bool = True,
    ) -> None:
        self._footage = footage
        self._pts = pts
        self._looks = tuple(looks)
        self._filler = filler
        self._compositor = compositor or _First()
        self._ground = ground
        self._framing = framing
        self._conditions = conditions
        self._repair = repair

    def render(
        self, windows: Sequence[Window], cache: PaintingStore, meter: Meter
    ) -> Generator[tuple[Window, Iterator[Rendered]], None, None]:
        """Each window with an iterator over its frames, which has to be used up before the next window is asked for.

        A window's paintings build on those of the window before it in the shot, which are taken from the cache if that
        window is not among ``windows``. Raises ``FootageError``, ``PainterError``, ``Cancelled``.
        """
        before: tuple[Window, list[Paintings]] | None = None
        feed = prefetch(self._feed(windows), depth=AHEAD)
        try:
            for window in windows:
                frames: list[_View] = []
                while len(frames) <= window.last - window.start:
                    view, track = next(feed)
                    frames.append(view)
                    meter.tell("reading")
                paintings: list[Paintings] = []
                for look in range(len(self._looks)):
                    made = cache.load(window, look)
                    if made is None:
                        inherited = self._inherit(window, look, before, cache)
                        made = self._paint(window, look, frames, track, inherited, meter)
                        cache.save(window, look, made)
                    paintings.append(made)
                before = (window, paintings)
                yield window, self._finish(window, frames, track, paintings, meter)
        finally:
            feed.close()
            self._compositor.close()

    def _view(self, source: Frame) -> _View:
        frame = source if self._ground is None else self._ground(source)
        box = None if self._framing is None else self._framing.of(frame.index)
        if box is None:
            return _View(source, frame, frame.picture, None)
        return _View(source, frame, cropped(frame.picture, box), box)

    def _feed(self, windows: Sequence[Window]) -> Iterator[tuple[_View, MotionTrack]]:
        """Frames of the windows in order, each with its window's track; a shared boundary keyframe comes twice."""
        from interp.pixels.sizes import motion_size
        from interp.tracks import MotionTrack

        dis = make_estimator("dis")
        end = max(window.last for window in windows) + 1
        stream: Generator[Frame, None, None] | None = None
        last: Frame | None = None
        try:
            for window in windows:
                track: MotionTrack | None = None
                for number in range(window.start, window.last + 1):
                    if last is None or number != last.index:
                        if stream is None or last is None or number != last.index + 1:
                            if stream is not None:
                                stream.close()
                            stream = self._footage.frames(number, end, pts=self._pts)
                        last = next(stream, None)
                        if last is None or last.index != number:
                            name = show_path(self._footage.spec.path)
                            raise FootageError(f"{name} changed while it was read: frame {number} is gone; run again")
                    view = self._view(last)
                    if track is None:
                        track = MotionTrack(dis, working=motion_size(*view.picture.shape[1::-1]))
                    track.add(view.picture)
                    yield view, track
        finally:
            if stream is not None:
                stream.close()

    def _inherit(
        self, window: Window, look: int, before: tuple[Window, list[Paintings]] | None, cache: PaintingStore
    ) -> tuple[Carry | None, np.ndarray | None]:
        """The carry, and the painting of the shared boundary keyframe, from the window before in the same shot."""
        if window.index == 0:
            return None, None
        if before is not None and (before[0].shot, before[0].index) == (window.shot, window.index - 1):
            paintings = before[1][look]
        else:
            loaded = cache.load(replace(window, index=window.index - 1), look)
            if loaded is None:
                raise RuntimeError(f"window {window.index} of shot {window.shot} was rendered before its predecessor")
            paintings = loaded
        return paintings.carry, paintings.pictures.get(window.start)

    def _paint(
        self,
        window: Window,
        look: int,
        frames: Sequence[_View],
        track: MotionTrack,
        inherited: tuple[Carry | None, np.ndarray | None],
        meter: Meter,
    ) -> Paintings:
        numbers = [key.frame for key in window.keys]
        carry, boundary = inherited
        storyboard = self._looks[look].storyboard
        given = {
            place: frames[number - window.start].part(storyboard[number])
            for place, number in enumerate(numbers)
            if number in storyboard
        }
        if boundary is not None:
            given[0] = boundary
        meter.tell(f"painting {len(numbers)} keyframes from frame {numbers[0]}")
        pictures, carry = self._call_painter(window, look, frames, track, numbers, given, carry, meter)
        return Paintings(dict(zip(numbers, pictures, strict=True)), carry)

    def _call_painter(
        self,
        window: Window,
        look: int,
        frames: Sequence[_View],
        track: MotionTrack,
        numbers: Sequence[int],
        given: Mapping[int, np.ndarray],
        carry: Carry | None,
        meter: Meter,
    ) -> tuple[list[np.ndarray], Carry]:
        wanted = self._looks[look]
        painter = wanted.painter
        views = [frames[number - window.start] for number in numbers]
        request = PaintRequest(
            shot=window.shot,
            frames=tuple(numbers),
            pictures=tuple(view.picture for view in views),
            seeds=tuple(seed_of(wanted.seed, number) for number in numbers),
            tracker=track,
            positions=tuple(number - window.start for number in numbers),
            fixed=given,
            prompts=() if wanted.prompts is None else tuple(wanted.prompts(number) for number in numbers),
            controls=self._maps(painter, views, meter),
            mattes=() if wanted.matte is None else tuple(view.part(wanted.matte(view.frame.index)) for view in views),
            tick=meter.tell,
        )
        return painted(painter, request, carry)

    def _maps(self, painter: Painter, views: Sequence[_View], meter: Meter) -> dict[str, tuple[np.ndarray, ...]]:
        """The control maps that the painter wants to see, as it sees the frames."""
        maps: dict[str, tuple[np.ndarray, ...]] = {}
        for kind in painter.capabilities.controls:
            if self._conditions is None:
                raise PainterError(f"painter {painter.name!r} wants {kind} maps, and there is nobody who makes them")
            meter.tell(f"making {kind} maps")
            maps[kind] = tuple(view.part(self._conditions.of(kind, view.frame).picture) for view in views)
        return maps

    def _finish(
        self,
        window: Window,
        frames: Sequence[_View],
        track: MotionTrack,
        paintings: Sequence[Paintings],
        meter: Meter,
    ) -> Iterator[Rendered]:
        """Fill the gaps, composite, and hand out the window's frames in order."""
        keys = {key.frame: key for key in window.keys}
        marks = sorted(keys)
        bounds = list(pairwise(marks))
        if window.start < marks[0]:
            bounds.insert(0, (window.start, marks[0]))
        if window.last > marks[-1]:
            bounds.append((marks[-1], window.last))
        if not bounds:
            bounds = [(marks[0], marks[0])]
        for left, right in bounds:
            shown = dict(keys)
            looks: list[dict[int, Propagated]] = []
            for look, made in enumerate(paintings):
                pictures = dict(made.pictures)
                between = self._fill(window, look, frames, track, pictures, shown, left, right, made.carry, meter)
                looks.append({number: Propagated(picture, 1.0) for number, picture in pictures.items()} | between)
            final = right == window.last
            for number in range(left, right + 1 if final else right):
                view = frames[number - window.start]
                yield self._compose(view, [made[number] for made in looks], window, shown.get(number))

    def _compose(self, view: _View, filled: Sequence[Propagated], window: Window, key: Keyframe | None) -> Rendered:
        frame = view.frame
        pictures = []
        for look, got in zip(self._looks, filled, strict=True):
            painting = got.picture
            if look.keep_colour:
                painting = composite.keep_colour(view.picture, painting)
            pictures.append(view.whole(composite.blend(view.picture, painting, look.strength)))
        picture = self._compositor.compose(frame, pictures)
        return Rendered(
            source=view.source,
            result=Frame(frame.index, frame.pts, np.ascontiguousarray(picture), self._compositor.alpha(frame)),
            shot=window.shot,
            key=key,
            coverage=min((got.coverage for got in filled), default=1.0),
            touched=self._compositor.touched(frame),
            boundary=frame.index >= window.stop,
        )

    def _fill(
        self,
        window: Window,
        look: int,
        frames: Sequence[_View],
        track: MotionTrack,
        pictures: dict[int, np.ndarray],
        keys: dict[int, Keyframe],
        left: int,
        right: int,
        carry: Carry,
        meter: Meter,
    ) -> dict[int, Propagated]:
        """In-betweens of the gap from ``left`` to ``right``, by frame number. A frame that is explained too little is
        painted (it joins ``pictures`` and ``keys``), and both halves are filled anew."""
        first = left - window.start
        gap = Gap(
            frames=[frame.picture for frame in frames[first : right - window.start + 1]],
            first=first,
            tracker=track,
            left=pictures.get(left),
            right=pictures.get(right) if right != left else None,
        )
        made: dict[int, Propagated] = {}
        for place, got in filled(self._filler, gap):
            made[left + place] = got
            meter.tell("filling")
        if not self._repair or not made:
            return made
        worst = min(made, key=lambda number: made[number].coverage)
        if made[worst].coverage >= REPAIR_BELOW:
            return made
        meter.tell(f"painting frame {worst}, which its neighbours do not explain")
        numbers = sorted({n for n in (left, right) if n in pictures} | {worst})
        given = {place: pictures[number] for place, number in enumerate(numbers) if number in pictures}
        paintings, _ = self._call_painter(window, look, frames, track, numbers, given, carry, meter)
        pictures[worst] = paintings[numbers.index(worst)]
        keys[worst] = Keyframe(worst, "repair")
        halves: dict[int, Propagated] = {}
        for a, b in ((left, worst), (worst, right)):
            if a != b:
                halves |= self._fill(window, look, frames, track, pictures, keys, a, b, carry, meter)
        return halves
