"""Folders of footage: manifests, what is done already, engines that work.

``restyle.batch`` is also a function of the public API, and Python puts this package under that name as soon as anything of it
is imported; so the package can be called, too, and is that function then.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any


class _Callable(ModuleType):
    def __call__(self, *args: Any, **options: Any) -> Any:
        """See ``restyle.batch.call.batch``."""
        from restyle.batch.call import batch

        return batch(*args, **options)


sys.modules[__name__].__class__ = _Callable
