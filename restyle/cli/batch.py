"""``restyle batch``."""

from __future__ import annotations

from itertools import islice
from pathlib import PurePath
from typing import Annotated, Any

import typer

from restyle.batch.batch import Batch
from restyle.batch.dry_run import PlannedClip
from restyle.batch.records import LOG
from restyle.batch.results import ClipResult
from restyle.cli.batch_progress import batch_display
from restyle.cli.options import (
    Address,
    Engine,
    Gpus,
    Offline,
    Overwrite,
    Rate,
    Threads,
    command,
    parse_place,
)
from restyle.cli.progress import count, duration, size
from restyle.cli.recipe_options import recipe_options
from restyle.cli.terminal import Terminal
from restyle.engines.choice import make_engine
from restyle.engines.machine import Budget
from restyle.errors import show_path
from restyle.files.sizes import parse_size
from restyle.recipe import Recipe

__all__ = ["batch"]

SHOWN = 40  # rows of a dry run's table
SOME_FAILED = 10  # exit code, to which their number is added: other codes have meanings of their own
MOST_FAILED = 50

Sources = Annotated[
    list[PurePath],
    typer.Argument(
        metavar="INPUT...",
        parser=parse_place,
        help="Footage: folders, which are searched with all folders in them, patterns such as 'day*/**/*.mov', clips, or a "
        "manifest (.csv .json .yaml). All but a manifest may be elsewhere, such as s3://bucket/day1.",
        show_default=False,
    ),
]
Folder = Annotated[
    PurePath,
    typer.Option(
        "--output",
        "-o",
        metavar="DIR",
        parser=parse_place,
        help="The folder of the results, or its address, such as s3://bucket/out. Its batch.restyle keeps what is finished, "
        "the index and the log.",
        show_default=False,
    ),
]
Template = Annotated[
    str | None,
    typer.Option(
        "--name",
        metavar="TEMPLATE",
        help="Names of the results, such as '{stem}_{style}.mp4'; there are {stem}, {folder}, {ext}, {style}, {painter} and "
        "{seed}. By default clips keep theirs.",
    ),
]
DryRun = Annotated[
    bool,
    typer.Option("--dry-run", help="Say what would be done, what skipped and why, and about how long it takes."),
]
Watch = Annotated[
    bool,
    typer.Option(
        "--watch", help="Go on looking for new clips until stopped. One is taken when it has stopped growing."
    ),
]
MatchFirst = Annotated[
    bool,
    typer.Option("--match-first", help="One look for all clips: that of a painted keyframe of the first one."),
]
Jobs = Annotated[
    int | None,
    typer.Option("--jobs", "-j", metavar="N", help="Clips at once; by default what cores and memory are enough for."),
]
Memory = Annotated[
    str | None,
    typer.Option(
        "--memory", metavar="SIZE", help="Memory for all jobs together, such as 8G; by default most of what is free."
    ),
]
Cache = Annotated[
    str | None,
    typer.Option(
        "--cache",
        metavar="SIZE",
        help="Disk for what finished jobs keep for later changes, such as 50G; the longest unused is given up first. By "
        "default all is kept.",
    ),
]
Report = Annotated[bool, typer.Option("--report/--no-report", help="Measure, and write a report for each clip.")]


@command
@recipe_options()
def batch(
    terminal: Terminal,
    sources: Sources,
    output: Folder,
    recipe: Recipe,
    template: Template = None,
    dry_run: DryRun = False,
    watch: Watch = False,
    match_first: MatchFirst = False,
    jobs: Jobs = None,
    threads: Threads = None,
    memory: Memory = None,
    gpus: Gpus = None,
    engine: Engine = None,
    address: Address = None,
    cache: Cache = None,
    rate: Rate = None,
    overwrite: Overwrite = False,
    report: Report = True,
    offline: Offline = False,
) -> None:
    """Restyle many clips: folders, patterns or a manifest of footage go in, a folder of results comes out.

    A clip is done again when it, or what is asked for, has changed; what is done is skipped. One bad clip does not stop the
    others. The exit code is 10 and as many as failed.

    Example: restyle batch footage -o restyled --style winter-ink
    """
    budget = Budget(jobs, threads, None if memory is None else parse_size(memory), gpus)
    place = None if dry_run else make_engine(budget, engine, address)
    with batch_display(quiet=terminal.quiet, verbose=terminal.verbose) as display:
        work = Batch(
            sources,
            output,
            recipe.model_dump(exclude_unset=True),
            template=template,
            rate=rate,
            overwrite=overwrite,
            report=report,
            offline=offline,
            watch=watch,
            match_first=match_first,
            budget=budget,
            engine=place,
            cache=None if cache is None else parse_size(cache),
            progress=display,
            cancel=terminal.stop.event,
        )
        if dry_run:
            _show_plan(terminal, work)
            return
        terminal.job = work.folder.place
        results = []
        for result in work.results():
            results.append(result)
            display.ended(result)
    _summarise(terminal, work, results)
    if failed := min(work.summary.failed, MOST_FAILED):
        raise typer.Exit(SOME_FAILED + failed)


