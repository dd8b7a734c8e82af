"""ControlNets beside a pipeline. Imports torch and diffusers."""

from __future__ import annotations

from typing import Any

import diffusers
import torch

from restyle.painters.edit.families import FAMILIES
from restyle.painters.edit.model_files import ModelFiles
from restyle.painters.networks.errors import loading

__all__ = ["with_controlnets"]


def with_controlnets(pipe: Any, files: ModelFiles, dtype: torch.dtype) -> Any:
    """The pipeline of the same networks that has the ControlNets that were found; without any the pipeline itself.

    Raises ``MissingModelError``.
    """
    traits = FAMILIES[files.family_name].traits
    nets = []
    for spec, path in zip(files.control_specs, files.controlnets, strict=True):
        with loading(f"ControlNet {spec.model!r}", path):
            kind = getattr(diffusers, str(traits.controlnet))
            net = kind.from_pretrained(path, torch_dtype=dtype, use_safetensors=True, local_files_only=True)
        nets.append(net)
    if not nets:
        return pipe
    return getattr(diffusers, str(traits.controlled))(**pipe.components, controlnet=nets if len(nets) > 1 else nets[0])
