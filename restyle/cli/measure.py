"""``restyle measure``."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path, PurePath
from typing import Annotated, Any

import typer

from restyle.cli.options import Compared, Overwrite, Rate, Restyled, command, parse_path, parse_place
from restyle.cli.terminal import Terminal
from restyle.compositing.layers import edge_reach
from restyle.errors import RecipeError, show_path
from restyle.footage import files_of, open_footage
from restyle.footage.staging import stage_all
from restyle.job.given_mattes import given_mattes
from restyle.progress import Meter
from restyle.quality.compare import compare
from restyle.quality.contact_sheet import check_sheet, write_sheet
from restyle.quality.outside import Outside, measure_outside
from restyle.recipe import Layer

__all__ = ["measure"]

MARGIN = edge_reach([Layer(object="background")])  # of a layer that is neither grown nor feathered otherwise

Size = Annotated[
    int | None,
    typer.Option(metavar="PIXELS", help="Measure at this long side; by default at full size.", min=16),
]


Painted = Annotated[
    PurePath | None,
    typer.Option(
        metavar="CLIP",
        parser=parse_place,
        help="The same look with every frame painted (--keyframes every:1 --painter-option hold=0): "
        "also measure how much of its structure what moves lost against it, and its warp error.",
    ),
]
Truth = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        parser=parse_path,
        help="What is known of SOURCE's motion, as samples/truth/harbour holds it: warp errors from frame to frame are "
        "taken along it.",
    ),
]

Mattes = Annotated[
    Path | None,
    typer.Option(
        "--outside",
        metavar="MATTES",
        parser=parse_path,
        help="Say instead what differs outside of these mattes, sample by sample: the folder that 'restyle matte' wrote, "
        "one object's folder, or a clip.",
    ),
]
Margin = Annotated[
    int | None,
    typer.Option(
        metavar="PIXELS",
        min=0,
        max=1000,
        help=f"With --outside: pixels round the mattes that may differ, too; by default {MARGIN}, as far as a layer's edge "
        "reaches unless it is grown or feathered more.",
        show_default=False,
    ),
]
Sheet = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        parser=parse_path,
        help="With --outside: a picture of the differences (.png or .jpg).",
        show_default=False,
    ),
]


@command
def measure(
    terminal: Terminal,
    source: Compared,
    result: Restyled,
    painted: Painted = None,
    truth: Truth = None,
    size: Size = None,
    outside: Mattes = None,
    margin: Margin = None,
    output: Sheet = None,
    rate: Rate = None,
    overwrite: Overwrite = False,
) -> None:
    """Measure how steady RESULT is, frame against frame of SOURCE; beside each warp error the source's own, the floor.

    Warp errors are taken where the footage's motion is sure: where it is known (--truth), or where two unlike estimators agree.
    With --painted, warp_error_over_painted is the result's over that of the frames painted one by one.

    Also says where the two differ in size, number of frames, rate, sound or colour tags.

    With --outside it proves that what was not edited is untouched: figures of every plane as the files hold it, and of RGB.

    Example: restyle measure clip.mp4 painted.mp4 --size 640
    """
    if outside is not None:
        _measure_outside(terminal, source, result, outside, margin, output, rate, overwrite)
        return
    if margin is not None or output is not None:
        raise RecipeError("--margin and --output belong to --outside MATTES")
    with terminal.display() as progress:
        staged = stage_all([source, result, painted], Meter(progress, terminal.stop.event).report)
        comparison = compare(
            staged[0].path,
            staged[1].path,
            painted_path=None if painted is None else staged[2].path,
            truth_path=truth,
            size=size,
            rate=rate,
            progress=progress,
            cancel=terminal.stop.event,
        )
    if terminal.as_json:
        terminal.document({**comparison.to_json(), "source": source, "result": result})
        return
    terminal.facts((name.replace("_", " "), _figure(value)) for name, value in comparison.summary().items())
    if worst := comparison.worst_moments():
        terminal.line("worst moments of what moves:")
        for block in worst:
            across, down = comparison.position(block)
            terminal.line(
                f"  frame {block.frame}, at {across:.0%} of the width and {down:.0%} of the height: loses {block.loss:.2f}"
            )
    for finding in comparison.findings:
        terminal.line(f"note: {finding}")


def _measure_outside(
    terminal: Terminal,
    source_place: PurePath,
    result_place: PurePath,
    mattes: Path,
    margin: int | None,
    output: Path | None,
    rate: Any,
    overwrite: bool,
) -> None:
    with terminal.display() as progress:
        staged = stage_all([source_place, result_place], Meter(progress, terminal.stop.event).report)
        source, result = (here.path for here in staged)
        if output is not None:
            check_sheet(output, overwrite=overwrite, inputs=[*files_of(source), *files_of(result)])
        with open_footage(source, rate=rate) as footage, closing(given_mattes(mattes, footage)) as given:
            found = measure_outside(
                source,
                result,
                given,
                margin=MARGIN if margin is None else margin,
                rate=rate,
                progress=progress,
                cancel=terminal.stop.event,
            )
        if output is not None:
            write_sheet(output, found.tiles, overwrite=overwrite, long_side=960)
    if terminal.as_json:
        terminal.document(found.to_json())
        return
    terminal.facts(_outside_facts(found, output))
    for finding in found.findings:
        terminal.line(f"note: {finding}")


def _outside_facts(found: Outside, output: Path | None) -> list[tuple[str, str]]:
    facts = [("frames", str(found.frames)), ("margin", f"{found.margin} pixels")]
    for channel in found.channels:
        said = "the same, every sample"
        if channel.differing:
            said = (
                f"{channel.differing / channel.compared:.3%} of the samples differ, by {channel.largest:.4g} of "
                f"{channel.white} at most, {channel.mean:.3g} on average"
            )
        facts.append((channel.name, said if channel.compared else "nothing is outside"))
    if found.worst is not None:
        facts.append(("worst frame", str(found.worst)))
    return facts if output is None else [*facts, ("picture", show_path(output))]


def _figure(value: Any) -> str:
    if value is None:
        return "-"
    return str(value) if isinstance(value, int) else f"{value:.4g}"
