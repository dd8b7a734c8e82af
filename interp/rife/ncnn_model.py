"""RIFE's weights as a model folder of ncnn: ``flownet.param`` names the layers, ``flownet.bin`` holds their numbers.

Formats: https://github.com/Tencent/ncnn/wiki/param-and-model-file-structure. Blobs used more than once have to be split by
layers of their own, and a fraction needs its point, or it is read as a whole number's bits. A residual's learnt share is
multiplied into its convolution.
"""

from __future__ import annotations

import os
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from interp.rife.ifnet import CARRIED, SCALES, SLOPE

if TYPE_CHECKING:
    import torch

__all__ = ["write_ncnn_model"]

MAGIC = "7767517"


class _Graph:
    """Layers in order, and their numbers."""

    def __init__(self, state: dict[str, torch.Tensor]) -> None:
        self.state = {name: value.float().numpy() for name, value in state.items()}
        self.layers: list[tuple[str, list[str], str, str]] = []
        self.data: list[bytes] = []

    def layer(self, kind: str, *inputs: str, params: str = "") -> str:
        output = f"b{len(self.layers)}"
        self.layers.append((kind, list(inputs), output, params))
        return output

    def convolution(self, blob: str, name: str, *, stride: int = 1, share: str | None = None) -> str:
        weight, bias = self.state[f"{name}.weight"], self.state[f"{name}.bias"]
        if share is not None:
            part = self.state[share].reshape(-1)
            weight, bias = weight * part[:, None, None, None], bias * part
        return self._weighted("Convolution", blob, weight, bias, weight.shape[0], stride)

    def deconvolution(self, blob: str, name: str) -> str:
        weight = self.state[f"{name}.weight"].transpose(1, 0, 2, 3)
        return self._weighted("Deconvolution", blob, weight, self.state[f"{name}.bias"], weight.shape[0], 2)

    def _weighted(self, kind: str, blob: str, weight: np.ndarray, bias: np.ndarray, width: int, stride: int) -> str:
        self.data += [
            bytes(4),
            np.ascontiguousarray(weight, "<f4").tobytes(),
            np.ascontiguousarray(bias, "<f4").tobytes(),
        ]
        return self.layer(kind, blob, params=f"0={width} 1={weight.shape[-1]} 3={stride} 4=1 5=1 6={weight.size}")

    def leaky(self, blob: str) -> str:
        return self.layer("ReLU", blob, params=f"0={SLOPE:e}")

    def resized(self, blob: str, scale: float) -> str:
        return blob if scale == 1 else self.layer("Interp", blob, params=f"0=2 1={scale:e} 2={scale:e}")

    def scaled(self, blob: str, factor: float) -> str:
        return blob if factor == 1 else self.layer("BinaryOp", blob, params=f"0=2 1=1 2={factor:e}")

    def concat(self, *blobs: str) -> str:
        return self.layer("Concat", *blobs, params="0=0")

    def split_channels(self, blob: str, *widths: int) -> list[str]:
        """Split a blob into its channels in turn. A Slice would not do: its output crashes the package's own warp."""
        ends = [sum(widths[:n]) for n in range(len(widths) + 1)]
        return [
            self.layer("Crop", blob, params=f"-23309=1,{first} -23310=1,{last} -23311=1,0")
            for first, last in pairwise(ends)
        ]

    def text(self) -> str:
        """The layers, with a split wherever a blob is used more than once."""
        uses = Counter(blob for _, inputs, _, _ in self.layers for blob in inputs)
        lines: list[str] = []
        blobs = 0
        left: dict[str, list[str]] = {}
        for kind, inputs, output, params in self.layers:
            taken = [left[blob].pop(0) if blob in left else blob for blob in inputs]
            lines.append(self._line(kind, f"l{len(lines)}", taken, [output], params))
            blobs += 1
            if uses[output] > 1:
                left[output] = [f"{output}_{n}" for n in range(uses[output])]
                lines.append(self._line("Split", f"l{len(lines)}", [output], left[output], ""))
                blobs += uses[output]
        return "\n".join([MAGIC, f"{len(lines)} {blobs}", *lines]) + "\n"

    @staticmethod
    def _line(kind: str, name: str, inputs: list[str], outputs: list[str], params: str) -> str:
        return " ".join(filter(None, [kind, name, str(len(inputs)), str(len(outputs)), *inputs, *outputs, params]))


def write_ncnn_model(state: dict[str, torch.Tensor], folder: Path) -> Path:
    """Write the weights (``load_weights``) as a model for ncnn into ``folder``, which is made, and whose name should hold
    ``rife-v4.25``: the package goes by it. Gives the folder. Raises ``OSError``, ``KeyError`` for weights that do not fit."""
    graph = _Graph(state)
    a, b, time = (_input(graph, name) for name in ("in0", "in1", "in2"))
    features_a, features_b = (_encoded(graph, picture) for picture in (a, b))
    flow, mask, carried = _block(graph, 0, graph.concat(a, b, features_a, features_b, time), None)
    for number in range(1, len(SCALES)):
        to_a, to_b = graph.split_channels(flow, 2, 2)
        warped = [_warp(graph, p, f) for p, f in ((a, to_a), (b, to_b), (features_a, to_a), (features_b, to_b))]
        change, mask, carried = _block(graph, number, graph.concat(*warped, time, mask, carried), flow)
        flow = graph.layer("BinaryOp", flow, change, params="0=0")
    to_a, to_b = graph.split_channels(flow, 2, 2)
    share = graph.layer("Sigmoid", mask)
    rest = graph.layer("BinaryOp", share, params=f"0=7 1=1 2={1:e}")  # 1 - share
    half_a = graph.layer("BinaryOp", _warp(graph, a, to_a), share, params="0=2")
    half_b = graph.layer("BinaryOp", _warp(graph, b, to_b), rest, params="0=2")
    graph.layers.append(("BinaryOp", [half_a, half_b], "out0", "0=0"))
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in (("flownet.bin", b"".join(graph.data)), ("flownet.param", graph.text().encode())):
        part = folder / f".{name}.part"
        part.write_bytes(data)
        os.replace(part, folder / name)
    return folder


def _input(graph: _Graph, name: str) -> str:
    graph.layers.append(("Input", [], name, ""))
    return name


def _encoded(graph: _Graph, picture: str) -> str:
    for number, stride in ((0, 2), (1, 1), (2, 1)):
        picture = graph.leaky(graph.convolution(picture, f"encode.cnn{number}", stride=stride))
    return graph.deconvolution(picture, "encode.cnn3")


def _warp(graph: _Graph, picture: str, flow: str) -> str:
    return graph.layer("rife.Warp", picture, flow)


def _block(graph: _Graph, number: int, features: str, flow: str | None) -> tuple[str, str, str]:
    name, scale = f"block{number}", SCALES[number]
    features = graph.resized(features, 1 / scale)
    if flow is not None:
        features = graph.concat(features, graph.scaled(graph.resized(flow, 1 / scale), 1 / scale))
    for part in (0, 1):
        features = graph.leaky(graph.convolution(features, f"{name}.conv0.{part}.0", stride=2))
    for part in range(8):
        inner = f"{name}.convblock.{part}"
        changed = graph.convolution(features, f"{inner}.conv", share=f"{inner}.beta")
        features = graph.leaky(graph.layer("BinaryOp", changed, features, params="0=0"))
    head = graph.layer("PixelShuffle", graph.deconvolution(features, f"{name}.lastconv.0"), params="0=2")
    flow, mask, carried = graph.split_channels(graph.resized(head, scale), 4, 1, CARRIED)
    return graph.scaled(flow, scale), mask, carried
