"""``restyle styles``, ``inspect``, ``measure`` and ``doctor``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from restyle.cli import options as o
from restyle.cli.terminal import Terminal
from restyle.errors import show_path

if TYPE_CHECKING:
    from restyle.planning.plan import Analysis
    from restyle.types import FootageSpec, Shot

__all__ = ["doctor", "inspect", "measure", "styles"]

Frame = Annotated[
    Path | None,
    typer.Option(
        "--sheet",
        metavar="PICTURE",
        parser=o.named,
        help="Paint every style on this picture (or a clip's first frame), on one sheet.",
        show_default=False,
    ),
]
SheetOutput = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o", metavar="SHEET", parser=o.named, help="The sheet: .png or .jpg.", show_default=False
    ),
]
NoCuts = Annotated[bool, typer.Option("--no-cuts", help="Read the headers only; look for neither cuts nor motion.")]
Size = Annotated[
    int | None,
    typer.Option(metavar="PIXELS", help="Measure at this long side; by default at full size.", min=16),
]


def inspect(
    ctx: typer.Context,
    source: Annotated[
        Path,
        typer.Argument(
            metavar="FOOTAGE", parser=o.named, callback=o.remember, help="As for 'restyle run'.", show_default=False
        ),
    ],
    no_cuts: NoCuts = False,
    span: o.Span = None,
    fps: o.Fps = None,
    as_json: o.AsJson = False,
    verbose: o.Verbose = False,
    quiet: o.Quiet = False,
) -> None:
    """Say what FOOTAGE is: size, rate, codec, colour, sound, and, looking at every frame once, its cuts and its motion.

    Example: restyle inspect clip.mp4
    """
    terminal: Terminal = ctx.obj.adopt(verbose=verbose, quiet=quiet, as_json=as_json)
    from restyle.job.job import Job

    with terminal.display() as progress:
        job = Job(
            source,
            None,
            o.recipe_of(None, range=span),
            rate=o.rate_of(fps),
            progress=progress,
            cancel=terminal.stop.event,
        )
        found = None if no_cuts else job.analyse()
    if terminal.as_json:
        terminal.document(_inspected(job.spec, found))
    else:
        _show_footage(terminal, job.spec, found)


def measure(
    ctx: typer.Context,
    source: Annotated[
        Path,
        typer.Argument(metavar="SOURCE", parser=o.named, callback=o.remember, help="The footage.", show_default=False),
    ],
    result: Annotated[
        Path, typer.Argument(metavar="RESULT", parser=o.named, help="What was made of it.", show_default=False)
    ],
    size: Size = None,
    fps: o.Fps = None,
    as_json: o.AsJson = False,
    verbose: o.Verbose = False,
    quiet: o.Quiet = False,
) -> None:
    """Measure how steady RESULT is, frame against frame of SOURCE; beside each warp error the source's own, the floor.

    Also says where the two differ in size, number of frames, rate, sound or colour tags.

    Example: restyle measure clip.mp4 painted.mp4 --size 640
    """
    terminal: Terminal = ctx.obj.adopt(verbose=verbose, quiet=quiet, as_json=as_json)
    from restyle.quality.compare import compare

    with terminal.display() as progress:
        found = compare(source, result, size=size, rate=o.rate_of(fps), progress=progress, cancel=terminal.stop.event)
    if terminal.as_json:
        terminal.document(found.to_json())
        return
    rows = [(name.replace("_", " "), _figure(value)) for name, value in found.summary().items()]
    terminal.facts(rows)
    for finding in found.findings:
        terminal.line(f"note: {finding}")


def styles(
    ctx: typer.Context,
    sheet: Frame = None,
    output: SheetOutput = None,
    overwrite: o.Overwrite = False,
    as_json: o.AsJson = False,
    verbose: o.Verbose = False,
    quiet: o.Quiet = False,
) -> None:
    """List the built-in styles; with --sheet, paint all of them on one picture.

    Example: restyle styles --sheet still.png -o styles.jpg
    """
    terminal: Terminal = ctx.obj.adopt(verbose=verbose, quiet=quiet, as_json=as_json)
    from restyle.errors import RecipeError
    from restyle.painters.styles import STYLES

    if (sheet is None) != (output is None):
        raise RecipeError("--sheet PICTURE and -o SHEET go together: restyle styles --sheet still.png -o styles.jpg")
    listed = [{"name": style.name, "description": style.description} for style in STYLES]
    document: dict[str, Any] = {"styles": listed}
    if sheet is not None and output is not None:
        from interp.pixels.depth import to_uint8
        from restyle.footage import open_footage
        from restyle.painters.style_sheet import style_sheet
        from restyle.quality.contact_sheet import check_sheet, save_sheet

        check_sheet(output, overwrite=overwrite, inputs=[sheet])
        with open_footage(sheet) as footage:
            picture = next(footage.frames(0, 1)).picture
        terminal.say(f"restyle: painting {len(listed)} styles")
        save_sheet(output, style_sheet(to_uint8(picture)), overwrite=overwrite)
        document["sheet"] = output
    if terminal.as_json:
        terminal.document(document)
    elif output is not None:
        terminal.line(f"{show_path(output)}: {len(listed)} styles")
    else:
        terminal.facts((style["name"], style["description"]) for style in listed)


def doctor(
    ctx: typer.Context,
    as_json: o.AsJson = False,
    verbose: o.Verbose = False,
    quiet: o.Quiet = False,
) -> None:
    """Say what is installed, what is missing and the line that installs it. Exits 1 if the core does not work.

    Example: restyle doctor
    """
    terminal: Terminal = ctx.obj.adopt(verbose=verbose, quiet=quiet, as_json=as_json)
    from restyle.cli.examination import examine

    found = examine()
    if terminal.as_json:
        terminal.document(found.to_json())
    else:
        for title, checks in found.groups():
            terminal.line(title)
            wide = max(len(check.name) for check in checks)
            for check in checks:
                terminal.line(f"  {check.mark:<7} {check.name:<{wide}}  {check.detail}")
                if check.remedy:
                    terminal.line(f"  {'':<7} {'':<{wide}}  -> {check.remedy}")
        terminal.line("restyle works here." if found.ok else "restyle does not work here: see what is marked BROKEN.")
    if not found.ok:
        raise typer.Exit(1)


def _inspected(spec: FootageSpec, found: Analysis | None) -> dict[str, Any]:
    document: dict[str, Any] = {"footage": asdict(spec)}
    if found is not None:
        document |= {
            "frames": len(found.pts),
            "notes": [*spec.notes, *found.notes],
            "shots": [asdict(shot) for shot in _shots(found)],
            "moved": list(found.moved),
            "coverage": list(found.coverage),
        }
    return document


def _show_footage(terminal: Terminal, spec: FootageSpec, found: Analysis | None) -> None:
    from restyle.footage import format_timecode
    from restyle.quality.pictures import facts_of

    counted = None if found is None else len(found.pts)
    rows = facts_of(spec, spec, frames=(counted, counted))
    shown = [(what, show_path(value) if what == "File" else value) for what, value, _ in rows]
    terminal.facts([*shown, *(("Note", note) for note in (*spec.notes, *(found.notes if found else ())))])
    if found is None:
        return
    shots = _shots(found)
    table = []
    for shot in shots:
        moved = found.moved[shot.start - found.start : shot.stop - found.start]
        seconds = float(len(shot) / spec.rate)
        table.append(
            (
                shot.index,
                f"{shot.start}:{shot.stop}",
                format_timecode(shot.start, spec.rate),
                f"{seconds:.2f} s",
                shot.begins,
                f"{100 * sum(moved) / len(moved):.2f} %",
                f"{100 * max(moved):.2f} %",
            )
        )
    columns = ("shot", "frames", "starts at", "length", "why", "motion, mean", "largest")
    terminal.table("", columns, table, left=(1, 2, 4))
    terminal.line("Motion is what a pixel moves from one frame to the next, as a share of the picture's diagonal.")


def _shots(found: Analysis) -> tuple[Shot, ...]:
    from restyle.planning.shots import shots_between

    return shots_between(found.start, found.stop, dict(found.cuts))


def _figure(value: Any) -> str:
    if value is None:
        return "-"
    return str(value) if isinstance(value, int) else f"{value:.4g}"
