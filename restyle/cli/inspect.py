"""``restyle inspect``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import PurePath
from typing import Annotated, Any

import typer

from restyle.cli.options import Rate, command, parse_place, remember_footage
from restyle.cli.recipe_options import recipe_options
from restyle.cli.terminal import Terminal
from restyle.errors import show_path
from restyle.footage import format_timecode
from restyle.job.job import Job
from restyle.planning.plan import Analysis
from restyle.planning.shots import shots_between
from restyle.quality.pictures import facts_of
from restyle.recipe import Recipe
from restyle.types import FootageSpec, Shot

__all__ = ["inspect"]

Source = Annotated[
    PurePath,
    typer.Argument(
        metavar="FOOTAGE",
        parser=parse_place,
        callback=remember_footage,
        help="As for 'restyle run'.",
        show_default=False,
    ),
]
NoCuts = Annotated[bool, typer.Option("--no-cuts", help="Read the headers only; look for neither cuts nor motion.")]


@command
@recipe_options(only=("range",), file=False)
def inspect(terminal: Terminal, source: Source, no_cuts: NoCuts = False, *, recipe: Recipe, rate: Rate = None) -> None:
    """Say what FOOTAGE is: size, rate, codec, colour, sound, and, looking at every frame once, its cuts and its motion.

    Example: restyle inspect clip.mp4
    """
    with terminal.display() as progress:
        job = Job(source, None, recipe, rate=rate, progress=progress, cancel=terminal.stop.event)
        analysis = None if no_cuts else job.analyse()
    if terminal.as_json:
        terminal.document(_to_json(job.spec, analysis))
    else:
        _show(terminal, job.spec, analysis)


def _to_json(spec: FootageSpec, analysis: Analysis | None) -> dict[str, Any]:
    document: dict[str, Any] = {"footage": asdict(spec)}
    if analysis is not None:
        document |= {
            "frames": len(analysis.pts),
            "notes": [*spec.notes, *analysis.notes],
            "shots": [asdict(shot) for shot in _shots(analysis)],
            "moved": list(analysis.moved),
            "coverage": list(analysis.coverage),
        }
    return document


def _show(terminal: Terminal, spec: FootageSpec, analysis: Analysis | None) -> None:
    counted = None if analysis is None else len(analysis.pts)
    rows = facts_of(spec, spec, frames=(counted, counted))
    shown = [(what, show_path(value) if what == "File" else value) for what, value, _ in rows]
    terminal.facts([*shown, *(("Note", note) for note in (*spec.notes, *(analysis.notes if analysis else ())))])
    if analysis is None:
        return
    shots = _shots(analysis)
    table = []
    for shot in shots:
        moved = analysis.moved[shot.start - analysis.start : shot.stop - analysis.start]
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


def _shots(analysis: Analysis) -> tuple[Shot, ...]:
    return shots_between(analysis.start, analysis.stop, dict(analysis.cuts))
