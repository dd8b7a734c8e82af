"""Layers: turns a recipe's layers into looks to be painted, and puts the painted pictures together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from interp.pixels.boxes import Box, grown, part_of
from restyle.compositing import blend as composite
from restyle.compositing.backdrops import Backdrop
from restyle.footage.colour import to_depth
from restyle.recipe import Layer, Recipe
from restyle.types import Frame

__all__ = [
    "LayerCompositor",
    "LookSpec",
    "MatteSource",
    "edge_reach",
    "layers_of",
    "looks_of",
    "matte_of",
    "painted_objects",
    "painted_region",
    "region_of_interest",
    "removals",
    "removed_objects",
]


class MatteSource(Protocol):
    """A source of objects' mattes."""

    names: Sequence[str]
    """Of the objects that are not part of the background."""
    size: tuple[int, int]
    """Width and height."""

    def of(self, name: str, frame: int) -> np.ndarray:
        """float32 H x W in [0, 1]: all zero where the object is not."""
        ...

    def box(self, name: str, frame: int) -> Box | None:
        """Outside of it the matte is zero; ``None``: everywhere."""
        ...


@dataclass(frozen=True)
class LookSpec:
    """The parameters of a look. Layers that want the same share it: it is painted once."""

    style: str | None
    strength: float | None
    brush_size: float | None
    mix: float
    keep_colour: bool
    seed: int
    prompt: str | None = None
    """The layers' own; ``None``: the recipe's, which may change from shot to shot. So with the next."""
    negative_prompt: str | None = None


LOOK_FIELDS = (
    "style",
    "strength",
    "brush_size",
    "mix",
    "keep_colour",
    "seed",
)  # of a recipe, that a layer may have of its own, besides prompts


def layers_of(recipe: Recipe) -> tuple[Layer, ...]:
    """The recipe's layers; with objects and no layers, one that restyles each object. None: the whole picture."""
    return recipe.layers or tuple(Layer(object=name) for name in recipe.object_names)


def looks_of(recipe: Recipe) -> tuple[list[LookSpec], list[int | None]]:
    """The looks that have to be painted, and for each layer the number of its own (``None``: it paints nothing)."""
    layers = layers_of(recipe)
    if not layers:
        return [LookSpec(**{name: getattr(recipe, name) for name in LOOK_FIELDS})], []
    looks: list[LookSpec] = []
    numbers: list[int | None] = []
    for layer in layers:
        if layer.mode != "restyle":
            numbers.append(None)
            continue
        own = layer.model_dump(include=set(LOOK_FIELDS))
        look = LookSpec(
            **{name: getattr(recipe, name) if value is None else value for name, value in own.items()},
            prompt=_own_prompt(recipe, layer, "prompt"),
            negative_prompt=_own_prompt(recipe, layer, "negative_prompt"),
        )
        if look not in looks:
            looks.append(look)
        numbers.append(looks.index(look))
    return looks, numbers


def _own_prompt(recipe: Recipe, layer: Layer, field: Literal["prompt", "negative_prompt"]) -> str | None:
    """A layer's own prompt. One that equals the recipe's is its own only where the recipe's changes on the way."""
    own: str | None = getattr(layer, field)
    changing = any(getattr(at, field) is not None for at in recipe.prompts)
    return None if own == getattr(recipe, field) and not changing else own


def painted_objects(layers: Sequence[Layer]) -> list[str] | None:
    """Names of the objects that are painted, and nothing else is; ``None`` where a layer paints what lies round an object."""
    painted = [layer for layer in layers if layer.mode == "restyle"]
    if not painted or any(layer.invert or layer.object == "background" for layer in painted):
        return None
    return list(dict.fromkeys(layer.object for layer in painted))


def removals(layers: Sequence[Layer]) -> list[Layer]:
    """The layers that remove something."""
    return [layer for layer in layers if layer.mode == "remove"]


def removed_objects(layers: Sequence[Layer]) -> list[str]:
    """Objects that are gone from the footage: their places belong to the background."""
    return [layer.object for layer in removals(layers) if not layer.invert]


def painted_region(recipe: Recipe, mattes: MatteSource) -> Callable[[int], np.ndarray]:
    """Frame number -> where any look will be seen, float32 H x W, softened edges included."""
    looks = [region_of_interest(recipe, number, mattes) for number in range(len(looks_of(recipe)[0]))]
    return lambda frame: np.maximum.reduce([look(frame) for look in looks])


def region_of_interest(recipe: Recipe, look: int, mattes: MatteSource) -> Callable[[int], np.ndarray]:
    """Frame number -> where a look will be seen, float32 H x W: what the layers that show it cover, softened edges included."""
    layers = [layer for layer, number in zip(layers_of(recipe), looks_of(recipe)[1], strict=True) if number == look]

    def region(frame: int) -> np.ndarray:
        edges = [
            composite.matte_edge(matte_of(layer, mattes, frame), grow=layer.grow, feather=layer.feather)
            for layer in layers
        ]
        return np.maximum.reduce(edges)

    return region


def matte_of(layer: Layer, mattes: MatteSource, frame: int) -> np.ndarray:
    """A layer's matte, float32 H x W in [0, 1], before its edge is softened."""
    if layer.object == "background":
        nothing = np.zeros(mattes.size[::-1], np.float32)
        matte = 1 - np.maximum.reduce([mattes.of(name, frame) for name in mattes.names] or [nothing])
    else:
        matte = mattes.of(layer.object, frame)
    return 1 - matte if layer.invert else matte


