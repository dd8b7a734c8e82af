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
MOST_VALUES = 200_000  # values in all, each counted as often as it is referred to
MOST_YAML_VALUES = 50_000  # PyYAML takes 100 microseconds for each


def read_document(path: Path, what: str) -> dict[str, Any]:
    """Read the table of fields that a file holds: YAML if its name ends in .yaml or .yml, else JSON.

    ``what``: what the file is, for the message (``"recipe"``).
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
        document = _yaml(text) if kind == "YAML" else _json(text)
        check_plain(document)
    except RecursionError:
        raise RecipeError(f"{shown} is nested too deep") from None
    except ValueError as error:
        raise RecipeError(f"{shown} is not valid {kind}: {why(error)}") from None
    if not isinstance(document, dict):
        raise RecipeError(f"{shown} holds a {type(document).__name__}, not a table of fields")
    return document


def check_plain(value: Any, *, strict: bool = True) -> None:
    """Raise ``ValueError``, a few words, unless a value is made of tables, lists, text, finite numbers, true, false and null,
    of a sane depth and number, and all text in it can be written down and named in a file system.

    Without ``strict`` values of other types pass: whoever takes them looks at them.
    """
    count = 0
    waiting = [(value, 0)]
    while waiting:
        item, depth = waiting.pop()
        count += 1
        if depth > DEEPEST:
            raise ValueError("it is nested too deep")
        if count > MOST_VALUES:
            raise ValueError(f"it holds more than {MOST_VALUES:,} values")
        if isinstance(item, dict):
            waiting += [(inner, depth + 1) for pair in item.items() for inner in pair]
        elif isinstance(item, (list, tuple, set, frozenset)):
            waiting += [(inner, depth + 1) for inner in item]
        elif isinstance(item, str):
            _check_text(item)
        elif not strict:
            continue
        elif isinstance(item, float):
            if not math.isfinite(item):
                raise ValueError(f"{item} is no number that can be used")
        elif isinstance(item, int):
            if abs(item) >= 1 << 63:
                raise ValueError(f"a number of {len(f'{abs(item):x}') * 1.2:.0f} digits or so is too large")
        elif item is not None:
            raise ValueError(f"it holds a {type(item).__name__}; write it as text, in quotes")


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

    return json.loads(text, parse_constant=constant, object_pairs_hook=_without_duplicates)


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table: dict[str, Any] = {}
    for name, value in pairs:
        if name in table:
            raise ValueError(f"{name!r} is given twice")
        table[name] = value
    return table


def _yaml(text: str) -> Any:
    try:
        import yaml
    except ImportError:
        raise MissingExtraError("a YAML recipe (JSON needs nothing)", "yaml") from None

    class Loader(yaml.SafeLoader):  # type: ignore[misc]
        """Loader of plain values, no key twice, and no more values than are read in seconds."""

        read = 0

        def compose_node(self, parent: Any, index: Any) -> Any:
            self.read += 1
            if self.read > MOST_YAML_VALUES:
                raise ValueError(
                    f"it holds more than {MOST_YAML_VALUES:,} values: write it as JSON, which is read faster"
                )
            return super().compose_node(parent, index)

        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            keys = set()
            for key, _ in node.value:
                if key.tag != "tag:yaml.org,2002:merge":
                    if (key.tag, key.value) in keys if isinstance(key.value, str) else False:
                        raise ValueError(f"{key.value!r} is given twice")
                    if isinstance(key.value, str):
                        keys.add((key.tag, key.value))
            return super().construct_mapping(node, deep)

    try:
        return yaml.load(text, Loader)
    except (yaml.YAMLError, TypeError) as error:
        raise ValueError(why(error)) from None
