"""The panel of rendering: the job is run, stopped and gone on with; its worst moments are stepped through."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nicegui import ui

from restyle.errors import RestyleError, show_path
from restyle.footage import parse_span
from restyle.studio.panels.versions import VersionsPanel
from restyle.studio.shell import heading, notify
from restyle.studio.words import progress_line

if TYPE_CHECKING:
    from restyle.studio.clip_page import ClipPage

__all__ = ["RenderPanel"]

EFFORTS = {"draft": "draft: quick, for looking", "normal": "normal", "best": "best: whatever it takes"}


class RenderPanel:
    """Runs the job, and shows how it goes and what came of it."""

    def __init__(self, page: ClipPage) -> None:
        self._page = page
        self._built: Any = None
        self._quiet = False
        self.versions = VersionsPanel(page)

    def build(self) -> None:
        """Make the elements."""
        heading("Render", "In a process of its own: close the page, and it goes on.")
        ui.label(f"Result: {show_path(self._page.clip.project.output)}").classes("path")
        with ui.element("div").classes("line"):
            self._range = ui.input("Frames IN:OUT (empty: all)").props("dense clearable").classes("grow")
            self._range.on("blur", self._range_set)
            self._range.on("keydown.enter", self._range_set)
            self._range.on("clear", self._range_set)
        with ui.element("div").classes("line"):
            self._effort = ui.select(EFFORTS, label="Effort", on_change=self._effort_set).props("dense options-dense")
            self._effort.classes("grow")
            self._quality = ui.number("Quality", min=0, max=100, precision=0, placeholder="80")
            self._quality.props("dense").on("blur", self._quality_set)
        with ui.element("div").classes("line"):
            self._go = ui.button("Render", on_click=self._start).props("unelevated dense no-caps")
            self._stop = ui.button("Stop", on_click=self._halt).props("outline dense no-caps")
        self._bar = ui.linear_progress(0, show_value=False, size="6px").props('aria-label="Progress" instant-feedback')
        self._line = ui.label("").classes("progress").props('role="status" aria-live="polite"')
        self._verdict = ui.element("div")
        self.versions.build()
        self._moments = ui.element("div").classes("cards")

    def refresh(self) -> None:
        """Show how far the work is, and the result."""
        page, clip = self._page, self._page.clip
        recipe, work = page.recipe, clip.work.state()
        self._quiet = True
        self._range.set_value(recipe.range or "")
        self._effort.set_value(recipe.effort)
        self._quality.set_value(recipe.quality)
        self._quiet = False
        running = work.running
        self._go.set_visibility(not running)
        self._stop.set_visibility(running)
        self._go.set_text(
            "Go on" if work.kind == "render" and work.state in ("stopped", "lost", "failed") else "Render"
        )
        done, total = work.facts.get("done") or 0, work.facts.get("total")
        self._bar.set_visibility(running)
        self._bar.set_value(min(1.0, done / total) if total else 0)
        told = {
            "lost": "The work ended without a word: go on, and what is finished is not done again.",
            "stopped": "Stopped; what is finished is kept.",
            "none": "Nothing was rendered yet.",
            "done": "Done." if work.kind == "render" else "",
        }.get(work.state, str(work.facts.get("line", "")))
        self._line.set_text(progress_line(work.facts) if running else told)
        self._line.classes(
            add="wrong" if work.state == "failed" else "", remove="" if work.state == "failed" else "wrong"
        )
        report = clip.report
        state = (clip.result_stamp, None if report is None else report.verdict)
        if state != self._built:
            self._built = state
            self._show_result()
        self.versions.refresh()

    def _show_result(self) -> None:
        clip = self._page.clip
        report = clip.report
        self._verdict.clear()
        self._moments.clear()
        if report is None:
            return
        with self._verdict:
            heading("Result")
            ui.label(report.verdict).classes(f"verdict {report.level}")
            with ui.element("div").classes("line"):
                ui.button("Compare", on_click=self._page.act(self._compare)).props("outline dense no-caps")
                ui.link("The whole report", f"/clips/{clip.name}/report", new_tab=True)
        with self._moments:
            if report.moments:
                heading("Worst moments", "Where something that moves follows the footage’s shapes least.")
            for number, moment in enumerate(report.moments):
                self._moment(number, moment.frame, moment.loss, moment.painting is not None)

    def _moment(self, number: int, frame: int, loss: float, painted: bool) -> None:
        page, clip = self._page, self._page.clip
        with ui.element("div").classes("card").props(f'data-moment="{number}"'):
            with ui.element("div").classes("pair three"):
                sides = {
                    "source": "Footage",
                    "result": "Result",
                    **({"painting": "Painted by itself"} if painted else {}),
                }
                for side, told in sides.items():
                    address = f"/clips/{clip.name}/moment/{number}/{side}.jpg?v={clip.result_stamp}"
                    ui.element("img").props(
                        f'src="{address}" loading="lazy" alt="{told}, frame {frame}" title="{told}"'
                    )
            with ui.element("div").classes("line tight"):
                ui.button(f"{frame:,}", on_click=page.act(lambda: page.seek(frame))).props(
                    "flat dense no-caps"
                ).tooltip("Go there")
                ui.label(f"loss {min(1.0, loss):.2f}").classes("hint grow")
                small = "flat dense no-caps size=sm"
                ui.button("Paint this one", on_click=page.act(lambda: self._paint(frame))).props(small)
                ui.button("Add a keyframe here", on_click=page.act(lambda: page.keyframes.pin(frame))).props(small)

    # What is done

    async def _compare(self) -> None:
        self._page.against = self._page.version = ""
        await self._page.show("result")

    async def _paint(self, frame: int) -> None:
        self._page.seek(frame)
        await self._page.show("painting")

    async def _start(self) -> None:
        if self._range_set():  # what was typed just now may be none
            await self._page.start("render")

    def _halt(self) -> None:
        self._page.clip.work.stop()
        self._line.set_text("stopping")

    def _range_set(self) -> bool:
        value, frames = (self._range.value or "").strip() or None, self._page.clip.frames
        if self._quiet or value == self._page.recipe.range:
            return True
        try:
            if value is not None:
                parse_span(value, frames.spec.rate, frames.frames)
        except RestyleError as error:
            notify(str(error), wrong=True)
            return False
        return self._page.set(range=value)

    def _effort_set(self) -> None:
        if not self._quiet and self._effort.value != self._page.recipe.effort:
            self._page.set(effort=self._effort.value)

    def _quality_set(self) -> None:
        value = None if self._quality.value is None else int(self._quality.value)
        if not self._quiet and value != self._page.recipe.quality:
            self._page.set(quality=value)
