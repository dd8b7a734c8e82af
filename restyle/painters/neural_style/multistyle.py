"""The network of 26 styles, run over whole pictures and over parts of them.

A part is painted with the statistics of the whole picture (``Statistics``), which its whole painting gives by the way: a
normalisation is affine in each channel, so a few of its inputs and outputs tell by what it multiplied and what it added.

A style is a code: scales and shifts of all normalisations. To the 26 we added a neutral one, trained by us so that the network
gives back the picture that it sees, as nearly as it can; with it, the picture's own mean and contrast take the place of the
style's in the last normalisation. A blend of both codes is the style at less than its full strength.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from io import BytesIO
from typing import Any

import numpy as np

from restyle.painters.neural_style.openvino_runtime import OpenVinoSession, Precision
from restyle.painters.neural_style.sessions import OnnxSession, Session, model_path, open_session

__all__ = ["Multistyle", "Statistics", "neutral_code"]

# A normalised channel's standard deviation is its scale. Where its samples have less than this share of it, what little they
# vary is mostly rounding, and the statistics are measured. Where the whole channel has less, the picture is blank to it: what
# little there is would be multiplied by hundreds, layer after layer, so it is left out.
LEAST_SPREAD = 0.1
_NO_TONE = np.zeros((1, 3, 1, 1), np.float32)
DARKEST = 0.02  # value below which, and above 1 - DARKEST, a picture's tone is not followed: a sigmoid gives it far out


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

    def paint(
        self, picture: np.ndarray, weights: Sequence[float], strength: float = 1.0
    ) -> tuple[np.ndarray, Statistics]:
        """Paint a whole picture with a blend of the styles (weights that add up to 1), and give its statistics as well.

        ``strength``: 1 is the styles' own, 0 the neutral one's."""
        neutral = np.float32(1 - strength)
        scale, shift = _tone(picture) if neutral else (_NO_TONE, _NO_TONE)
        inputs = {
            "image": _batch(picture),
            "style_weights": np.array([*(strength * weight for weight in weights), neutral], np.float32),
            "tone_scale": neutral * scale,
            "tone_shift": neutral * shift,
        }
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
    return edits[edit](graphs.with_style(model_path("multistyle26").read_bytes(), neutral_code()))


@cache
def neutral_code() -> np.ndarray:
    """The neutral style's scales and shifts, float32 2 x C: the channels of all normalisations but the last.

    ``weights/neutral-style.md`` tells how it was trained."""
    data = files("restyle.painters.neural_style").joinpath("neutral_style.npy").read_bytes()
    code: np.ndarray = np.load(BytesIO(data), allow_pickle=False)
    code.setflags(write=False)
    return code


def _tone(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Contrast and mean of each channel before a sigmoid that would make the picture: float32 1 x 3 x 1 x 1."""
    values = np.clip(picture[::2, ::2], DARKEST, 1 - DARKEST).reshape(-1, 3)
    values = np.log(values / (1 - values))
    return tuple(each.astype(np.float32).reshape(1, 3, 1, 1) for each in (values.std(axis=0), values.mean(axis=0)))


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
