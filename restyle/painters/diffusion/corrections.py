"""Corrections of what a step predicts, row by row of a window: shapes early, pixels in between, colours late.

*Shapes* are those of the window's ends, moved along the footage's motion in latents (Rerender-A-Video, Yang et al. 2023:
shape-aware cross-frame latent fusion). *Pixels*: once, what is predicted of the ends is moved in pixels, of which a latent has
64, laid over what is predicted here, and encoded again; predictions are then drawn towards that (pixel-aware cross-frame latent
fusion, of the same). *Colours* are those of what two keyframes both show.
"""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional

from restyle.painters.diffusion.coder import PictureCoder
from restyle.painters.diffusion.correspondences import VISIBLE, Correspondences
from restyle.painters.diffusion.denoiser import Step
from restyle.painters.diffusion.latents import (
    fuse_shapes,
    match_colours,
    match_colours_along,
    predict_clean,
    replace_prediction,
)
from restyle.painters.diffusion.options import Options
from restyle.painters.diffusion.window import Rows, partners_of

__all__ = ["Corrections", "encode_faithfully"]

PIXELS = (0.5, 0.8)  # part of the steps in which predictions are drawn towards the ends' pixels
UNSURE = 0.1  # of [0, 1]: what a picture may lose on the way through the VAE, and its loss still be made good


class Corrections:
    """Corrections of one window's steps, in their order. ``clean``: every row's latents, N x C x h x w."""

    def __init__(
        self,
        coder: PictureCoder,
        options: Options,
        rows: Rows,
        correspondences: Correspondences | None,
        clean: torch.Tensor,
    ) -> None:
        self._coder = coder
        self._options = options
        self._rows = rows
        self._correspondences = correspondences
        self._clean = clean
        self._fused: dict[int, tuple[torch.Tensor, torch.Tensor]] | None = None

    def __call__(self, sample: torch.Tensor, output: torch.Tensor, step: Step) -> tuple[torch.Tensor, torch.Tensor]:
        """Sample and output of the live rows, such that the pictures that are predicted are corrected."""
        options, rows = self._options, self._rows
        fuses = step.progress < options.shape_until
        draws = options.pixel_fusion > 0 and PIXELS[0] <= step.progress < PIXELS[1]
        # of few steps none may lie so late: the last one does it
        matches = step.progress >= options.colour_from or (step.last and options.colour_from < 1)
        if not (fuses or draws or matches):
            return sample, output
        prediction = predict_clean(step.scheduler, step.timestep, sample, output)
        pictures = {row: self._clean[row].float() for row in rows.fixed}
        pictures |= {row: prediction[index] for index, row in enumerate(rows.live)}
        if draws and self._fused is None:
            self._fused = self._fuse_pixels(pictures)
        for row in dict.fromkeys((rows.first, rows.last, *rows.live)):
            if row == rows.anchor or row in rows.fixed:
                continue
            if fuses:
                self._fuse_shapes(pictures, row)
            if draws and self._fused and row in self._fused:
                fused, mask = self._fused[row]
                pictures[row] = pictures[row] + options.pixel_fusion * mask * (fused - pictures[row])
            if matches:
                self._match_colours(pictures, row)
        wanted = torch.stack([pictures[row] for row in rows.live])
        return replace_prediction(step.scheduler, step.timestep, sample, output, wanted)

    def _partners(self, row: int) -> list[int]:
        """The window's ends whose motion to the row is known: the first comes last, and has the last word."""
        known = self._correspondences
        return [
            other for other in reversed(partners_of(row, self._rows)) if known is not None and known.known(row, other)
        ]

    def _fuse_shapes(self, pictures: dict[int, torch.Tensor], row: int) -> None:
        for other in self._partners(row):
            assert self._correspondences is not None
            flow, confidence = self._correspondences.latents(row, other)
            pictures[row] = fuse_shapes(pictures[row], pictures[other], flow, (confidence > VISIBLE).float())

    def _match_colours(self, pictures: dict[int, torch.Tensor], row: int) -> None:
        rows, correspondences = self._rows, self._correspondences
        if row == rows.first:  # the look of another shot, which shows something else
            pictures[row] = match_colours(pictures[row], pictures[rows.anchor])
        elif correspondences is not None and correspondences.known(row, rows.first):
            place = correspondences.tokens(row, rows.first, pictures[row][0].numel())
            pictures[row] = match_colours_along(pictures[row], pictures[rows.first], *place)

    def _fuse_pixels(self, pictures: dict[int, torch.Tensor]) -> dict[int, tuple[torch.Tensor, torch.Tensor]]:
        """Row -> its latents C x h x w with the ends' pixels laid over it, and the cells that are all theirs, 1 x h x w."""
        shown: dict[int, torch.Tensor] = {}
        fused = {}
        for row in self._rows.live:
            partners = self._partners(row)
            if not partners:
                continue
            assert self._correspondences is not None
            for each in (row, *partners):
                if each not in shown:
                    shown[each] = self._coder.to_picture(pictures[each].to(self._clean.dtype))
            picture = shown[row]
            height, width = picture.shape[1:]
            theirs = torch.zeros(1, height, width)
            for other in partners:
                parts = self._correspondences.flow(row, other, width, height)
                flow, confidence = (torch.from_numpy(np.ascontiguousarray(part)) for part in parts)
                visible = (confidence > VISIBLE).float()
                picture = fuse_shapes(picture, shown[other], flow, visible)
                theirs = torch.maximum(theirs, visible)
            cells = -functional.adaptive_max_pool2d(-theirs[None], pictures[row].shape[1:])[0]
            fused[row] = encode_faithfully(self._coder, picture.clamp(0, 1)).float(), cells.to(self._clean.device)
        return fused


def encode_faithfully(coder: PictureCoder, picture: torch.Tensor) -> torch.Tensor:
    """Latents of a picture, 3 x H x W in [0, 1], that lose less of it when they are decoded.

    What encoding the decoded picture again has lost is added, where decoding is near enough to the picture: the
    fidelity-oriented encoding of Rerender-A-Video."""
    latents = coder.to_latents(picture * 2 - 1)
    again = coder.to_picture(latents)
    height, width = latents.shape[1:]
    lost = functional.adaptive_avg_pool2d((again - picture).abs().mean(0)[None, None], (height, width))[0]
    sure = (lost < UNSURE).to(latents)
    return latents + sure * (latents - coder.to_latents(again * 2 - 1))
