"""The page of one clip: the viewer, and beside it a panel for each part of the work."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import Any, Protocol

from nicegui import ui

from restyle.errors import JobLockedError, RestyleError
from restyle.recipe import Recipe
from restyle.studio.open_clip import OpenClip
from restyle.studio.panels.keyframes import KeyframesPanel
from restyle.studio.panels.look import LookPanel
from restyle.studio.panels.objects import ObjectsPanel
from restyle.studio.panels.recipe import RecipePanel
from restyle.studio.panels.render import RenderPanel
from restyle.studio.queue import waiting_in
from restyle.studio.shell import attempt, notify, page_frame
from restyle.studio.viewer import Viewer
from restyle.studio.words import facts_line

__all__ = ["ClipPage"]

LOOK_EVERY = 0.3  # seconds between two looks at what changed on disk, or in another tab


class Panel(Protocol):
    """A panel: ``build`` makes its elements, once; ``refresh`` shows in them what is there now."""

    def build(self) -> None:
        """Make the elements."""
        ...

    def refresh(self) -> None:
        """Show what is there now."""
        ...


class ClipPage:
    """One tab's view of an open clip. What it holds itself is what is shown; all else is the clip's, and on disk."""

    def __init__(self, clip: OpenClip) -> None:
        self.clip = clip
        self.frame = 0
        self.shown = "none"
        """``none``: the footage; ``painting``: beside this frame, painted; ``result``: beside the result."""
        self.kept: dict[int, str] = {}
        """Frame -> a painting that others are compared with."""
        self.against, self.version = "", ""
        """Versions that are compared: on the left (empty: the footage), on the right (empty: the result)."""
        self.overlay = 0
        """Counts what changed about mattes; mattes are shown while it is at least 0."""
        self._seen: Any = None

    @property
    def recipe(self) -> Recipe:
        """The recipe as it is now."""
        return self.clip.project.recipe

    def act(self, action: Callable[[], Any]) -> Callable[[], Awaitable[None]]:
        """Make a handler for an element that may be gone before it has done its work: a refresh makes such elements anew."""

        async def handler() -> None:
            with self.client:
                done = action()
                if isawaitable(done):
                    await done

        return handler

    def build(self) -> None:
        """Make the page's elements."""
        clip = self.clip
        self.client = ui.context.client
        soon = "".join(
            f'<link rel="modulepreload" href="/studio/{part}.js">' for part in ("pictures", "stage", "timeline")
        )
        ui.add_head_html(f'{soon}<link rel="preload" as="image" href="/clips/{clip.name}/frame/0.jpg">')
        with page_frame(clip.project.source.name, facts_line(clip.frames.spec), back=clip.batch is not None):
            self.viewer = Viewer(at=self._at, mark=self._mark, kind=self.show, brush=self._brush, pin=self._pin)
            with ui.element("aside").classes("panel").props('aria-label="Work"'):
                with ui.tabs().props("dense no-caps inline-label align=justify") as tabs:
                    named = {name: ui.tab(name) for name in ("Look", "Objects", "Keyframes", "Render", "Recipe")}
                self.tabs = tabs
                with ui.tab_panels(tabs, value="Look", animated=False, on_change=self._turned).classes("panels"):
                    self.look, self.objects, self.keyframes = LookPanel(self), ObjectsPanel(self), KeyframesPanel(self)
                    self.render, self.text = RenderPanel(self), RecipePanel(self)
                    self._panels: dict[str, Panel] = dict(
                        zip(named, (self.look, self.objects, self.keyframes, self.render, self.text), strict=True)
                    )
                    for name, panel in self._panels.items():
                        with ui.tab_panel(named[name]).classes("panel-body").props(f'data-panel="{name}"'):
                            panel.build()
        spec = clip.frames.spec
        self.viewer.set(
            base=f"/clips/{clip.name}",
            frames=max(1, spec.frames or 1),
            rate=float(spec.rate),
            size=[spec.width, spec.height],
            start=0,
            colour="#ff40a0",
            dark=0,
        )
        self.refresh()
        ui.timer(LOOK_EVERY, self._look_again)
        ui.timer(0.01, self._opened, once=True)

    async def _opened(self) -> None:
        """Count the frames, which may take a second an hour, and paint the looks: once the first frame is there."""
        clip = self.clip
        self.frame = await self.viewer.opened()

        async def count() -> None:
            stamps = await asyncio.to_thread(lambda: clip.frames.pts)
            self.viewer.set(frames=len(stamps))

        if await attempt(count, "reading the clip"):
            await self.look.paint_wall()

    # What is shown

    def refresh(self) -> None:
        """Show everything as it is now."""
        clip, project = self.clip, self.clip.project
        try:
            recipe = project.recipe
        except RestyleError as error:
            notify(str(error), wrong=True)
            return
        plan = project.plan or {}
        keys = [[frame, why in ("pinned", "storyboard")] for frame, why in sorted(self.keyframes.known().items())]
        right, left = clip.versions.served(self.version), clip.versions.served(self.against) if self.against else None
        base = f"/clips/{clip.name}"
        tab = self.tabs.value
        marking = tab == "Objects"
        self.viewer.set(
            shots=[shot["start"] for shot in plan.get("shots", [])] or [0],
            keys=keys,
            doubts=sorted(clip.doubts) if recipe.objects else [],
            moments=[moment.frame for moment in clip.moments],
            result=None
            if right is None
            else right.plain(f"{base}/version/{self.version}" if self.version else f"{base}/result"),
            against=None if left is None else left.plain(f"{base}/version/{self.against}"),
            right=self.shown,
            paintings=clip.paintings(recipe),
            kept=self.kept,
            overlay=self.overlay if marking and recipe.objects else -1,
            prompts=self.objects.marks(),
            tool=self.objects.brush.tool if marking else "none",
            brush=self.objects.brush.diameter,
            colour=self.objects.colour,
        )
        for panel in self._panels.values():
            panel.refresh()

    def _state(self) -> tuple[Any, ...]:
        clip = self.clip
        versions = tuple((version.name, version.work.state()) for version in clip.versions.all())
        works = (clip.work.state(), clip.comparison.state(), versions, tuple(waiting_in(clip.queue)))
        return (clip.project.changes, works, clip.result_stamp, clip.mattes_version)

    async def _look_again(self) -> None:
        """See what another tab, another program or the work has changed."""
        if self.clip.look_again and not self.clip.work.state().running:
            self.clip.look_again = False
            await self.start("look")
        try:
            _ = self.recipe
            state = self._state()
        except RestyleError as error:
            if self._seen != str(error):
                self._seen = str(error)
                notify(str(error), wrong=True)
            return
        if state != self._seen:
            self._seen = state
            self.overlay = self.clip.mattes_version
            self.refresh()

    async def _turned(self) -> None:
        self.refresh()
        if self.tabs.value == "Look":
            await self.look.painter.show_maps()

    async def _at(self, frame: int) -> None:
        self.frame = frame
        for panel in self._panels.values():
            panel.refresh()
        if self.shown == "painting":
            await self.paint()
        if self.tabs.value == "Look":
            await self.look.painter.show_maps()

    async def show(self, kind: str) -> None:
        """Show the footage alone, this frame painted, or the result."""
        self.shown = kind
        self.refresh()
        if kind == "painting":
            await self.paint()

    def seek(self, frame: int) -> None:
        """Go to a frame."""
        self.frame = frame
        self.viewer.seek(frame)

    async def _mark(self, frame: int, kind: str, values: list[float]) -> None:
        await self.objects.mark(frame, kind, values)

    async def _pin(self, frame: int) -> None:
        if frame in self.keyframes.known():
            await self.keyframes.drop(frame)
        else:
            await self.keyframes.pin(frame)

    def _brush(self, factor: float) -> None:
        self.objects.brush.resize(factor)

    # What is done

    async def change(self, **fields: Any) -> bool:
        """Change the recipe, and show the frame in it, if a painting is shown."""
        if not self.set(**fields):
            return False
        if self.shown == "painting":
            await self.paint()
        return True

    def set(self, **fields: Any) -> bool:
        """Change the recipe alone. Tells whether that could be done."""
        try:
            self.clip.project.change(**fields)
        except RestyleError as error:
            notify(str(error), wrong=True)
            self.refresh()
            return False
        self.refresh()
        return True

    async def paint(self) -> None:
        """Paint the shown frame."""
        frame, recipe = self.frame, self.recipe

        async def work() -> None:
            await self.clip.paint(frame, recipe)

        if await attempt(work, f"painting frame {frame}"):
            self.refresh()

    async def start(self, kind: str) -> None:
        """Begin long work in a process of its own."""
        clip = self.clip

        async def work() -> None:
            state = clip.work.state()
            if state.running and state.kind == kind == "look":  # at what has changed since
                clip.look_again = True
                clip.work.stop()
                return
            if state.running:
                raise JobLockedError("work is going on already: wait for it, or stop it")
            clip.work.start(
                kind,
                clip.project.source,
                clip.project.output,
                self.recipe,
                rate=clip.project.rate,
                offline=clip.offline,
                more=clip.queued("") if kind == "render" else None,
            )
            clip.project.touch()

        await attempt(work)
        self.refresh()
