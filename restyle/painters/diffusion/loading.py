"""Files of weights -> a diffusers pipeline, on a device."""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping
from dataclasses import replace
from logging import CRITICAL
from typing import Any

import diffusers
import torch
import transformers

from controls.torchvision_guard import make_torchvision_importable
from interp.quiet import without_warnings
from restyle.errors import PainterError
from restyle.painters.diffusion.adapters import add_styles, add_words
from restyle.painters.diffusion.coder import PictureCoder
from restyle.painters.diffusion.model_files import ModelFiles
from restyle.painters.diffusion.models import Models
from restyle.painters.diffusion.networks import assemble, load_controls
from restyle.painters.diffusion.options import Options
from restyle.painters.diffusion.placing import Placing
from restyle.painters.diffusion.presets import PRESETS, SCHEDULES, Schedule
from restyle.painters.diffusion.prompts import PromptEncoder
from restyle.painters.memory import MemoryNeed
from restyle.painters.networks.devices import devices, free_memory
from restyle.painters.networks.loras import add_loras
from restyle.painters.networks.machine import choose_machine
from restyle.painters.networks.memory import MEMORY_ERRORS, ran_out
from restyle.painters.networks.work import Load, work_bytes
from restyle.weights.catalogue import FAMILIES, Family

__all__ = ["load_models", "memory_need"]

STEPS = 20
UNKNOWN = 768  # side of the square that is reckoned with where the footage's own size is painted, and not known yet
GUIDANCE_SCALE: Mapping[Family, float] = {"sd15": 7.0, "sdxl": 6.0}
RESOLUTION: Mapping[Family, int] = {"sd15": 576, "sdxl": 1024}
"""Side of the square that has as many pixels as are painted: SD 1.5's were trained on 512, and its offspring paint 768 x 448
well; SDXL on 1024."""


def load_models(options: Options, files: ModelFiles, *, tell: Callable[[str], None] = lambda _: None) -> Models:
    """Load what was found. Raises ``MissingModelError``, ``RecipeError`` (parts that do not fit to each other)."""
    with without_warnings():  # the libraries warn of each other's changes, which is nothing to a person
        make_torchvision_importable()  # before any class of diffusers is asked for
        for library in (diffusers, transformers):
            library.utils.logging.set_verbosity(CRITICAL)  # errors are told by what is raised
            library.utils.logging.disable_progress_bar()
        device = options.device or "the device"
        for offload in (options.offload, True):
            try:
                return _load(replace(options, offload=offload), files, tell)
            except MEMORY_ERRORS as error:
                if not ran_out(error):
                    raise
            gc.collect()  # here the error is gone, and what its frames held
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
            if offload is not None:
                break
            tell("out of memory while the model is loaded: its parts are moved in as needed")
    raise PainterError(
        f"out of memory on {device} while the model is loaded; "
        + ("use a smaller model, or --painter-option device=cpu" if offload else "use offload=true (--painter-option)")
    )


