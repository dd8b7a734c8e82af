"""The painter ``video``: all frames of a window made together. Imports no torch; ``runtime.py`` does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from functools import cached_property
from hashlib import blake2b
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from interp.quiet import without_warnings
from restyle.errors import MissingExtraError, RecipeError
from restyle.painters.base import Capabilities, EveryFrame, Painter, PaintRequest
from restyle.painters.style_pictures import read_style_picture
from restyle.painters.video.families import FAMILIES
from restyle.painters.video.families.base import Traits
from restyle.painters.video.model_files import FilmFiles, check_options, family_named, find_model_files
from restyle.painters.video.options import Options
from restyle.types import Carry
from restyle.versions import parts_of

if TYPE_CHECKING:
    from restyle.painters.video.runtime import Runtime

__all__ = ["VideoPainter"]

NEEDS = ("torch", "diffusers", "transformers", "huggingface_hub", "safetensors", "accelerate", "ftfy")
METHOD = 1  # number of this way of painting; a new one makes old paintings stale
NO_EFFECT = ("device", "offload", "offline", "variant")  # on what is painted
DEFAULT = "vace"  # family of a model on the hub that nobody has looked at


class VideoPainter(Painter):
    """Makes every frame of a window by a model of video (Wan VACE, AnimateDiff), through diffusers' own pipelines. Nothing is
    filled.

    ``options``: the fields of ``Options``. Weights are looked for when something is to be painted, or when the job has to know
    which they are; they are loaded when the first window is painted.

    A window shares its first frames with the one before, which the model is given as they are: it goes on from there. Colours
    are held by the same frames, and all windows of a shot have one noise. A control map leads the frames; without one, the
    footage in grey does. Where the recipe restyles objects alone, the model sees the footage round them.

    Frames are made in 8 bits at the model's own size (``resolution``), and brought back to the footage's size and dtype.

    Raises ``RecipeError`` and ``MissingExtraError`` when it is built; ``MissingModelError``, ``RecipeError``, ``PainterError``
    when it paints.
    """

    name = "video"
    Options = Options

    def __init__(self, **options: Any) -> None:
        missing = [name for name in NEEDS if find_spec(name) is None]
        if missing:
            raise MissingExtraError(f"painter {self.name!r}", "diffusion")
        self.options = Options(**options)
        check_options(self.options, family_named(self.options) or FAMILIES[DEFAULT])
        self._rule = _windows(self.options, self._traits)
        self._runtime: Runtime | None = None

    @property
    def _traits(self) -> Traits:
        return (family_named(self.options) or FAMILIES[DEFAULT]).traits

    @cached_property
    def capabilities(self) -> Capabilities:
        """See ``Painter.capabilities``."""
        return Capabilities(
            cost=1000.0,
            reads_prompts=True,
            controls=tuple(spec.kind for spec in self.options.control_specs),
            inpaints=self._traits.holds,
            shares_looks=self._traits.references > 0,
            every_frame=self._rule,
        )

    @cached_property
    def model_files(self) -> FilmFiles:
        """Files of the weights, found (and fetched, where they have to be)."""
        return find_model_files(self.options)

    @property
    def identity(self) -> Mapping[str, Any]:
        """See ``Painter.identity``."""
        chosen = {name: value for name, value in asdict(self.options).items() if name not in NO_EFFECT}
        if self.options.style is not None:
            picture = np.ascontiguousarray(read_style_picture(Path(self.options.style)))
            chosen["style"] = blake2b(picture.tobytes(), digest_size=16).hexdigest()
        packages = {name: parts_of(name) for name in ("torch", "diffusers", "transformers")}
        plain = {"method": METHOD, "options": chosen, "packages": packages}
        return json.loads(json.dumps(plain)) | {"weights": self.model_files.identity()}

    @property
    def notes(self) -> tuple[str, ...]:
        """Lines about how it was painted, of what a person should know."""
        return self._runtime.notes if self._runtime is not None else ()

    def close(self) -> None:
        """See ``Painter.close``."""
        runtime, self._runtime = self._runtime, None
        if runtime is not None:
            runtime.close()

    def paint(self, request: PaintRequest, carry: Carry | None) -> tuple[list[np.ndarray], Carry]:
        """See ``Painter.paint``."""
        if self._runtime is None:
            request.tick("loading the model")
            with without_warnings():  # the libraries warn of each other's changes, which is nothing to a person
                from restyle.painters.video.runtime import Runtime
            self._runtime = Runtime(self.options, self.model_files, tell=request.tick)
        return self._runtime.paint(request, carry)


def _windows(options: Options, traits: Traits) -> EveryFrame:
    """Windows that the model makes. Raises ``RecipeError`` for lengths that the model does not make."""
    multiple = traits.frame_multiple
    longest = traits.longest if options.frames is None else options.frames
    if longest % multiple != 1 % multiple:
        below = max(1, (longest - 1) // multiple) * multiple + 1
        raise RecipeError(
            f"painter option frames: {traits.title} makes {multiple}k + 1 frames, such as {below} or {below + multiple}; got "
            f"{longest}"
        )
    overlap = min(traits.overlap, longest - 1) if options.overlap is None else options.overlap
    if overlap >= longest:
        raise RecipeError(f"painter option overlap is less than the {longest} frames of a window, got {overlap}")
    return EveryFrame(longest, multiple, overlap)
