"""Networks of the package mediapipe (0.10.14, Apache-2.0), which carries their weights."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from controls.errors import ControlError
from interp.errors import MissingPackageError
from interp.quiet import without_logs, without_warnings

__all__ = ["mediapipe_is_there", "open_network"]


def mediapipe_is_there() -> bool:
    """Tell whether the package is installed, without importing it, which takes seconds."""
    return find_spec("mediapipe") is not None


def open_network(what: str, solution: str, name: str, **options: Any) -> Any:
    """Make the class ``name`` of the module ``mediapipe.python.solutions.SOLUTION``. ``what``: it is for, in a person's words.

    Raises ``MissingPackageError``, and ``ControlError`` if the package cannot be used.
    """
    try:
        with without_warnings(), without_logs():  # of protobuf's, about mediapipe's
            network = getattr(import_module(f"mediapipe.python.solutions.{solution}"), name)(**options)
            network.process(np.zeros((64, 64, 3), np.uint8))  # it says what it says the first time
    except ModuleNotFoundError as error:
        raise MissingPackageError(what, error.name or "mediapipe", "pose") from error
    except (ImportError, OSError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:160]
        raise ControlError(f"{what}: the package mediapipe cannot be used: {reason}") from error
    return network
