"""Files of weights -> pipelines of diffusers, on a device."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from logging import CRITICAL
from typing import Any, Protocol

import diffusers
import torch
import transformers

from controls.torchvision_guard import make_torchvision_importable
from interp.quiet import without_warnings
from restyle.painters.memory import MemoryNeed
from restyle.painters.networks.devices import devices, free_memory
from restyle.painters.networks.errors import loading
from restyle.painters.networks.machine import Machine, MachineOptions, choose_machine
from restyle.painters.networks.pipeline_files import PipelineFiles, PipelineOptions

__all__ = ["Loaded", "load_pipeline"]


class LoadOptions(PipelineOptions, MachineOptions, Protocol):
    """The options that decide what is loaded, and where."""

    @property
    def resolution(self) -> int | None:
        """Side of a square of as many pixels as are painted."""


@dataclass
class Loaded:
    """A model on its device ."""

    own: Any
    """The pipeline that its ``model_index.json`` names."""
    machine: Machine


def load_pipeline(
    options: LoadOptions,
    files: PipelineFiles,
    *,
    need: Callable[[int], MemoryNeed],
    tell: Callable[[str], None],
    build: Callable[[Any, Any], Any] = lambda pipe, dtype: pipe,
) -> Loaded:
    """Load what was found. ``need``: of memory, at so many bytes a number; ``build`` makes another pipeline of it, given the
    numbers' type.

    Raises ``MissingModelError``, ``RecipeError`` (no such device).
    """
    with without_warnings():  # the libraries warn of each other's changes, which is nothing to a person
        return _load(options, files, need, tell, build)


def _load(
    options: LoadOptions,
    files: PipelineFiles,
    need: Callable[[int], MemoryNeed],
    tell: Callable[[str], None],
    build: Callable[[Any, Any], Any],
) -> Loaded:
    make_torchvision_importable()  # before any class of diffusers is asked for
    for library in (diffusers, transformers):
        library.utils.logging.set_verbosity(CRITICAL)  # errors are told by what is raised
        library.utils.logging.disable_progress_bar()
    machine = choose_machine(
        options,
        devices=devices(),
        free=free_memory,
        need=need,
        resolution=options.resolution or 0,
        half="bfloat16",
    )
    tell(machine.description)
    with loading(f"model {options.model!r}", files.model):
        pipe = diffusers.DiffusionPipeline.from_pretrained(
            files.model,
            variant=options.variant,
            torch_dtype=getattr(torch, machine.dtype),
            use_safetensors=True,
            local_files_only=True,
            **dict.fromkeys(files.unused_parts),
        )
    pipe = build(pipe, getattr(torch, machine.dtype))
    pipe.set_progress_bar_config(disable=True)
    if machine.tiles and hasattr(pipe.vae, "use_tiling"):
        pipe.vae.enable_tiling()
    place(pipe, machine)
    return Loaded(pipe, machine)


def place(pipe: Any, machine: Machine) -> None:
    """Put a pipeline's networks where they are to be."""
    if machine.by_layer:
        pipe.enable_sequential_cpu_offload(device=machine.device)
    elif machine.offload:
        pipe.enable_model_cpu_offload(device=machine.device)
    else:
        pipe.to(machine.device)
