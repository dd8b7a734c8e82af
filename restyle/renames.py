"""Names of recipe fields as they used to be: a document with an old one still loads, and a note says the new one."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

__all__ = ["RENAMED_FIELDS", "use_new_names"]

RENAMED_FIELDS: Mapping[str, str] = {
    "fill": "filler",
    "fill_options": "filler_options",
}
"""Old name -> new name of a recipe's field. The command line's options follow: ``--fill`` is ``--filler``."""


def use_new_names(fields: Mapping[str, Any], source: str = "the recipe") -> dict[str, Any]:
    """Give the fields under their new names; each old one is told of by a ``FutureWarning`` that begins with ``source``.

    Raises ``ValueError`` where a field is there under both names.
    """
    renamed: dict[str, Any] = {}
    for name, value in fields.items():
        new = RENAMED_FIELDS.get(name, name)
        if new != name:
            if new in fields:
                raise ValueError(f"{name!r} is the old name of {new!r}: give {new!r} alone")
            warnings.warn(f"{source}: {name!r} is called {new!r} now", FutureWarning, stacklevel=3)
        renamed[new] = value
    return renamed
