"""Fingerprint of a recipe: all that decides a result besides the footage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from restyle.errors import translated
from restyle.job.assembly import open_looks
from restyle.job.inputs import Inputs, named_files
from restyle.job.keys import digest
from restyle.job.masker_choice import choose_masker
from restyle.recipe import Recipe
from restyle.versions import METHODS, deciding

__all__ = ["Fingerprints"]


class Fingerprints:
    """Computes fingerprints, each once: of many clips' recipes most are the same.

    In them are the recipe's fields, with the content of each file in the place of its path; what the painter of each look says
    of itself (options, weights, way of painting); and what ``restyle.versions`` says of every stage.
    """

    def __init__(self, *, offline: bool = False) -> None:
        self._offline = offline
        self._known: dict[str, str] = {}

    def of(self, recipe: Recipe) -> str:
        """The fingerprint of a recipe: 32 hexadecimal digits.

        Raises ``RecipeError``, ``MissingExtraError``, ``MissingModelError``, ``FootageError`` (a file that cannot be read).
        """
        text = recipe.to_text()
        if text not in self._known:
            self._known[text] = self._compute(recipe)
        return self._known[text]

    def _compute(self, recipe: Recipe) -> str:
        inputs = Inputs()
        contents = {
            str(path): [inputs.digest(file) for file in sorted(path.iterdir()) if file.is_file()]
            if path.is_dir()
            else inputs.digest(path)
            for path in named_files(recipe)
        }
        with open_looks(recipe, offline=self._offline) as looks:
            painters = [[look.painter.name, dict(look.painter.identity), look.seed] for look in looks]
        masker = None
        if recipe.objects:
            with translated():
                chosen = choose_masker(recipe.masker, recipe.masker_options)
            masker = [chosen.name, chosen.options, chosen.grounding]
        fields = _by_content(recipe.model_dump(mode="json", exclude={"anchor"}), contents)
        return digest(fields, sorted(map(str, contents.values())), painters, masker, [deciding(s) for s in METHODS])


def _by_content(value: Any, contents: dict[str, Any]) -> Any:
    """Plain values with the content of files in the place of their paths: a moved picture is the same picture."""
    if isinstance(value, dict):
        return {name: _by_content(item, contents) for name, item in value.items()}
    if isinstance(value, list):
        return [_by_content(item, contents) for item in value]
    if isinstance(value, str) and (value in contents or str(Path(value)) in contents):
        return contents.get(value, contents.get(str(Path(value))))
    return value
