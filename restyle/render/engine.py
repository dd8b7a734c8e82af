"""Pass 2: runs a plan, one window at a time. Knows no model, no codec and no file format.

decode -> motion -> painter (keyframes only) -> filler -> composite; what comes out is handed to whoever iterates.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from restyle.footage import Footage
from restyle.progress import Meter
from restyle.render.alone import Place, paint_alone
from restyle.render.protocols import Paintings, PaintingStore, Rendered, RenderParts
from restyle.render.reading import FrameSeeker, WindowReader
from restyle.render.window import WindowRenderer
from restyle.types import Carry, Frame, Window

__all__ = ["Engine"]


class _FirstLook:
    """Compositor of the only look, all over the picture."""

    def compose(self, frame: Frame, pictures: Sequence[np.ndarray]) -> np.ndarray:
        return pictures[0] if pictures else frame.picture

    def edited_region(self, frame: Frame) -> np.ndarray | None:
        return None

    def alpha(self, frame: Frame) -> np.ndarray | None:
        return frame.alpha

    def close(self) -> None:
        """Nothing is open."""


@dataclass(frozen=True)
class _Finished:
    """A window whose keyframes are painted."""

    window: Window
    paintings: Sequence[Paintings]
    """Of each look."""


class Engine:
    """Renders windows of one footage with ``parts``. ``pts``: presentation time of every frame.

    It keeps the decoder open where it stopped, for windows that go on from there, until it is closed."""

    def __init__(self, footage: Footage, parts: RenderParts, *, pts: Sequence[int]) -> None:
        self._seeker = FrameSeeker(footage, pts, samples=parts.samples)
        self._parts = parts
        self._compositor = parts.compositor or _FirstLook()

    @property
    def chained(self) -> bool:
        """True if the painting of a window builds on that of the one before in its shot."""
        return any(look.painter.capabilities.chain != "none" for look in self._parts.looks)

    def close(self) -> None:
        """Let go of the decoder."""
        self._seeker.close()

    def render(
        self, windows: Sequence[Window], store: PaintingStore, meter: Meter
    ) -> Generator[tuple[Window, Iterator[Rendered]], None, None]:
        """Each window with an iterator over its frames, which has to be used up before the next window is asked for.

        A window's paintings build on those of the window before it in the shot, which are taken from the store if that
        window is not among ``windows``. When a window is handed out, its paintings are in the store.
        Raises ``FootageError``, ``PainterError``, ``Cancelled``.
        """
        before: _Finished | None = None
        try:
            with WindowReader(self._seeker, self._parts, windows) as reader:
                for window in windows:
                    renderer = WindowRenderer(self._parts, self._compositor, reader.read(window, meter), meter)
                    before = _Finished(window, self._paintings(renderer, before, store))
                    yield window, renderer.finish(before.paintings)
                    del renderer  # and its frames, before the next window's are read
        finally:
            self._compositor.close()

    def paint_alone(self, places: Sequence[Place], meter: Meter) -> Iterator[np.ndarray]:
        """Paint what places would be if their frames were painted: see ``paint_alone``. Not while windows are rendered."""
        try:
            yield from paint_alone(self._seeker, self._parts, self._compositor, places, meter)
        finally:
            self._compositor.close()

    def _paintings(self, renderer: WindowRenderer, before: _Finished | None, store: PaintingStore) -> list[Paintings]:
        """Each look's paintings of a window: from the store, or painted and put there."""
        window = renderer.frames.window
        paintings: list[Paintings] = []
        for number, look in enumerate(self._parts.looks):
            painted = store.load(window, number)
            if painted is None:
                alone = look.painter.capabilities.chain == "none"
                carry, shared = (None, {}) if alone else _inherited(window, number, before, store)
                painted = renderer.paint(look, carry, shared)
                store.save(window, number, painted)
            paintings.append(painted)
        return paintings


def _inherited(
    window: Window, look: int, before: _Finished | None, store: PaintingStore
) -> tuple[Carry | None, Mapping[int, np.ndarray]]:
    """The carry, and the paintings of the shared keyframes (number -> picture), from the window before in the same shot."""
    if window.index == 0:
        return None, {}
    paintings: Paintings | None
    if before is not None and (before.window.shot, before.window.index) == (window.shot, window.index - 1):
        paintings = before.paintings[look]
    else:
        paintings = store.load(replace(window, index=window.index - 1), look)
    if paintings is None:
        raise RuntimeError(f"window {window.index} of shot {window.shot} was rendered before its predecessor")
    return paintings.carry, {
        key.frame: paintings.pictures[key.frame] for key in window.keys if key.frame in paintings.pictures
    }
