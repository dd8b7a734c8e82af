"""Docstrings say plainly what a thing is or does: they begin with a noun or a verb."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted(path for package in ("interp", "controls", "restyle") for path in (ROOT / package).rglob("*.py"))
RIDDLES = {"what", "who", "whose", "whom", "where", "when", "why", "which", "how"}


def riddles(source: str) -> Iterator[tuple[int, str]]:
    """Line and text of every docstring that begins with a question word."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            text = ast.get_docstring(node)
            if text and text.split()[0].strip(",.:;").lower() in RIDDLES:
                yield node.body[0].lineno, text.splitlines()[0]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_docstring_begins_with_a_question_word(path: Path) -> None:
    assert list(riddles(path.read_text(encoding="utf-8"))) == []


def test_riddles_are_seen() -> None:
    source = '"""Things."""\n\n\nclass A:\n    """What it is."""\n\n    def b(self):\n        """Give it."""\n'
    assert list(riddles(source)) == [(5, "What it is.")]
