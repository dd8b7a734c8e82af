"""Networks that look at control maps, at work: ControlNets, unions of several, T2I-Adapters.

Residuals of several are added up, as diffusers does it for several of one sort.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from restyle.painters.diffusion.control_kinds import T2I_ADAPTER, UNION

__all__ = ["ControlCall", "ControlNetwork", "residuals"]

LUMA = (0.299, 0.587, 0.114)  # of red, green and blue in a grey picture (ITU-R BT.601, as PIL's)


@dataclass(frozen=True)
class ControlNetwork:
    """A network, and the controls whose maps it takes: one, or of a union several."""

    net: Any
    kind: str
    """Name of its class."""
    controls: tuple[int, ...]
    """Numbers of the controls."""
    types: tuple[int, ...] = ()
    """Of a union: place of each control's kind among those that it takes."""

    @property
    def multiple(self) -> int:
        """Pixels of which sides that are painted have to be multiples."""
        return int(self.net.downscale_factor) if self.kind == T2I_ADAPTER else 1


@dataclass(frozen=True)
class ControlCall:
    """Inputs of the networks in one call of the UNet. With guidance the batch is twice the rows."""

    sample: torch.Tensor
    """Batch x C x h x w, scaled for the model."""
    timestep: torch.Tensor
    embeds: torch.Tensor
    added: dict[str, Any]
    maps: Sequence[torch.Tensor]
    """Of each control, rows x 3 x H x W in [0, 1]."""
    weights: Sequence[float]
    """Of each control, in this step."""

    @property
    def halves(self) -> int:
        """Times that the rows are in the batch."""
        return len(self.sample) // len(self.maps[0])


def residuals(networks: Sequence[ControlNetwork], call: ControlCall) -> dict[str, Any]:
    """The UNet's arguments that networks make: ControlNets residuals of its blocks, adapters within them."""
    down: list[torch.Tensor] | None = None
    mid: torch.Tensor | None = None
    inner: list[torch.Tensor] | None = None
    for network in networks:
        active = [place for place, control in enumerate(network.controls) if call.weights[control] > 0]
        if not active:
            continue
        if network.kind == T2I_ADAPTER:
            features = _features(network, call)
            inner = features if inner is None else [one + other for one, other in zip(inner, features, strict=True)]
            continue
        more_down, more_mid = _blocks(network, call, active)
        down = [*more_down] if down is None else [one + other for one, other in zip(down, more_down, strict=True)]
        mid = more_mid if mid is None else mid + more_mid
    return {
        "down_block_additional_residuals": down,
        "mid_block_additional_residual": mid,
        "down_intrablock_additional_residuals": inner,
    }


def _blocks(network: ControlNetwork, call: ControlCall, active: Sequence[int]) -> tuple[Any, torch.Tensor]:
    """Residuals of the UNet's blocks, down and mid, of a ControlNet or of those of a union that are ``active``."""
    controls = [network.controls[place] for place in active]
    maps = [torch.cat([call.maps[control]] * call.halves) for control in controls]
    weights = [call.weights[control] for control in controls]
    more: dict[str, Any] = {"controlnet_cond": maps[0], "conditioning_scale": weights[0]}
    if network.kind == UNION:
        types = [network.types[place] for place in active]
        flags = torch.zeros(network.net.config.num_control_type, dtype=call.sample.dtype, device=call.sample.device)
        flags[types] = 1
        more = {
            "controlnet_cond": maps,
            "conditioning_scale": weights,
            "control_type": flags.expand(len(call.sample), -1),
            "control_type_idx": types,
        }
    down, mid = network.net(
        call.sample,
        call.timestep,
        encoder_hidden_states=call.embeds,
        added_cond_kwargs=call.added or None,
        return_dict=False,
        **more,
    )
    return down, mid


def _features(network: ControlNetwork, call: ControlCall) -> list[torch.Tensor]:
    """Features of a T2I-Adapter (Mou et al. 2023) within the UNet's blocks: the same for every step and both halves."""
    (control,) = network.controls
    maps = call.maps[control]
    if network.net.config.in_channels == 1:
        maps = (maps * maps.new_tensor(LUMA)[:, None, None]).sum(1, keepdim=True)
    return [torch.cat([level * call.weights[control]] * call.halves) for level in network.net(maps)]
