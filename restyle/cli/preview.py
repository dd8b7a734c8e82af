"""``restyle preview``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from restyle.cli.options import Offline, Overwrite, Rate, Source, command, parse_path
from restyle.cli.progress import count
from restyle.cli.recipe_options import recipe_options
from restyle.cli.terminal import Terminal
from restyle.errors import show_path
from restyle.job.job import Job
from restyle.quality.contact_sheet import Tile, check_sheet, write_sheet
from restyle.recipe import Recipe

__all__ = ["preview"]

Sheet = Annotated[
    Path,
    typer.Option(
        "--output",
        "-o",
        metavar="SHEET",
        parser=parse_path,
        help="The contact sheet: .png or .jpg.",
        show_default=False,
    ),
]


@command
@recipe_options(without=("filler", "filler_options", "keyframes", "effort", "coverage", "max_gap", "codec", "quality"))
def preview(
    terminal: Terminal,
    source: Source,
    output: Sheet,
    recipe: Recipe,
    rate: Rate = None,
    overwrite: Overwrite = False,
    offline: Offline = False,
) -> None:
    """Paint only the first keyframe of each shot, and lay footage and painting side by side on a contact sheet.

    Where objects are marked, the footage shows their prompts, and tinted what layers touch.

    Example: restyle preview clip.mp4 -o sheet.jpg --style winter-ink
    """
    with terminal.display() as progress:
        job = Job(source, None, recipe, offline=offline, rate=rate, progress=progress, cancel=terminal.stop.event)
        check_sheet(output, overwrite=overwrite, inputs=job.inputs)
        paintings = job.preview(marked=True)
    tiles = [Tile(f"shot {n}, frame {key.frame}", (before, after)) for n, (key, before, after) in enumerate(paintings)]
    write_sheet(output, tiles, overwrite=overwrite)
    if terminal.as_json:
        shots = [{"shot": n, "frame": key.frame, "reason": key.reason} for n, (key, _, _) in enumerate(paintings)]
        terminal.document({"sheet": output, "shots": shots})
    elif not terminal.quiet:
        terminal.line(f"{show_path(output)}: the first keyframe of {count(len(paintings), 'shot')}")
