"""``restyle run``."""

from __future__ import annotations

from pathlib import PurePath
from typing import Annotated

import typer

from restyle.cli.options import (
    Address,
    Engine,
    Gpus,
    Offline,
    Overwrite,
    Place,
    Rate,
    Source,
    Threads,
    command,
    parse_place,
)
from restyle.cli.progress import count, duration
from restyle.cli.recipe_options import recipe_options
from restyle.cli.terminal import Terminal
from restyle.engines.choice import make_engine
from restyle.engines.machine import Budget
from restyle.errors import show_path
from restyle.job.job import Job
from restyle.job.result import Result
from restyle.job.spread import run_spread
from restyle.recipe import Recipe

__all__ = ["run"]

Folder = Annotated[
    PurePath | None,
    typer.Option(
        "--job",
        metavar="DIR",
        parser=parse_place,
        help="The job folder, which keeps what is finished; by default OUTPUT.restyle. Also an address, such as s3://bucket/job.",
    ),
]
Fresh = Annotated[
    bool,
    typer.Option(
        "--fresh/--resume",
        help="Start anew, or go on from what an earlier run finished (the default).",
        show_default=False,
    ),
]
Report = Annotated[
    bool,
    typer.Option("--report/--no-report", help="Measure, and write report.html."),
]
PaintMoments = Annotated[
    bool | None,
    typer.Option(
        "--paint-moments/--no-paint-moments",
        help="Show in the report what a painting of each of the worst moments would be; by default where that takes little.",
        show_default=False,
    ),
]


Jobs = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        "-j",
        metavar="N",
        help="Windows of the footage that are worked on at once, each in a process of its own; by default one after the other, "
        "in this one.",
        show_default=False,
    ),
]


@command
@recipe_options()
def run(
    terminal: Terminal,
    source: Source,
    output: Place,
    recipe: Recipe,
    rate: Rate = None,
    overwrite: Overwrite = False,
    folder: Folder = None,
    fresh: Fresh = False,
    report: Report = True,
    paint_moments: PaintMoments = None,
    jobs: Jobs = None,
    threads: Threads = None,
    gpus: Gpus = None,
    engine: Engine = None,
    address: Address = None,
    offline: Offline = False,
) -> None:
    """Restyle footage: INPUT goes in, OUTPUT comes out, frame for frame with its sound.

    Stopped or killed, the same command goes on where it was. With another style or option, only what that
    touches is done again.

    Example: restyle run clip.mp4 -o painted.mp4 --style winter-ink --strength 0.8
    """
    with terminal.display() as progress:
        job = Job(
            source,
            output,
            recipe,
            folder=folder,
            fresh=fresh,
            overwrite=overwrite,
            report=report,
            paint_moments=paint_moments,
            offline=offline,
            rate=rate,
            progress=progress,
            cancel=terminal.stop.event,
        )
        terminal.job = job.folder
        for note in (*job.spec.notes, *job.output_plan.notes):
            terminal.say(f"restyle: note: {note}")
        if engine is None and address is None and jobs in (None, 1):
            result = job.run()
        else:
            place = make_engine(Budget(jobs, threads, gpus=gpus), engine, address)
            result = run_spread(job.order, place, progress=progress, cancel=terminal.stop.event)
    if terminal.as_json:
        terminal.document(result.to_json())
    elif not terminal.quiet:
        _summarise(terminal, result)


def _summarise(terminal: Terminal, result: Result) -> None:
    painted = f"{result.painted} painted" + (f" ({result.repaired} of them repairs)" if result.repaired else "")
    reused = f", {result.reused} kept from an earlier run" if result.reused else ""
    speed = f", {result.frames / result.seconds:.1f} frames/s" if result.seconds > 0 else ""
    rows = [
        ("result", show_path(result.output)),
        ("frames", f"{result.frames} in {count(result.shots, 'shot')}; {painted}{reused}"),
        ("time", f"{duration(result.seconds)}{speed}"),
    ]
    if result.report is not None:
        rows.append(("verdict", result.verdict))
        rows.append(("report", show_path(result.report)))
    rows.append(("job", f"{show_path(result.folder)} (delete it when nothing is to be changed any more)"))
    rows += [("note", note) for note in result.notes]
    terminal.facts(rows)
