"""``restyle measure``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from restyle.cli.options import Rate, command, parse_path, remember_footage
from restyle.cli.terminal import Terminal
from restyle.quality.compare import compare

__all__ = ["measure"]

Source = Annotated[
    Path,
    typer.Argument(
        metavar="SOURCE", parser=parse_path, callback=remember_footage, help="The footage.", show_default=False
    ),
]
Restyled = Annotated[
    Path, typer.Argument(metavar="RESULT", parser=parse_path, help="What was made of it.", show_default=False)
]
Size = Annotated[
    int | None,
    typer.Option(metavar="PIXELS", help="Measure at this long side; by default at full size.", min=16),
]


Painted = Annotated[
    Path | None,
    typer.Option(
        metavar="CLIP",
        parser=parse_path,
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


@command
def measure(
    terminal: Terminal,
    source: Source,
    result: Restyled,
    painted: Painted = None,
    truth: Truth = None,
    size: Size = None,
    rate: Rate = None,
) -> None:
    """Measure how steady RESULT is, frame against frame of SOURCE; beside each warp error the source's own, the floor.

    Warp errors are taken where the footage's motion is sure: where it is known (--truth), or where two unlike estimators agree.
    With --painted, warp_error_over_painted is the result's over that of the frames painted one by one.

    Also says where the two differ in size, number of frames, rate, sound or colour tags.

    Example: restyle measure clip.mp4 painted.mp4 --size 640
    """
    with terminal.display() as progress:
        comparison = compare(
            source,
            result,
            painted_path=painted,
            truth_path=truth,
            size=size,
            rate=rate,
            progress=progress,
            cancel=terminal.stop.event,
        )
    if terminal.as_json:
        terminal.document(comparison.to_json())
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


def _figure(value: Any) -> str:
    if value is None:
        return "-"
    return str(value) if isinstance(value, int) else f"{value:.4g}"
