"""A paint request -> the rows of its window: latents, noise, prompts and maps on the device; and the carry to the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import cv2
import numpy as np
import torch

from restyle.painters.base import PaintRequest
from restyle.painters.diffusion.correspondences import VISIBLE, Correspondences
from restyle.painters.diffusion.denoiser import Inpaint, RowInput
from restyle.painters.diffusion.models import Models
from restyle.painters.diffusion.noise import FINE, coarse, lands_on, noise_between, refine, warp_noise
from restyle.painters.diffusion.options import Options
from restyle.painters.diffusion.window import Rows
from restyle.painters.networks.pictures import map_tensor, picture_tensor
from restyle.painters.networks.sizes import working_size
from restyle.types import Carry, TextPrompt

__all__ = ["RowInputs"]

PAINTED = 0.02  # of a matte, from which a latent is painted


class RowInputs:
    """The rows of one paint request.

    ``carry``: as ``Painter.paint``. Its arrays: ``anchor`` and ``last``, latents of the paintings of the shot's anchor and of
    the last keyframe, ``anchor_noise`` and ``last_noise``, the noise that they were painted from, all C x h x w, ``noise``, the
    last keyframe's on the fine grid, ``anchor_maps``, the anchor's control maps, uint8 n x 3 x H x W, and with an inpainting
    model ``anchor_inpaint``, its mask and surroundings, 5 x h x w; its facts: the anchor's ``prompt`` and negative prompt and
    its ``seed``, and the last keyframe's ``frame``.
    """

    def __init__(self, models: Models, options: Options, request: PaintRequest, carry: Carry | None) -> None:
        self._models = models
        self._options = options
        self._request = request
        self._carry = Carry() if carry is None else carry
        height, width = request.pictures[0].shape[:2]
        self.size = working_size(
            width, height, models.resolution, multiple=models.multiple, least_multiple=models.least_multiple
        )
        """Width and height that are painted at."""
        self.grid = (self.size[0] // models.latent_scale, self.size[1] // models.latent_scale)
        """Width and height in latents."""

    @cached_property
    def rows(self) -> Rows:
        """The request's keyframes; before them the anchor, where it was painted in an earlier window or in another shot."""
        earlier_anchor = "anchor" in self._carry.arrays or self._request.anchor is not None
        first = 1 if earlier_anchor else 0
        fixed = {index + first for index in self._request.fixed} | ({0} if earlier_anchor else set())
        return Rows(len(self._request.frames) + first, frozenset(fixed), earlier_anchor)

    @cached_property
    def correspondences(self) -> Correspondences:
        """Motion between the rows."""
        positions = {index + self.rows.first: position for index, position in enumerate(self._request.positions)}
        return Correspondences(self._request.tracker, positions, self.grid, self._models.device)

    @cached_property
    def noise(self) -> list[np.ndarray]:
        """Every keyframe's noise, C x H x W on the fine grid: the first's, warped; of what that does not show, the last's."""
        request, rows = self._request, self.rows
        if self._shares_first:
            base = self._carry.arrays["noise"]
        else:
            base = refine(self._own_noise(request.seeds[0]), request.seeds[0])  # of a shot's first keyframe
        if len(request.frames) == 1:
            return [base]
        width, height = self.grid[0] * FINE, self.grid[1] * FINE

        def flow_to(index: int, row: int) -> tuple[np.ndarray, np.ndarray]:
            flow, confidence = self.correspondences.flow(rows.first + index, row, width, height)
            return flow, confidence > VISIBLE

        ends = flow_to(len(request.frames) - 1, rows.first)
        last = warp_noise(base, *ends, request.seeds[-1])
        new = ~lands_on(np.ones(last.shape[1:], bool), *ends)
        between = [
            noise_between(
                (base, *flow_to(index, rows.first)), (last, *flow_to(index, rows.last)), new, request.seeds[index]
            )
            for index in range(1, len(request.frames) - 1)
        ]
        return [base, *between, last]

    def keyframe(self, index: int) -> RowInput:
        """The input of one keyframe of the request."""
        models, request, warps = self._models, self._request, self._options.warp_noise
        prompt = request.prompts[index] if request.prompts else TextPrompt()
        warped = torch.from_numpy(coarse(self.noise[index])).to(models.device, models.dtype)
        maps = tuple(
            map_tensor(request.controls[spec.kind][index], self.size, models.device, models.dtype)
            for spec in models.controls
        )
        painting = request.fixed.get(index)
        if painting is not None:
            inpaint = self._fixed_inpaint(index)
            if index == 0 and self._shares_first:
                return RowInput(self._carried("last"), self._carried("last_noise"), prompt, maps, inpaint=inpaint)
            clean = models.coder.to_latents(picture_tensor(painting, self.size))
            return RowInput(clean, warped, prompt, maps, inpaint=inpaint)
        # one seed for all, where noise is warped: what the encoder draws must not make keyframes differ
        generator = torch.Generator("cpu").manual_seed(self._seed if warps else request.seeds[index])
        picture = picture_tensor(request.pictures[index], self.size)
        from_noise = models.inpainting and self._options.denoising_strength >= 1
        # diffusers draws nothing for what it does not use
        clean = models.coder.to_latents(picture, None if from_noise else generator)
        own = torch.randn((1, *clean.shape), generator=generator)[0].to(models.device, models.dtype)
        inpaint = self._inpaint(self._matte(index), picture, generator)
        if warps:
            return RowInput(clean, warped, prompt, maps, fine=self.noise[index], inpaint=inpaint)
        return RowInput(clean, own, prompt, maps, generator=generator, inpaint=inpaint)

    def earlier_anchor(self) -> RowInput:
        """The input of the anchor, where it is not among the window's keyframes: as it was painted; another shot's with the
        noise of this shot's seed."""
        prompt, models, anchor = TextPrompt(*self._anchor_words), self._models, self._request.anchor
        if anchor is None or "anchor" in self._carry.arrays:
            maps, inpaint = self._carried("anchor_maps"), None
            if "anchor_inpaint" in self._carry.arrays:
                carried = self._carried("anchor_inpaint")
                inpaint = Inpaint(carried[:1], carried[1:])
            return RowInput(
                self._carried("anchor"), self._carried("anchor_noise"), prompt, tuple(maps / 255), inpaint=inpaint
            )
        clean = models.coder.to_latents(picture_tensor(anchor.painting, self.size))
        generator = torch.Generator("cpu").manual_seed(self._seed)
        noise = torch.randn(tuple(clean.shape), generator=generator).to(models.device, models.dtype)
        return RowInput(clean, noise, prompt, inpaint=self._inpaint(None, torch.zeros(3, *self.size[::-1])))

    def carry(self, latents: Mapping[int, torch.Tensor], inputs: Sequence[RowInput]) -> Carry:
        """The carry to the next window. ``latents``: every row's, painted; ``inputs``: what each was painted from."""

        def array(values: torch.Tensor) -> np.ndarray:
            return np.ascontiguousarray(values.float().cpu().numpy())

        rows, request = self.rows, self._request
        anchor = inputs[rows.anchor]
        maps = [(each * 255).round().byte().cpu().numpy() for each in anchor.maps]
        more = {"anchor_maps": np.stack(maps) if maps else np.zeros((0, 3, 1, 1), np.uint8)}
        if self._models.inpainting and anchor.inpaint is not None:
            more["anchor_inpaint"] = array(torch.cat([anchor.inpaint.mask, anchor.inpaint.masked]))
        return Carry(
            {
                "anchor": array(latents[rows.anchor]),
                "anchor_noise": array(anchor.noise),
                "last": array(latents[rows.last]),
                "last_noise": array(inputs[rows.last].noise),
                "noise": self.noise[-1],
            }
            | more,
            {"prompt": self._anchor_words, "seed": self._seed, "frame": request.frames[-1]},
        )

    def _inpaint(
        self, matte: np.ndarray | None, picture: torch.Tensor, generator: torch.Generator | None = None
    ) -> Inpaint | None:
        """Mask and surroundings, where there is a matte that leaves something out; with an inpainting model always: of what is
        painted everywhere the surroundings are grey."""
        models = self._models
        if not models.inpainting and (matte is None or (matte > PAINTED).all()):
            return None
        scale, (width, height) = models.latent_scale, self.grid
        matte = np.ones(self.size[::-1], np.float32) if matte is None else np.ascontiguousarray(matte)
        wide = cv2.resize(matte, self.size, interpolation=cv2.INTER_LINEAR) > PAINTED
        small = wide.reshape(height, scale, width, scale).any(axis=(1, 3))
        mask = torch.from_numpy(small[None].astype(np.float32)).to(models.device, models.dtype)
        hole = torch.from_numpy(wide.astype(np.float32))[None]
        masked = models.coder.to_latents(picture * (1 - hole), generator) if models.inpainting else torch.zeros(0)
        return Inpaint(mask, masked)

    def _fixed_inpaint(self, index: int) -> Inpaint | None:
        """As ``_inpaint``, of a keyframe that is painted already: inpainting models alone see it."""
        if not self._models.inpainting:
            return None
        picture = picture_tensor(self._request.pictures[index], self.size)
        return self._inpaint(self._matte(index), picture, torch.Generator("cpu").manual_seed(self._seed))

    def _matte(self, index: int) -> np.ndarray | None:
        return self._request.mattes[index] if self._request.mattes else None

    def _own_noise(self, seed: int) -> np.ndarray:
        """The noise that diffusers would draw for a keyframe of that seed: after the encoder's."""
        shape = (1, self._models.pipe.unet.config.out_channels, self.grid[1], self.grid[0])
        generator = torch.Generator("cpu").manual_seed(seed)
        torch.randn(shape, generator=generator)
        return torch.randn(shape, generator=generator)[0].numpy()

    @property
    def _anchor_words(self) -> list[str]:
        """The anchor's prompt and negative prompt."""
        if "prompt" in self._carry.facts:
            return list(self._carry.facts["prompt"])
        prompt = self._request.prompts[0] if self._request.prompts else TextPrompt()
        if self._request.anchor is not None:
            prompt = self._request.anchor.prompt
        return [prompt.prompt, prompt.negative_prompt]

    @property
    def _shares_first(self) -> bool:
        """Whether the first keyframe is the last of the window before."""
        return self._carry.facts.get("frame") == self._request.frames[0]

    @property
    def _seed(self) -> int:
        """The shot's: its anchor's."""
        return int(self._carry.facts.get("seed", self._request.seeds[0]))

    def _carried(self, name: str) -> torch.Tensor:
        return torch.from_numpy(self._carry.arrays[name]).to(self._models.device, self._models.dtype)
