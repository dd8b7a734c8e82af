"""The brush, with which an object's matte is painted on the shown frame."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from nicegui import events, ui

from controls.prompts import split_object
from restyle.studio.shell import attempt, notify

if TYPE_CHECKING:
    from restyle.studio.clip_page import ClipPage
    from restyle.studio.panels.objects import ObjectsPanel

__all__ = ["Brush"]

TOOLS = {"mark": "Click and box", "brush": "Brush", "erase": "Eraser"}
MOST_UNDONE = 100


class Brush:
    """Chooses what the mouse does on the frame, and keeps what is painted in the recipe, as a drawn matte."""

    def __init__(self, page: ClipPage, objects: ObjectsPanel) -> None:
        self._page, self._objects = page, objects
        self._turn = asyncio.Lock()  # each stroke begins with what the one before left
        self._before: list[tuple[int, tuple[str, ...], tuple[str, ...]]] = []
        spec = page.clip.frames.spec
        self._most = max(8, max(spec.width, spec.height) // 4)
        self.diameter = max(2, max(spec.width, spec.height) // 30)
        """Of the brush, in pixels of the footage."""
        self.tool = "mark"
        """``mark``: points and boxes; ``brush``; ``erase``."""

    def build(self) -> None:
        """Make the elements."""
        with ui.element("div").classes("line"):
            ui.toggle(TOOLS, value=self.tool, on_change=self._chosen).props(
                'dense no-caps unelevated toggle-color=primary aria-label="What the mouse does"'
            )
            self._undo = ui.button("Undo", on_click=self.undo).props("flat dense no-caps")
            self._undo.tooltip("Take the last stroke back")
            self._clear = ui.button("Clear", on_click=self.clear).props("flat dense no-caps")
            self._clear.tooltip("Take away the whole matte that was painted on this frame")
        with ui.element("div").classes("field").tooltip("in pixels of the footage; [ and ] change it") as self._size:
            ui.label("Brush")
            slider = ui.slider(min=1, max=self._most, step=1, value=self.diameter)
            slider.props('dense aria-label="Brush: its width in pixels of the footage"')
            self._value = ui.label(f"{self.diameter}").classes("value")
            slider.on_value_change(lambda event: self._sized(int(event.value)))
        self._slider = slider

    def refresh(self) -> None:
        """Show what can be done."""
        self._size.set_visibility(self.tool != "mark")
        self._undo.set_visibility(bool(self._before))
        self._clear.set_visibility(bool(self._painted_here()))

    def resize(self, factor: float) -> None:
        """Make the brush wider or narrower."""
        self._slider.set_value(min(self._most, max(1, round(self.diameter * factor + (factor > 1) - (factor < 1)))))

    def _sized(self, diameter: int) -> None:
        self.diameter = diameter
        self._value.set_text(f"{diameter}")
        self._page.refresh()

    def _chosen(self, event: events.ValueChangeEventArguments[str]) -> None:
        self.tool = event.value
        self._page.refresh()

    async def stroke(self, frame: int, name: str, stroke: list[float], *, away: bool) -> None:
        """Paint a stroke on an object's matte, or take it away there."""
        page = self._page

        async def work() -> None:
            async with self._turn:
                before = page.recipe.objects
                after = await page.clip.brush(frame, name, page.recipe, stroke, away=away)
                if self._objects.set_marks(after):
                    self._before = [*self._before[-MOST_UNDONE:], (frame, before, after)]

        await attempt(work, "painting the matte")
        await self._objects.show_mattes()

    def _painted_here(self) -> list[str]:
        """The painted matte of the object that is being marked, on the shown frame."""
        page, name = self._page, self._objects.active
        marks = [(text, split_object(text)) for text in page.recipe.objects]
        return [text for text, mark in marks if (mark.name, mark.frame, mark.kind) == (name, page.frame, "matte")]

    async def clear(self) -> None:
        """Take away what was painted of the object on the shown frame; ``undo`` brings it back."""
        page = self._page
        async with self._turn:
            before, painted = page.recipe.objects, self._painted_here()
            after = tuple(text for text in before if text not in painted)
            name = self._objects.active
            if painted and name and self._objects.set_marks(after):
                self._objects.expect(name)
                self._before = [*self._before[-MOST_UNDONE:], (page.frame, before, after)]
        await self._objects.cut(page.frame)

    async def undo(self) -> None:
        """Take the last stroke back."""
        if not self._before:
            return
        frame, before, after = self._before.pop()
        if self._page.recipe.objects != after:
            self._before = []
            notify("the marks were changed since: take the painted matte away, or paint over it", wrong=True)
            self.refresh()
        elif self._objects.set_marks(before):
            await self._objects.cut(frame)
