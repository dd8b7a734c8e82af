"""The runtime OpenVINO, for whole paintings by the network of 26 styles (``pip install 'restyle[openvino]'``)."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from restyle.errors import MissingExtraError, RecipeError

__all__ = ["OpenVinoSession", "Precision", "check_openvino"]

Precision = Literal["float32", "bfloat16"]

SIZES = 2  # pictures' sizes for which the network is kept compiled: compiling takes as long as half a painting
_REPORTER = "openvino_telemetry"
_HINTS: Mapping[Precision, str] = {"float32": "f32", "bfloat16": "bf16"}


def check_openvino(precision: Precision) -> None:
    """See that the package is there, and that the processor has the precision.

    Raises ``MissingExtraError`` and ``RecipeError``.
    """
    core = _load().Core()
    if precision == "bfloat16" and "BF16" not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        raise RecipeError("painter option precision: this processor has no bfloat16; use float32")


class OpenVinoSession:
    """A network on the CPU, compiled for each size of its inputs, which it runs in less time than for any size.

    ``model``: bytes of an ONNX model. ``threads``: 0 takes every core. Raises ``MissingExtraError``.
    """

    def __init__(self, model: bytes, threads: int, precision: Precision) -> None:
        self._core = _load().Core()
        self._model = model
        self._settings: dict[str, Any] = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": _HINTS[precision],
            **({"INFERENCE_NUM_THREADS": threads} if threads else {}),
        }
        self._compiled: dict[tuple[tuple[int, ...], ...], Any] = {}

    def run(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Give every output by its name. The arrays are the caller's."""
        request = self._request(inputs)
        results = request.infer(dict(inputs), share_inputs=True)
        arrays = {output: np.array(results[output]) for output in request.model_outputs}
        return {name: array for output, array in arrays.items() for name in output.names}  # an output may have several

    def _request(self, inputs: Mapping[str, np.ndarray]) -> Any:
        shapes = tuple(array.shape for array in inputs.values())
        request = self._compiled.pop(shapes, None)
        if request is None:
            while len(self._compiled) >= SIZES:
                del self._compiled[next(iter(self._compiled))]
            model = self._core.read_model(self._model)
            model.reshape({name: list(array.shape) for name, array in inputs.items()})
            request = self._core.compile_model(model, "CPU", self._settings).create_infer_request()
        self._compiled[shapes] = request  # the last used comes last
        return request


def _load() -> Any:
    """The package ``openvino``. Its first import would report to its makers over the network by another package; where that is
    out of reach, it takes a stub of its own that reports nothing. Raises ``MissingExtraError``."""
    there = sys.modules.get(_REPORTER)
    sys.modules[_REPORTER] = None  # type: ignore[assignment]  # Python's own sign for a module that is not to be imported
    try:
        import openvino
    except ImportError as error:
        raise MissingExtraError("painter option runtime=openvino", "openvino") from error
    finally:
        del sys.modules[_REPORTER]
        if there is not None:
            sys.modules[_REPORTER] = there
    return openvino
