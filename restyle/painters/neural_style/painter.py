"""The embedded default: feed-forward style networks, painted with a memory (``temporal``)."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import numpy as np

from interp.pixels.depth import from_unit
from restyle.errors import RecipeError
from restyle.painters.base import Anchor, Capabilities, Painter, PaintRequest, RegionRequest
from restyle.painters.neural_style.canvas import MARGIN
from restyle.painters.neural_style.choice import parse_style
from restyle.painters.neural_style.multistyle import Statistics
from restyle.painters.neural_style.networks import LINES, LINES_LIKE, StyleNetworks
from restyle.painters.neural_style.openvino_runtime import Precision, check_openvino
from restyle.painters.neural_style.scaling import BRUSH_SIZES, stroke_scale
from restyle.painters.neural_style.shared_look import SharedLook
from restyle.painters.neural_style.temporal import Previous, cell_of, first_ages, hold_to_previous
from restyle.painters.style_pictures import read_style_picture
from restyle.types import Carry
from restyle.versions import parts_of

__all__ = ["NeuralStylePainter"]

METHOD = 7  # number of this way of painting; a new one makes old paintings stale
STATISTICS = 64  # keyframes whose statistics (4 KB) are kept


class NeuralStylePainter(Painter):
    """The painter ``neural-style``.

    ``style``: as ``--style``. ``strength``: of the style, from 0 (nearly the footage) to 1. ``brush_size``: size of brush
    strokes relative to the frame's height (its shorter side): 1 is that of a frame of 720 lines painted at its own size;
    ``None``: 1, but not finer than those of the frame's own pixels. ``hold``: how much of the painting before stays where the
    motion is certain, from 0 (each keyframe by itself) to 1. ``threads``: of the network; 0 takes every core. ``runtime``:
    ``onnxruntime``, or ``openvino`` (built-in styles only; an extra), which is faster on Intel's processors. ``precision`` of
    that: ``float32``, or ``bfloat16`` where the processor has it: sooner still, and half a code of 255 away. It draws no random
    numbers: seeds do not matter.

    Pictures of every depth are painted in float32; uint16 paintings carry the network's full precision. Float pictures are
    taken as display-referred: the network sees them clipped to [0, 1] (NaN as black), and its paintings lie in [0, 1].

    Fixed keyframes come back as they are, and the keyframe after one follows its look as far as the motion reaches. One window
    hands to the next the painting of the keyframe that they share, which comes as a fixed one, and, as the carry, how many
    times the marks in each of its cells were moved.

    With an anchor, each fresh painting's colours are held to its before all else (``shared_look``).

    With built-in styles it paints regions too: as the keyframe's own painting before it is held to others.

    Raises ``UnknownPartError``, ``RecipeError`` and ``MissingExtraError`` when it is built (style, options),
    ``MissingModelError`` when it paints.
    """

    name = "neural-style"

    def __init__(
        self,
        style: str | None = None,
        strength: float = 1.0,
        brush_size: float | None = None,
        hold: float = 0.8,
        threads: int = 0,
        runtime: str = "onnxruntime",
        precision: str = "float32",
    ) -> None:
        _check_range("hold", hold, 0, 1)
        _check_range("strength", strength, 0, 1)
        if brush_size is not None:
            _check_range("brush_size", brush_size, *BRUSH_SIZES)
        if not 0 <= threads <= 1024:
            raise RecipeError(f"painter option threads is 0 (as many as there are cores) to 1024, got {threads!r}")
        self._style = parse_style(style)
        self._strength = float(strength)
        self._brush_size = None if brush_size is None else float(brush_size)
        self._hold = float(hold)
        self._openvino = _openvino(runtime, precision, by_picture=bool(self._style.pictures))
        self._networks = StyleNetworks(threads=threads, openvino=self._openvino)
        # read once, here: what the job's identity says is what is painted, whatever happens to the files
        self._pictures = [(read_style_picture(path), weight) for path, weight in self._style.pictures]
        self._vector: np.ndarray | None = None
        self._statistics: dict[tuple[Any, ...], Statistics] = {}

    @property
    def capabilities(self) -> Capabilities:
        """See ``Painter.capabilities``."""
        return Capabilities(cost=35.0, shares_looks=True, paints_regions=not self._style.pictures)

    @property
    def identity(self) -> Mapping[str, Any]:
        """See ``Painter.identity``."""
        pictures = [[blake2b(p.tobytes(), digest_size=16).hexdigest(), weight] for p, weight in self._pictures]
        return {
            "method": METHOD,
            "weights": self._style.weights,
            "pictures": pictures,
            "strength": self._strength,
            "brush_size": self._brush_size,
            "hold": self._hold,
            "onnxruntime": parts_of("onnxruntime"),
            "network": self._networks.digest(arbitrary=bool(pictures)),
            **({} if self._openvino is None else {"openvino": parts_of("openvino"), "precision": self._openvino}),
        }

    def paint(self, request: PaintRequest, carry: Carry | None) -> tuple[list[np.ndarray], Carry]:
        """See ``Painter.paint``."""
        paintings: list[np.ndarray] = []
        ages = None if carry is None else carry.arrays.get("age")
        look = None if request.anchor is None else self._shared_look(request.anchor)
        by_hand = carry is not None and bool(carry.facts.get("by_hand"))
        for number, picture in enumerate(request.pictures):
            scale = self._scale(picture, request.frame_size)
            cell = cell_of(scale)
            if ages is None:
                ages = first_ages(picture.shape[0], picture.shape[1], cell)
            request.tick(f"painting frame {request.frames[number]}")
            fixed = request.fixed.get(number)
            if fixed is not None:
                paintings.append(fixed.copy())
                by_hand |= bool(number) or carry is None  # the first of a later window is that window's shared keyframe
                continue
            painting = self._paint_afresh(picture, scale)
            if look is not None:
                painting = look.hold(painting, picture, cell)
            if number and self._hold:
                motion = request.tracker.motion(request.positions[number], request.positions[number - 1])
                before = Previous(request.pictures[number - 1], paintings[-1], ages, by_hand)
                painting, ages = hold_to_previous(painting, picture, before, motion, self._hold, cell)
            paintings.append(from_unit(painting, picture.dtype))
        return paintings, Carry({} if ages is None else {"age": ages}, {"by_hand": by_hand})

    def paint_region(self, request: RegionRequest) -> np.ndarray:
        """See ``Painter.paint_region``. Raises ``NotImplementedError`` where a picture is the style."""
        if self._style.pictures:
            raise NotImplementedError(f"painter {self.name!r} paints no regions with a picture as its style")
        scale = self._scale(request.picture, request.frame_size)
        statistics = self._statistics.get(_key(request.keyframe, scale))
        if statistics is None:
            self._paint_afresh(request.keyframe, scale)
            statistics = self._statistics[_key(request.keyframe, scale)]
        painting = self._networks.paint_builtin_region(
            request.picture,
            request.box,
            statistics,
            scale=scale,
            margin=MARGIN if request.margin is None else request.margin,
        )
        return from_unit(painting, request.picture.dtype)

    def close(self) -> None:
        """See ``Painter.close``."""
        self._networks.close()

    def _scale(self, picture: np.ndarray, frame_size: tuple[int, int] | None) -> float:
        """Pixels of the painting to one of the picture, or of the frame that it is a crop of."""
        lines = LINES_LIKE if self._style.pictures else LINES
        return stroke_scale(frame_size or (picture.shape[1], picture.shape[0]), self._brush_size, lines)

    def _shared_look(self, anchor: Anchor) -> SharedLook:
        return SharedLook.of(anchor.picture, anchor.painting, cell_of(self._scale(anchor.picture, None)))

    def _paint_afresh(self, picture: np.ndarray, scale: float) -> np.ndarray:
        if not self._style.pictures:
            painting, statistics = self._networks.paint_and_measure(
                picture, self._style.weights, strength=self._strength, scale=scale
            )
            self._keep(_key(picture, scale), statistics)
            return painting
        if self._vector is None:
            vectors = [weight * self._networks.style_vector(picture) for picture, weight in self._pictures]
            self._vector = np.asarray(np.sum(vectors, axis=0, dtype=np.float32))
        return self._networks.paint_like(picture, self._vector, strength=self._strength, scale=scale)

    def _keep(self, key: tuple[Any, ...], statistics: Statistics) -> None:
        """Keep a keyframe's statistics, of the last few. They are the same when they are measured anew."""
        self._statistics[key] = statistics
        while len(self._statistics) > STATISTICS:
            del self._statistics[next(iter(self._statistics))]


