"""``restyle controls``."""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import Annotated, Any

import typer

from controls.maps import kinds as detector_kinds
from restyle.cli.options import Offline, Overwrite, Rate, command, parse_path, parse_place, remember_footage
from restyle.cli.parsing import parse_options
from restyle.cli.recipe_options import recipe_options
from restyle.cli.terminal import Terminal
from restyle.errors import RecipeError, show_path
from restyle.job.exports import SHEET
from restyle.job.job import Job
from restyle.recipe import Recipe
from restyle.weights.parts import presence

__all__ = ["controls"]

Source = Annotated[
    PurePath | None,
    typer.Argument(
        metavar="[INPUT]",
        parser=parse_place,
        callback=remember_footage,
        help="Footage, as for 'restyle run'; without it the kinds are listed.",
        show_default=False,
    ),
]
Folder = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="DIR",
        parser=parse_path,
        help="The folder of the maps, one folder a kind.",
        show_default=False,
    ),
]
Kinds = Annotated[str, typer.Option(metavar="KIND,...", help="Kinds to make: names as 'restyle controls' lists them.")]
Video = Annotated[bool, typer.Option("--video", help="Write each kind as a clip, too: DIR/KIND.mp4.")]
Stabilise = Annotated[
    bool | None,
    typer.Option("--stabilise/--no-stabilise", help="Hold the maps still along the footage's motion (the default)."),
]
Steady = Annotated[bool | None, typer.Option("--steady/--no-steady", hidden=True)]  # the old name
Bits = Annotated[int, typer.Option(metavar="8|16", help="16: depth as 16-bit grey.")]
DetectorOption = Annotated[
    list[str] | None,
    typer.Option(
        "--option",
        metavar="NAME=VALUE",
        help="An option of the detectors, of every kind that has it, such as weights=FOLDER, low=50 or face=true. "
        "Can be given many times.",
        show_default=False,
    ),
]


@command
@recipe_options(only=("cuts", "deinterlace", "range"), file=False)
def controls(
    terminal: Terminal,
    source: Source = None,
    output: Folder = None,
    kinds: Kinds = "canny",
    video: Video = False,
    stabilise: Stabilise = None,
    steady: Steady = None,
    bits: Bits = 8,
    option: DetectorOption = None,
    *,
    recipe: Recipe,
    rate: Rate = None,
    overwrite: Overwrite = False,
    offline: Offline = False,
) -> None:
    """Make control maps (edges, depth, pose ...) of every frame, as pictures or clips; without INPUT, list the kinds.

    Each says what it needs, what of that is there, and the line that gets the rest.

    Example: restyle controls clip.mp4 -o maps --kinds canny,tile
    """
    if source is None:
        _list(terminal)
        return
    if output is None:
        raise RecipeError("an output is needed: -o DIR")
    if steady is not None:
        no = "" if steady else "no-"
        if stabilise is not None:
            raise RecipeError("--steady is the old name of --stabilise: give --stabilise alone")
        terminal.say(f"restyle: note: --{no}steady is called --{no}stabilise now")
        stabilise = steady
    if bits not in (8, 16):
        raise RecipeError(f"--bits is 8 or 16, got {bits}")
    wanted = [kind.strip() for kind in kinds.split(",") if kind.strip()]
    if not wanted or len(set(wanted)) < len(wanted):
        raise RecipeError(f"--kinds is a list of different kinds such as canny,depth; got {kinds!r}")
    with terminal.display() as progress:
        job = Job(source, None, recipe, offline=offline, rate=rate, progress=progress, cancel=terminal.stop.event)
        folders = job.control_maps(
            output,
            wanted,
            stabilise=stabilise is not False,
            bits=bits,
            video=video,
            options=parse_options(option or [], "--option", "low=50"),
            sheet=True,
            overwrite=overwrite,
        )
    if terminal.as_json:
        terminal.document({"maps": folders, "sheet": output / SHEET})
    elif not terminal.quiet:
        terminal.facts([*(("maps", show_path(path)) for path in folders), ("sheet", show_path(output / SHEET))])


def _list(terminal: Terminal) -> None:
    listed: list[dict[str, Any]] = []
    for name, facts in detector_kinds().items():
        weights = presence(facts)
        listed.append(
            {
                "name": name,
                "kind": facts.kind,
                "about": facts.about,
                "output": facts.output,
                "licence": facts.licence,
                "weights": None if facts.weights is None else facts.weights.repository,
                "weights_licence": held.licence if (held := facts.weights or facts.carried) is not None else None,
                "bundled": facts.bundled,
                "controlnets": dict(facts.controlnets),
                "ready": weights.ready,
                "remedies": list(weights.remedies),
            }
        )
    if terminal.as_json:
        terminal.document({"kinds": listed})
        return
    for kind in listed:
        terminal.line(f"{kind['name']:18} {'ready ' if kind['ready'] else 'absent'} {kind['about']}")
        nets = ", ".join(f"{base}: {net}" for base, net in kind["controlnets"].items())
        licence = f"licence: {kind['licence']}" + (
            f"; weights: {kind['weights_licence']}" if kind["weights_licence"] else ""
        )
        rows = [
            kind["output"],
            f"for {nets}" if nets else "",
            licence,
            kind["bundled"] or "",
            *(f"to get it: {line}" for line in kind["remedies"]),
        ]
        for row in filter(None, rows):
            terminal.line(f"{'':26}{row}")
