"""``restyle clean``."""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import Annotated

import typer

from restyle.batch.cleaning import clear_job, finished_jobs
from restyle.cli.options import command, parse_place
from restyle.cli.progress import count, size
from restyle.cli.terminal import Terminal
from restyle.errors import FootageError, show_path
from restyle.files.remote import place_of
from restyle.files.sizes import parse_size

__all__ = ["clean"]

Folder = Annotated[
    PurePath,
    typer.Argument(
        metavar="DIR",
        parser=parse_place,
        help="The output of a batch, a job folder, or any folder that holds some; also an address, such as s3://bucket/out.",
        show_default=False,
    ),
]
Keep = Annotated[
    str,
    typer.Option("--keep", metavar="SIZE", help="What the finished jobs may keep together, such as 20G; 0 is nothing."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be given up, and remove nothing.")]


@command
def clean(terminal: Terminal, folder: Folder, keep: Keep = "0", dry_run: DryRun = False) -> None:
    """Give up what finished jobs keep for later changes (paintings, windows, mattes), the longest unused first.

    Results and reports stay, and so does every job that is not finished. A job that is changed afterwards starts from nothing.

    Example: restyle clean restyled --keep 20G
    """
    place = place_of(folder)
    if isinstance(place, Path) and not place.is_dir():
        raise FootageError(f"there is no folder {show_path(folder)}")
    most = parse_size(keep)
    jobs = finished_jobs(place)
    total = sum(job.bytes for job in jobs)
    cleared, freed = [], 0
    for job in jobs:
        terminal.stop.check()
        if total - freed <= most:
            break
        given_up = job.bytes if dry_run else clear_job(job)
        if given_up:
            cleared.append(job)
            freed += given_up
    if terminal.as_json:
        terminal.document(
            {"jobs": len(jobs), "cleared": [job.folder for job in cleared], "bytes": freed, "kept": total - freed}
        )
        return
    for job in cleared:
        terminal.line(f"{size(job.bytes):>9}  {show_path(job.folder)}")
    what = "would be given up" if dry_run else "given up"
    terminal.line(f"{size(freed)} of {count(len(cleared), 'finished job')} {what}, {size(total - freed)} kept")