def _load(options: Options, files: ModelFiles, tell: Callable[[str], None]) -> Models:
    schedule_name = options.schedule or files.schedule
    schedule = SCHEDULES[schedule_name] if schedule_name else None
    steps, schedule_steps = _steps(options, schedule, files.steps or STEPS)
    resolution = _resolution(options, files)
    machine = choose_machine(
        options, devices=devices(), free=free_memory, need=memory_need(options, files), resolution=resolution
    )
    tell(machine.description)
    dtype = getattr(torch, machine.dtype)
    pipe = assemble(options, files, dtype)
    pipe.set_progress_bar_config(disable=True)
    _set_schedule(pipe, schedule)
    controls = load_controls(pipe.unet, options, files, dtype)
    add_words(pipe, files)
    notes = add_loras(pipe, files.loras, FAMILIES[files.family])
    styles = add_styles(pipe, files)
    if pipe.vae.config.force_upcast and dtype == torch.float16:
        pipe.vae.to(dtype=torch.float32)  # it overflows in half precision
    if machine.tiles:
        pipe.vae.enable_tiling()
    if machine.offload:
        pipe.enable_model_cpu_offload(device=machine.device)
    else:
        pipe.to(machine.device)
    for control in controls:
        control.net.to(machine.device)  # with the UNet at every step: never moved out
    device = torch.device(machine.device)
    placing = Placing(pipe, device, may=options.offload is None, in_turns=machine.offload)
    factor = PRESETS[options.preset].controls
    return Models(
        family=files.family,
        pipe=pipe,
        placing=placing,
        coder=PictureCoder(
            pipe.vae,
            placing,
            name=f"VAE {options.vae or files.vae.name!r}" if files.vae is not None else f"the VAE of {options.model!r}",
            family=files.family,
            device=device,
            dtype=dtype,
        ),
        prompts=PromptEncoder(
            pipe,
            placing,
            files.family,
            weighting=options.weighting,
            clip_skip=options.clip_skip,
            device=device,
            dtype=dtype,
        ),
        controls=tuple(replace(spec, strength=spec.strength * factor) for spec in files.control_specs),
        control_networks=controls,
        device=device,
        dtype=dtype,
        inpainting=pipe.unet.config.in_channels == 9,
        steps=steps,
        schedule_steps=schedule_steps,
        eta=schedule.eta_of(steps) if schedule else 0.0,
        guidance_scale=_guidance_scale(options, schedule, files.guidance_scale or GUIDANCE_SCALE[files.family]),
        guidance_rescale=options.guidance_rescale,
        styles=styles,
        style_weights=tuple(style.spec.weight for style in files.styles),
        latent_scale=2 ** (len(pipe.vae.config.block_out_channels) - 1),
        resolution=resolution,
        loading_notes=tuple(notes),
    )


def memory_need(
    options: Options, files: ModelFiles, size: tuple[int, int] | None = None
) -> Callable[[int], MemoryNeed]:
    """Give what one keyframe needs of memory, at so many bytes a number. ``size``: the footage's, width and height."""
    side = _resolution(options, files)
    painted = (side, side) if side else size or (UNKNOWN, UNKNOWN)
    load = Load(painted, rows=2)
    model = files.base if files.base.is_dir() else None
    # of its networks none is large beside the others: what fits in turns, fits
    return lambda width: MemoryNeed(files.weight_bytes(width), 0, *work_bytes(model, load, width))


def _resolution(options: Options, files: ModelFiles) -> int:
    """Side of a square of as many pixels as are painted; 0: the footage's own size."""
    return files.resolution or RESOLUTION[files.family] if options.resolution is None else options.resolution


def _steps(options: Options, schedule: Schedule | None, usual: int) -> tuple[int, int]:
    """Steps that are made, and those of the whole schedule."""
    strength = options.denoising_strength
    whole = options.schedule_steps or (schedule.steps if schedule else None)
    if options.steps is None and whole is not None:
        return max(1, round(whole * strength)), whole
    steps = options.steps or usual
    return steps, max(steps, round(steps / strength)) if strength else steps


def _guidance_scale(options: Options, schedule: Schedule | None, usual: float) -> float:
    if options.guidance_scale is not None:
        return options.guidance_scale
    return schedule.guidance_scale if schedule else usual


def _set_schedule(pipe: Any, schedule: Schedule | None) -> None:
    """The checkpoint's own scheduler, but for one whose steps cannot be counted before; or the few-step one."""
    if schedule is not None:
        scheduler = getattr(diffusers, schedule.scheduler)
        pipe.scheduler = scheduler.from_config(pipe.scheduler.config, **schedule.settings)
    elif type(pipe.scheduler).__name__ == "PNDMScheduler":
        pipe.scheduler = diffusers.DPMSolverMultistepScheduler.from_config(pipe.scheduler.config)
