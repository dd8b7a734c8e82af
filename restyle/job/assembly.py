"""Everything that a job renders with, put together from its recipe and the findings about the footage."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from interp.pixels.boxes import part_of
from restyle.compositing.backdrops import open_backdrop
from restyle.compositing.crop import Framing
from restyle.compositing.layers import (
    LayerCompositor,
    LookSpec,
    edge_reach,
    layers_of,
    looks_of,
    painted_objects,
    region_of_interest,
    removed_objects,
)
from restyle.errors import RecipeError, show_path
from restyle.footage import read_picture
from restyle.job.anchors import anchor_files, read_anchors
from restyle.job.inputs import Inputs
from restyle.job.keyframe_maps import KeyframeMaps
from restyle.job.keys import LookKey, WindowKeys, window_keys
from restyle.job.mattes import FrameMattes, Mattes
from restyle.planning.effort import region_rules
from restyle.planning.plan import Analysis, Plan
from restyle.recipe import Recipe
from restyle.registry import make_filler, make_painter, options_of
from restyle.render.engine import Engine
from restyle.render.protocols import Look, PaintingStore, RenderParts
from restyle.render.regions import RegionRules
from restyle.types import FootageSpec, Frame, TextPrompt, Window
from restyle.versions import deciding

if TYPE_CHECKING:
    from restyle.footage import Footage, OutputSpec
    from restyle.job.clean_plates import CleanFootage
    from restyle.painters.base import Painter
    from restyle.painters.settings import Settings

__all__ = ["Assembly", "Painters", "open_looks"]

MARGIN = 48  # pixels round restyled objects that the painter sees, at least: marks begin outside of what they paint


class Painters:
    """Painters that are open, for one job after the other: models are loaded once, as long as jobs want the same.

    ``given``: one that somebody made, who also closes it; it paints all looks.
    """

    def __init__(self, given: Painter | None = None) -> None:
        self._given = given
        self._open: dict[str, Painter] = {}

    def of(self, recipe: Recipe, *, offline: bool = False) -> list[Look]:
        """Make the looks that a recipe wants painted; painters that it does not want are closed.

        Raises ``UnknownPartError``, ``RecipeError`` (an option that the painter does not have), ``MissingExtraError``.
        """
        wanted = looks_of(recipe)[0]
        if self._given is None:
            painters = self._made(recipe, [_painter_options(recipe, look, offline) for look in wanted])
        else:
            _check_given(self._given, recipe, wanted)
            painters = [self._given] * len(wanted)
        looks = []
        for painter, look in zip(painters, wanted, strict=True):
            if _has_prompts(recipe) and not painter.capabilities.reads_prompts:
                raise RecipeError(f"painter {recipe.painter!r} does not read prompts; --painter diffusion does")
            if recipe.anchor is not None and not painter.capabilities.shares_looks:
                raise RecipeError(f"painter {recipe.painter!r} cannot take over the look of other footage")
            looks.append(Look(painter, look.mix, look.keep_colour, look.seed))
        return looks

    def _made(self, recipe: Recipe, options: Sequence[Mapping[str, Any]]) -> list[Painter]:
        names = [json.dumps([recipe.painter, each], sort_keys=True, default=str) for each in options]
        for name in self._open.keys() - set(names):
            self._open.pop(name).close()
        for name, own in zip(names, options, strict=True):
            if name not in self._open:
                self._open[name] = make_painter(recipe.painter, own)
        return [self._open[name] for name in names]

    def close(self) -> None:
        """Close them all."""
        while self._open:
            self._open.popitem()[1].close()


@contextmanager
def open_looks(recipe: Recipe, *, offline: bool = False, painters: Painters | None = None) -> Iterator[list[Look]]:
    """Make the looks that have to be painted, with painters that are closed in the end, or those of ``painters``.

    Raises as ``Painters.of``."""
    if painters is not None:
        yield painters.of(recipe, offline=offline)
        return
    with closing(Painters()) as own:
        yield own.of(recipe, offline=offline)


def _check_given(painter: Painter, recipe: Recipe, looks: Sequence[LookSpec]) -> None:
    """Refuse what would have to be an option of a painter that is made already. Raises ``RecipeError``."""
    own = [
        name for name in ("style", "strength", "brush_size") if any(getattr(look, name) is not None for look in looks)
    ]
    own += ["painter_options"] if recipe.painter_options else []
    if own:
        raise RecipeError(f"painter {painter.name!r} is given as it is: {own[0]} is its own, leave it out here")
    other = {control.kind for control in recipe.controls} - set(painter.capabilities.controls)
    if other:
        raise RecipeError(f"painter {painter.name!r} does not ask for control maps {', '.join(sorted(other))}")


def _painter_options(recipe: Recipe, look: LookSpec, offline: bool) -> dict[str, Any]:
    accepted = options_of("painter", recipe.painter)
    options: dict[str, Any] = dict(recipe.painter_options)
    if look.style is not None:
        options["style"] = look.style
    for name in ("strength", "brush_size"):
        value = getattr(look, name)
        if value is None:
            continue
        if name not in accepted:
            raise RecipeError(
                f"painter {recipe.painter!r} has no {name.replace('_', ' ')}: leave --{name.replace('_', '-')} out"
            )
        options[name] = value
    if recipe.controls:
        if "controls" not in accepted:
            raise RecipeError(f"painter {recipe.painter!r} does not hold on to control maps; --painter diffusion does")
        fields = {"kind", "model", "strength", "start", "end"}
        options["controls"] = [control.model_dump(include=fields) for control in recipe.controls]
    if offline and "offline" in accepted:
        options["offline"] = True
    return options


def _has_prompts(recipe: Recipe) -> bool:
    texts = [
        (recipe.prompt, recipe.negative_prompt),
        *((layer.prompt, layer.negative_prompt) for layer in recipe.layers),
    ]
    return bool(recipe.prompts) or any(text is not None for pair in texts for text in pair)


@dataclass(frozen=True)
class Assembly:
    """The parts of a rendering.

    ``looks``: as ``open_looks`` makes them. ``mattes``: those of the recipe's objects, ``None`` without any.
    ``clean_footage``: where the recipe removes something. ``inputs``: the watch over the files that are read.
    """

    recipe: Recipe
    footage: Footage
    analysis: Analysis
    plan: Plan
    looks: Sequence[Look]
    mattes: Mattes | FrameMattes | None
    maps: KeyframeMaps | None
    clean_footage: CleanFootage | None
    inputs: Inputs
    settings: Settings | None = None
    """Values that painters keep."""

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

    def engine(self, *, associated: bool = False, samples: bool = False) -> Engine:
        """Make the engine that renders the plan. ``associated``: pictures are multiplied by their alpha, where layers make one.
        ``samples``: where layers leave something as it is, frames come with their own samples.

        Raises ``RecipeError``, ``FootageError`` (pictures that the recipe names)."""
        recipe = self.recipe
        storyboard = self._storyboard()
        anchors = read_anchors(recipe, len(self.looks))
        return Engine(
            self.footage,
            RenderParts(
                looks=[
                    replace(
                        look,
                        storyboard=storyboard,
                        prompts=self.prompts(number),
                        anchor=anchors[number],
                        matte=self._matte(number),
                        settings=self.settings,
                    )
                    for number, look in enumerate(self.looks)
                ],
                filler=make_filler(recipe.filler, recipe.filler_options),
                compositor=None if not layers_of(recipe) else self._compositor(associated),
                clean_plate=None if self.clean_footage is None else self.clean_footage.of,
                framing=self.framing,
                control_maps=self.maps,
                repair=self._repair,
                rate=self.spec.rate,
                samples=samples and bool(layers_of(recipe)),
            ),
            pts=self.analysis.pts,
        )

    def anchor(
        self, window: Window, picture: np.ndarray, paintings: PaintingStore
    ) -> tuple[np.ndarray, list[np.ndarray], list[TextPrompt]]:
        """Collect a painted keyframe, ``window``'s only one: the part of the footage's ``picture`` that is painted, each look's
        painting, and its prompts."""
        frame = window.start
        painted = [paintings.load(window, number) for number in range(len(self.looks))]
        box = None if self.framing is None else self.framing.of(frame)
        prompts = [self.prompts(number) for number in range(len(self.looks))]
        return (
            picture if box is None else np.ascontiguousarray(picture[part_of(box)]),
            [each.pictures[frame] for each in painted if each is not None],
            [TextPrompt() if prompt is None else prompt(frame) for prompt in prompts],
        )

    def keys(self, footage: str, mattes: set[str], out: OutputSpec) -> WindowKeys:
        """Compute the keys of the plan's windows. ``footage``, ``mattes``: keys of what is used."""
        recipe = self.recipe
        base = [footage, *([] if self.clean_footage is None else [self.clean_footage.key])]
        look_settings = [[look.mix, look.keep_colour] for look in self.looks]
        repair = None if self._repair is None else asdict(self._repair)
        frames: list[Any] = [
            recipe.filler,
            recipe.filler_options,
            self._fill_weights(),
            look_settings,
            repair,
            out.identity,
        ]
        if repair and (recipe.prompts or recipe.controls):  # which frames will be painted is not known before
            span = range(self.analysis.start, self.analysis.stop)
            frames.append(
                [[self._keyframe_facts(number)(frame) for frame in span] for number in range(len(self.looks))]
            )
        if layers := layers_of(recipe):
            sources = [layer.source for layer in layers if layer.source and not layer.source.startswith("#")]
            frames += [
                sorted(mattes),
                [layer.model_dump() for layer in layers],
                [self.inputs.digest(path) for path in sources],
            ]
        framing = None if self.framing is None else self.framing.facts
        visible_mattes = sorted(mattes) if any(self._matte(number) for number in range(len(self.looks))) else []
        looks = []
        for number, look in enumerate(self.looks):
            painter = [look.painter.name, dict(look.painter.identity)]
            painting = [*base, deciding("paintings"), framing, visible_mattes, *painter, look.seed]
            painting += [self.inputs.digest(file) for file in anchor_files(recipe, number)]
            looks.append(LookKey(painting, self._keyframe_facts(number), look.painter.capabilities.chain))
        return window_keys(self.plan.windows, looks, [*base, deciding("frames"), *frames])

    def used_keys(self, keys: WindowKeys) -> dict[str, set[str]]:
        """List the keys of paintings, windows and control maps that the job uses: kind -> keys."""
        return {
            "paintings": set(keys.paintings.values()),
            "windows": set(keys.windows.values()),
            "maps": set() if self.maps is None else self.maps.keys,
        }

    @property
    def _repair(self) -> RegionRules | None:
        """Rules of repair; ``None`` where a person says which frames are painted, for then no others are."""
        if self.recipe.keyframes != "auto" or self.recipe.storyboard:
            return None
        return region_rules(self.recipe)

    def _fill_weights(self) -> list[str]:
        """Digest the weights that the filler's options name: other weights at the same path are another filler."""
        named = self.recipe.filler_options.get("model")
        weights = Path(named) if isinstance(named, str) else None
        if weights is None or not weights.exists():
            return []
        files = sorted(file for file in weights.iterdir() if file.is_file()) if weights.is_dir() else [weights]
        return [self.inputs.digest(file) for file in files]

    def _keyframe_facts(self, number: int) -> Callable[[int], Any]:
        """Make a function of the facts that decide one keyframe's painting alone: a picture made by hand, prompts, maps."""
        storyboard = {
            key.frame: self.inputs.digest(key.picture) for key in self.plan.keyframes if key.picture is not None
        }
        prompts = self.prompts(number)

        def facts(frame: int) -> Any:
            texts = None if prompts is None else [prompts(frame).prompt, prompts(frame).negative_prompt]
            return [storyboard.get(frame), texts, None if self.maps is None else self.maps.identity(frame)]

        return facts

    def prompts(self, number: int) -> Callable[[int], TextPrompt] | None:
        """Make a function of the prompts of each frame of a look. A layer's own prompts come before all others."""
        if not _has_prompts(self.recipe):
            return None
        recipe, own = self.recipe, looks_of(self.recipe)[0][number]
        positions = [
            (entry.frame if entry.frame is not None else self._shot_start(entry.shot or 0), entry)
            for entry in recipe.prompts
        ]
        positions.sort(key=lambda pair: pair[0])

        def prompts_of(frame: int) -> TextPrompt:
            prompt, negative = recipe.prompt or "", recipe.negative_prompt or ""
            shot = next(shot for shot in self.plan.shots if shot.start <= frame < shot.stop)
            for position, entry in positions:
                if shot.start <= position <= frame:
                    prompt = prompt if entry.prompt is None else entry.prompt
                    negative = negative if entry.negative_prompt is None else entry.negative_prompt
            return TextPrompt(
                prompt if own.prompt is None else own.prompt,
                negative if own.negative_prompt is None else own.negative_prompt,
            )

        return prompts_of

    def _shot_start(self, number: int) -> int:
        if number >= len(self.plan.shots):
            raise RecipeError(f"a prompt is for shot {number}; the shots are 0 to {len(self.plan.shots) - 1}")
        return self.plan.shots[number].start

    def _matte(self, number: int) -> Callable[[int], np.ndarray] | None:
        """Make a function of the region in which a look will be seen, for painters that inpaint."""
        if self.mattes is None or not self.looks[number].painter.capabilities.inpaints:
            return None
        return region_of_interest(self.recipe, number, self._remaining_mattes)

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
        """Time in seconds from the first frame of the span to a frame."""
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
        return LayerCompositor(
            layers, looks, self._remaining_mattes, backdrops, associated=associated, transfer=transfer
        )

    @property
    def _remaining_mattes(self) -> Mattes | FrameMattes:
        """The mattes of the objects that stay; the background is what is behind those."""
        if self.mattes is None:
            raise RecipeError("layers need objects: mark one, such as --object car=box:120,80,400,300@0")
        return self.mattes.without(removed_objects(self.recipe.layers))
