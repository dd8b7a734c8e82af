"""The panel of objects: marked on the frame, their mattes looked at, and followed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from nicegui import ui

from controls.prompts import split_object
from restyle.errors import RestyleError
from restyle.recipe import Layer
from restyle.studio.panels.brush import Brush
from restyle.studio.shell import attempt, heading, notify
from restyle.studio.words import OBJECT_COLOURS, progress_line

if TYPE_CHECKING:
    from restyle.studio.clip_page import ClipPage

__all__ = ["ObjectsPanel"]

MODES = {"restyle": "paint it", "keep": "keep the footage", "remove": "remove it", "cutout": "cut it out"}
HELP = (
    "Click on the object. Shift and click, or the right button: this is not it. Drag: a box round it. "
    "Or paint its matte. It is followed through its shot; mark it anew in every shot."
)


class ObjectsPanel:
    """Marks objects on the shown frame."""

    def __init__(self, page: ClipPage) -> None:
        self._page = page
        self._active: str | None = None
        self._pending: str | None = None
        """Name of an object that is not marked yet."""
        self.brush = Brush(page, self)

    @property
    def active(self) -> str | None:
        """Name of the object that is being marked; ``None``: there is none yet."""
        return self._active

    @property
    def colour(self) -> str:
        """Colour of the object that is being marked."""
        names = self._page.recipe.object_names
        number = names.index(self._active) if self._active in names else len(names)
        return OBJECT_COLOURS[number % len(OBJECT_COLOURS)]

    def build(self) -> None:
        """Make the elements."""
        heading("Objects", HELP)
        self._list = ui.element("div").classes("rows").props('role="group" aria-label="Objects"')
        with ui.element("div").classes("line"):
            self._name = ui.input("Name of a new object").props("dense").classes("grow")
            ui.button("New object", on_click=self._new).props("outline dense no-caps")
        with ui.element("div").classes("line"):
            self._word = ui.input("Or name it in words").props("dense").classes("grow")
            ui.button("Find", on_click=self._find).props("outline dense no-caps").tooltip(
                "Needs the weights of a detector: restyle models"
            )
        self.brush.build()
        heading("On this frame")
        self._here = ui.element("div").classes("rows")
        with ui.element("div").classes("line"):
            ui.button("Cut more exactly", on_click=self._exact).props("outline dense no-caps").tooltip(
                "As a run begins with it: looks at the frames that follow, and takes some seconds"
            )
            ui.button("Follow through the clip", on_click=lambda: self._page.start("look")).props(
                "dense no-caps unelevated"
            )
        self._work = ui.label("").classes("hint").props('role="status" aria-live="polite"')
        heading("What is done with them")
        self._modes = ui.element("div").classes("rows")
        heading("Doubts", "Frames whose mattes should be looked at.")
        self._doubts = ui.element("div").classes("chips")
        self._built: dict[int, Any] = {}
        """What each box shows."""

    # What is shown

    def marks(self) -> list[dict[str, Any]]:
        """The points and boxes of all frames, for the viewer."""
        found = []
        names = self._page.recipe.object_names
        for text in self._page.recipe.objects:
            mark = split_object(text)
            if mark.kind in ("point", "not", "box"):
                colour = OBJECT_COLOURS[names.index(mark.name) % len(OBJECT_COLOURS)]
                values = [float(value) for value in mark.value.split(",")]
                found.append({"frame": mark.frame, "kind": mark.kind, "values": values, "colour": colour})
        return found

    def refresh(self) -> None:
        """Show what the recipe says."""
        page, recipe = self._page, self._page.recipe
        self.brush.refresh()
        work = page.clip.work.state()
        self._work.set_text(str(work.facts.get("line", "")) if work.kind == "look" else "")
        if work.running and work.kind == "look":
            self._work.set_text(progress_line(work.facts))
        names = recipe.object_names
        if self._active not in names:
            self._active = names[0] if names else None
        doubts = page.clip.doubts if recipe.objects else {}
        self._fill(self._list, (recipe.objects, self._active), self._objects)
        self._fill(self._here, (recipe.objects, page.frame), self._prompts)
        self._fill(self._modes, (recipe.objects, recipe.layers), self._layer_modes)
        self._fill(self._doubts, (tuple(doubts), bool(page.clip.followed)), lambda: self._doubted(doubts))

    def _fill(self, box: ui.element, state: Any, fill: Callable[[], None]) -> None:
        """Make a box's elements anew where they are others: a click on one that is taken away just now would be lost."""
        if self._built.get(box.id) != state:
            self._built[box.id] = state
            box.clear()
            with box:
                fill()

    def _objects(self) -> None:
        names = self._page.recipe.object_names
        if not names:
            ui.label("None yet: the whole picture is painted. Click on the frame to mark one.").classes("hint")
        for number, name in enumerate(names):
            self._object(number, name)

    def _prompts(self) -> None:
        here = [text for text in self._page.recipe.objects if split_object(text).frame == self._page.frame]
        if not here:
            ui.label("Nothing is marked on this frame.").classes("hint")
        for text in here:
            self._prompt(text)

    def _layer_modes(self) -> None:
        names = self._page.recipe.object_names
        if names:
            self._background()
        for name in names:
            self._mode(name)

    def _doubted(self, doubts: Mapping[int, str]) -> None:
        page = self._page
        for frame, told in list(doubts.items())[:60]:
            ui.button(f"{frame:,}", on_click=page.act(partial(page.seek, frame))).props(
                "outline dense no-caps"
            ).tooltip(told)
        if not doubts:
            ui.label("None." if page.clip.followed else "Follow the objects first.").classes("hint")

    def _object(self, number: int, name: str) -> None:
        with ui.element("div").classes("row"):
            button = (
                ui.element("button")
                .classes("object")
                .props(f'type="button" aria-pressed="{"true" if name == self._active else "false"}"')
            )
            button.on("click", self._page.act(lambda: self._choose(name)))
            with button:
                ui.element("i").classes("dot").style(f"background:{OBJECT_COLOURS[number % len(OBJECT_COLOURS)]}")
                ui.label(name)
                count = sum(split_object(text).name == name for text in self._page.recipe.objects)
                ui.label(f"{count} mark{'' if count == 1 else 's'}").classes("hint")
            ui.button("Remove", on_click=self._page.act(lambda: self._drop(name))).props(
                f'flat dense no-caps aria-label="Remove {name}"'
            )

    def _prompt(self, text: str) -> None:
        mark = split_object(text)
        words = {"point": "on it", "not": "not it", "box": "box", "text": "words", "matte": "painted matte"}.get(
            mark.kind, mark.kind
        )
        value = "" if mark.kind == "matte" else mark.value
        with ui.element("div").classes("row"):
            ui.label(f"{mark.name}: {words} {value}").classes("grow").tooltip(mark.value)
            away = ui.button("Take away", on_click=self._page.act(lambda: self._take_away(text)))
            away.props("flat dense no-caps").props["aria-label"] = f"Take away {mark.name}: {words} {value}".strip()

    def _background(self) -> None:
        layers = self._page.recipe.layers
        painted = any(layer.object == "background" for layer in layers)
        switch = ui.switch("Paint the background, too", value=painted)
        switch.on_value_change(self._page.act(lambda: self._set_layers(background=bool(switch.value))))

    def _mode(self, name: str) -> None:
        layer = next((layer for layer in self._page.recipe.layers if layer.object == name), None)
        with ui.element("div").classes("row"):
            ui.label(name).classes("grow")
            chosen = ui.select(MODES, value="restyle" if layer is None else layer.mode)
            chosen.props(f'dense options-dense aria-label="What is done with {name}"')
            chosen.on_value_change(self._page.act(lambda: self._set_layers(modes={name: chosen.value})))

    # What is done

    def _choose(self, name: str) -> None:
        self._active = name
        self._page.refresh()

    def _new(self) -> None:
        name = (self._name.value or "").strip().replace(" ", "-")
        names = self._page.recipe.object_names
        self.expect(name or f"object-{len(names) + 1}")
        self._name.set_value("")
        notify(f"click on {self._active} in the picture")

    def expect(self, name: str) -> None:
        """Take the next mark for this object's, which may have none."""
        self._active = self._pending = name

    async def mark(self, frame: int, kind: str, values: list[float]) -> None:
        """Mark the active object on a frame, and cut its matte there."""
        recipe, name = self._page.recipe, self.named()
        if kind in ("brush", "erase"):
            await self.brush.stroke(frame, name, values, away=kind == "erase")
            return
        objects = list(recipe.objects)
        if kind == "box":  # one box a frame
            objects = [t for t in objects if not _is(t, name, frame, "box")]
        objects.append(f"{name}={kind}:{','.join(f'{value:g}' for value in values)}@{frame}")
        if kind == "not" and name not in recipe.object_names:
            notify("first click on the object itself")
            return
        if self.set_marks(objects):
            await self.cut(frame)

    def named(self) -> str:
        """Name of the object that is being marked."""
        names = self._page.recipe.object_names
        self._active = self._pending or self._active or f"object-{len(names) + 1}"
        return self._active

    def set_marks(self, objects: Sequence[str]) -> bool:
        """Change the prompts; tells whether that could be done."""
        self._pending = None
        self._page.clip.mattes_version += 1  # what is shown of those that are gone is not asked for again
        return self._page.set(objects=tuple(objects), layers=self._layers(self._page.recipe.layers, objects))

    async def cut(self, frame: int, *, exact: bool = False) -> None:
        """Cut the mattes of a frame, and show them."""
        page = self._page

        async def work() -> None:
            await page.clip.cut(frame, page.recipe, exact=exact)

        if await attempt(work, "cutting more exactly" if exact else "cutting"):
            await self.show_mattes()

    async def show_mattes(self) -> None:
        """Show mattes that have changed."""
        page = self._page
        page.overlay = page.clip.mattes_version
        page.refresh()
        if page.shown == "painting":
            await page.paint()

    async def _exact(self) -> None:
        await self.cut(self._page.frame, exact=True)

    async def _find(self) -> None:
        words = (self._word.value or "").strip()
        if not words:
            return
        name = self._pending or self._active or words.split()[-1]
        objects = (*self._page.recipe.objects, f"{name}=text:{words}@{self._page.frame}")
        if self.set_marks(objects):
            await self.cut(self._page.frame, exact=True)

    async def _take_away(self, text: str) -> None:
        objects = [each for each in self._page.recipe.objects if each != text]
        if self.set_marks(objects):
            await self.cut(self._page.frame)

    async def _drop(self, name: str) -> None:
        if self.set_marks([text for text in self._page.recipe.objects if split_object(text).name != name]):
            await self.show_mattes()

    @staticmethod
    def _layers(layers: tuple[Layer, ...], objects: Sequence[str]) -> list[dict[str, Any]]:
        """The layers of the objects that are left; a new object is painted, where others are."""
        names = list(dict.fromkeys(split_object(text).name for text in objects))
        kept = [layer.model_dump() for layer in layers if layer.object in (*names, "background")]
        if not names or not kept:
            return []
        known = {layer["object"] for layer in kept}
        return [*kept, *({"object": name} for name in names if name not in known)]

    async def _set_layers(self, *, background: bool | None = None, modes: dict[str, str] | None = None) -> None:
        recipe = self._page.recipe
        old = {layer.object: layer.model_dump() for layer in recipe.layers}
        if background is None:
            background = "background" in old
        wanted = [old.get("background", {"object": "background"})] if background else []
        for name in recipe.object_names:
            layer = {**old.get(name, {"object": name})}
            if modes and name in modes:
                layer = {**layer, "mode": modes[name], "blend": "normal"}
            wanted.append(layer)
        if all(layer.get("mode", "restyle") == "restyle" for layer in wanted) and not background:
            wanted = []
        try:
            await self._page.change(layers=wanted)
        except RestyleError as error:
            notify(str(error), wrong=True)


def _is(text: str, name: str, frame: int, kind: str) -> bool:
    mark = split_object(text)
    return (mark.name, mark.frame, mark.kind) == (name, frame, kind)
