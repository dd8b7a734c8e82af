"""The edited graphs give what the network gives."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from scenes import texture

from restyle.errors import MissingModelError
from restyle.painters.neural_style import graphs
from restyle.painters.neural_style.choice import parse_style
from restyle.painters.neural_style.multistyle import Multistyle, neutral_code
from restyle.painters.neural_style.sessions import model_path, open_session

EDITS = (graphs.fused, graphs.with_given_statistics, graphs.measuring)


def with_neutral() -> bytes:
    return graphs.with_style(model_path("multistyle26").read_bytes(), neutral_code())


STYLES = ("starry-swirl", "leaded-glass", "tapestry:0.3,winter-ink:0.7")


def pictures() -> dict[str, np.ndarray]:
    blank = np.full((64, 96, 3), 127, np.uint8)
    spot = np.full((128, 160, 3), 40, np.uint8)
    spot[50:56, 81:87] = 250
    ramp = np.broadcast_to(np.linspace(0, 255, 96, dtype=np.uint8)[None, :, None], (64, 96, 3))
    found = {"texture": texture(128, 92, 3), "small": texture(32, 36, 4), "blank": blank, "spot": spot, "ramp": ramp}
    return {name: np.ascontiguousarray(picture, np.float32) / 255 for name, picture in found.items()}


@pytest.fixture(scope="module")
def network() -> Multistyle:
    return Multistyle(1)


@pytest.mark.parametrize("style", STYLES)
def test_a_painting_and_its_statistics_are_the_networks_own(network: Multistyle, style: str) -> None:
    original = open_session(model_path("multistyle26"), 1)
    weights = np.asarray(parse_style(style).weights, np.float32)
    for name, picture in pictures().items():
        batch = np.ascontiguousarray(picture.transpose(2, 0, 1)[None])
        wanted = original.run(None, {"image": batch, "style_weights": weights})[0][0].transpose(1, 2, 0)
        painting, statistics = network.paint(picture, weights)
        # what does not vary is divided by next to nothing, and so is its rounding
        assert np.abs(painting - wanted).max() < (4e-3 if name == "blank" else 2e-5), name
        assert np.abs(network.paint_part(picture, statistics) - wanted).max() < (4e-3 if name == "blank" else 1e-4), (
            name
        )


def test_statistics_from_samples_are_those_measured(network: Multistyle) -> None:
    picture, weights = pictures()["texture"], parse_style("mosaic").weights
    measuring = open_session(graphs.measuring(with_neutral()), 1)
    batch = np.ascontiguousarray(picture.transpose(2, 0, 1)[None])
    tone = np.zeros((1, 3, 1, 1), np.float32)
    inputs = {"image": batch, "style_weights": np.float32([*weights, 0]), "tone_scale": tone, "tone_shift": tone}
    measured = measuring.run(list(graphs.MEASURED), inputs)
    mean, _, inverse, scale, shift = measured
    _, statistics = network.paint(picture, weights)
    assert statistics.gain.shape == mean.shape
    assert np.allclose(statistics.gain, inverse * scale, rtol=1e-4, atol=1e-5)
    assert np.allclose(statistics.offset, shift - mean * inverse * scale, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("edit", [*EDITS, lambda model: graphs.with_style(model, neutral_code()), graphs.for_any_size])
@pytest.mark.parametrize("model", ["arbitrary_predict", None])
def test_another_network_is_told_in_one_line(edit, model: str | None) -> None:
    content = b"no network" if model is None else model_path(model).read_bytes()
    with pytest.raises(MissingModelError, match="is not the one that restyle knows: pip install") as caught:
        edit(content)
    assert "\n" not in str(caught.value)


def test_the_painter_loads_no_graph_before_it_paints() -> None:
    code = "import sys; from restyle.painters.neural_style.painter import NeuralStylePainter as P; "
    code += "dict(P('mosaic').identity); print('onnx' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_a_painting_with_statistics_takes_no_more_memory_than_one_without() -> None:
    code = """if True:
        import resource
        import numpy as np
        from restyle.painters.neural_style.networks import StyleNetworks
        networks, weights = StyleNetworks(threads=1), np.eye(26)[3]
        peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        networks.paint_builtin(np.zeros((64, 64, 3), np.float32), weights)
        before = peak()
        networks.paint_builtin(np.random.default_rng(0).random((768, 1024, 3), np.float32), weights)
        print(peak() - before)"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    kib = 1 if sys.platform == "linux" else 1024  # macOS gives bytes
    assert int(said) / kib * 1024 / (768 * 1024) < 450, "bytes a pixel; all layers together are 700"
