"""HED as an ONNX graph, from weights as Keras keeps them: Xie & Tu, "Holistically-Nested Edge Detection" (ICCV 2015).

VGG-16's five blocks; a 1 x 1 projection of each gives a picture of edges at its own scale, which is brought to the picture's
size. What comes out is the mean of all five through a sigmoid, as in the network that ControlNet's soft edges are made with.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from onnx import TensorProto, helper, numpy_helper

__all__ = ["BLOCKS", "INPUT", "hed_graph"]

BLOCKS = (2, 2, 3, 3, 3)
"""Convolutions of each block."""
MEAN = np.array((122.67892, 116.66877, 104.00699), np.float32)
"""Of the pictures that it was trained on: RGB code values of 255."""
INPUT = "picture"
OPSET = 17


def hed_graph(weights: Mapping[str, np.ndarray]) -> bytes:
    """An ONNX model: a picture (float32 1 x 3 x H x W, RGB code values of 255, sides multiples of 16) -> 1 x 1 x H x W in
    [0, 1].

    ``weights``: Keras' paths -> kernels (rows x columns x in x out; those of the first take BGR) and biases, float32. Raises
    ``KeyError`` and ``ValueError`` if they are those of something else.
    """
    nodes = [helper.make_node("Sub", [INPUT, "mean"], ["0.0"])]
    values = {"mean": MEAN.reshape(1, 3, 1, 1), "fifth": np.array(1 / len(BLOCKS), np.float32)}
    channels, last, sides = 3, "0.0", []
    for block, (count, wide) in enumerate(zip(BLOCKS, (64, 128, 256, 512, 512), strict=True), 1):
        if block > 1:
            nodes.append(helper.make_node("MaxPool", [last], [f"{block}.0"], kernel_shape=[2, 2], strides=[2, 2]))
            last = f"{block}.0"
        for number in range(count):
            path = f"block{block}/layers/conv2d{f'_{number}' if number else ''}"
            kernel, bias = _convolution(weights, path, (3, 3, channels, wide))
            if channels == 3:
                kernel = np.ascontiguousarray(kernel[:, ::-1])  # trained on BGR
            name = f"{block}.{number + 1}"
            values |= {f"{name}.kernel": kernel, f"{name}.bias": bias}
            taken = [last, f"{name}.kernel", f"{name}.bias"]
            nodes.append(helper.make_node("Conv", taken, [f"{name}.linear"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]))
            nodes.append(helper.make_node("Relu", [f"{name}.linear"], [name]))
            channels, last = wide, name
        kernel, bias = _convolution(weights, f"dsn{block}", (1, 1, wide, 1))
        values |= {f"side{block}.kernel": kernel, f"side{block}.bias": bias}
        nodes.append(
            helper.make_node("Conv", [last, f"side{block}.kernel", f"side{block}.bias"], [f"side{block}.small"])
        )
        values[f"side{block}.scale"] = np.array((1, 1, 2 ** (block - 1), 2 ** (block - 1)), np.float32)
        nodes.append(
            helper.make_node(
                "Resize", [f"side{block}.small", "", f"side{block}.scale"], [f"side{block}"], mode="linear"
            )
        )
        sides.append(f"side{block}")
    nodes += [
        helper.make_node("Sum", sides, ["sum"]),
        helper.make_node("Mul", ["sum", "fifth"], ["logit"]),
        helper.make_node("Sigmoid", ["logit"], ["edges"]),
    ]
    graph = helper.make_graph(
        nodes,
        "hed",
        [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, [1, 3, "height", "width"])],
        [helper.make_tensor_value_info("edges", TensorProto.FLOAT, [1, 1, "height", "width"])],
        [numpy_helper.from_array(value, name) for name, value in values.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    made: bytes = model.SerializeToString()
    return made


def _convolution(weights: Mapping[str, np.ndarray], path: str, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Kernel (out x in x rows x columns) and bias of a layer whose kernel has ``shape`` as Keras keeps it."""
    kernel, bias = weights[f"{path}/vars/0"], weights[f"{path}/vars/1"]
    if kernel.shape != shape or bias.shape != shape[3:]:
        raise ValueError(f"{path} has a kernel {kernel.shape} and a bias {bias.shape}, not {shape} and {shape[3:]}")
    return np.ascontiguousarray(kernel.transpose(3, 2, 0, 1), np.float32), np.asarray(bias, np.float32)
