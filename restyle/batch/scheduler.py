"""Scheduling: which task is next, and what becomes of a clip when its tasks have ended."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from restyle.batch.cleaning import CacheBudget
from restyle.batch.clips import Clip
from restyle.batch.decisions import Decision, decide
from restyle.batch.entries import Entry
from restyle.batch.fingerprint import Fingerprints
from restyle.batch.groups import Group, Groups
from restyle.batch.history import History
from restyle.batch.records import BatchFolder, Record
from restyle.batch.results import ClipResult
from restyle.engines import Outcome, Task, Work
from restyle.engines.machine import usual_memory
from restyle.errors import RestyleError
from restyle.files.remote import Url, require_usable
from restyle.footage import probe
from restyle.footage.numbering import is_pattern
from restyle.job.order import JobOrder
from restyle.job.spread import Spread
from restyle.job.tasks import Finished, JobTask
from restyle.progress import Progress

__all__ = ["Choices", "Scheduler"]

PRESUMED = (1920, 1080)  # size of pictures of footage elsewhere, of which nothing is known yet
NEVER = 1 << 62  # windows: where there is one worker, nothing is spread
_END: Any = object()


@dataclass(frozen=True)
class Choices:
    """Choices of a person for all clips, besides the recipe."""

    overwrite: bool = False
    report: bool = True
    offline: bool = False
    cache: int | None = None
    """Bytes that finished jobs may keep."""


@dataclass(frozen=True)
class _Begun:
    """A clip that is worked on."""

    entry: Entry
    decision: Decision
    spread: Spread


class Scheduler(Work):
    """Hands out tasks, and keeps what comes out of them. For one run, in an open ``BatchFolder``.

    ``entries``: also clips that cannot be one, with the reason, and ``None``: nothing just now. ``workers``: at most at once.
    ``tell`` is called with the name of a result and how far it is, and ``None`` when its clip has ended.
    """

    def __init__(
        self,
        entries: Iterator[Entry | tuple[Clip, str] | None],
        folder: BatchFolder,
        history: History,
        choices: Choices,
        cancel: threading.Event,
        *,
        workers: int = 1,
        tell: Callable[[str, Progress | None], None] = lambda name, now: None,
    ) -> None:
        self.disk_full = False
        """True once the disk was full, and nothing could be given up: then no more are begun."""
        self._entries = entries
        self._exhausted = False
        self._ahead: deque[Entry | tuple[Clip, str] | None] = deque()
        self._folder = folder
        self._history = history
        self._choices = choices
        self._cancel = cancel
        self._workers = workers
        self._tell = tell
        self._fingerprints = Fingerprints(offline=choices.offline)
        self._room = CacheBudget(folder.place / "jobs", choices.cache)
        self._begun: dict[str, _Begun] = {}
        self._tasks: dict[str, JobTask] = {}
        self._again: deque[tuple[Entry, Decision]] = deque()
        self._groups = Groups(folder, self._fingerprints)
        self._anchors: dict[str, Group] = {}
        self._later: deque[Entry] = deque()
        self._ended: deque[ClipResult] = deque()

    # Work

    @property
    def over(self) -> bool:
        """See ``Work.over``."""
        return self._stopped or (
            self._exhausted and not (self._begun or self._again or self._anchors or self._later or self._tasks)
        )

    @property
    def _stopped(self) -> bool:
        return self._cancel.is_set() or self.disk_full

    def take(self, near: tuple[Any, ...]) -> JobTask | None:
        """See ``Work.take``. A worker stays with its clip while that has something to do; then it begins another, as long as
        fewer are begun than there are workers; then it helps with those that are."""
        if self._stopped:
            return None
        begun = self._begun.get(near[0]) if near else None
        task = begun.spread.take(near) if begun is not None else None
        if task is None and len(self._begun) >= self._workers:
            task = self._of_begun(near)
        task = task or self._of_new() or self._of_begun(near)
        if task is not None:
            self._tasks[task.name] = task
        return task

    def _of_begun(self, near: tuple[Any, ...]) -> JobTask | None:
        return next((task for begun in self._begun.values() if (task := begun.spread.take(near)) is not None), None)

    def _of_new(self) -> JobTask | None:
        """The first task of a clip that is not begun. Clips that are done, or cannot be, are passed by."""
        while not self._stopped:
            task: JobTask | None = None
            if self._again:
                task = self._begin(*self._again.popleft())
            elif self._later:
                task = self._considered(self._later.popleft())
            elif self._exhausted:
                return None
            else:
                entry = self._ahead.popleft() if self._ahead else next(self._entries, _END)
                if entry is None:
                    return None
                if entry is _END:
                    self._exhausted = True
                elif isinstance(entry, tuple):
                    self._fail(entry[0], entry[1], "RecipeError")
                else:
                    task = self._considered(entry)
            if task is not None:
                return task
        return None

    def hear(self, task: Task, message: Any) -> None:
        """See ``Work.hear``."""
        if isinstance(task, JobTask) and task.near[0] in self._begun:
            self._begun[task.near[0]].spread.hear(task, message)
        elif isinstance(message, Progress):
            self._tell(task.near[0], message)

    def results(self) -> Iterator[ClipResult]:
        """Give the clips that have ended since."""
        while self._ended:
            yield self._ended.popleft()

    def _considered(self, entry: Entry) -> JobTask | None:
        """The first task of an entry, unless it is done, or cannot be."""
        try:
            group = self._groups.of(entry)
            if group is not None and not group.ready:
                return self._awaited(group, entry)
            entry = entry if group is None else group.joined(entry)
            decision = decide(
                entry,
                self._folder,
                self._fingerprints,
                overwrite=self._choices.overwrite,
                offline=self._choices.offline,
            )
        except RestyleError as error:
            self._fail(entry.clip, str(error), type(error).__name__, entry.name)
            return None
        if decision.todo:
            return self._begin(entry, decision)
        record = decision.record
        assert record is not None
        if record != self._folder.read(entry.name):  # the files were touched, and are the same
            self._folder.write(record)
        output = self._folder.output / entry.name
        self._ended.append(ClipResult(entry.clip.source, output, "skipped", decision.why, facts=record.facts))
        return None

    def _awaited(self, group: Group, entry: Entry) -> JobTask | None:
        """Let an entry wait for its group's anchor, which is painted from the first that waits."""
        group.waiting.append(entry)
        if group.making:
            return None
        group.making = True
        name = f"look of {group.name}"
        task = JobTask(
            f"{name}: anchor",
            usual_memory(0),
            (name,),
            order=self._order(entry, output=str(group.folder), overwrite=True),
            kind="anchor",
        )
        self._anchors[task.name] = group
        return task

    def _begin(self, entry: Entry, decision: Decision) -> JobTask | None:
        clip = entry.clip
        output = self._folder.output / entry.name
        try:
            memory = self._memory(entry, decision)
            self._folder.make(output.parent.parent if is_pattern(output) else output.parent)
            self._folder.write(Record(entry.name, str(clip.source), decision.fingerprint))
        except RestyleError as error:
            self._fail(clip, str(error), type(error).__name__, entry.name)
            return None
        spread = Spread(
            self._order(entry, output=str(output), overwrite=decision.overwrite),
            entry.name,
            alone=1 if self._workers > 1 else NEVER,
            divided=self._workers > 1 and not self._more_to_begin(),
            memory=memory,
            progress=lambda now: self._tell(entry.name, now),
        )
        self._begun[entry.name] = _Begun(entry, decision, spread)
        return spread.take()

    def _memory(self, entry: Entry, decision: Decision) -> int:
        """Bytes that a job of an entry is expected to need. Raises ``FootageError``, ``RecipeError``."""
        source, recipe = entry.clip.source, entry.recipe
        if isinstance(source, Url):  # workers fetch it, not who hands out the work
            require_usable(source, offline=self._choices.offline)
            known = {} if decision.record is None else decision.record.facts
            width, height = known.get("width", PRESUMED[0]), known.get("height", PRESUMED[1])
            return self._history.memory(recipe, width, height) or usual_memory(3 * width * height)
        spec = probe(source, rate=entry.clip.rate, deinterlace=recipe.deinterlace)
        return self._history.memory(recipe, spec.width, spec.height) or usual_memory(spec.picture_bytes)

    def _more_to_begin(self) -> bool:
        """Tell whether clips are there that nobody works on: then no worker is idle soon."""
        if not (self._exhausted or self._ahead or self._again or self._later):
            entry = next(self._entries, _END)
            if entry is _END:
                self._exhausted = True
            else:
                self._ahead.append(entry)
        return any(entry is not None for entry in (*self._ahead, *self._again, *self._later))

    def _order(self, entry: Entry, **special: Any) -> JobOrder:
        usual = {
            "source": str(entry.clip.source),
            "folder": str(self._folder.job(entry.name)),
            "recipe": entry.recipe.to_text(),
            "report": self._choices.report,
            "offline": self._choices.offline,
            "rate": entry.clip.rate,
        }
        return JobOrder(**{**usual, **special})

    def end(self, outcome: Outcome) -> None:
        """Keep what came out of a task. Raises ``OutputError``."""
        task = self._tasks.pop(outcome.name)
        if outcome.name in self._anchors:
            self._tell(task.near[0], None)
            self._end_anchor(self._anchors.pop(outcome.name), outcome)
            return
        whole = self._begun[task.near[0]].spread.end(task, outcome)
        if whole is None:
            return
        begun = self._begun.pop(task.near[0])
        entry, decision = begun.entry, begun.decision
        self._tell(entry.name, None)
        if whole.ended == "failed":
            if whole.disk_full and self._room.make_room():
                self._again.append((entry, decision))
                return
            self.disk_full |= whole.disk_full
            self._fail(entry.clip, whole.message, whole.error, entry.name)
        elif whole.ended == "done":
            made: Finished = whole.value
            done = (made.footage, made.output, made.facts)
            self._folder.write(Record(entry.name, str(entry.clip.source), decision.fingerprint, "done", *done))
            self._history.add(entry.recipe, made.facts)
            self._room.add(self._folder.job(entry.name))
            output = self._folder.output / entry.name
            self._ended.append(ClipResult(entry.clip.source, output, "done", decision.why, facts=made.facts))

    def _end_anchor(self, group: Group, outcome: Outcome) -> None:
        """Let those that waited for an anchor go on; if its clip cannot be painted, the next one's is painted."""
        group.making, group.ready = False, outcome.ended == "done"
        if group.ready:
            self._folder.keep(f"anchors/{group.folder.name}")
        if outcome.ended == "failed":
            first = group.waiting.pop(0)
            self.disk_full |= outcome.disk_full
            self._fail(first.clip, outcome.message, outcome.error, first.name)
        self._later.extend(group.waiting)
        group.waiting = []

    def _fail(self, clip: Clip, line: str, kind: str, name: str = "") -> None:
        self._ended.append(ClipResult(clip.source, self._folder.output / name, "failed", line, kind))
