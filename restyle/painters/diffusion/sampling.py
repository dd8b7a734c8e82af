"""The denoising loop: some rows of keyframes, from noise to pictures, over the library's own parts.

With every device of consistency off it does what diffusers' img2img, ControlNet img2img and inpaint pipelines do, number for
number. What it adds: rows that are painted already go along at the step's noise level and are only attended to; each row's
result does not depend on the batch it is computed in; and the clean picture that a step predicts is corrected
(``corrections.py``) before the scheduler goes on from it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch

from restyle.errors import PainterError
from restyle.painters.diffusion.attended import Attended
from restyle.painters.diffusion.attention import AttentionCall, AttentionController, KeyValueCache
from restyle.painters.diffusion.corrections import Corrections
from restyle.painters.diffusion.correspondences import Correspondences
from restyle.painters.diffusion.denoiser import Denoiser, RowInput, Step
from restyle.painters.diffusion.inversion import draws_noise, invert
from restyle.painters.diffusion.limits import Limits
from restyle.painters.diffusion.models import Models
from restyle.painters.diffusion.options import Options, no_inversion
from restyle.painters.diffusion.step_noise import StepNoise
from restyle.painters.diffusion.time_steps import check_steps, fresh_scheduler, time_steps
from restyle.painters.diffusion.window import Rows, batches
from restyle.types import TextPrompt

__all__ = ["Sampler", "SamplingInputs"]

REFRESH_EVERY = 2  # from how many steps to how many rows that are only attended to are computed ...
REFRESH_FROM = 10  # ... if so many steps are made, for then they hardly change from one to the next


@dataclass(frozen=True)
class SamplingInputs:
    """The rows of a window."""

    rows: Rows
    inputs: Sequence[RowInput]
    """One for each row."""
    correspondences: Correspondences | None
    """Motion between the rows; ``None``: none is known."""
    tick: Callable[[str], None]
    """As ``PaintRequest.tick``."""


class Sampler:
    """Denoises rows with one set of models, as many at once as the ``limits`` say."""

    def __init__(self, models: Models, controller: AttentionController, options: Options, limits: Limits) -> None:
        self._models = models
        self._pipe = models.pipe
        self._denoise = Denoiser(models)
        self._controller = controller
        self._options = options
        self._limits = limits
        if options.start == "inversion" and draws_noise(self._pipe.scheduler):
            raise no_inversion(f"the model's scheduler ({type(self._pipe.scheduler).__name__})")
        check_steps(models, options)

    def prepared(self, window: SamplingInputs) -> SamplingInputs:
        """The window, with the noise that its live rows' pictures come from where the start is their inversion.

        Raises ``StartAgain``, ``PainterError`` (out of memory).
        """
        if self._options.start != "inversion":
            return window
        scheduler = fresh_scheduler(self._models)
        timesteps = time_steps(self._models, self._options, scheduler)
        return replace(window, inputs=self._invert(window, scheduler, timesteps)) if len(timesteps) else window

    def paint(self, window: SamplingInputs) -> dict[int, torch.Tensor]:
        """Give clean latents of every live row of a window that is ``prepared``.

        Raises ``StartAgain``, ``PainterError`` (out of memory, numbers that are none).
        """
        live, inputs = window.rows.live, window.inputs
        if not live:
            return {}
        scheduler = fresh_scheduler(self._models)
        timesteps = time_steps(self._models, self._options, scheduler)
        if not len(timesteps):
            return {row: inputs[row].clean for row in live}
        clean = torch.stack([row.clean for row in inputs])
        noise = torch.stack([row.noise for row in inputs])
        sample = self._first_sample(window, clean, noise, scheduler, timesteps)
        generators = [inputs[row].generator for row in live]
        fine = [row_noise for row in live if (row_noise := inputs[row].fine) is not None]
        step_noise = StepNoise(fine) if fine else nullcontext()
        self._pipe.scheduler = scheduler
        extra = self._pipe.prepare_extra_step_kwargs(generators if all(generators) else None, self._models.eta)
        corrections = Corrections(self._models.coder, self._options, window.rows, window.correspondences, clean)
        cache: KeyValueCache = {}
        refresh_every = REFRESH_EVERY if len(timesteps) >= REFRESH_FROM else 1
        for number, timestep in enumerate(timesteps):
            window.tick(f"step {number + 1} of {len(timesteps)}")
            step = Step(scheduler, timestep, number, len(timesteps))
            samples = {row: sample[index : index + 1] for index, row in enumerate(live)}
            if number % refresh_every == 0:
                samples |= {
                    row: scheduler.add_noise(clean[row : row + 1], noise[row : row + 1], timestep.reshape(1))
                    for row in window.rows.fixed
                }
            outputs = self._outputs(window, samples, cache, step)
            output = torch.cat([outputs[row] for row in live])
            sample, output = corrections(sample, output, step)
            with step_noise:
                sample = scheduler.step(output, timestep, sample, **extra, return_dict=False)[0]
            sample = self._blend(window, sample, scheduler, timesteps[number + 1 :])
        if not torch.isfinite(sample).all():
            raise PainterError(
                f"the model gave numbers that are none (NaN) in {self._models.dtype}; try --painter-option dtype=float32"
            )
        return {row: sample[index] for index, row in enumerate(live)}

    def _first_sample(
        self,
        window: SamplingInputs,
        clean: torch.Tensor,
        noise: torch.Tensor,
        scheduler: Any,
        timesteps: torch.Tensor,
    ) -> torch.Tensor:
        """The live rows, at the first step's noise level."""
        live = list(window.rows.live)
        sample = scheduler.add_noise(clean[live], noise[live], timesteps[:1].repeat(len(live)))
        inpaints = any(window.inputs[row].inpaint is not None for row in live)
        if self._options.start == "noise" and self._options.denoising_strength >= 1 and inpaints:
            sample = noise[live] * scheduler.init_noise_sigma
        return sample

    def _invert(self, window: SamplingInputs, scheduler: Any, timesteps: torch.Tensor) -> list[RowInput]:
        """Give the rows the noise that the live ones' pictures come from: each by itself, unguided and without prompt, maps or
        style, for what these bring in is what the painting is to have and the picture has not."""
        inverted, left = list(window.inputs), list(window.rows.live)
        if self._models.styles:
            self._pipe.set_ip_adapter_scale(0.0)
        try:
            while left:
                group = left[: self._most(window)]
                bare = [replace(window.inputs[row], prompt=TextPrompt()) for row in group]

                def model(sample: torch.Tensor, timestep: torch.Tensor, bare: list[RowInput] = bare) -> torch.Tensor:
                    window.tick("inverting")
                    return self._denoise(bare, sample, Step(scheduler, timestep), guided=False, maps=False)

                noise = self._limits.fitting(
                    len(group),
                    lambda model=model, bare=bare: invert(  # type: ignore[misc]
                        model, scheduler, timesteps, torch.stack([row.clean for row in bare])
                    ),
                )
                for row, row_noise in zip(group, noise, strict=True):
                    inverted[row] = replace(window.inputs[row], noise=row_noise)
                left = left[len(group) :]
        finally:
            if self._models.styles:
                self._pipe.set_ip_adapter_scale(list(self._models.style_weights))
        return inverted

    def _most(self, window: SamplingInputs) -> int:
        """Rows that are computed at once; measured by one where that is not known."""
        if self._limits.rows is None:
            row = window.inputs[window.rows.live[0]]
            scheduler = fresh_scheduler(self._models)
            first = time_steps(self._models, self._options, scheduler)[0]
            maps = bool(row.maps)
            step = Step(scheduler, first)
            self._limits.measure(
                lambda: self._denoise([row], row.noise[None], step, guided=self._models.guided, maps=maps)
            )
        assert self._limits.rows is not None
        return self._limits.rows

    def _outputs(
        self, window: SamplingInputs, samples: Mapping[int, torch.Tensor], cache: KeyValueCache, step: Step
    ) -> dict[int, torch.Tensor]:
        """The model's output for every live row, guidance done. ``cache``: of fixed rows, computed anew if they are among the
        ``samples``."""
        rows, guided, most = window.rows, self._models.guided, self._most(window)
        attended = Attended.of(self._options, rows, window.correspondences, step)
        scaled = {row: step.scheduler.scale_model_input(sample, step.timestep) for row, sample in samples.items()}
        outputs: dict[int, torch.Tensor] = {}

        def call(group: tuple[int, ...], cache: KeyValueCache) -> torch.Tensor:
            later = attended.by([row for row in rows.live if row not in outputs and row not in group])
            own = {row: attended.trajectories[row] for row in group if row in attended.trajectories}
            self._controller.call = AttentionCall(
                rows=group,
                halves=2 if guided else 1,  # of fixed rows, too: what others look at was made as they are
                sources=attended.sources,
                trajectories=own,
                correspondences=window.correspondences,
                own_weight=self._options.own_weight,
                disoccluded={row: attended.disoccluded[row] for row in group if row in attended.disoccluded},
                cached_rows=frozenset(group) & later,
                cache=cache,
            )
            try:
                inputs, latents = [window.inputs[row] for row in group], torch.cat([scaled[row] for row in group])
                return self._denoise(inputs, latents, step, guided=guided, maps=bool(inputs[0].maps))
            finally:
                self._controller.call = None

        needed = attended.by(rows.live)
        fixed = tuple(row for row in sorted(rows.fixed) if row in needed and row in samples)
        while fixed:  # those that ControlNets take part in by themselves: another shot's anchor has no maps
            alike = tuple(row for row in fixed if bool(window.inputs[row].maps) == bool(window.inputs[fixed[0]].maps))
            group = alike[:most]
            self._limits.fitting(len(group), partial(call, group, cache))
            fixed = tuple(row for row in fixed if row not in group)
        step_cache = {layer: dict(cached) for layer, cached in cache.items()}
        for group in batches(self._options.attention, rows, most):
            output = self._limits.fitting(len(group), partial(call, group, step_cache))
            outputs |= {row: output[index : index + 1] for index, row in enumerate(group)}
            needed = attended.by([row for row in rows.live if row not in outputs])
            for cached in step_cache.values():  # a neighbour is needed by the next one alone
                for known in [known for known in cached if known[0] not in needed]:
                    del cached[known]
        return outputs

    def _blend(self, window: SamplingInputs, sample: torch.Tensor, scheduler: Any, left: torch.Tensor) -> torch.Tensor:
        """With a plain model, put the footage's latents round the painted part, at the noise of the first of the time steps
        that are ``left``."""
        rows = [window.inputs[row] for row in window.rows.live]
        if self._models.inpainting or all(row.inpaint is None for row in rows):
            return sample
        blended = []
        for index, row in enumerate(rows):
            painted = sample[index : index + 1]
            if row.inpaint is not None:
                surroundings = row.clean[None]
                if len(left):
                    surroundings = scheduler.add_noise(surroundings, row.noise[None], left[0].reshape(1))
                painted = (1 - row.inpaint.mask) * surroundings + row.inpaint.mask * painted
            blended.append(painted)
        return torch.cat(blended)
