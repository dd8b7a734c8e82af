"""The denoising loop: some rows of keyframes, from noise to pictures, over the library's own parts.

With every device of consistency off it does what diffusers' img2img, ControlNet img2img and inpaint pipelines do, number for
number. What it adds: rows that are painted already ride along at the step's noise level and are only looked at; each row's
result does not depend on the batch it is computed in; and the clean picture that a step predicts is corrected
(``latents.py``) before the scheduler goes on from it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from restyle.errors import PainterError
from restyle.painters.diffusion.attention import Call, Kept, Loom
from restyle.painters.diffusion.inversion import draws_noise, invert
from restyle.painters.diffusion.latents import lock_colours, predicted, replaced, shape_from
from restyle.painters.diffusion.models import Models
from restyle.painters.diffusion.options import Options, no_inversion
from restyle.painters.diffusion.paths import SEEN, Paths
from restyle.painters.diffusion.stepping import StepNoise
from restyle.painters.diffusion.window import Rows, batches, partners_of, sources_of, trails_of
from restyle.types import TextPrompt

__all__ = ["Inpaint", "RowInput", "Sampler"]

REFRESHED = 2  # from how many steps to how many rows that are only looked at are computed ...
MANY = 10  # ... if so many steps are made, for then they hardly change from one to the next

Memory = dict[str, dict[tuple[int, int], Kept]]  # layer -> (row, half) -> what of it others look at


@dataclass(frozen=True)
class Inpaint:
    """Where a row is painted, and what lies round it."""

    mask: torch.Tensor
    """1 x h x w on the latents' grid: 1 is painted."""
    masked: torch.Tensor
    """C x h x w: latents of the picture with the painted part taken out; looked at by inpainting models."""


@dataclass(frozen=True)
class RowInput:
    """One row. Latents are C x h x w, scaled as the UNet sees them, on the device."""

    clean: torch.Tensor
    """Latents of the footage's picture; of a held row, of its painting."""
    noise: torch.Tensor
    words: TextPrompt
    maps: tuple[torch.Tensor, ...] = ()
    """3 x H x W in [0, 1], one for each ControlNet; held rows need none."""
    generator: torch.Generator | None = None
    """For schedulers that draw noise in each step, where noise does not move."""
    fine: np.ndarray | None = None
    """The noise on the fine grid, where it moves: what schedulers draw is made of it."""
    inpaint: Inpaint | None = None


@dataclass(frozen=True)
class _Said:
    """A prompt, encoded: 2 (with guidance: negative first) x tokens x width."""

    embeds: torch.Tensor
    pooled: torch.Tensor | None


