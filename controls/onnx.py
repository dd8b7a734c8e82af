"""onnxruntime as restyle uses it: it tells nobody about the work, and gives the same values every time."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from controls.errors import ControlError

__all__ = ["load_onnxruntime", "open_network"]


def load_onnxruntime() -> Any:
    """The package ``onnxruntime``. Since 1.32 its first import would report to its makers over the network, and write into the
    home and the temporary folder for that, unless the environment forbids it. Raises ``ImportError``."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    return onnxruntime


def open_network(model: Path | bytes, name: str, *, device: str = "cpu", threads: int = 0) -> Any:
    """An ``InferenceSession`` of a control map's network. ``name``: the map's. ``device``: ``cpu`` or ``cuda``. ``threads``: 0
    is one a core. Raises ``ControlError``: a device that is not there, something that is no network."""
    onnxruntime = load_onnxruntime()
    provider = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}.get(device.partition(":")[0])
    if provider not in onnxruntime.get_available_providers():
        raise ControlError(f"{name}: onnxruntime has no device {device!r} here")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = threads
    options.use_deterministic_compute = True
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # idle threads must not burn a core
    try:
        return onnxruntime.InferenceSession(
            model if isinstance(model, bytes) else str(model), options, providers=[provider]
        )
    except Exception as error:  # onnxruntime's errors have no common base
        reason = " ".join(str(error).split())[:160]
        what = name if isinstance(model, bytes) else repr(str(model))
        raise ControlError(f"{what} is no network that onnxruntime can run: {reason}") from error
