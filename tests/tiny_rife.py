"""RIFE weights of the real shape and no meaning, for what does not depend on what a network has learnt."""

from __future__ import annotations

from pathlib import Path


def build(path: Path, *, seed: int = 0) -> Path:
    """Write random weights; small enough that flows stay within a few pixels, large enough that they matter."""
    import torch
    from safetensors.torch import save_file

    from interp.rife.ifnet import IFNet

    torch.manual_seed(seed)
    net = IFNet()
    with torch.no_grad():
        for name, values in net.named_parameters():
            if name.endswith("beta"):
                values.uniform_(0.2, 0.4)
            elif "lastconv" in name and name.endswith("weight"):
                values.normal_(0, 0.02)
    save_file(net.state_dict(), str(path))
    return path
