"""Scheduling: which task is next, and what becomes of a clip when its task has ended."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from restyle.batch.cleaning import CacheBudget
from restyle.batch.clips import Clip
from restyle.batch.decisions import Decision, decide
from restyle.batch.entries import Entry
from restyle.batch.fingerprint import Fingerprints
from restyle.batch.groups import Group, Groups
from restyle.batch.history import History
from restyle.batch.machine import usual_memory
from restyle.batch.records import BatchFolder, Record
from restyle.batch.results import ClipResult
from restyle.batch.tasks import Outcome, Task
from restyle.errors import RestyleError
from restyle.footage import probe
from restyle.footage.numbering import is_pattern

__all__ = ["Choices", "Scheduler"]


@dataclass(frozen=True)
class Choices:
    """Choices of a person for all clips, besides the recipe."""

    overwrite: bool = False
    report: bool = True
    offline: bool = False
    threads: int = 0
    cache: int | None = None
    """Bytes that finished jobs may keep."""


@dataclass(frozen=True)
class _Begun:
    """A clip whose task was handed out."""

    entry: Entry
    decision: Decision


class Scheduler:
    """Hands out tasks, and keeps what comes out of them. For one run, in an open ``BatchFolder``."""

    def __init__(self, folder: BatchFolder, history: History, choices: Choices, cancel: threading.Event) -> None:
        self.disk_full = False
        """True once the disk was full, and nothing could be given up: then no more are begun."""
        self._folder = folder
        self._history = history
        self._choices = choices
        self._cancel = cancel
        self._fingerprints = Fingerprints(offline=choices.offline)
        self._room = CacheBudget(folder.path / "jobs", choices.cache)
        self._begun: dict[str, _Begun] = {}
        self._again: deque[_Begun] = deque()
        self._groups = Groups(folder, self._fingerprints)
        self._anchors: dict[str, Group] = {}
        self._later: deque[Entry] = deque()
        self._ended: deque[ClipResult] = deque()

    def tasks(self, entries: Iterator[Entry | tuple[Clip, str] | None]) -> Iterator[Task | None]:
        """Make the tasks, each when it is asked for. ``entries``: also clips that cannot be one, with the reason."""
        for entry in entries:
            yield from self._retried()
            if self._is_over:
                return
            if entry is None:
                yield None
            elif isinstance(entry, tuple):
                self._fail(entry[0], entry[1], "RecipeError")
            else:
                yield from self._considered(entry)
        while self._begun or self._again or self._anchors or self._later:
            yield from self._retried()
            if self._is_over:
                return
            if self._begun or self._anchors:
                yield None

    def results(self) -> Iterator[ClipResult]:
        """Give the clips that have ended since."""
        while self._ended:
            yield self._ended.popleft()

    @property
    def _is_over(self) -> bool:
        return self._cancel.is_set() or self.disk_full

    def _retried(self) -> Iterator[Task]:
        while self._again and not self._is_over:
            yield from self._begin(self._again.popleft())
        while self._later and not self._is_over:
            yield from self._considered(self._later.popleft())

    def _considered(self, entry: Entry) -> Iterator[Task]:
        """The task of an entry, unless it is done, or cannot be."""
        try:
            group = self._groups.of(entry)
            if group is not None and not group.ready:
                yield from self._awaited(group, entry)
                return
            entry = entry if group is None else group.joined(entry)
            decision = decide(entry, self._folder, self._fingerprints, overwrite=self._choices.overwrite)
        except RestyleError as error:
            self._fail(entry.clip, str(error), type(error).__name__, entry.name)
            return
        if decision.todo:
            yield from self._begin(_Begun(entry, decision))
            return
        record = decision.record
        assert record is not None
        if record != self._folder.read(entry.name):  # the files were touched, and are the same
            self._folder.write(record)
        output = self._folder.output / entry.name
        self._ended.append(ClipResult(entry.clip.source, output, "skipped", decision.why, facts=record.facts))

    def _awaited(self, group: Group, entry: Entry) -> Iterator[Task]:
        """Let an entry wait for its group's anchor, which is painted from the first that waits."""
        group.waiting.append(entry)
        if not group.making:
            group.making = True
            name = f"look of {group.name}"
            self._anchors[name] = group
            task = self._task(entry, name=name, kind="anchor", output=str(group.folder), overwrite=True)
            yield replace(task, memory=usual_memory(0))

    def _begin(self, begun: _Begun) -> Iterator[Task]:
        entry, decision = begun.entry, begun.decision
        clip, recipe = entry.clip, entry.recipe
        output = self._folder.output / entry.name
        try:
            spec = probe(clip.source, rate=clip.rate, deinterlace=recipe.deinterlace)
            memory = self._history.memory(recipe, spec.width, spec.height) or usual_memory(spec.picture_bytes)
            self._folder.make(output.parent.parent if is_pattern(output) else output.parent)
            self._folder.write(Record(entry.name, str(clip.source), decision.fingerprint))
        except RestyleError as error:
            self._fail(clip, str(error), type(error).__name__, entry.name)
            return
        self._begun[entry.name] = begun
        yield self._task(entry, output=str(output), overwrite=decision.overwrite, memory=memory)

    def _task(self, entry: Entry, **special: Any) -> Task:
        usual = {
            "name": entry.name,
            "source": str(entry.clip.source),
            "folder": str(self._folder.job(entry.name)),
            "recipe": entry.recipe.to_text(),
            "report": self._choices.report,
            "offline": self._choices.offline,
            "rate": entry.clip.rate,
            "threads": self._choices.threads,
        }
        return Task(**{**usual, **special})

    def end(self, outcome: Outcome) -> None:
        """Keep what came out of a task. Raises ``OutputError``."""
        if outcome.name in self._anchors:
            self._end_anchor(self._anchors.pop(outcome.name), outcome)
            return
        begun = self._begun.pop(outcome.name)
        entry, decision = begun.entry, begun.decision
        if outcome.ended == "failed":
            if outcome.disk_full and self._room.make_room():
                self._again.append(begun)
                return
            self.disk_full |= outcome.disk_full
            self._fail(entry.clip, outcome.message, outcome.error, entry.name)
        elif outcome.ended == "done":
            done = (outcome.footage, outcome.result, outcome.facts)
            self._folder.write(Record(entry.name, str(entry.clip.source), decision.fingerprint, "done", *done))
            self._history.add(entry.recipe, outcome.facts)
            self._room.add(self._folder.job(entry.name))
            output = self._folder.output / entry.name
            self._ended.append(ClipResult(entry.clip.source, output, "done", decision.why, facts=outcome.facts))

    def _end_anchor(self, group: Group, outcome: Outcome) -> None:
        """Let those that waited for an anchor go on; if its clip cannot be painted, the next one's is painted."""
        group.making, group.ready = False, outcome.ended == "done"
        if outcome.ended == "failed":
            first = group.waiting.pop(0)
            self.disk_full |= outcome.disk_full
            self._fail(first.clip, outcome.message, outcome.error, first.name)
        self._later.extend(group.waiting)
        group.waiting = []

    def _fail(self, clip: Clip, line: str, kind: str, name: str = "") -> None:
        self._ended.append(ClipResult(clip.source, self._folder.output / name, "failed", line, kind))