def _show_plan(terminal: Terminal, work: Batch) -> None:
    plans = list(work.plan())
    todo = [clip for clip in plans if clip.action == "restyle"]
    known = [clip for clip in todo if clip.seconds is not None]
    totals: dict[str, Any] = {
        "restyle": len(todo),
        "skip": sum(clip.action == "skip" for clip in plans),
        "fail": sum(clip.action == "fail" for clip in plans),
        "frames": sum(clip.frames or 0 for clip in todo),
        "seconds": sum(clip.seconds or 0.0 for clip in known) / work.workers if known else None,
        "bytes": sum(clip.bytes or 0 for clip in known) if known else None,
        "estimated": len(known),
        "jobs": work.workers,
    }
    if terminal.as_json:
        terminal.document({"clips": [clip.to_json() for clip in plans], "totals": totals, "notes": list(work.notes)})
        return
    terminal.facts([("note", note) for note in work.notes])
    columns = ("clip", "would", "why", "frames", "shots", "keyframes", "time", "disk")
    terminal.table("", columns, map(_row, islice(plans, SHOWN)), left=(0, 1, 2))
    if len(plans) > SHOWN:
        terminal.line(f"and {count(len(plans) - SHOWN, 'clip')} more (--json lists all)")
    about = "nothing like it was done on this machine yet, so nobody knows how long it takes"
    if known:
        rest = "" if len(known) == len(todo) else f", for the {len(known)} of them that can be estimated"
        jobs = count(work.workers, "job")
        about = (
            f"about {duration(totals['seconds'] or 0)} with {jobs} at once, {size(totals['bytes'] or 0)} of disk{rest}"
        )
    if todo:
        terminal.line(f"{count(len(todo), 'clip')} to restyle, {count(totals['frames'] or 0, 'frame')}; {about}")
    terminal.line(f"{totals['skip']} to skip, {totals['fail']} that would fail")


def _row(clip: PlannedClip) -> tuple[Any, ...]:
    def about(value: float | None) -> str:
        return "" if value is None else f"{value:.0f}" if clip.exact else f"~{value:.0f}"

    return (
        str(clip.source),
        clip.action,
        clip.why,
        "" if clip.frames is None else clip.frames,
        about(clip.shots),
        about(clip.keyframes),
        "" if clip.seconds is None else duration(clip.seconds),
        "" if clip.bytes is None else size(clip.bytes),
    )


def _summarise(terminal: Terminal, work: Batch, results: list[ClipResult]) -> None:
    summary = work.summary
    if terminal.as_json:
        terminal.document(
            {
                "clips": [result.to_json() for result in results],
                "summary": vars(summary),
                "notes": list(work.notes),
                "index": work.index,
                "log": work.folder.place / LOG,
            }
        )
        return
    for result in results:
        if result.status == "failed":
            terminal.line(f"failed   {result.line}")
    if terminal.quiet:
        return
    rows = [
        ("clips", f"{summary.done} done, {summary.skipped} skipped, {summary.failed} failed"),
        ("time", f"{duration(summary.seconds)}, {count(summary.frames, 'frame')}"),
        ("results", show_path(work.output)),
        ("index", show_path(work.index)),
    ]
    if summary.left:
        rows.append(("left", f"{count(summary.left, 'clip')} not begun: the disk is full; free some and start again"))
    rows += [("note", note) for note in work.notes]
    terminal.facts(rows)
