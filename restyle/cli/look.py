"""``restyle look``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from restyle.cli.options import Overwrite, Rate, Source, command, parse_path
from restyle.cli.recipe_options import recipe_options
from restyle.cli.terminal import Terminal
from restyle.errors import RecipeError, show_path
from restyle.job.job import Job
from restyle.recipe import Recipe

__all__ = ["look"]

Frames = Annotated[
    str,
    typer.Argument(
        metavar="FRAME[,FRAME...]", help="Frames to look at, counted from 0: 12, or 0,12,48.", show_default=False
    ),
]
Sheet = Annotated[
    Path,
    typer.Option(
        "--output", "-o", metavar="SHEET", parser=parse_path, help="The sheet: .png or .jpg.", show_default=False
    ),
]


@command
@recipe_options(only=("objects", "deinterlace"), file=False)
def look(
    terminal: Terminal,
    frames: Frames,
    source: Source,
    output: Sheet,
    *,
    recipe: Recipe,
    rate: Rate = None,
    overwrite: Overwrite = False,
) -> None:
    """Show frames under a grid with coordinates, to see where to point; prompts that are given are drawn in.

    Example: restyle look 0,12 clip.mp4 -o look.png --object thing=box:10,8,40,36@0
    """
    numbers = _numbers(frames)
    with terminal.display() as progress:
        job = Job(source, None, recipe, rate=rate, progress=progress, cancel=terminal.stop.event)
        job.look(numbers, output, overwrite=overwrite)
    size = (job.spec.width, job.spec.height)
    if terminal.as_json:
        terminal.document({"sheet": output, "frames": numbers, "size": size})
    elif not terminal.quiet:
        terminal.line(f"{show_path(output)}: x runs from 0 to {size[0] - 1}, y from 0 to {size[1] - 1}")


def _numbers(text: str) -> list[int]:
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and len(part) <= 12 for part in parts):
        raise RecipeError(f"frames are written 12, or 0,12,48; got {text!r}")
    return list(dict.fromkeys(map(int, parts)))
