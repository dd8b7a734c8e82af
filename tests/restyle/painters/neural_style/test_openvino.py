"""OpenVINO as the runtime of the built-in styles."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from paint_requests import request_of
from PIL import Image
from scenes import texture

from restyle.errors import MissingExtraError, RecipeError
from restyle.painters.neural_style import openvino_runtime
from restyle.painters.neural_style.choice import parse_style
from restyle.painters.neural_style.networks import StyleNetworks
from restyle.painters.neural_style.painter import NeuralStylePainter

WEIGHTS = parse_style("starry-swirl:0.5,ukiyo-wave:0.5").weights


def processor_has_bfloat16() -> bool:
    openvino = pytest.importorskip("openvino")
    return "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def test_it_paints_as_onnxruntime_does() -> None:
    pytest.importorskip("openvino")
    plain, other = StyleNetworks(threads=1), StyleNetworks(threads=1, openvino="float32")
    for size in ((120, 160), (67, 90), (48, 48), (120, 160)):
        picture = texture(*size, 3)
        (wanted, _), (made, statistics) = (each.paint_and_measure(picture, WEIGHTS) for each in (plain, other))
        assert np.abs(made - wanted).max() < 0.1 / 255
        assert np.array_equal(other.paint_builtin(picture, WEIGHTS), made)
        part = other.paint_builtin_region(picture, (8, 8, 40, 40), statistics)
        assert np.abs(part - wanted[8:40, 8:40]).max() < 2 / 255, "statistics for regions come along"


def test_it_paints_in_bfloat16_where_the_processor_can() -> None:
    picture = texture(120, 160, 3)
    if not processor_has_bfloat16():
        with pytest.raises(RecipeError, match="this processor has no bfloat16"):
            NeuralStylePainter("mosaic", runtime="openvino", precision="bfloat16")
        return
    wanted = StyleNetworks(threads=1).paint_builtin(picture, WEIGHTS)
    network = StyleNetworks(threads=1, openvino="bfloat16")
    made, statistics = network.paint_and_measure(picture, WEIGHTS)
    assert 0.02 / 255 < np.abs(made - wanted).mean() < 1 / 255
    part = network.paint_builtin_region(picture, (8, 8, 72, 72), statistics)
    assert np.abs(part - made[8:72, 8:72]).mean() < 1.5 / 255


def test_runtime_and_precision_are_part_of_a_paintings_identity() -> None:
    painters = [NeuralStylePainter("mosaic"), NeuralStylePainter("lava")]
    before = json.dumps(dict(painters[0].identity), sort_keys=True)
    assert "openvino" not in before
    if processor_has_bfloat16():
        painters.append(NeuralStylePainter("mosaic", runtime="openvino", precision="bfloat16"))
    painters.append(NeuralStylePainter("mosaic", runtime="openvino"))
    seen = [json.dumps(dict(painter.identity), sort_keys=True) for painter in painters]
    assert len(set(seen)) == len(painters)


def test_the_painter_paints_by_it() -> None:
    pytest.importorskip("openvino")
    picture = texture(96, 128, 3)
    wanted, made = (
        NeuralStylePainter("mosaic", runtime=runtime).paint(request_of([picture], [0]), None)[0][0]
        for runtime in ("onnxruntime", "openvino")
    )
    assert np.abs(made.astype(int) - wanted).max() <= 1


REPORTER = """import pathlib
pathlib.Path(__file__).with_name("reported").touch()
class Telemetry:
    def __init__(self, *args, **options): pass
    def send_event(self, *args, **options): pass
"""


@pytest.mark.parametrize(
    ("how", "reports"),
    [
        ("import openvino", True),
        (f"from {openvino_runtime.__name__} import check_openvino; check_openvino('float32')", False),
    ],
)
def test_nobody_is_told(how: str, reports: bool, tmp_path: Path) -> None:
    pytest.importorskip("openvino")
    package = tmp_path / "openvino_telemetry"
    package.mkdir()
    (package / "__init__.py").write_text(REPORTER)
    (package / "backend.py").write_text("backend_ga4 = None\n")
    env = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    subprocess.run([sys.executable, "-c", how], env=env, check=True, timeout=120)
    assert (package / "reported").exists() == reports


def test_without_the_package_the_line_that_installs_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'restyle\[openvino\]'"):
        NeuralStylePainter("mosaic", runtime="openvino")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"runtime": "tensorrt"}, "runtime is onnxruntime or openvino, got 'tensorrt'"),
        ({"runtime": "openvino", "precision": "int8"}, "precision is float32 or bfloat16, got 'int8'"),
        ({"precision": "bfloat16"}, "bfloat16 needs the option runtime=openvino"),
    ],
)
def test_options_that_cannot_be_are_refused(options: dict[str, str], said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        NeuralStylePainter("mosaic", **options)


def test_with_a_picture_as_style_it_is_refused(tmp_path: Path) -> None:
    Image.fromarray(texture(40, 40, 1)).save(tmp_path / "a.png")
    with pytest.raises(RecipeError, match="with a picture, leave it out"):
        NeuralStylePainter(str(tmp_path / "a.png"), runtime="openvino")
