"""The painter ``diffusion``: keyframes of a window repainted together. Imports no torch; ``runtime.py`` does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from functools import cached_property
from hashlib import blake2b
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from interp.quiet import without_warnings
from restyle.errors import MissingExtraError, RestyleError
from restyle.painters.base import Capabilities, Painter, PaintRequest
from restyle.painters.diffusion.model_files import ModelFiles, find_model_files
from restyle.painters.diffusion.options import RENAMED, Options, current_options
from restyle.painters.memory import MemoryEstimate
from restyle.painters.style_pictures import read_style_picture
from restyle.types import Carry
from restyle.versions import parts_of

if TYPE_CHECKING:
    from restyle.painters.diffusion.runtime import Runtime

__all__ = ["DiffusionPainter"]

NEEDS = ("torch", "diffusers", "transformers", "huggingface_hub", "safetensors", "compel")
METHOD = 8  # number of this way of painting; a new one makes old paintings stale
NO_EFFECT = ("batch", "device", "offload", "offline", "allow_pickle", "variant", "config")  # on what is painted


class DiffusionPainter(Painter):
    """Repaints keyframes by a Stable Diffusion model (1.5 or XL), with ControlNets, LoRAs and a style picture.

    ``options``: the fields of ``Options``. Weights are looked for when something is to be painted, or when the job has to know
    which they are; they are loaded when the first window is painted.

    Pictures of every depth are painted in 8-bit-like [0, 1] values at the model's own size (``resolution``), and brought back
    to the footage's size and dtype. Float pictures are taken as display-referred and clipped. A window hands to the next the
    latents of the anchor's painting and of its last keyframe's, the noise of both, and the anchor's prompt. The anchor is the
    shot's first keyframe, or the one of another shot that the request names.

    Raises ``RecipeError`` and ``MissingExtraError`` when it is built; ``MissingModelError``, ``RecipeError``, ``PainterError``
    when it paints.
    """

    name = "diffusion"
    Options = Options
    renamed_options = RENAMED

    def __init__(self, **options: Any) -> None:
        missing = [name for name in NEEDS if find_spec(name) is None]
        if missing:
            raise MissingExtraError(f"painter {self.name!r}", "diffusion")
        current, self._option_notes = current_options(options)
        self.options = Options(**current)
        self._runtime: Runtime | None = None

    @cached_property
    def capabilities(self) -> Capabilities:
        """See ``Painter.capabilities``."""
        return Capabilities(
            cost=400.0,
            reads_prompts=True,
            controls=self.options.control_kinds,
            inpaints=True,
            shares_looks=True,
            # in these modes every keyframe decides those after it
            chain="keys" if self.options.attention in ("anchor-previous", "joint") else "ends",
        )

    @cached_property
    def model_files(self) -> ModelFiles:
        """Files of the weights, found (and fetched, where they have to be)."""
        return find_model_files(self.options)

    @property
    def identity(self) -> Mapping[str, Any]:
        """See ``Painter.identity``."""
        chosen = {name: value for name, value in asdict(self.options).items() if name not in NO_EFFECT}
        pictures = [_digest(read_style_picture(Path(style.picture))) for style in self.options.all_styles]
        packages = {name: parts_of(name) for name in ("torch", "diffusers", "transformers")}
        plain = {"method": METHOD, "options": chosen | {"style": pictures}, "packages": packages}
        return json.loads(json.dumps(plain)) | {"weights": self.model_files.identity()}

    @property
    def notes(self) -> tuple[str, ...]:
        """Renamed options, and what a person should know of the weights that were loaded."""
        return (*self._option_notes, *(self._runtime.models.notes if self._runtime is not None else ()))

    def close(self) -> None:
        """See ``Painter.close``."""
        runtime, self._runtime = self._runtime, None
        if runtime is not None:
            runtime.close()

    def memory(self, size: tuple[int, int], frames: int) -> MemoryEstimate | None:
        """See ``Painter.memory``: of keyframes as many are painted at once as there is room for."""
        files = vars(self).get("model_files")
        if files is None:
            try:
                files = find_model_files(replace(self.options, offline=True))
            except RestyleError:  # said when they are looked for
                return None
        with without_warnings():
            from restyle.painters.diffusion.loading import memory_need
            from restyle.painters.networks.devices import estimate_memory

        return estimate_memory(self.options, memory_need(self.options, files, size), half="float16")

    def paint(self, request: PaintRequest, carry: Carry | None) -> tuple[list[np.ndarray], Carry]:
        """See ``Painter.paint``."""
        return self.ready(request).paint(request, carry)

    def ready(self, request: PaintRequest) -> Runtime:
        """The models, loaded if they are not yet."""
        if self._runtime is None:
            request.tick("loading the model")
            with without_warnings():  # the libraries warn of each other's changes, which is nothing to a person
                from restyle.painters.diffusion.runtime import Runtime
            self._runtime = Runtime(self.options, self.model_files, tell=request.tick)
        return self._runtime


def _digest(picture: np.ndarray) -> str:
    return blake2b(np.ascontiguousarray(picture).tobytes(), digest_size=16).hexdigest()
