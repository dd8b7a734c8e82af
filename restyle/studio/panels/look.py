"""The panel of looks: a wall of them painted on the shown frame, and how they are painted."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from nicegui import events, ui

from restyle.errors import RestyleError
from restyle.footage import read_picture
from restyle.painters.neural_style.choice import parse_style
from restyle.painters.neural_style.styles import DEFAULT_STYLE, STYLES
from restyle.quality.pictures import jpeg_of
from restyle.studio.keyframe_files import keep, place
from restyle.studio.panels.painter import PainterFields
from restyle.studio.shell import attempt, heading, notify

if TYPE_CHECKING:
    from restyle.studio.clip_page import ClipPage

__all__ = ["LookPanel"]

MOST_PICTURE = 64 << 20  # bytes of a style picture


class LookPanel:
    """Chooses the style, how strongly it is painted, and with what painter."""

    def __init__(self, page: ClipPage) -> None:
        self._page = page
        self._tiles: dict[str, Any] = {}
        self._controls: dict[str, Any] = {}
        self._quiet = False
        self._walls = 0
        self.painter = PainterFields(page)

    def build(self) -> None:
        """Make the elements."""
        with ui.element("div").classes("line"):
            heading("Looks")
            ui.element("span").classes("gap")
            ui.button("Paint them on this frame", on_click=self.paint_wall).props("flat dense no-caps")
        self._hint = ui.label("").classes("hint")
        with ui.element("div").classes("wall").props('role="group" aria-label="Looks"'):
            for style in STYLES:
                self._tile(style.name, style.description)
        heading("How it is painted")
        with ui.element("div").classes("fields"):
            self._slider("strength", "Strength", 0, 1, 0.05, "how strongly the style is painted")
            self._slider("mix", "Mix", 0, 1, 0.05, "0 shows the footage, 1 the painting")
            self._slider("brush_size", "Brush", 0.25, 4, 0.25, "size of strokes; 1 is that of a picture of 720 lines")
            self._slider("hold", "Hold", 0, 1, 0.05, "how much of the painting before stays: seen in motion alone")
            self._second()
            keep = ui.switch("Keep the footage’s colours", on_change=self._colour)
            self._controls["keep_colour"] = keep
        with ui.expansion("A picture as the style").classes("more"):
            ui.label("PNG, JPEG, TIFF or WebP; it is copied beside the recipe.").classes("hint")
            ui.upload(
                on_upload=self._picture, max_file_size=MOST_PICTURE, auto_upload=True, label="Drop a picture"
            ).props('accept="image/*" flat bordered').classes("drop")
        self.painter.build()
        with ui.element("div").classes("line"):
            ui.button("Keep as A", on_click=self._keep).props("outline dense no-caps").tooltip(
                "Compare this frame in this look with the next that you choose"
            )
            self._no_longer = ui.button("Compare with the footage", on_click=self._forget).props("flat dense no-caps")

    def _tile(self, name: str, description: str) -> None:
        button = ui.element("button").classes("tile").props(f'type="button" aria-pressed="false" data-style="{name}"')
        button.on("click", lambda: self.choose(name))
        with button:
            picture = ui.element("img").props(f'alt="" title="{description}"').classes("empty")
            ui.label(name)
        self._tiles[name] = (button, picture)

    def _slider(self, name: str, label: str, least: float, most: float, step: float, hint: str) -> None:
        with ui.element("div").classes("field").tooltip(hint):
            ui.label(label)
            slider = ui.slider(min=least, max=most, step=step).props(f'dense aria-label="{label}: {hint}"')
            value = ui.label("").classes("value")
            slider.on("update:model-value", lambda e: value.set_text(f"{e.args:g}"), throttle=0.05)
            slider.on("change", lambda e: self._set(name, e.args))
        self._controls[name] = (slider, value)

    def _second(self) -> None:
        with ui.element("div").classes("field").tooltip("a second look, and its share"):
            ui.label("Blend")
            self._other = ui.select(["–", *(style.name for style in STYLES)], value="–", on_change=self._blended)
            self._other.props('dense options-dense aria-label="Blend with"')
            self._share = ui.number(value=50, min=1, max=99, step=5, suffix="%", on_change=self._blended)
            self._share.props('dense aria-label="Share of the second look"').classes("value")

    def refresh(self) -> None:
        """Show what the recipe says."""
        recipe = self._page.recipe
        style = recipe.style or DEFAULT_STYLE
        chosen: dict[str, float] = {}
        try:
            chosen = {each.name: weight for each, weight in parse_style(style).builtin}
        except RestyleError as error:
            self._hint.set_text(str(error))
        for name, (button, _) in self._tiles.items():
            button.props(f'aria-pressed="{"true" if name in chosen else "false"}"')
        self._hint.set_text(
            " + ".join(f"{name} {weight:.0%}" for name, weight in chosen.items()) if len(chosen) > 1 else ""
        )
        if not chosen:
            self._hint.set_text(f"style: {Path(style).name}")
        self._quiet = True
        values = {
            "strength": 1.0 if recipe.strength is None else recipe.strength,
            "mix": recipe.mix,
            "brush_size": 1.0 if recipe.brush_size is None else recipe.brush_size,
            "hold": recipe.painter_options.get("hold", 0.8),
        }
        for name, number in values.items():
            slider, label = self._controls[name]
            slider.set_value(number)
            label.set_text(f"{number:g}")
        self._controls["keep_colour"].set_value(recipe.keep_colour)
        names = list(chosen)
        self._other.set_value(names[1] if len(names) == 2 else "–")
        if len(names) == 2:
            self._share.set_value(round(100 * chosen[names[1]]))
        self._share.set_visibility(len(names) == 2)
        self._no_longer.set_visibility(bool(self._page.kept))
        self._quiet = False
        self.painter.refresh()

    async def choose(self, style: str) -> None:
        """Choose a look, and show the frame in it."""
        self._page.shown = "painting"
        await self._page.change(style=style)

    def _colour(self, event: events.ValueChangeEventArguments[bool | None]) -> Awaitable[None] | None:
        return None if self._quiet else self._set("keep_colour", bool(event.value))

    def _blended(self) -> Awaitable[None] | None:
        return None if self._quiet else self._blend()

    async def _set(self, name: str, value: Any) -> None:
        if name == "hold":
            await self._page.change(painter_options={**self._page.recipe.painter_options, "hold": value})
        else:
            await self._page.change(**{name: value})

    async def _blend(self) -> None:
        recipe = self._page.recipe
        try:
            first = parse_style(recipe.style).builtin[0][0].name
        except (RestyleError, IndexError):
            return
        share = min(99, max(1, int(self._share.value or 50)))
        other = self._other.value
        style = first if other in ("–", first) else f"{first}:{100 - share},{other}:{share}"
        if style != (recipe.style or DEFAULT_STYLE):
            self._page.shown = "painting"
            await self._page.change(style=style)

    async def _picture(self, event: events.UploadEventArguments) -> None:
        project = self._page.clip.project
        suffix = Path(event.file.name).suffix.lower()
        data = await event.file.read()

        async def work() -> None:
            folder = project.make_folder(project.folder / "styles")
            path = place(folder, "style", data, suffix)
            new = await asyncio.to_thread(keep, path, data)
            try:
                await asyncio.to_thread(read_picture, path)
            except RestyleError:
                if new:
                    path.unlink()
                raise
            await self.choose(str(path))

        await attempt(work, "reading the picture")

    def _keep(self) -> None:
        page = self._page
        paintings = page.clip.paintings(page.recipe)
        if page.frame not in paintings:
            notify("paint this frame first: choose a look")
            return
        page.kept = {page.frame: paintings[page.frame]}
        page.refresh()

    def _forget(self) -> None:
        self._page.kept = {}
        self._page.refresh()

    async def paint_wall(self) -> None:
        """Paint every look on the shown frame, one after the other; what is asked for meanwhile goes first."""
        page, clip = self._page, self._page.clip
        frame, recipe = page.frame, page.recipe
        client = ui.context.client  # the tab may be closed meanwhile
        self._walls += 1  # one that is being painted gives way
        mine = self._walls
        tiles: Iterator[tuple[str, np.ndarray]] | None = None

        def next_tile() -> tuple[str, bytes] | None:
            nonlocal tiles
            if tiles is None:
                tiles = clip.preview.styles(frame, strength=recipe.strength, brush_size=recipe.brush_size)
            made = next(tiles, None)
            return None if made is None else (made[0], jpeg_of(made[1], long_side=264))

        stamp = f"{frame}-{recipe.strength}-{recipe.brush_size}"

        async def work() -> None:
            missing = [s.name for s in STYLES if clip.made.get((f"tile-{s.name}-{stamp}",)) is None]
            while missing:
                tile = await clip.bench.run(f"wall-{id(self)}-{mine}", next_tile, at_leisure=True)
                if tile is None or mine != self._walls or client.is_deleted:
                    break
                clip.made.put((f"tile-{tile[0]}-{stamp}",), tile[1])
                self._show_tile(tile[0], stamp)
            for style in STYLES if mine == self._walls else ():
                self._show_tile(style.name, stamp)

        await attempt(work, f"painting the looks on frame {frame}")

    def _show_tile(self, name: str, stamp: str) -> None:
        if name in self._tiles and self._page.clip.made.get((f"tile-{name}-{stamp}",)) is not None:
            picture = self._tiles[name][1]
            picture.props(f'src="/clips/{self._page.clip.name}/made/tile-{name}-{stamp}.jpg"')
            picture.classes(remove="empty")
