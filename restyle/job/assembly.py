"""All that a job renders with, put together from its recipe and what was found out about the footage."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from restyle.compositing.backdrops import open_backdrop
from restyle.compositing.crop import Framing
from restyle.compositing.layers import (
    LayerCompositor,
    edge_reach,
    layers_of,
    looks_of,
    painted_objects,
    region_of_interest,
    removed_objects,
)
from restyle.errors import RecipeError, show_path
from restyle.footage import read_picture
from restyle.job.inputs import Inputs
from restyle.job.keyframe_maps import KeyframeMaps
from restyle.job.keys import LookKey, WindowKeys, window_keys
from restyle.job.mattes import Mattes
from restyle.planning.plan import Analysis, Plan
from restyle.recipe import Recipe
from restyle.registry import make_filler, make_painter, options_of
from restyle.render.engine import Engine
from restyle.render.protocols import Look, RenderParts
from restyle.types import FootageSpec, Frame, TextPrompt
from restyle.versions import deciding

if TYPE_CHECKING:
    import numpy as np

    from restyle.footage import Footage, OutputSpec
    from restyle.job.clean_plates import CleanFootage
    from restyle.painters.base import Painter

__all__ = ["Assembly", "opened_looks"]

MARGIN = 48  # pixels round restyled objects that the painter sees, at least: marks begin outside of what they paint


@contextmanager
def opened_looks(recipe: Recipe, *, offline: bool = False) -> Iterator[list[Look]]:
    """What has to be painted, with painters that are closed in the end.

    Raises ``UnknownPartError``, ``RecipeError`` (an option that the painter does not have), ``MissingExtraError``.
    """
    with ExitStack() as stack:
        painters: dict[Any, Painter] = {}
        looks = []
        for wanted in looks_of(recipe)[0]:
            if wanted.style not in painters:
                painters[wanted.style] = make_painter(recipe.painter, _painter_options(recipe, wanted.style, offline))
                stack.callback(painters[wanted.style].close)
            if _speaks(recipe) and not painters[wanted.style].capabilities.reads_prompts:
                raise RecipeError(f"painter {recipe.painter!r} does not read prompts; --painter diffusion does")
            looks.append(Look(painters[wanted.style], wanted.strength, wanted.keep_colour, wanted.seed))
        yield looks


def _painter_options(recipe: Recipe, style: str | None, offline: bool) -> dict[str, Any]:
    known = options_of("painter", recipe.painter)
    options: dict[str, Any] = dict(recipe.painter_options)
    if style is not None:
        options["style"] = style
    if recipe.controls:
        if "controls" not in known:
            raise RecipeError(f"painter {recipe.painter!r} does not hold on to control maps; --painter diffusion does")
        fields = {"kind", "model", "strength", "start", "end"}
        options["controls"] = [control.model_dump(include=fields) for control in recipe.controls]
    if offline and "offline" in known:
        options["offline"] = True
    return options


def _speaks(recipe: Recipe) -> bool:
    said = [(recipe.prompt, recipe.negative_prompt), *((one.prompt, one.negative_prompt) for one in recipe.layers)]
    return bool(recipe.prompts) or any(words is not None for pair in said for words in pair)


@dataclass(frozen=True)
class Assembly:
    """``looks``: as ``opened_looks`` made them. ``mattes``: of the recipe's objects, ``None`` without any. ``clean``: where the
    recipe removes something. ``inputs``: knows the files that are read."""

    recipe: Recipe
    footage: Footage
    analysis: Analysis
    plan: Plan
    looks: Sequence[Look]
    mattes: Mattes | None
    maps: KeyframeMaps | None
    clean: CleanFootage | None
    inputs: Inputs

    @property
    def spec(self) -> FootageSpec:
        """The footage's facts."""
        return self.footage.spec

    @cached_property
    def framing(self) -> Framing | None:
        """The part of each frame that is painted, where only objects are."""
        layers = layers_of(self.recipe)
        painted = painted_objects(layers)
        if self.mattes is None or painted is None:
            return None
        return Framing(
            self.plan.shots,
            self.mattes.boxes(painted),
            size=(self.spec.width, self.spec.height),
            margin=max(MARGIN, edge_reach(layers)),
        )

    def engine(self, *, associated: bool = False) -> Engine:
        """Who renders the plan. ``associated``: pictures are multiplied by their alpha, where layers make one.

        Raises ``RecipeError``, ``FootageError`` (pictures that the recipe names)."""
        recipe = self.recipe
        storyboard = self._storyboard()
        return Engine(
            self.footage,
            RenderParts(
                looks=[
                    replace(look, storyboard=storyboard, prompts=self._prompts(number), matte=self._matte(number))
                    for number, look in enumerate(self.looks)
                ],
                filler=make_filler(recipe.filler, recipe.filler_options),
                compositor=None if not layers_of(recipe) else self._compositor(associated),
                clean_plate=None if self.clean is None else self.clean.of,
                framing=self.framing,
                control_maps=self.maps,
                repair=self._repair,
            ),
            pts=self.analysis.pts,
        )

    def keys(self, footage: str, mattes: set[str], out: OutputSpec) -> WindowKeys:
        """Keys of the plan's windows. ``footage``, ``mattes``: keys of what is used."""
        recipe = self.recipe
        base = [footage, *([] if self.clean is None else [self.clean.key])]
        touched = [[look.strength, look.keep_colour] for look in self.looks]
        frames = [recipe.filler, recipe.filler_options, self._fill_weights(), touched, self._repair, out.identity]
        if self._repair and (recipe.prompts or recipe.controls):  # which frames will be painted is not known before
            span = range(self.analysis.start, self.analysis.stop)
            frames.append([[self._marks(number)(frame) for frame in span] for number in range(len(self.looks))])
        if layers := layers_of(recipe):
            sources = [layer.source for layer in layers if layer.source and not layer.source.startswith("#")]
            frames += [
                sorted(mattes),
                [layer.model_dump() for layer in layers],
                [self.inputs.digest(path) for path in sources],
            ]
        framing = None if self.framing is None else self.framing.facts
        seen = sorted(mattes) if any(self._matte(number) for number in range(len(self.looks))) else []
        looks = []
        for number, look in enumerate(self.looks):
            painter = [look.painter.name, dict(look.painter.identity)]
            painting = [*base, deciding("paintings"), framing, seen, *painter, look.seed]
            looks.append(LookKey(painting, self._marks(number), look.painter.capabilities.chain))
        return window_keys(self.plan.windows, looks, [*base, deciding("frames"), *frames])

    @property
    def _repair(self) -> bool:
        return self.recipe.keyframes == "auto" and not self.recipe.storyboard

    def _fill_weights(self) -> list[str]:
        """Digests of the weights that the filler's options name: other weights at the same place are another filler."""
        named = self.recipe.filler_options.get("model")
        place = Path(named) if isinstance(named, str) else None
        if place is None or not place.exists():
            return []
        files = sorted(path for path in place.iterdir() if path.is_file()) if place.is_dir() else [place]
        return [self.inputs.digest(path) for path in files]

    def _marks(self, number: int) -> Callable[[int], Any]:
        """What decides one keyframe's painting alone: a picture made by hand, its words, its maps."""
        drawn = {key.frame: self.inputs.digest(key.picture) for key in self.plan.keyframes if key.picture is not None}
        words = self._prompts(number)

        def marks(frame: int) -> Any:
            said = None if words is None else [words(frame).prompt, words(frame).negative_prompt]
            return [drawn.get(frame), said, None if self.maps is None else self.maps.identity(frame)]

        return marks

    def _prompts(self, number: int) -> Callable[[int], TextPrompt] | None:
        """What each frame of a look is to show. A layer's own words come before all others."""
        if not _speaks(self.recipe):
            return None
        recipe, own = self.recipe, looks_of(self.recipe)[0][number]
        places = [(at.frame if at.frame is not None else self._shot_start(at.shot or 0), at) for at in recipe.prompts]
        places.sort(key=lambda pair: pair[0])

        def words(frame: int) -> TextPrompt:
            prompt, negative = recipe.prompt or "", recipe.negative_prompt or ""
            shot = next(shot for shot in self.plan.shots if shot.start <= frame < shot.stop)
            for place, at in places:
                if shot.start <= place <= frame:
                    prompt = prompt if at.prompt is None else at.prompt
                    negative = negative if at.negative_prompt is None else at.negative_prompt
            return TextPrompt(
                prompt if own.prompt is None else own.prompt,
                negative if own.negative_prompt is None else own.negative_prompt,
            )

        return words

    def _shot_start(self, number: int) -> int:
        if number >= len(self.plan.shots):
            raise RecipeError(f"a prompt is for shot {number}; the shots are 0 to {len(self.plan.shots) - 1}")
        return self.plan.shots[number].start

    def _matte(self, number: int) -> Callable[[int], np.ndarray] | None:
        """Where a look will be seen; only painters that care for it are told."""
        if self.mattes is None or not self.looks[number].painter.capabilities.inpaints:
            return None
        return region_of_interest(self.recipe, number, self._standing)

    def _storyboard(self) -> dict[int, np.ndarray]:
        storyboard: dict[int, np.ndarray] = {}
        for key in self.plan.keyframes:
            if key.picture is not None:
                picture = read_picture(key.picture, dtype=self.spec.dtype)
                wanted = (self.spec.height, self.spec.width)
                if picture.shape[:2] != wanted:
                    raise RecipeError(
                        f"storyboard picture {show_path(key.picture)} is {picture.shape[1]}x{picture.shape[0]}, "
                        f"the footage {wanted[1]}x{wanted[0]}: give it the footage's size"
                    )
                storyboard[key.frame] = picture
        return storyboard

    def _seconds(self, frame: Frame) -> Fraction:
        """How long after the first frame of the span a frame is shown."""
        return (frame.pts - self.analysis.pts[self.analysis.start]) * self.spec.time_base

    def _compositor(self, associated: bool) -> LayerCompositor:
        layers = layers_of(self.recipe)
        size = (self.spec.width, self.spec.height)
        transfer = self.spec.colour.transfer
        backdrops = {
            number: open_backdrop(layer.source, size, self.spec.dtype, self._seconds, transfer)
            for number, layer in enumerate(layers)
            if layer.source is not None
        }
        looks = looks_of(self.recipe)[1]
        return LayerCompositor(layers, looks, self._standing, backdrops, associated=associated, transfer=transfer)

    @property
    def _standing(self) -> Mattes:
        """The mattes of the objects that stay; the background is what is behind those."""
        if self.mattes is None:
            raise RecipeError("layers need objects: mark one, such as --object car=box:120,80,400,300@0")
        return self.mattes.without(removed_objects(self.recipe.layers))
