"""Anchors: a painted keyframe of some footage in a folder, whose look other footage takes over.

::

    footage.png      the footage's own picture (what the painter saw of it)
    painting-0.png   its painting, one for each look of the recipe, in the order of its layers
    facts.json       the prompts that they were painted with, if any

Pictures have 8 or 16 bits, and any size. A recipe names the folder (``Recipe.anchor``).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from restyle.errors import RecipeError, show_path
from restyle.files.document import read_document
from restyle.footage import read_picture, write_picture
from restyle.painters.base import Anchor
from restyle.recipe import Recipe
from restyle.types import TextPrompt

__all__ = ["anchor_files", "read_anchors", "write_anchors"]


def anchor_files(recipe: Recipe, look: int | None = None) -> list[Path]:
    """List the files of a recipe's anchor, or those of one look's; none if the recipe has no anchor."""
    if recipe.anchor is None:
        return []
    folder = Path(recipe.anchor)
    facts = [folder / "facts.json"] if (folder / "facts.json").exists() else []
    if look is not None:
        return [folder / "footage.png", folder / f"painting-{look}.png", *facts]
    paintings = [folder / "painting-0.png"]
    while (more := folder / f"painting-{len(paintings)}.png").exists():
        paintings.append(more)
    return [folder / "footage.png", *paintings, *facts]


def read_anchors(recipe: Recipe, looks: int) -> list[Anchor | None]:
    """Read the anchors of a recipe's looks. Raises ``RecipeError`` for sizes that differ, ``FootageError``."""
    if recipe.anchor is None:
        return [None] * looks
    folder = Path(recipe.anchor)
    picture = read_picture(folder / "footage.png")
    prompts = _prompts(folder)
    anchors: list[Anchor | None] = []
    for number in range(looks):
        path = folder / f"painting-{number}.png"
        if not path.is_file():
            raise RecipeError(f"the anchor {show_path(folder)} has no {path.name}, and the recipe has {looks} looks")
        painting = read_picture(path, dtype=str(picture.dtype))
        if painting.shape != picture.shape:
            raise RecipeError(f"{show_path(path)} is not of the size of footage.png beside it: make it anew")
        anchors.append(Anchor(picture, painting, prompts[number] if number < len(prompts) else TextPrompt()))
    return anchors


def write_anchors(
    folder: Path, picture: np.ndarray, paintings: Sequence[np.ndarray], prompts: Sequence[TextPrompt]
) -> None:
    """Write an anchor into a folder that is there. ``picture``, ``paintings``: H x W x 3, of one shape.

    Raises ``OSError``, ``OutputError``."""
    write_picture(folder / "footage.png", picture)
    for number, painting in enumerate(paintings):
        write_picture(folder / f"painting-{number}.png", painting)
    texts = [[prompt.prompt, prompt.negative_prompt] for prompt in prompts]
    (folder / "facts.json").write_text(json.dumps({"prompts": texts}) + "\n")


def _prompts(folder: Path) -> list[TextPrompt]:
    if not (folder / "facts.json").exists():
        return []
    with suppress(KeyError, TypeError, ValueError):
        texts = read_document(folder / "facts.json", "anchor")["prompts"]
        return [TextPrompt(str(prompt), str(negative)) for prompt, negative in texts]
    raise RecipeError(f"{show_path(folder / 'facts.json')} holds no list of prompts")
