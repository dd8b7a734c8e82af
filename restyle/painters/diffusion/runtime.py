"""The painter at work: its models loaded, on a device. Imports torch and diffusers."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import numpy as np
import torch

from restyle.painters.base import PaintRequest
from restyle.painters.diffusion.attention import install_processors
from restyle.painters.diffusion.limits import Limits
from restyle.painters.diffusion.loading import load_models
from restyle.painters.diffusion.model_files import ModelFiles
from restyle.painters.diffusion.options import Options
from restyle.painters.diffusion.row_inputs import RowInputs
from restyle.painters.diffusion.sampling import Sampler, SamplingInputs
from restyle.painters.networks.memory import StartAgain, release
from restyle.painters.networks.pictures import from_painting
from restyle.types import Carry

__all__ = ["Runtime"]


class Runtime:
    """Loaded models with their sampler. Raises ``MissingModelError``, ``RecipeError`` when it is built."""

    def __init__(self, options: Options, files: ModelFiles, *, tell: Callable[[str], None]) -> None:
        self._options = options
        self.models = load_models(options, files, tell=tell)
        controller = install_processors(self.models.pipe.unet, layers=options.layers)
        self.limits = Limits(self.models, options, tell=tell)
        self.sampler = Sampler(self.models, controller, options, self.limits)

    @torch.no_grad()
    def paint(self, request: PaintRequest, carry: Carry | None) -> tuple[list[np.ndarray], Carry]:
        """As ``Painter.paint``."""
        size = RowInputs(self.models, self._options, request, carry).size
        self.limits.begin(request.settings, size)
        while True:
            with suppress(StartAgain):
                return self._paint(request, carry)
            self.limits.keep()

    def _paint(self, request: PaintRequest, carry: Carry | None) -> tuple[list[np.ndarray], Carry]:
        """As ``paint``, within the limits. Raises ``StartAgain`` where they have become narrower."""
        row_inputs = RowInputs(self.models, self._options, request, carry)
        rows = row_inputs.rows
        inputs = [row_inputs.earlier_anchor()] if rows.earlier_anchor else []
        for index, frame in enumerate(request.frames):
            request.tick(f"encoding frame {frame}")
            inputs.append(row_inputs.keyframe(index))
        title = f"painting frames {request.frames[0]} to {request.frames[-1]}"
        window = SamplingInputs(rows, inputs, row_inputs.correspondences, lambda text: request.tick(f"{title}, {text}"))
        window = self.sampler.prepared(window)
        painted = self.sampler.paint(window)
        latents = {row: painted.get(row, inputs[row].clean) for row in range(rows.count)}
        paintings = []
        for index, picture in enumerate(request.pictures):
            if index in request.fixed:
                paintings.append(request.fixed[index].copy())
                continue
            request.tick(f"decoding frame {request.frames[index]}")
            paintings.append(from_painting(self.models.coder.to_picture(latents[index + rows.first]).numpy(), picture))
        return paintings, row_inputs.carry(latents, window.inputs)

    def close(self) -> None:
        """Let go of the models' memory. Nothing can be painted afterwards."""
        device = self.models.device
        del self.models, self.sampler, self.limits
        release(device)  # networks and the hooks on them point at each other
