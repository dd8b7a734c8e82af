from __future__ import annotations

from ..diffusion.conftest import one_thread

__all__ = ["one_thread"]
