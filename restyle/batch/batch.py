"""A batch: many clips, one recipe, a folder of results. This is what the command line and the Python API call."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from fractions import Fraction
from pathlib import Path, PurePath
from typing import Any

from restyle.batch.dry_run import PlannedClip, planned
from restyle.batch.entries import Entries, Entry
from restyle.batch.history import History
from restyle.batch.index import NAME as INDEX
from restyle.batch.index import write_index
from restyle.batch.records import LOG
from restyle.batch.remote_folder import batch_folder
from restyle.batch.results import BatchProgress, BatchProgressCallback, ClipResult, Summary
from restyle.batch.scheduler import Choices, Scheduler
from restyle.batch.watch import watched
from restyle.engines import Engine
from restyle.engines.choice import make_engine
from restyle.engines.machine import Budget
from restyle.errors import Cancelled
from restyle.files.remote import Url, place_of
from restyle.job.worker import JobWorker
from restyle.progress import Progress

__all__ = ["Batch"]

INDEX_EVERY = 30.0  # seconds between two writings of the page while the batch runs


class Batch:
    """Restyling of many clips into one folder.

    ``sources``: folders (searched with all folders within), patterns, clips; paths or addresses; and manifests. ``output``: the
    folder of the results, or its address; its ``batch.restyle`` keeps what is finished. ``fields``: of the recipe, for all
    clips. ``template``: names of the results, such as ``"{stem}_{style}.mp4"``. ``match_first``: all clips share the look of
    the first one. ``watch``: go on looking for new clips until it is cancelled. ``cache``: bytes that finished jobs may keep
    for later changes. ``engine``: where the work is done; by default this process, or a pool of them if ``budget`` allows more
    than one job at once.
    ``progress`` is called in the thread that iterates over ``results``. Setting ``cancel`` stops the work with ``Cancelled``.

    Raises ``RecipeError``, ``OutputError`` for what cannot be, before anything is looked at.
    """

    def __init__(
        self,
        sources: Sequence[str | PurePath],
        output: str | PurePath,
        fields: Mapping[str, Any] | None = None,
        *,
        template: str | None = None,
        rate: Fraction | int | None = None,
        overwrite: bool = False,
        report: bool = True,
        offline: bool = False,
        match_first: bool = False,
        watch: bool = False,
        budget: Budget | None = None,
        cache: int | None = None,
        engine: Engine | None = None,
        progress: BatchProgressCallback | None = None,
        cancel: threading.Event | None = None,
    ) -> None:
        self.output = place_of(output)
        self.summary = Summary()
        self.folder = batch_folder(self.output, offline=offline)
        self._entries = Entries(
            [place_of(source) for source in sources],
            self.output,
            fields or {},
            template=template,
            rate=None if rate is None else Fraction(rate),
            match_first=match_first,
            offline=offline,
        )
        budget = budget or Budget()
        self._choices = Choices(overwrite, report, offline, cache)
        self._watch = watch
        self._engine = engine or make_engine(budget)
        self._progress = progress
        self._cancel = cancel or threading.Event()
        self._history = History()
        self._running: dict[str, Progress] = {}
        self._seen: dict[tuple[PurePath, PurePath], ClipResult] = {}
        self._indexed = 0.0
        self._total: int | None = None
        self._began = 0.0

    @property
    def workers(self) -> int:
        """Clips that are worked on at once, at most."""
        return self._engine.workers

    @property
    def index(self) -> Path | Url:
        """Path, or address, of the page that shows every clip."""
        return self.folder.place / INDEX

    @property
    def notes(self) -> Sequence[str]:
        """Lines about what was left out in the search."""
        return self._entries.findings.notes

    def plan(self) -> Iterator[PlannedClip]:
        """Say of each clip what would be done; restyles and writes nothing.

        Raises ``RecipeError``, ``OutputError``, ``FootageError`` for what would end the batch before it begins."""
        count = 0
        choices = self._choices
        plans = planned(
            iter(self._entries), self.folder, self._history, overwrite=choices.overwrite, offline=choices.offline
        )
        for clip in plans:
            count += 1
            if self._cancel.is_set():
                raise Cancelled("stopped")
            yield clip
        self._entries.require_some(count)

    def stop(self) -> None:
        """Ask the work to stop, from any thread: ``results`` raises ``Cancelled`` soon."""
        self._cancel.set()

    def results(self) -> Iterator[ClipResult]:
        """Restyle what is new or changed, and give the end of each clip as it comes. To be iterated over once.

        One bad clip stops no other. Raises, before any work, what ``plan`` raises, and ``JobLockedError`` while another batch
        works into the same folder; ``OutputError`` if the batch's own folder cannot be written or reached; ``Cancelled``.
        """
        self._began = time.monotonic()
        entries = watched(self._entries) if self._watch else iter(self._listed())
        with self.folder.open():
            scheduler = Scheduler(
                entries,
                self.folder,
                self._history,
                self._choices,
                self._cancel,
                workers=self._engine.workers,
                tell=self._tell,
            )
            outcomes = self._engine.run(scheduler, JobWorker, self._cancel)
            with closing(outcomes):
                for outcome in outcomes:
                    self.folder.require_held()
                    scheduler.end(outcome)
                    yield from map(self._counted, scheduler.results())
                    if time.monotonic() - self._indexed > INDEX_EVERY:
                        self._write_index()
            yield from map(self._counted, scheduler.results())
            self._write_index()
        if self._total is not None and scheduler.disk_full:
            self.summary.left = self._total - self.summary.clips
        self.summary.seconds = time.monotonic() - self._began
        if self._cancel.is_set():
            raise Cancelled("stopped; what is finished is kept: the same command goes on from there")

    def _listed(self) -> list[Entry]:
        entries = list(self._entries)
        self._entries.require_some(len(entries))
        self._total = len(entries)
        return entries

    def _write_index(self) -> None:
        write_index(self.folder, self._seen.values())
        self.folder.keep(INDEX, LOG)
        self._indexed = time.monotonic()

    def _counted(self, result: ClipResult) -> ClipResult:
        self.summary.count(result)
        self._seen[result.source, result.output] = result
        self.folder.log({"time": round(time.time(), 3), **result.to_json()})
        self._show()
        return result

    def _tell(self, name: str, now: Progress | None) -> None:
        if now is None:
            self._running.pop(name, None)
            return
        self._running[name] = now
        self._show()

    def _show(self) -> None:
        if self._progress is not None:
            self._progress(BatchProgress(self.summary.clips, self._total, dict(self._running), self._left()))

    def _left(self) -> float | None:
        """Seconds that are left, if the other clips take as long as those that were worked on."""
        worked = self.summary.done + self.summary.failed
        if self._total is None or not worked:
            return None
        return (time.monotonic() - self._began) / worked * (self._total - self.summary.clips)
