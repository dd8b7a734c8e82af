"""``restyle sheets``."""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import Annotated

import typer

from restyle.cli.options import Compared, Overwrite, Rate, Restyled, command, parse_path, parse_place
from restyle.cli.progress import count
from restyle.cli.terminal import Terminal
from restyle.errors import RecipeError, show_path
from restyle.files.owned import new_folder
from restyle.files.remote import place_of
from restyle.footage import files_of
from restyle.footage.staging import stage_all
from restyle.job.result import default_folder
from restyle.progress import Meter
from restyle.quality.neighbours import Clip, Spot, spots_of, write_neighbours
from restyle.quality.stored_report import read_report

__all__ = ["sheets"]

Folder = Annotated[
    Path,
    typer.Option(
        "--output", "-o", metavar="DIR", parser=parse_path, help="The folder of the sheets.", show_default=False
    ),
]
Job = Annotated[
    PurePath | None,
    typer.Option(
        "--job",
        metavar="DIR",
        parser=parse_place,
        help="The job folder, whose report names the frames to look at; by default RESULT.restyle.",
    ),
]
Frames = Annotated[
    str | None,
    typer.Option(
        metavar="LIST", help="Look at these frames instead, such as 12,40,41; for results that have no job folder."
    ),
]
Painted = Annotated[
    PurePath | None,
    typer.Option(
        metavar="CLIP",
        parser=parse_place,
        help="The same look with every frame painted (--keyframes every:1 --painter-option hold=0), as a third row.",
    ),
]
Around = Annotated[int, typer.Option(metavar="N", help="Neighbours on either side.", min=0, max=12)]
Size = Annotated[int, typer.Option(metavar="PIXELS", help="Long side of each picture.", min=16, max=4096)]
Most = Annotated[
    int, typer.Option(metavar="N", help="Painted frames that get a sheet, evenly spread where there are more.", min=1)
]


@command
def sheets(
    terminal: Terminal,
    source: Compared,
    result: Restyled,
    output: Folder,
    job: Job = None,
    frames: Frames = None,
    painted: Painted = None,
    around: Around = 2,
    size: Size = 480,
    most: Most = 60,
    rate: Rate = None,
    overwrite: Overwrite = False,
) -> None:
    """Lay neighbouring frames side by side, SOURCE above RESULT, where a result is most likely to fail.

    One PNG for each painted frame, with two frames before and two after it, and one for each of the ten worst moments of what
    moves, enlarged.

    Example: restyle sheets clip.mp4 painted.mp4 -o looked-at
    """
    first, shown = 0, 0
    if frames is not None:
        spots = [Spot(f"frame-{number:08d}", number, "") for number in _numbers(frames)]
    else:
        report = read_report(default_folder(place_of(result)) if job is None else place_of(job))
        spots, first = spots_of(report, most=most), report.first
        shown = len(report.painted)
    with terminal.display() as progress:
        staged = stage_all([source, result, painted], Meter(progress, terminal.stop.event).report)
        clips = [Clip("source", staged[0].path), Clip("result", staged[1].path, first)]
        if painted is not None:
            clips.append(Clip("painted alone", staged[2].path, first))
        inputs = [path for clip in clips for path in (clip.path, *files_of(clip.path))]
        with new_folder(output, command="sheets", overwrite=overwrite, inputs=inputs) as part:
            written = write_neighbours(
                spots,
                clips,
                part,
                around=around,
                long_side=size,
                rate=rate,
                progress=progress,
                cancel=terminal.stop.event,
            )
    if terminal.as_json:
        terminal.document({"folder": output, "sheets": [output / path.name for path in written]})
    elif not terminal.quiet:
        some = f"; {most} of {count(shown, 'painted frame')}, the others with --most {shown}" if shown > most else ""
        terminal.line(f"{show_path(output)}: {count(len(written), 'sheet')}{some}")


def _numbers(text: str) -> list[int]:
    try:
        numbers = sorted({int(part) for part in text.split(",")})
    except ValueError:
        numbers = []
    if not numbers or numbers[0] < 0:
        raise RecipeError(f"--frames is a list of frames' numbers such as 12,40,41; got {text!r}")
    return numbers