def edge_reach(layers: Sequence[Layer]) -> int:
    """Pixels by which the layers' edges may reach beyond their mattes."""
    return max((int(np.ceil(max(layer.grow, 0.0) + 1.5 * layer.feather)) + 2 for layer in layers), default=0)


@dataclass(frozen=True)
class _LayerEdge:
    """A layer that is seen in a frame."""

    number: int
    """Of the layer."""
    part: tuple[slice, slice]
    """As much of the frame as it may touch."""
    matte: np.ndarray
    """Its softened matte there, float32."""
    gone: np.ndarray
    """Its matte there before it was grown and softened, float32."""


class LayerCompositor:
    """Lays the layers over each frame (a ``Compositor``). Where no layer's matte reaches, the frame keeps its own bits.

    What layers remove is gone from the frames before (``job.clean_plates.CleanFootage``).
    """

    def __init__(
        self,
        layers: Sequence[Layer],
        looks: Sequence[int | None],
        mattes: MatteSource,
        backdrops: Mapping[int, Backdrop],
        *,
        associated: bool = False,
        transfer: str | None = None,
    ) -> None:
        """``looks``: as ``looks_of`` gives them. ``backdrops``: number of a ``replace`` layer -> what it shows. ``associated``:
        pictures are multiplied by the alpha that ``cutout`` layers make, as OpenEXR wants it. ``transfer``:
        the footage's tag, by whose curve its code values are light."""
        self._associated = associated
        self._transfer = transfer
        self._layers = tuple(zip(layers, looks, strict=True))
        self._mattes = mattes
        self._backdrops = backdrops
        self._last: tuple[int, list[_LayerEdge]] | None = None

    def compose(self, frame: Frame, pictures: Sequence[np.ndarray]) -> np.ndarray:
        """See ``Compositor.compose``."""
        picture: np.ndarray | None = None
        for edge in self._edges(frame):
            layer, look = self._layers[edge.number]
            if layer.mode in ("cutout", "remove"):
                continue
            upper = self._upper(edge.number, frame) if look is None else pictures[look]
            picture = frame.picture.copy() if picture is None else picture
            below = picture[edge.part]
            if layer.mode == "replace" and layer.blend == "normal":
                below = composite.without_rim(below, edge.gone, edge.matte, self._transfer)
            blended = composite.blend_mode(below, upper[edge.part], layer.blend)
            picture[edge.part] = composite.over(below, blended, edge.matte, self._transfer)
        picture = frame.picture if picture is None else picture
        if self._associated and self._has_cutout:
            alpha = self._covered(frame, "cutout")
            picture = (picture.astype(np.float32) * alpha[:, :, None]).astype(picture.dtype)
        return picture

    def close(self) -> None:
        """Let go of the clips that layers show."""
        for backdrop in self._backdrops.values():
            backdrop.close()

    def _upper(self, number: int, frame: Frame) -> np.ndarray:
        """The picture that a layer that is not painted lays down."""
        backdrop = self._backdrops.get(number)
        return frame.picture if backdrop is None else backdrop.of(frame)

    def edited_region(self, frame: Frame) -> np.ndarray | None:
        """See ``Compositor.edited_region``."""
        if self._associated and self._has_cutout:
            return np.ones(frame.picture.shape[:2], np.float32)
        return self._covered(frame, "restyle", "replace", "remove")

    def alpha(self, frame: Frame) -> np.ndarray | None:
        """See ``Compositor.alpha``."""
        if not self._has_cutout:
            return frame.alpha
        alpha = self._covered(frame, "cutout")
        if frame.alpha is not None:
            alpha = alpha * to_depth(frame.alpha, "float32", linear=False)
        return to_depth(alpha, str(frame.picture.dtype), linear=False)

    @property
    def _has_cutout(self) -> bool:
        return any(layer.mode == "cutout" for layer, _ in self._layers)

    def _covered(self, frame: Frame, *modes: str) -> np.ndarray:
        """The area that the layers of these modes cover together, softened edges included: float32 H x W."""
        covered = np.zeros(frame.picture.shape[:2], np.float32)
        for edge in self._edges(frame):
            if self._layers[edge.number][0].mode in modes:
                covered[edge.part] = np.maximum(covered[edge.part], edge.matte)
        return covered

    def _edges(self, frame: Frame) -> list[_LayerEdge]:
        """The layers that are seen in a frame; worked out once, for whatever is asked of it."""
        if self._last is None or self._last[0] != frame.index:
            height, width = frame.picture.shape[:2]
            edges = []
            for number, (layer, _) in enumerate(self._layers):
                part = part_of(self._reach(layer, frame.index, width, height))
                matte = matte_of(layer, self._mattes, frame.index)[part]
                if matte.any():
                    softened = composite.matte_edge(matte, grow=layer.grow, feather=layer.feather)
                    edges.append(_LayerEdge(number, part, softened, matte))
            self._last = frame.index, edges
        return self._last[1]

    def _reach(self, layer: Layer, frame: int, width: int, height: int) -> Box:
        """As much of the frame as the layer, its softened edge included, may touch."""
        if layer.invert or layer.object == "background":
            return 0, 0, width, height
        box = self._mattes.box(layer.object, frame)
        if box is None:
            return 0, 0, 0, 0
        return grown(box, edge_reach([layer]), width, height)
