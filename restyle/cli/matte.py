"""``restyle matte``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from restyle.cli.options import Offline, Overwrite, Rate, Source, command, parse_path
from restyle.cli.recipe_options import recipe_options
from restyle.cli.terminal import Terminal
from restyle.errors import show_path
from restyle.job.exports import SHEET
from restyle.job.job import Job
from restyle.job.matte_clips import CLIPS
from restyle.recipe import Recipe

__all__ = ["matte"]

Folder = Annotated[
    Path,
    typer.Option(
        "--output",
        "-o",
        metavar="DIR",
        parser=parse_path,
        help="The folder of the mattes, one folder an object.",
        show_default=False,
    ),
]
Form = Annotated[
    str,
    typer.Option(
        "--format",
        metavar="png|png16|exr|mov|webm",
        help="Pictures of 8 or 16 bits, or floats; or clips with alpha (ProRes 4444, VP9).",
    ),
]
Preview = Annotated[
    bool,
    typer.Option(
        "--preview",
        help="Only the frames on which objects are marked, in seconds: DIR/sheet.jpg shows what their prompts give.",
    ),
]


@command
@recipe_options(only=("objects", "masker", "masker_options", "cuts", "deinterlace", "range"))
def matte(
    terminal: Terminal,
    source: Source,
    output: Folder,
    form: Form = "png",
    preview: Preview = False,
    *,
    recipe: Recipe,
    rate: Rate = None,
    overwrite: Overwrite = False,
    offline: Offline = False,
) -> None:
    """Follow objects through footage and write their mattes; paint nothing.

    They can be looked at, on DIR/sheet.jpg first, drawn over, and used instead of a prompt: --object car=mattes:DIR/car

    Example: restyle matte clip.mp4 -o mattes --object thing=box:10,8,40,36@0
    """
    with terminal.display() as progress:
        job = Job(source, None, recipe, offline=offline, rate=rate, progress=progress, cancel=terminal.stop.event)
        if preview:
            frames = job.preview_mattes(output, overwrite=overwrite)
        else:
            notes = job.mattes(output, form=form, sheet=True, overwrite=overwrite)  # type: ignore[arg-type]
    sheet = output / SHEET
    if preview:
        if terminal.as_json:
            terminal.document({"sheet": sheet, "frames": frames})
        elif not terminal.quiet:
            terminal.facts([("sheet", show_path(sheet))])
        return
    mattes = {name: output / (f"{name}.{form}" if form in CLIPS else name) for name in recipe.object_names}
    if terminal.as_json:
        doubts = [doubt._asdict() for doubt in job.doubts]
        terminal.document({"mattes": mattes, "sheet": sheet, "notes": notes, "doubts": doubts})
    elif not terminal.quiet:
        rows = [("mattes", show_path(path)) for path in mattes.values()]
        terminal.facts([*rows, ("sheet", show_path(sheet)), *(("note", note) for note in notes)])
