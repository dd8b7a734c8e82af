"""The painter at work: its model loaded, on a device. Imports torch and diffusers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from interp.quiet import without_warnings
from restyle.errors import PainterError
from restyle.painters.base import PaintRequest
from restyle.painters.edit.controlnets import with_controlnets
from restyle.painters.edit.families import FAMILIES
from restyle.painters.edit.families.base import Keyframe
from restyle.painters.edit.keyframes import Keyframes
from restyle.painters.edit.model_files import ModelFiles
from restyle.painters.edit.options import Options
from restyle.painters.memory import MemoryNeed
from restyle.painters.networks.fitting import Fitting
from restyle.painters.networks.memory import release
from restyle.painters.networks.pictures import from_painting
from restyle.painters.networks.pipelines import load_pipeline
from restyle.painters.networks.words import cut_note
from restyle.types import Carry

__all__ = ["Runtime"]


class Runtime:
    """A loaded model. ``need``: as of ``load_pipeline``.

    Raises ``MissingModelError``, ``RecipeError``, ``PainterError`` when it is built.
    """

    def __init__(
        self,
        options: Options,
        files: ModelFiles,
        *,
        need: Callable[[int], MemoryNeed],
        tell: Callable[[str], None],
    ) -> None:
        self._options = options
        self._family = FAMILIES[files.family_name]
        self._loaded = load_pipeline(
            options, files, need=need, tell=tell, build=lambda pipe, dtype: with_controlnets(pipe, files, dtype)
        )
        self._fitting = Fitting(self._loaded, tell=tell)
        self._notes: dict[str, None] = {}

    @property
    def notes(self) -> tuple[str, ...]:
        """Lines for a person about what was not heard, and what was given up."""
        return (*self._notes, *self._fitting.notes)

    @torch.no_grad()
    def paint(self, request: PaintRequest, carry: Carry | None) -> tuple[list[np.ndarray], Carry]:
        """As ``Painter.paint``."""
        size = list(request.pictures[0].shape[1::-1])
        self._fitting.begin(request.settings, {"painter": "edit", "model": self._options.model, "size": size})
        return self._fitting(lambda: self._window(request, carry))

    def _window(self, request: PaintRequest, carry: Carry | None) -> tuple[list[np.ndarray], Carry]:
        traits = self._family.traits
        keyframes = Keyframes(traits, self._options, request, carry)
        paintings: list[np.ndarray] = []
        for index, picture in enumerate(request.pictures):
            if index in request.fixed:
                paintings.append(request.fixed[index].copy())
            else:
                request.tick(f"painting frame {request.frames[index]}")
                keyframe = keyframes.keyframe(index, paintings[-1] if paintings else None)
                self._listen(keyframe)
                painted = self._paint(keyframe, request, request.frames[index])
                paintings.append(from_painting(painted.transpose(2, 0, 1), picture))
            keyframes.painted(index, paintings[-1])
        return paintings, keyframes.carry()

    def close(self) -> None:
        """Let go of the model's memory. Nothing can be painted afterwards."""
        device = torch.device(self._loaded.machine.device)
        del self._loaded, self._fitting
        release(device)  # networks and the hooks on them point at each other

    def _paint(self, keyframe: Keyframe, request: PaintRequest, frame: int) -> np.ndarray:
        with without_warnings():
            painted = self._family.paint(
                self._loaded.own, keyframe, lambda step: request.tick(f"painting frame {frame}, step {step}")
            )
        if not np.isfinite(painted).all():
            dtype = self._loaded.machine.dtype
            better = "float32" if dtype == "bfloat16" else "bfloat16"
            raise PainterError(
                f"model {self._options.model!r} gave numbers that are none (NaN) in {dtype}"
                + ("" if dtype == "float32" else f"; try --painter-option dtype={better}")
            )
        return painted

    def _listen(self, keyframe: Keyframe) -> None:
        """Take note of words that the model does not read."""
        traits = self._family.traits
        if traits.words is not None:
            tokenizer = getattr(self._loaded.own, traits.tokenizer)
            note = cut_note(tokenizer, keyframe.prompt, traits.words, traits.title)
            self._notes |= {} if note is None else {note: None}
        if keyframe.negative_prompt and not traits.negative:
            self._notes[f"{traits.title} reads no negative prompt: {keyframe.negative_prompt!r:.60} was not heard"] = (
                None
            )