def _openvino(runtime: str, precision: str, *, by_picture: bool) -> Precision | None:
    """Read the options ``runtime`` and ``precision``: ``None`` stands for onnxruntime.

    Raises ``RecipeError`` and ``MissingExtraError``.
    """
    if runtime not in ("onnxruntime", "openvino"):
        raise RecipeError(f"painter option runtime is onnxruntime or openvino, got {runtime!r}")
    if precision not in ("float32", "bfloat16"):
        raise RecipeError(f"painter option precision is float32 or bfloat16, got {precision!r}")
    if runtime == "onnxruntime":
        if precision != "float32":
            raise RecipeError("painter option precision: bfloat16 needs the option runtime=openvino")
        return None
    if by_picture:
        raise RecipeError("painter option runtime: openvino paints built-in styles; with a picture, leave it out")
    chosen: Precision = "bfloat16" if precision == "bfloat16" else "float32"
    check_openvino(chosen)
    return chosen


def _key(picture: np.ndarray, scale: float) -> tuple[Any, ...]:
    content = blake2b(np.ascontiguousarray(picture).data, digest_size=16).digest()
    return picture.shape, picture.dtype.str, scale, content


def _check_range(name: str, value: Any, least: float, most: float) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
        raise RecipeError(f"painter option {name} is {least:g} to {most:g}, got {value!r}")
