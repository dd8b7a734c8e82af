"""``restyle controls``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from restyle.cli import options as o
from restyle.cli.terminal import Terminal
from restyle.errors import RecipeError, show_path

__all__ = ["controls"]


def controls(
    ctx: typer.Context,
    source: Annotated[
        Path | None,
        typer.Argument(
            metavar="[INPUT]",
            parser=o.named,
            callback=o.remember,
            help="Footage, as for 'restyle run'; without it the kinds are listed.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="DIR",
            parser=o.named,
            help="The folder of the maps, one folder a kind.",
            show_default=False,
        ),
    ] = None,
    kinds: Annotated[
        str, typer.Option(metavar="KIND,...", help="What is made: names as 'restyle controls' lists them.")
    ] = "canny",
    video: Annotated[bool, typer.Option("--video", help="Write each kind as a clip, too: DIR/KIND.mp4.")] = False,
    stabilise: Annotated[
        bool,
        typer.Option(
            "--stabilise/--no-stabilise", help="Hold the maps still along the footage's motion (the default)."
        ),
    ] = True,
    steady: Annotated[bool | None, typer.Option("--steady/--no-steady", hidden=True)] = None,
    bits: Annotated[int, typer.Option(metavar="8|16", help="16: depth as 16-bit grey.")] = 8,
    option: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="An option of what finds the maps, of every kind that has it, such as weights=FOLDER, low=50 or face=true. "
            "Can be given many times.",
            show_default=False,
        ),
    ] = None,
    cuts: o.Cuts = None,
    deinterlace: o.Deinterlace = None,
    span: o.Span = None,
    fps: o.Fps = None,
    overwrite: o.Overwrite = False,
    offline: o.Offline = False,
    as_json: o.AsJson = False,
    verbose: o.Verbose = False,
    quiet: o.Quiet = False,
) -> None:
    """Make control maps (edges, depth, pose ...) of every frame, as pictures or clips; without INPUT, list the kinds.

    Each says what it needs, what of that is there, and the line that gets the rest.

    Example: restyle controls clip.mp4 -o maps --kinds canny,tile
    """
    terminal: Terminal = ctx.obj.adopt(verbose=verbose, quiet=quiet, as_json=as_json)
    if source is None:
        _list(terminal)
        return
    if output is None:
        raise RecipeError("an output is needed: -o DIR")
    if steady is not None:
        terminal.say(f"restyle: --{'' if steady else 'no-'}steady is called --{'' if steady else 'no-'}stabilise now")
        stabilise = steady
    if bits not in (8, 16):
        raise RecipeError(f"--bits is 8 or 16, got {bits}")
    from restyle.job.job import Job
    from restyle.recipe import parse_options

    wanted = [kind.strip() for kind in kinds.split(",") if kind.strip()]
    if not wanted or len(set(wanted)) < len(wanted):
        raise RecipeError(f"--kinds is a list of different kinds such as canny,depth; got {kinds!r}")
    recipe = o.recipe_of(None, cuts=cuts, deinterlace=deinterlace, range=span)
    with terminal.display() as progress:
        work = Job(
            source, None, recipe, offline=offline, rate=o.rate_of(fps), progress=progress, cancel=terminal.stop.event
        )
        made = work.control_maps(
            output,
            wanted,
            stabilise=stabilise,
            bits=bits,
            video=video,
            options=parse_options(option or [], "--option", "low=50"),
            overwrite=overwrite,
        )
    if terminal.as_json:
        terminal.document({"maps": made})
    elif not quiet:
        terminal.facts([("maps", show_path(path)) for path in made])


def _list(terminal: Terminal) -> None:
    from controls.maps import kinds
    from controls.maps.weights import presence

    found: list[dict[str, Any]] = []
    for name, facts in kinds().items():
        there = presence(facts)
        found.append(
            {
                "name": name,
                "kind": facts.kind,
                "about": facts.about,
                "output": facts.output,
                "licence": facts.licence,
                "weights": None if facts.weights is None else facts.weights.repository,
                "weights_licence": None if facts.weights is None else facts.weights.licence,
                "bundled": facts.bundled,
                "controlnets": dict(facts.controlnets),
                "ready": there.ready,
                "remedies": list(there.remedies),
            }
        )
    if terminal.as_json:
        terminal.document({"kinds": found})
        return
    for one in found:
        terminal.line(f"{one['name']:18} {'ready ' if one['ready'] else 'absent'} {one['about']}")
        nets = ", ".join(f"{base}: {net}" for base, net in one["controlnets"].items())
        licence = f"licence: {one['licence']}" + (f"; weights: {one['weights_licence']}" if one["weights"] else "")
        rows = [
            one["output"],
            f"for {nets}" if nets else "",
            licence,
            one["bundled"] or "",
            *(f"to get it: {line}" for line in one["remedies"]),
        ]
        for row in filter(None, rows):
            terminal.line(f"{'':26}{row}")
