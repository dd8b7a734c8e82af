"""Train the neutral style of the network ``multistyle26``: the code with which it gives back the picture that it sees.

    python weights/training/neutral_style.py PHOTOGRAPHS [--steps N] [--start CODE.npy] [-o CODE.npy]

As Dumoulin, Shlens & Kudlur ("A Learned Representation for Artistic Style", 2017) add a style to a trained network:
its convolutions stay, scales and shifts alone are learnt. In the last normalisation, which makes the picture's channels, the
picture's own contrast and mean take the place of a scale and a shift. Needs torch.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import numpy_helper

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from restyle.painters.neural_style.multistyle import DARKEST
from restyle.painters.neural_style.sessions import model_path

SIDE, BATCH = 112, 2  # of the crops
FLAT = 0.05  # standard deviation of a crop below which it is left out: its normalisation would be noise
LAST = "expand.2"
LAYERS = (
    [f"contract.{i}" for i in range(3)] + [f"res.{i}.{j}" for i in range(6) for j in (0, 1)] + ["expand.0", "expand.1"]
)
# Luma and two colour differences: green and red of one brightness are as far apart as light and dark.
PLANES = torch.tensor([[0.299, 0.587, 0.114], [-1.0, 1.0, 0.0], [0.5, 0.5, -1.0]])

Code = dict[str, tuple[torch.Tensor, torch.Tensor]]


class Network:
    """The network in torch, for codes of one's own."""

    def __init__(self) -> None:
        tensors = onnx.load(str(model_path("multistyle26"))).graph.initializer
        self.weights = {tensor.name: torch.tensor(numpy_helper.to_array(tensor).copy()) for tensor in tensors}

    def __call__(self, picture: torch.Tensor, code: Code) -> torch.Tensor:
        """``picture``: B x 3 x H x W in [0, 1]; ``code``: layer -> scale and shift."""
        values = torch.logit(picture.clamp(DARKEST, 1 - DARKEST))
        tone = values.std((2, 3), keepdim=True), values.mean((2, 3), keepdim=True)
        x = torch.relu(self._layer(picture, "contract.0", code["contract.0"]))
        for name in ("contract.1", "contract.2"):
            x = torch.relu(self._layer(x, name, code[name], stride=2))
        for i in range(6):
            inner = torch.relu(self._layer(x, f"res.{i}.0", code[f"res.{i}.0"]))
            x = x + self._layer(inner, f"res.{i}.1", code[f"res.{i}.1"])
        for name in ("expand.0", "expand.1"):
            x = torch.relu(self._layer(F.interpolate(x, scale_factor=2, mode="nearest"), name, code[name]))
        return torch.sigmoid(self._layer(x, LAST, tone))

    def _layer(
        self, x: torch.Tensor, name: str, code: tuple[torch.Tensor, torch.Tensor], stride: int = 1
    ) -> torch.Tensor:
        kernel = self.weights[f"{name}.w"]
        pad = kernel.shape[-1] // 2
        x = F.conv2d(F.pad(x, (pad,) * 4, mode="reflect"), kernel, stride=stride)
        mean = x.mean((2, 3), keepdim=True)
        variance = ((x - mean) ** 2).mean((2, 3), keepdim=True)
        scale, shift = (part if part.ndim == 4 else part.view(1, -1, 1, 1) for part in code)
        return (x - mean) / torch.sqrt(variance + 1e-5) * scale + shift


def loss_of(made: torch.Tensor, picture: torch.Tensor) -> torch.Tensor:
    """L1 of luma and colour differences, of their gradients, and of their means over 8 x 8 pixels."""
    made, picture = (torch.einsum("dc,bchw->bdhw", PLANES, each) for each in (made, picture))
    across, down = (made - picture)[..., 1:], (made - picture)[..., 1:, :]
    across, down = across - (made - picture)[..., :-1], down - (made - picture)[..., :-1, :]
    coarse = F.avg_pool2d(made - picture, 8)
    return (made - picture).abs().mean() + 0.5 * (across.abs().mean() + down.abs().mean()) + coarse.abs().mean()


def crop(files: list[Path], random: np.random.Generator) -> np.ndarray:
    """A crop of one of the photographs, mirrored or not: float32 3 x SIDE x SIDE."""
    while True:
        read = cv2.imread(str(files[random.integers(len(files))]))
        if read is None or min(read.shape[:2]) < SIDE:
            continue
        top, left = (random.integers(length - SIDE + 1) for length in read.shape[:2])
        part = read[top : top + SIDE, left : left + SIDE, ::-1].astype(np.float32) / 255
        if part.std() > FLAT:
            return part[:, :: 1 if random.random() < 0.5 else -1].transpose(2, 0, 1)


def main() -> None:
    """Train, and write the code every 50 steps."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photographs", type=Path)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--start", type=Path, help="a code to go on from; without it the mean of the 26 styles")
    parser.add_argument("-o", "--output", type=Path, default=Path("neutral_style.npy"))
    given = parser.parse_args()
    network = Network()
    tables = [torch.cat([network.weights[f"{n}.norm.{kind}"].mean(0) for n in LAYERS]) for kind in ("gamma", "beta")]
    code = torch.stack(tables) if given.start is None else torch.tensor(np.load(given.start))
    code.requires_grad_()
    sizes = [network.weights[f"{name}.norm.gamma"].shape[1] for name in LAYERS]
    optimiser = torch.optim.Adam([code], lr=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, 0.03 if given.start is None else 0.02, total_steps=given.steps
    )
    files, random = sorted(given.photographs.glob("*.jpg")), np.random.default_rng(0 if given.start is None else 1)
    usual = None
    for step in range(1, given.steps + 1):
        picture = torch.tensor(np.stack([crop(files, random) for _ in range(BATCH)]))
        of_layers = zip(LAYERS, *(part.split(sizes) for part in code), strict=True)
        made = network(picture, {name: (scale, shift) for name, scale, shift in of_layers})
        loss = loss_of(made, picture)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        usual = loss.item() if usual is None else 0.98 * usual + 0.02 * loss.item()
        if step % 50 == 0 or step == given.steps:
            print(f"step {step}: loss {usual:.4f}", flush=True)
            np.save(given.output, code.detach().numpy().astype(np.float32))


if __name__ == "__main__":
    main()
