"""Options of a part (filler, interpolator, masker, detector, painter) against what its constructor says it takes."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, get_type_hints

from pydantic import PydanticSchemaGenerationError, TypeAdapter, ValidationError

__all__ = ["checked_options"]


def checked_options(part: Any, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options, each of the type that ``part``'s constructor is annotated with: ``3`` for ``3.0`` is right, ``"many"`` for a
    number is not.

    Raises ``ValueError``, one line for a person: the option, what it is, and what was given.
    """
    try:
        hints = get_type_hints(part.__init__ if inspect.isclass(part) else part)
    except NameError:  # a type that is only imported for type checkers
        return dict(options)
    checked = dict(options)
    for name, value in options.items():
        if name not in hints:
            continue
        try:
            checked[name] = TypeAdapter(hints[name]).validate_python(value)
        except PydanticSchemaGenerationError:  # an object of somebody else's class
            continue
        except ValidationError as error:
            reason = error.errors(include_url=False)[0]["msg"]
            given = repr(value) if len(repr(value)) <= 80 else f"{repr(value)[:60]}..."
            raise ValueError(f"option {name}: {reason[0].lower()}{reason[1:]}, got {given}") from None
    return checked
