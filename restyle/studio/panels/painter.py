"""The painter, its prompts, and the control maps that it holds on to, of the shown frame."""

from __future__ import annotations

from collections.abc import Awaitable
from functools import partial
from typing import TYPE_CHECKING, Any

from nicegui import events, ui

from controls.maps import kinds
from restyle.errors import RestyleError
from restyle.recipe import Control
from restyle.registry import options_of, part_names
from restyle.studio.shell import attempt, heading
from restyle.weights.parts import presence

if TYPE_CHECKING:
    from restyle.studio.clip_page import ClipPage

__all__ = ["PainterFields"]

PROMPTS = {"prompt": "Prompt", "negative_prompt": "Not to be seen"}


class PainterFields:
    """Chooses the painter, and what it is told beside the style."""

    def __init__(self, page: ClipPage) -> None:
        self._page = page
        self._prompts: dict[str, Any] = {}
        self._quiet = False
        self._built: Any = None
        self._pictures: dict[str, Any] = {}

    def build(self) -> None:
        """Make the elements."""
        with ui.expansion("Painter and prompts", on_value_change=self._opened).classes("more") as self._more:
            self._painter = ui.select(part_names("painter"), label="Painter", on_change=self._painter_chosen)
            self._painter.props("dense")
            for name, label in PROMPTS.items():
                text = ui.input(label).props("dense clearable").classes("wide")
                text.on("blur", lambda _, n=name: self._prompt_set(n))
                text.on("keydown.enter", lambda _, n=name: self._prompt_set(n))
                self._prompts[name] = text
            self._seed = ui.number("Seed", min=0, precision=0, on_change=self._seed_set).props("dense")
            with ui.element("div").classes("controls") as self._controls:
                heading(
                    "Control maps", "What of the footage the painter holds on to, as it sees it in the shown frame."
                )
                self._kind = ui.select({}, label="Add a kind", on_change=self._added).props("dense options-dense")
                self._kind.classes("wide")
                self._rows = ui.element("div").classes("cards")

    # What is shown

    def refresh(self) -> None:
        """Show what the recipe says."""
        recipe = self._page.recipe
        self._quiet = True
        self._painter.set_value(recipe.painter)
        self._seed.set_value(recipe.seed)
        for name, text in self._prompts.items():
            text.set_value(getattr(recipe, name) or "")
            text.set_enabled(recipe.painter != "neural-style")
        takes = _takes_controls(recipe.painter)
        self._controls.set_visibility(takes)
        if takes and not self._kind.options:
            self._kind.set_options(_kinds())
        self._quiet = False
        if recipe.controls != self._built:
            self._built = recipe.controls
            self._show_controls(recipe.controls)
        self._show_pictures()

    def _show_controls(self, controls: tuple[Control, ...]) -> None:
        self._rows.clear()
        self._pictures = {}
        with self._rows:
            for control in controls:
                with ui.element("div").classes("card") as card:
                    card.props["data-control"] = control.kind
                    self._pictures[control.kind] = ui.element("img").classes("map empty")
                    with ui.element("div").classes("line tight"):
                        ui.label(control.kind).classes("grow name")
                        strength = ui.number(value=control.strength, min=0, max=2, step=0.1, prefix="strength")
                        strength.props("dense borderless").classes("strength")
                        strength.props["aria-label"] = f"Strength of {control.kind}"
                        for told in ("blur", "keydown.enter"):
                            strength.on(told, self._page.act(partial(self._strength_set, control.kind, strength)))
                        remove = ui.button("Remove", on_click=self._page.act(partial(self._removed, control.kind)))
                        remove.props("flat dense no-caps size=sm")
                        remove.props["aria-label"] = f"Remove {control.kind}"

    def _show_pictures(self) -> None:
        """Show the maps of the shown frame that are made."""
        page = self._page
        for kind, name in page.clip.map_names(page.frame, page.recipe).items():
            picture, made = self._pictures.get(kind), page.clip.made.get((name,)) is not None
            if picture is not None:
                picture.props["alt"] = f"{kind} of frame {page.frame}"
                picture.classes(add="" if made else "empty", remove="empty" if made else "")
                if made:
                    picture.props["src"] = f"/clips/{page.clip.name}/made/{name}.jpg"

    async def show_maps(self) -> None:
        """Make the maps of the shown frame, if they can be seen."""
        page = self._page
        frame, recipe = page.frame, page.recipe
        if not self._more.value or not recipe.controls:
            return

        async def work() -> None:
            await page.clip.control_maps(frame, recipe)

        await attempt(work, f"finding the control maps of frame {frame}")
        self._show_pictures()

    async def _opened(self, event: events.ValueChangeEventArguments[bool]) -> None:
        if event.value:
            await self.show_maps()

    # What is done

    def _painter_chosen(self, event: events.ValueChangeEventArguments[str]) -> Awaitable[object] | None:
        recipe = self._page.recipe
        if self._quiet or event.value == recipe.painter:
            return None
        controls = recipe.controls if _takes_controls(event.value) else ()
        return self._page.change(
            painter=event.value, painter_options={}, prompt=None, negative_prompt=None, controls=controls
        )

    async def _prompt_set(self, name: str) -> None:
        value = self._prompts[name].value or None
        if not self._quiet and value != getattr(self._page.recipe, name):
            await self._page.change(**{name: value})

    def _seed_set(self, event: events.ValueChangeEventArguments[float | None]) -> Awaitable[object] | None:
        return None if self._quiet else self._page.change(seed=int(event.value or 0))

    def _added(self, event: events.ValueChangeEventArguments[str | None]) -> Awaitable[object] | None:
        kind, controls = event.value, self._page.recipe.controls
        if self._quiet or not kind:
            return None
        self._kind.set_value(None)
        known = any(control.kind == kind for control in controls)
        return None if known else self._set((*controls, Control(kind=kind)))

    async def _removed(self, kind: str) -> None:
        await self._set(tuple(control for control in self._page.recipe.controls if control.kind != kind))

    async def _strength_set(self, kind: str, field: ui.number) -> None:
        told = 1.0 if field.value is None else float(field.value)
        controls = self._page.recipe.controls
        await self._set(tuple(c.model_copy(update={"strength": told}) if c.kind == kind else c for c in controls))

    async def _set(self, controls: tuple[Control, ...]) -> None:
        if controls == self._page.recipe.controls:
            return
        if self._page.set(controls=[control.model_dump() for control in controls]):
            await self.show_maps()
            if self._page.shown == "painting":
                await self._page.paint()


def _takes_controls(painter: str) -> bool:
    try:
        return "controls" in options_of("painter", painter)
    except RestyleError:  # what it needs is not installed: painting says so
        return False


def _kinds() -> dict[str, str]:
    """Kinds of maps of one frame -> how they are shown in a list."""
    return {
        name: name if presence(traits).ready else f"{name} (what finds it is not here: restyle controls)"
        for name, traits in kinds().items()
        if traits.takes == "picture"
    }