class Sampler:
    """Denoises rows with one set of models. ``most`` is how many rows are computed at once; it shrinks when memory runs out."""

    def __init__(self, models: Models, loom: Loom, options: Options, *, tell: Callable[[str], None]) -> None:
        self._models = models
        self._pipe = models.pipe
        self._loom = loom
        self._options = options
        self._tell = tell
        self._said: dict[TextPrompt, _Said] = {}
        self.most = options.batch or (4 if models.device.type == "cpu" else 64)
        self._guided = models.guidance > 1.0
        self._style: list[torch.Tensor] | None = None
        if options.start == "inversion" and draws_noise(self._pipe.scheduler):
            raise no_inversion(f"the model's scheduler ({type(self._pipe.scheduler).__name__})")

    def paint(
        self, rows: Rows, inputs: Sequence[RowInput], paths: Paths | None, tick: Callable[[str], None]
    ) -> dict[int, torch.Tensor]:
        """Clean latents of every live row. Raises ``PainterError`` (out of memory, numbers that are none)."""
        pipe, options = self._pipe, self._options
        live = rows.live
        if not live:
            return {}
        scheduler = type(pipe.scheduler).from_config(pipe.scheduler.config)
        steps = self._steps(scheduler)
        if not len(steps):
            return {row: inputs[row].clean for row in live}
        if options.start == "inversion":
            inputs = self._inverted(rows, inputs, scheduler, steps, tick)
        clean = torch.stack([row.clean for row in inputs])
        noise = torch.stack([row.noise for row in inputs])
        at = list(live)
        sample = scheduler.add_noise(clean[at], noise[at], steps[:1].repeat(len(at)))
        if options.start == "noise" and options.strength >= 1 and any(inputs[row].inpaint is not None for row in live):
            sample = noise[at] * scheduler.init_noise_sigma
        generators = [inputs[row].generator for row in live]
        fine = [found for row in live if (found := inputs[row].fine) is not None]
        step_noise = StepNoise(fine) if fine else nullcontext()
        pipe.scheduler = scheduler
        extra = pipe.prepare_extra_step_kwargs(generators if all(generators) else None, 0.0)
        memory: Memory = {}
        every = REFRESHED if len(steps) >= MANY else 1
        for number, step in enumerate(steps):
            tick(f"step {number + 1} of {len(steps)}")
            part = number / len(steps)
            samples = {row: sample[place : place + 1] for place, row in enumerate(live)}
            if number % every == 0:
                samples |= {
                    row: scheduler.add_noise(clean[row : row + 1], noise[row : row + 1], step.reshape(1))
                    for row in rows.held
                }
            outputs = self._outputs(rows, inputs, samples, memory, scheduler, step, number, len(steps), paths)
            output = torch.cat([outputs[row] for row in live])
            if part < options.shape_until or part >= options.colour_from:
                sample, output = self._corrected(rows, clean, sample, output, scheduler, step, part, paths)
            with step_noise:
                sample = scheduler.step(output, step, sample, **extra, return_dict=False)[0]
            sample = self._blend(inputs, live, sample, scheduler, steps, number)
        if not torch.isfinite(sample).all():
            raise PainterError(
                f"the model gave numbers that are none (NaN) in {self._models.dtype}; try --painter-option dtype=float32"
            )
        return {row: sample[place] for place, row in enumerate(live)}

    def _inverted(
        self,
        rows: Rows,
        inputs: Sequence[RowInput],
        scheduler: Any,
        steps: torch.Tensor,
        tick: Callable[[str], None],
    ) -> list[RowInput]:
        """The rows, with the noise that the live ones' pictures come from: each by itself, unguided and under no words, maps or
        style, for what these bring in is what the painting is to have and the picture has not."""
        made, left = list(inputs), list(rows.live)
        if self._models.style is not None:
            self._pipe.set_ip_adapter_scale(0.0)
        try:
            while left:
                group = left[: self.most]
                bare = [replace(inputs[row], words=TextPrompt()) for row in group]

                def model(sample: torch.Tensor, step: torch.Tensor, bare: list[RowInput] = bare) -> torch.Tensor:
                    tick("inverting")
                    return self._model(bare, sample, step, 0, 1, guided=False, maps=False)

                try:
                    noise = invert(model, scheduler, steps, torch.stack([row.clean for row in bare]))
                except (torch.OutOfMemoryError, RuntimeError) as error:
                    self._shrink(error, len(group))
                    continue
                for row, one in zip(group, noise, strict=True):
                    made[row] = replace(inputs[row], noise=one)
                left = left[len(group) :]
        finally:
            if self._models.style is not None:
                self._pipe.set_ip_adapter_scale(self._options.style_weight)
        return made

    def _steps(self, scheduler: Any) -> torch.Tensor:
        """The time steps that are made, from the strength on. ``options.steps`` is how many are really made."""
        strength, wanted = self._options.strength, self._models.steps
        if strength <= 0:
            return torch.zeros(0)
        whole = max(wanted, round(wanted / strength))
        scheduler.set_timesteps(whole, device=self._models.device)
        before = self._pipe.scheduler
        self._pipe.scheduler = scheduler
        try:
            return self._pipe.get_timesteps(whole, min(1.0, wanted / whole + 1e-6), self._models.device)[0]
        finally:
            self._pipe.scheduler = before

    def _outputs(
        self,
        rows: Rows,
        inputs: Sequence[RowInput],
        samples: Mapping[int, torch.Tensor],
        memory: Memory,
        scheduler: Any,
        step: torch.Tensor,
        number: int,
        count: int,
        paths: Paths | None,
    ) -> dict[int, torch.Tensor]:
        """The model's output for every live row, guidance done. ``memory``: of held rows, which is made anew if they are among
        the ``samples``."""
        mode = self._options.attention
        sources = sources_of(mode, rows)
        trails = {}
        if paths is not None and number / count < self._options.trails_until:
            trails = {
                row: found
                for row, others in trails_of(mode, rows).items()
                if (found := tuple(other for other in others if paths.known(row, other)))
            }
        looked_at = {other for row in rows.live for other in (*sources[row], *trails.get(row, ()))}
        scaled = {row: scheduler.scale_model_input(sample, step) for row, sample in samples.items()}
        step_memory = memory
        made: dict[int, torch.Tensor] = {}

        def call(group: tuple[int, ...], *, guided: bool, maps: bool) -> torch.Tensor:
            left = [row for row in rows.live if row not in made and row not in group]
            wanted = {other for row in left for other in (*sources[row], *trails.get(row, ()))}
            own = {row: trails[row] for row in group if row in trails}
            keep = frozenset(group) & wanted
            self._loom.call = Call(group, 2 if guided else 1, sources, own, paths, keep, step_memory)
            try:
                return self._model(
                    [inputs[row] for row in group], torch.cat([scaled[row] for row in group]), step, number, count,
                    guided=guided, maps=maps,
                )  # fmt: skip
            finally:
                self._loom.call = None

        held = tuple(row for row in sorted(rows.held) if row in looked_at and row in samples)
        for start in range(0, len(held), self.most):
            call(held[start : start + self.most], guided=False, maps=False)
        step_memory = {layer: dict(kept) for layer, kept in memory.items()}
        while len(made) < len(rows.live):
            group = next(group for group in batches(mode, rows, self.most) if not made.keys() >= set(group))
            group = tuple(row for row in group if row not in made)
            try:
                output = call(group, guided=self._guided, maps=True)
            except (torch.OutOfMemoryError, RuntimeError) as error:
                self._shrink(error, len(group))
                continue
            made |= {row: output[place : place + 1] for place, row in enumerate(group)}
        return made

    def _shrink(self, error: Exception, rows: int) -> None:
        """Fewer rows at once, where it was memory that failed; else the error goes on."""
        if not isinstance(error, torch.OutOfMemoryError) and "out of memory" not in str(error).lower():
            raise error
        if rows == 1 or self._options.attention == "joint":
            how = "attention=woven, " if self._options.attention == "joint" else ""
            raise PainterError(
                f"out of memory on {self._models.device}, with {rows} keyframes at once: "
                f"use {how}a smaller longest, or offload=true (--painter-option)"
            ) from error
        self.most = max(1, rows // 2)
        if self._models.device.type == "cuda":
            torch.cuda.empty_cache()
        self._tell(f"out of memory with {rows} keyframes at once; going on with {self.most}")

    def _model(
        self,
        inputs: Sequence[RowInput],
        scaled: torch.Tensor,
        step: torch.Tensor,
        number: int,
        count: int,
        *,
        guided: bool,
        maps: bool,
    ) -> torch.Tensor:
        """ControlNets and UNet on one batch, and guidance."""
        said = [self._encoded(row.words) for row in inputs]
        halves = (0, 1) if guided else (-1,)
        embeds = torch.cat([one.embeds[half : half + 1 or None] for half in halves for one in said])
        sample = torch.cat([scaled] * len(halves))
        added: dict[str, Any] = {}
        if said[0].pooled is not None:
            added["text_embeds"] = torch.cat([one.pooled[half : half + 1 or None] for half in halves for one in said])  # type: ignore[index]
            added["time_ids"] = self._time_ids(scaled, len(inputs), len(halves))
        down = mid = None
        nets = getattr(self._pipe, "controlnet", None)
        if maps and nets is not None:
            pictures = [
                torch.cat([torch.stack([row.maps[net] for row in inputs])] * len(halves))
                for net in range(len(inputs[0].maps))
            ]
            weights = [
                spec.strength * (1.0 - float(number / count < spec.start or (number + 1) / count > spec.end))
                for spec in self._models.controls
            ]
            one = len(pictures) == 1
            down, mid = nets(
                sample,
                step,
                encoder_hidden_states=embeds,
                controlnet_cond=pictures[0] if one else pictures,
                conditioning_scale=weights[0] if one else weights,
                added_cond_kwargs=added or None,
                return_dict=False,
            )
        if self._models.style is not None:
            added = {**added, "image_embeds": self._style_embeds(len(inputs), guided)}
        if self._models.inpainting:
            more = torch.cat([torch.stack([_inpainting_channels(row, sample) for row in inputs])] * len(halves))
            sample = torch.cat([sample, more], dim=1)
        output = self._pipe.unet(
            sample,
            step,
            encoder_hidden_states=embeds,
            down_block_additional_residuals=down,
            mid_block_additional_residual=mid,
            added_cond_kwargs=added or None,
            return_dict=False,
        )[0]
        if not guided:
            return output
        without, with_ = output.chunk(2)
        return without + self._models.guidance * (with_ - without)

    def _encoded(self, words: TextPrompt) -> _Said:
        if words not in self._said:
            self._said[words] = _Said(*self._models.encode(words, guided=self._guided))
        return self._said[words]

    def _style_embeds(self, rows: int, guided: bool) -> list[torch.Tensor]:
        if self._style is None:
            self._style = self._pipe.prepare_ip_adapter_image_embeds(
                [self._models.style], None, self._models.device, 1, self._guided
            )
        halves = 2 if guided else 1
        return [
            torch.cat([part.repeat(rows, 1, 1) for part in each.chunk(each.shape[0])[-halves:]]) for each in self._style
        ]

    def _time_ids(self, sample: torch.Tensor, rows: int, halves: int) -> torch.Tensor:
        """SDXL's micro-conditioning: the painted size, not cropped, of good looks."""
        scale = self._models.latent_scale
        height, width = sample.shape[2] * scale, sample.shape[3] * scale
        if getattr(self._pipe.config, "requires_aesthetics_score", False):
            ids = [[height, width, 0, 0, 2.5], [height, width, 0, 0, 6.0]]
        else:
            ids = [[height, width, 0, 0, height, width]] * 2
        table = torch.tensor(ids[-halves:], dtype=self._models.dtype, device=self._models.device)
        return table.repeat_interleave(rows, dim=0)

    def _corrected(
        self,
        rows: Rows,
        clean: torch.Tensor,
        sample: torch.Tensor,
        output: torch.Tensor,
        scheduler: Any,
        step: torch.Tensor,
        part: float,
        paths: Paths | None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Sample and output, such that the pictures that are predicted have shapes and colours corrected."""
        options = self._options
        guess = predicted(scheduler, step, sample, output)
        pictures = {row: clean[row].float() for row in rows.held} | {row: guess[n] for n, row in enumerate(rows.live)}
        order = [row for row in rows.live if row == rows.last] + [row for row in rows.live if row != rows.last]
        for row in order:
            if row == rows.anchor:
                continue
            if part < options.shape_until and paths is not None:
                for other in reversed(partners_of(row, rows)):  # the first comes last, and has the last word
                    if paths.known(row, other):
                        pictures[row] = self._shaped(pictures[row], pictures[other], paths, row, other)
            if part >= options.colour_from:
                pictures[row] = lock_colours(pictures[row], pictures[rows.anchor])
        wanted = torch.stack([pictures[row] for row in rows.live])
        return replaced(scheduler, step, sample, output, wanted)

    @staticmethod
    def _shaped(here: torch.Tensor, there: torch.Tensor, paths: Paths, row: int, other: int) -> torch.Tensor:
        flow, sure = (part.to(here.device) for part in paths.latents(row, other))
        return shape_from(here, there, flow, (sure > SEEN).float())

    def _blend(
        self,
        inputs: Sequence[RowInput],
        live: Sequence[int],
        sample: torch.Tensor,
        scheduler: Any,
        steps: Any,
        number: int,
    ) -> torch.Tensor:
        """With a plain model, what lies round the painted part is the footage's, at the noise of the step to come."""
        if self._models.inpainting or all(inputs[row].inpaint is None for row in live):
            return sample
        parts = []
        for place, row in enumerate(live):
            mine, inpaint = sample[place : place + 1], inputs[row].inpaint
            if inpaint is not None:
                round_it = inputs[row].clean[None]
                if number + 1 < len(steps):
                    round_it = scheduler.add_noise(round_it, inputs[row].noise[None], steps[number + 1].reshape(1))
                mine = (1 - inpaint.mask) * round_it + inpaint.mask * mine
            parts.append(mine)
        return torch.cat(parts)


def _inpainting_channels(row: RowInput, like: torch.Tensor) -> torch.Tensor:
    """Mask and masked picture, 5 x h x w; of a row that is painted everywhere, an open mask and grey."""
    if row.inpaint is not None:
        return torch.cat([row.inpaint.mask, row.inpaint.masked]).to(like.dtype)
    return torch.cat([torch.ones_like(row.clean[:1]), torch.zeros_like(row.clean)]).to(like.dtype)
