"""Dry runs: what a batch would do, and about how long it would take."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from restyle.batch.decisions import Decision, decide
from restyle.batch.entries import Entry
from restyle.batch.fingerprint import Fingerprints
from restyle.batch.groups import Groups
from restyle.batch.history import History
from restyle.batch.records import BatchFolder
from restyle.errors import RestyleError
from restyle.files.remote import Url
from restyle.footage import parse_span, probe
from restyle.job.remote_store import local_folder
from restyle.recipe import Recipe

__all__ = ["PlannedClip", "planned"]


@dataclass(frozen=True)
class PlannedClip:
    """Fate of one clip, as far as it can be told before."""

    source: Path | Url
    output: Path | Url
    action: str
    """``restyle``, ``skip``, or ``fail``: it can be told already that it will."""
    why: str
    frames: int | None = None
    shots: float | None = None
    keyframes: float | None = None
    exact: bool = False
    """True if shots and keyframes were counted, in a run that was broken off; else they are estimates."""
    seconds: float | None = None
    """Of one job by itself; ``None``: nothing like it was done on this machine yet. So with the next."""
    bytes: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain values for ``--json``."""
        return {**asdict(self), "source": str(self.source), "output": str(self.output)}


def planned(
    entries: Iterator[Entry], folder: BatchFolder, history: History, *, overwrite: bool, offline: bool
) -> Iterator[PlannedClip]:
    """Look at each clip's headers, and at what is known of it. Writes nothing. Raises what iterating ``entries`` raises."""
    fingerprints = Fingerprints(offline=offline)
    groups = Groups(folder, fingerprints)
    for entry in entries:
        source, output = entry.clip.source, folder.output / entry.name
        try:
            group = groups.of(entry)
            if group is not None and group.ready:
                entry = group.joined(entry)
            decision = decide(entry, folder, fingerprints, overwrite=overwrite, offline=offline)
            if decision.todo:
                yield _estimated(entry, decision, folder, history)
            else:
                yield PlannedClip(source, output, "skip", decision.why)
        except RestyleError as error:
            yield PlannedClip(source, output, "fail", str(error))


def _estimated(entry: Entry, decision: Decision, folder: BatchFolder, history: History) -> PlannedClip:
    source, output, recipe = entry.clip.source, folder.output / entry.name, entry.recipe
    if isinstance(source, Url):  # nobody fetches a folder of footage to say how long it is
        return PlannedClip(source, output, "restyle", decision.why)
    spec = probe(source, rate=entry.clip.rate, deinterlace=recipe.deinterlace)
    frames = spec.frames
    if recipe.range is not None and frames is not None:
        frames = len(parse_span(recipe.range, spec.rate, frames))
    counts = _counted(local_folder(folder.job(entry.name)), recipe)
    if frames is None:
        return PlannedClip(source, output, "restyle", decision.why, None, *counts, exact=counts[0] is not None)
    estimate = history.estimate(recipe, frames, spec.width, spec.height)
    exact = counts[0] is not None
    if estimate is None:
        return PlannedClip(source, output, "restyle", decision.why, frames, *counts, exact=exact)
    shots, keyframes = counts if exact else (round(estimate.shots, 1), round(estimate.painted, 1))
    return PlannedClip(
        source, output, "restyle", decision.why, frames, shots, keyframes, exact, estimate.seconds, estimate.bytes
    )


def _counted(job: Path, recipe: Recipe) -> tuple[int | None, int | None]:
    """Shots and keyframes of a job that was begun with the same recipe, where its plan is there to be read."""
    try:
        if Recipe.build(**json.loads((job / "recipe.json").read_bytes())) != recipe:
            return None, None
        plan = json.loads((job / "plan.json").read_bytes())
        return len(plan["shots"]), len(plan["keyframes"])
    except (OSError, ValueError, KeyError, TypeError, RestyleError, RecursionError):
        return None, None
