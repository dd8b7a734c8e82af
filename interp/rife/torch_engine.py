"""RIFE on torch: CUDA, MPS or CPU."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from interp.errors import MissingWeightsError
from interp.pixels.depth import from_unit, to_unit
from interp.rife.base import MULTIPLE
from interp.rife.ifnet import IFNet
from interp.rife.weights import load_weights

__all__ = ["TorchEngine"]

LARGE = 2560  # pixels of the long side above which motion is estimated on a picture half as large


class TorchEngine:
    """float32 on the CPU and MPS, float16 on CUDA. The same pictures give the same picture, device by device."""

    name = "torch"

    def __init__(self, weights: Path | None = None, *, device: str = "auto", allow_pickle: bool = False) -> None:
        """``weights`` and what it raises: as ``interp.rife.open_rife``."""
        self._device = _device(device)
        self._dtype = torch.float16 if self._device.type == "cuda" else torch.float32
        net = IFNet()
        state = load_weights(weights, allow_pickle=allow_pickle)
        try:
            net.load_state_dict(state)
        except RuntimeError as error:
            raise MissingWeightsError(
                f"{weights or 'the weights found'} are not those of RIFE 4.25, the generation that is built in here"
            ) from error
        self._net = net.eval().to(self._device, self._dtype)

    @torch.inference_mode()
    def interpolate(self, a: np.ndarray, b: np.ndarray, time: float) -> np.ndarray:
        """The picture at ``time``: H x W x 3 in the depth of ``a``. Float pictures are clipped to [0, 1] for the network."""
        height, width = a.shape[:2]
        zoom = 0.5 if max(height, width) > LARGE else 1.0
        multiple = int(MULTIPLE / zoom)
        below, right = -height % multiple, -width % multiple
        pair = [self._tensor(picture, below, right) for picture in (a, b)]
        output = self._net(*pair, float(time), zoom)[0, :, :height, :width].permute(1, 2, 0)
        picture = output.float().clamp(0, 1).cpu().numpy()
        return np.ascontiguousarray(from_unit(picture, a.dtype))

    def _tensor(self, picture: np.ndarray, below: int, right: int) -> torch.Tensor:
        array = np.nan_to_num(to_unit(picture), nan=0.0).clip(0, 1)
        tensor = torch.from_numpy(array).permute(2, 0, 1)[None].to(self._device, self._dtype)
        return torch.nn.functional.pad(tensor, (0, right, 0, below), mode="replicate")


def _device(name: str) -> torch.device:
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    if name not in ("cpu", "mps") and not name.startswith("cuda"):
        raise ValueError(f"a device of torch is auto, cpu, mps or cuda, got {name!r}")
    if (name == "mps" and not torch.backends.mps.is_available()) or (
        name.startswith("cuda") and not torch.cuda.is_available()
    ):
        raise ValueError(f"there is no device {name!r} on this machine; there is: cpu")
    return torch.device(name)
