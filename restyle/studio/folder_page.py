"""The page of a folder: its clips, and what became of each, live while a batch runs."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from nicegui import ui

from restyle import RestyleError
from restyle.errors import show_path
from restyle.painters.neural_style.styles import DEFAULT_STYLE, STYLES
from restyle.studio.folder_batch import FolderBatch, Row
from restyle.studio.shell import attempt, notify, page_frame
from restyle.studio.words import progress_line

__all__ = ["FolderPage"]


class FolderPage:
    """One tab's view of a folder."""

    def __init__(self, batch: FolderBatch) -> None:
        self._batch = batch
        self._cells: dict[str, tuple[ui.label, ui.element]] = {}
        self._seen: Any = None

    def build(self) -> None:
        """Make the elements."""
        batch = self._batch
        with (
            page_frame(batch.folder.name or str(batch.folder), show_path(batch.folder)),
            ui.element("div").classes("folder"),
        ):
            with ui.element("div").classes("line"):
                self._style = ui.select([style.name for style in STYLES], label="Look of all", on_change=self._chosen)
                self._style.props("dense options-dense").classes("look-of-all")
                self._go = ui.button("Restyle all", on_click=self._start).props("unelevated dense no-caps")
                self._stop = ui.button("Stop", on_click=self._halt).props("outline dense no-caps")
                self._line = ui.label("").classes("progress grow").props('role="status" aria-live="polite"')
            self._bar = ui.linear_progress(0, show_value=False, size="6px").props('aria-label="Clips done"')
            self._table = ui.element("table").classes("clips")
            ui.label("The same on the command line").classes("hint")
            ui.label(batch.command).classes("code").props('role="region" tabindex="0" aria-label="Command line"')
        ui.timer(0.05, self._find, once=True)
        ui.timer(0.5, self._refresh)

    async def _find(self) -> None:
        async def work() -> None:
            await asyncio.to_thread(self._batch.find)

        await attempt(work, "looking for clips")
        self._fill()
        self._refresh()

    def _fill(self) -> None:
        self._table.clear()
        self._cells.clear()
        with self._table:
            with ui.element("thead"), ui.element("tr"):
                for word in ("", "Clip", "State", "Verdict", ""):
                    with ui.element("th").props('scope="col"'):
                        ui.label(word)
            with ui.element("tbody"):
                for row in self._batch.rows:
                    self._row(row)

    def _row(self, row: Row) -> None:
        batch = self._batch
        link = f"/?clip={quote(str(row.source))}"
        with ui.element("tr").props('data-clip=""'):
            with ui.element("td"):
                picture = ui.element("img").props('alt="" loading="lazy"')
                picture.props["src"] = f"/folder/poster?clip={quote(str(row.source))}"
            with ui.element("td"):
                try:
                    ui.label(str(row.source.relative_to(batch.folder)))
                except ValueError:
                    ui.label(str(row.source))
            with ui.element("td"):
                state = ui.label(row.planned)
            with ui.element("td"):
                verdict = ui.element("div")
            with ui.element("td"):
                ui.link("Open", link).props["aria-label"] = f"Open {row.source.name}"
        self._cells[str(row.source)] = (state, verdict)

    def _refresh(self) -> None:
        """Show how far it is."""
        batch = self._batch
        work = batch.work.state()
        try:
            recipe = batch.recipe
        except RestyleError as error:
            notify(str(error), wrong=True)
            return
        if (
            self._style.value != (recipe.style or DEFAULT_STYLE)
            and (recipe.style or DEFAULT_STYLE) in self._style.options
        ):
            self._style.set_value(recipe.style or DEFAULT_STYLE)
        self._go.set_visibility(not work.running)
        self._stop.set_visibility(work.running)
        done, total = work.facts.get("done") or 0, work.facts.get("total")
        self._bar.set_visibility(work.running)
        self._bar.set_value(done / total if total else 0)
        told = {
            "none": f"{len(batch.rows)} clips",
            "lost": "The work ended without a word; start it again, and it goes on.",
        }
        self._line.set_text(
            f"{done} of {total or '?'} clips" if work.running else told.get(work.state, str(work.facts.get("line", "")))
        )
        running: Mapping[str, Any] = work.facts.get("running") or {}
        ends: Mapping[str, Any] = work.facts.get("ends") or {}
        state = (str(running), str(ends), work.state, len(batch.rows))
        if state == self._seen:
            return
        self._seen = state
        for row in batch.rows:
            cell, verdict = self._cells[str(row.source)]
            end, now = ends.get(str(row.source)), running.get(row.name)
            if now is not None and work.running:
                cell.set_text(progress_line(now))
            elif end is not None:
                cell.set_text(f"{end['status']}: {end['reason']}")
                cell.classes(add="wrong" if end["status"] == "failed" else "")
            report = batch.report(row)
            verdict.clear()
            if report is not None:
                with verdict:
                    ui.label(report.verdict).classes(f"verdict {report.level}")

    async def _chosen(self) -> None:
        if self._style.value == (self._batch.recipe.style or DEFAULT_STYLE):
            return

        async def work() -> None:
            self._batch.change(style=self._style.value)

        await attempt(work)

    async def _start(self) -> None:
        batch = self._batch

        async def work() -> None:
            batch.work.start("batch", batch.folder, batch.output, batch.recipe, rate=batch.rate, offline=batch.offline)

        await attempt(work)
        self._refresh()

    def _halt(self) -> None:
        self._batch.work.stop()
        self._line.set_text("stopping")
