"""Reading JSON and YAML that anybody may have written: plain values of a sane size come out, or one line does."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

from interp.regular import require_regular
from restyle.errors import MissingExtraError, RecipeError, show_path, why

__all__ = ["check_plain", "read_document"]

LARGEST = 16 << 20  # bytes of a file
DEEPEST = 32  # tables and lists within each other
MOST = 200_000  # values in all, each counted as often as it is referred to
MOST_IN_YAML = 50_000  # PyYAML takes 100 microseconds for each


def read_document(path: Path, what: str) -> dict[str, Any]:
    """The table of fields that a file holds; ``what`` it is, for the message. YAML is told by .yaml and .yml.

    Raises ``RecipeError``, one line that names the file, and ``MissingExtraError`` for YAML without PyYAML.
    """
    shown = f"{what} {show_path(path)}"
    try:
        require_regular(path, largest=LARGEST)
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"cannot read {shown}: {why(error)}") from None
    kind = "YAML" if path.suffix.lower() in (".yaml", ".yml") else "JSON"
    try:
        found = _yaml(text) if kind == "YAML" else _json(text)
        check_plain(found)
    except RecursionError:
        raise RecipeError(f"{shown} is nested too deep") from None
    except ValueError as error:
        raise RecipeError(f"{shown} is not valid {kind}: {why(error)}") from None
    if not isinstance(found, dict):
        raise RecipeError(f"{shown} holds a {type(found).__name__}, not a table of fields")
    return found


def check_plain(value: Any, *, strict: bool = True) -> None:
    """Raise ``ValueError``, a few words, unless a value is made of tables, lists, text, finite numbers, true, false and null,
    of a sane depth and number, and all text in it can be written down and named in a file system.

    Without ``strict`` values of other types pass: whoever takes them looks at them.
    """
    count = 0
    waiting = [(value, 0)]
    while waiting:
        one, depth = waiting.pop()
        count += 1
        if depth > DEEPEST:
            raise ValueError("it is nested too deep")
        if count > MOST:
            raise ValueError(f"it holds more than {MOST:,} values")
        if isinstance(one, dict):
            waiting += [(part, depth + 1) for pair in one.items() for part in pair]
        elif isinstance(one, (list, tuple, set, frozenset)):
            waiting += [(part, depth + 1) for part in one]
        elif isinstance(one, str):
            _check_text(one)
        elif not strict:
            continue
        elif isinstance(one, float):
            if not math.isfinite(one):
                raise ValueError(f"{one} is no number that can be used")
        elif isinstance(one, int):
            if abs(one) >= 1 << 63:
                raise ValueError(f"a number of {len(f'{abs(one):x}') * 1.2:.0f} digits or so is too large")
        elif one is not None:
            raise ValueError(f"it holds a {type(one).__name__}; write it as text, in quotes")


def _check_text(text: str) -> None:
    if "\0" in text:
        raise ValueError(f"there is a NUL character in {text[:40]!r}")
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        raise ValueError(f"there is half a character (a lone surrogate) in {text[:40]!r}") from None


def _json(text: str) -> Any:
    def constant(name: str) -> Any:
        raise ValueError(f"{name} is no number that can be used")

    return json.loads(text, parse_constant=constant, object_pairs_hook=_once)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, value in pairs:
        if name in made:
            raise ValueError(f"{name!r} is given twice")
        made[name] = value
    return made


def _yaml(text: str) -> Any:
    try:
        import yaml
    except ImportError:
        raise MissingExtraError("a YAML recipe (JSON needs nothing)", "yaml") from None

    class Loader(yaml.SafeLoader):  # type: ignore[misc]
        """Plain values only, and no key twice. As many values as are read in seconds."""

        read = 0

        def compose_node(self, parent: Any, index: Any) -> Any:
            self.read += 1
            if self.read > MOST_IN_YAML:
                raise ValueError(f"it holds more than {MOST_IN_YAML:,} values: write it as JSON, which is read faster")
            return super().compose_node(parent, index)

        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            seen = set()
            for key, _ in node.value:
                if key.tag != "tag:yaml.org,2002:merge":
                    if (key.tag, key.value) in seen if isinstance(key.value, str) else False:
                        raise ValueError(f"{key.value!r} is given twice")
                    if isinstance(key.value, str):
                        seen.add((key.tag, key.value))
            return super().construct_mapping(node, deep)

    try:
        return yaml.load(text, Loader)
    except (yaml.YAMLError, TypeError) as error:
        raise ValueError(why(error)) from None
