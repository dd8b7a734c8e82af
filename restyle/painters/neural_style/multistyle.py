"""The network of 26 styles, run over whole pictures and over parts of them.

A part is painted with the statistics of the whole picture (``Statistics``), which its whole painting gives by the way: a
normalisation is affine in each channel, so a few of its inputs and outputs tell by what it multiplied and what it added.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np

from restyle.painters.neural_style.openvino_runtime import OpenVinoSession, Precision
from restyle.painters.neural_style.sessions import OnnxSession, Session, model_path, open_session

__all__ = ["Multistyle", "Statistics"]

# A normalised channel's standard deviation is its scale. Where its samples have less than this share of it, what little they
# vary is mostly rounding, and the statistics are measured. Where the whole channel has less, the picture is blank to it: what
# little there is would be multiplied by hundreds, layer after layer, so it is left out.
LEAST_SPREAD = 0.1


@dataclass(frozen=True)
class Statistics:
    """A picture's instance normalisations under one style: x becomes ``x * gain + offset``.

    Both float32, 1 x C x 1 x 1: the channels of all normalisations one after the other.
    """

    gain: np.ndarray
    offset: np.ndarray


class Multistyle:
    """The network ``multistyle26``.

    Pictures and paintings are float32 H x W x 3 in [0, 1], H and W multiples of 4 and at least 32.

    Loads what it needs when it first needs it, and raises ``MissingModelError`` then. ``threads``: 0 takes every core.
    ``openvino``: paint whole pictures by OpenVINO, in that precision; ``None``: by onnxruntime, as all else. Parts come in many
    sizes, for each of which OpenVINO would compile the network anew.
    """

    def __init__(self, threads: int, *, openvino: Precision | None = None) -> None:
        self._threads = threads
        self._openvino: Precision | None = openvino

    def paint(self, picture: np.ndarray, weights: Sequence[float]) -> tuple[np.ndarray, Statistics]:
        """Paint a whole picture with a blend of the styles (weights that add up to 1), and give its statistics as well."""
        inputs = {"image": _batch(picture), "style_weights": np.asarray(weights, np.float32)}
        outputs = self._whole.run(inputs)
        statistics = _from_samples(outputs)
        if statistics is None:
            statistics = _measured(*self._measuring.run(None, inputs))
        return _painting(outputs["stylized"]), statistics

    def paint_part(self, part: np.ndarray, statistics: Statistics) -> np.ndarray:
        """Paint a part of a picture, whose first row and column are multiples of 4 in it, with the picture's statistics.

        What it gives is the whole picture's painting there, but for the last 64 pixels at those borders that lie within it.
        """
        inputs = {"image": _batch(part), "gain": statistics.gain, "offset": statistics.offset}
        return _painting(self._part.run(None, inputs)[0])

    @cached_property
    def _whole(self) -> Session:
        if self._openvino is None:
            return OnnxSession(_edited("fused"), self._threads)
        return OpenVinoSession(_edited("fused"), self._threads, self._openvino)

    @cached_property
    def _part(self) -> Any:
        return open_session(_edited("with_given_statistics"), self._threads)

    @cached_property
    def _measuring(self) -> Any:
        return open_session(_edited("measuring"), self._threads)


@cache
def _edited(edit: str) -> bytes:
    """The network, edited by that function of ``graphs``."""
    from restyle.painters.neural_style import graphs  # it loads onnx, which a painter that paints nothing does not need

    edits: Mapping[str, Callable[[bytes], bytes]] = {
        "fused": graphs.fused,
        "with_given_statistics": graphs.with_given_statistics,
        "measuring": graphs.measuring,
    }
    return edits[edit](model_path("multistyle26").read_bytes())


def _from_samples(outputs: Mapping[str, np.ndarray]) -> Statistics | None:
    """Statistics by least squares, from samples of each normalisation's input and output; ``None`` where those of some channel
    hardly vary."""
    gains, offsets, spreads = [], [], []
    number = 0
    while f"x{number}" in outputs:
        x, y = (outputs[f"{name}{number}"][0].astype(np.float64) for name in ("x", "y"))
        mean_x, mean_y = x.mean(axis=(1, 2)), y.mean(axis=(1, 2))
        x -= mean_x[:, None, None]
        y -= mean_y[:, None, None]
        gain = (x * y).sum(axis=(1, 2)) / np.maximum((x * x).sum(axis=(1, 2)), 1e-30)
        gains.append(gain)
        offsets.append(mean_y - gain * mean_x)
        spreads.append(np.sqrt((y * y).mean(axis=(1, 2))))
        number += 1
    if (np.concatenate(spreads) < LEAST_SPREAD * np.abs(outputs["scale"].ravel())).any():
        return None
    gain, offset = (np.concatenate(parts).astype(np.float32).reshape(1, -1, 1, 1) for parts in (gains, offsets))
    return Statistics(gain, offset)


def _measured(
    mean: np.ndarray, variance: np.ndarray, inverse: np.ndarray, scale: np.ndarray, shift: np.ndarray
) -> Statistics:
    """Statistics from ``graphs.MEASURED``."""
    gain = np.where(np.sqrt(variance) * inverse < LEAST_SPREAD, np.float32(0), inverse * scale)
    return Statistics(gain, shift - mean * gain)


def _batch(picture: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(picture.transpose(2, 0, 1)[None])


def _painting(output: np.ndarray) -> np.ndarray:
    return np.clip(np.ascontiguousarray(output[0].transpose(1, 2, 0)), 0, 1)
