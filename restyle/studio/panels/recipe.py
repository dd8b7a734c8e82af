"""The panel of the recipe: the file, and the command line and the Python that do the same."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from nicegui import ui

from restyle.errors import show_path
from restyle.recipe import Recipe
from restyle.studio.shell import attempt, heading

if TYPE_CHECKING:
    from restyle.studio.clip_page import ClipPage

__all__ = ["RecipePanel"]


class RecipePanel:
    """Shows what everything on the page comes to."""

    def __init__(self, page: ClipPage) -> None:
        self._page = page

    def build(self) -> None:
        """Make the elements."""
        project = self._page.clip.project
        heading("Recipe", "What differs from the defaults. It is written at every change.")
        ui.label(show_path(project.recipe_file)).classes("path")
        self._recipe = self._text("Recipe")
        if self._page.clip.batch is not None:
            ui.button("Use it for all clips of the folder", on_click=self._for_all).props("outline dense no-caps")
        heading("The same on the command line")
        self._text("Command line").set_text(project.command)
        heading("The same in Python")
        self._text("Python").set_text(project.program)

    async def _for_all(self) -> None:
        batch = self._page.clip.batch

        async def work() -> None:
            if batch is not None:
                batch.use_for_all(self._page.recipe)

        await attempt(work, done="all clips of the folder will look so; what belongs to this clip alone is left out")

    def _text(self, name: str) -> ui.label:
        return ui.label("").classes("code").props(f'role="region" tabindex="0" aria-label="{name}"')

    def refresh(self) -> None:
        """Show the recipe."""
        plain = self._page.recipe.model_dump(mode="json")
        usual = Recipe().model_dump(mode="json")
        told = {name: value for name, value in plain.items() if value != usual[name]}
        self._recipe.set_text(json.dumps(told, indent=2, ensure_ascii=False))
