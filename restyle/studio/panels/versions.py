"""Versions of the result, what two of them look like side by side, and who waits to be rendered."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from nicegui import ui

from restyle.errors import RecipeError
from restyle.studio.queue import Waiting, waiting_in
from restyle.studio.shell import attempt, heading
from restyle.studio.versions import Served, Version
from restyle.studio.words import progress_line
from restyle.studio.work import Work, WorkState

if TYPE_CHECKING:
    from restyle.quality.comparison import Layout
    from restyle.studio.clip_page import ClipPage

__all__ = ["VersionsPanel"]

LAYOUTS: dict[Layout, str] = {"wipe": "Wipe", "beside": "Side by side"}


class VersionsPanel:
    """The lower part of the panel of rendering."""

    def __init__(self, page: ClipPage) -> None:
        self._page = page
        self._built: Any = None
        self._quiet = False
        self._hints: dict[str, ui.label] = {}
        self._queued: list[ui.label] = []

    def build(self) -> None:
        """Make the elements."""
        heading("Versions", "Other results of this clip, each with its recipe, to compare with.")
        with ui.element("div").classes("line"):
            self._keep = ui.button("Keep this result", on_click=self._keep_result).props("outline dense no-caps")
            ui.button("Render as a version", on_click=self._render).props("outline dense no-caps").tooltip(
                "By the recipe as it is now, beside the result; renders wait for each other"
            )
        self._rows = ui.element("div").classes("rows").props('role="group" aria-label="Versions"')
        with ui.element("div").classes("line") as self._choice:
            self._left = ui.select({"": "Footage"}, value="", label="A", on_change=self._chosen)
            self._right = ui.select({"": "Result"}, value="", label="B", on_change=self._chosen)
            for select in (self._left, self._right):
                select.props("dense options-dense").classes("grow")
            ui.button("Compare A and B", on_click=lambda: self._page.show("result")).props("outline dense no-caps")
        with ui.element("div").classes("line") as self._export:
            ui.label("A and B as a clip").classes("grow")
            for layout, told in LAYOUTS.items():
                ui.button(told, on_click=lambda layout=layout: self._write(layout)).props("outline dense no-caps")
            self._halt = ui.button("Stop writing", on_click=lambda: self._page.clip.comparison.stop()).props(
                "flat dense no-caps"
            )
        self._writing = ui.label("").classes("hint").props('role="status" aria-live="polite"')
        self._written = ui.element("div")
        self._queue_head = ui.element("div")
        with self._queue_head:
            heading("Queue", "Renders that work or wait, one after the other.")
        self._queue = ui.element("div").classes("rows").props('role="group" aria-label="Queue"')

    # What is shown

    def refresh(self) -> None:
        """Show what there is: elements are made anew where there are others, so that none goes while it is clicked on."""
        page, clip = self._page, self._page.clip
        versions = clip.versions.all()
        states = [version.work.state() for version in versions]
        writing, waiting = clip.comparison.state(), waiting_in(clip.queue)
        there = [(v.name, v.output.exists(), work.state) for v, work in zip(versions, states, strict=True)]
        built = (
            clip.result_stamp,
            there,
            waiting,
            writing.state,
            writing.facts.get("layout"),
            page.against,
            page.version,
        )
        if built != self._built:
            self._built = built
            self._show(versions, states, writing, waiting)
        for version, work in zip(versions, states, strict=True):
            if version.name in self._hints:
                self._hints[version.name].set_text(_told(work))
        self._writing.set_text(_told(writing) if writing.state != "done" else "")
        for number, (each, hint) in enumerate(zip(waiting, self._queued, strict=True)):
            hint.set_text(f"{number} before it" if number else progress_line(Work(each.folder).state().facts))

    def _show(
        self, versions: list[Version], states: list[WorkState], writing: WorkState, waiting: list[Waiting]
    ) -> None:
        page, clip = self._page, self._page.clip
        self._keep.set_enabled(clip.result_stamp != 0)
        ready = {version.name: version.label for version in versions if version.output.exists()}
        self._quiet = True
        for select, first, value in ((self._left, "Footage", page.against), (self._right, "Result", page.version)):
            select.set_options({"": first, **ready}, value=value if value in ready else "")
        self._quiet = False
        self._choice.set_visibility(bool(ready))
        self._export.set_visibility(bool(ready) or clip.result_stamp != 0)
        self._halt.set_visibility(writing.running)
        for box in (self._rows, self._written, self._queue):
            box.clear()
        self._hints, self._queued = {}, []
        with self._rows:
            for version, work in zip(versions, states, strict=True):
                self._row(version, work)
        with self._written:
            if writing.state == "done":
                name = f"{writing.facts.get('layout')}.mp4"
                address = f"/clips/{clip.name}/comparison/{name}"
                ui.link(f"{name}, {writing.facts.get('line')}", address, new_tab=True)
                ui.label(str(clip.project.folder / "comparison" / name)).classes("path")
        self._queue_head.set_visibility(len(waiting) > 0)
        with self._queue:
            for each in waiting:
                with ui.element("div").classes("row"):
                    ui.label(each.title).classes("grow")
                    self._queued.append(ui.label("").classes("hint"))
                    stop = ui.button("Stop", on_click=Work(each.folder).stop).props("flat dense no-caps")
                    stop.props["aria-label"] = f"Stop {each.title}"

    def _row(self, version: Version, work: WorkState) -> None:
        page, small = self._page, "flat dense no-caps size=sm"
        with ui.element("div").classes("row").props(f'data-version="{version.name}"'):
            ui.label(version.label).classes("grow").tooltip(version.label)
            if work.state not in ("none", "done"):
                self._hints[version.name] = ui.label("").classes("hint grow")
            if work.running:
                ui.button("Stop", on_click=version.work.stop).props(small)
                return
            if work.state not in ("none", "done"):
                ui.button("Go on", on_click=page.act(lambda: self._start(version))).props(small)
            ui.button("Use its recipe", on_click=page.act(lambda: self._use(version))).props(small)
            ui.button("Remove", on_click=page.act(lambda: self._remove(version))).props(
                f'{small} aria-label="Remove version {version.name}"'
            )

    # What is done

    def _chosen(self) -> None:
        if not self._quiet:
            self._page.against, self._page.version = self._left.value or "", self._right.value or ""
            self._page.refresh()

    async def _keep_result(self) -> None:
        clip = self._page.clip

        async def work() -> None:
            version = await asyncio.to_thread(clip.versions.keep)
            self._page.against, self._page.version = version.name, ""

        await attempt(work, "keeping the result", "kept")
        self._page.refresh()

    async def _render(self) -> None:
        clip, recipe = self._page.clip, self._page.recipe

        async def work() -> None:
            version = await asyncio.to_thread(clip.versions.new, recipe)
            await self._begin(version)

        await attempt(work)
        self._page.refresh()

    async def _start(self, version: Version) -> None:
        async def work() -> None:
            await self._begin(version)

        await attempt(work)
        self._page.refresh()

    async def _begin(self, version: Version) -> None:
        clip = self._page.clip
        version.work.start(
            "render",
            clip.project.source,
            version.output,
            version.recipe,
            rate=clip.project.rate,
            offline=clip.offline,
            more=clip.queued(version.name),
        )

    async def _use(self, version: Version) -> None:
        async def work() -> None:
            self._page.clip.project.change(**version.recipe.model_dump())

        await attempt(work, done=f"the recipe is that of version {version.name}")
        self._page.refresh()

    async def _remove(self, version: Version) -> None:
        clip, page = self._page.clip, self._page

        async def work() -> None:
            await asyncio.to_thread(clip.versions.remove, version.name)

        if await attempt(work, "removing", "removed"):
            page.against, page.version = ("" if name == version.name else name for name in (page.against, page.version))
        page.refresh()

    async def _write(self, layout: Layout) -> None:
        """Write what is compared as a clip."""
        page, clip = self._page, self._page.clip

        async def work() -> None:
            left = clip.versions.served(page.against) if page.against else None
            right = clip.versions.served(page.version)
            if right is None:
                raise RecipeError("there is no result yet: render one")
            folder = clip.project.make_folder(clip.project.folder / "comparison")
            starts = _starts(left, right)
            clip.comparison.start(
                "compare",
                clip.project.source if left is None else left.path,
                folder / f"{layout}.mp4",
                page.recipe,
                rate=clip.project.rate,
                more={"right": str(right.path), "layout": layout, "starts": starts},
            )

        await attempt(work)
        page.refresh()


def _told(work: WorkState) -> str:
    """A line on how far the work is, or on how it ended."""
    if work.running:
        return progress_line(work.facts)
    return "" if work.state == "none" else str(work.facts.get("line", "ended without a word"))


def _starts(left: Served | None, right: Served) -> tuple[int, int]:
    """The first frames of two results that show the same frame of the footage."""
    begins = 0 if left is None else left.first
    both = max(begins, right.first)
    return both - begins, both - right.first
