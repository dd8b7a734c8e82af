"""Names of recipe fields as they used to be: a document with an old one still loads, and a note says the new one."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

__all__ = ["RENAMED_FIELDS", "VERSION", "use_new_names"]

VERSION = 2
"""Of the recipe's format."""

RENAMED_FIELDS: Mapping[str, str] = {
    "fill": "filler",
    "fill_options": "filler_options",
}
"""Old name -> new name of a recipe's field. The command line's options follow: ``--fill`` is ``--filler``."""

RENAMED_IN_VERSION_2: Mapping[str, str] = {"strength": "mix"}
"""Names in documents of version 1, of the recipe's fields and of a layer's, that mean something else since."""


def use_new_names(fields: Mapping[str, Any], source: str = "the recipe") -> dict[str, Any]:
    """Give the fields under their new names; each old one is told of by a ``FutureWarning`` that begins with ``source``.

    A document that says it is of version 1 becomes one of the present version; one that says none is of the present one.
    Raises ``ValueError`` where a field is there under both names.
    """
    fields = dict(fields)
    if fields.get("version") == 1 and not isinstance(fields["version"], bool):
        fields = _renamed(fields, RENAMED_IN_VERSION_2, f"{source}, of version 1") | {"version": VERSION}
        layers = fields.get("layers")
        if isinstance(layers, (list, tuple)):
            fields["layers"] = [
                _renamed(layer, RENAMED_IN_VERSION_2, f"{source}, of version 1, layer {number}")
                if isinstance(layer, Mapping)
                else layer
                for number, layer in enumerate(layers)
            ]
    return _renamed(fields, RENAMED_FIELDS, source)


def _renamed(fields: Mapping[str, Any], names: Mapping[str, str], source: str) -> dict[str, Any]:
    renamed: dict[str, Any] = {}
    for name, value in fields.items():
        new = names.get(name, name)
        if new != name:
            if new in fields:
                raise ValueError(f"{name!r} is the old name of {new!r}: give {new!r} alone")
            warnings.warn(f"{source}: {name!r} is called {new!r} now", FutureWarning, stacklevel=4)
        renamed[new] = value
    return renamed
