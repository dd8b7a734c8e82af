"""onnxruntime as restyle uses it: it tells nobody about the work."""

from __future__ import annotations

import os
from typing import Any

__all__ = ["load_onnxruntime"]


def load_onnxruntime() -> Any:
    """The package ``onnxruntime``. Since 1.32 its first import would report to its makers over the network, and write into the
    home and the temporary folder for that, unless the environment forbids it. Raises ``ImportError``."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    return onnxruntime
