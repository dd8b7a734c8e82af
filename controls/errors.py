"""The error of ``controls``: one line for a person. Missing packages and weights are errors of ``interp.errors``, where the
whole tree stands.
"""

from __future__ import annotations

from interp.errors import InterpError

__all__ = ["ControlError"]


class ControlError(InterpError):
    """A map or a matte cannot be made as asked: what, which file, what to do."""
