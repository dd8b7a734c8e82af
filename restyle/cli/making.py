"""``restyle run``, ``plan``, ``preview`` and ``matte``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from restyle.cli import options as o
from restyle.cli.progress import duration
from restyle.cli.terminal import Terminal
from restyle.errors import show_path

if TYPE_CHECKING:
    from restyle.job.job import Result
    from restyle.planning.plan import Plan

__all__ = ["matte", "plan", "preview", "run"]

Sheet = Annotated[
    Path,
    typer.Option(
        "--output", "-o", metavar="SHEET", parser=o.named, help="The contact sheet: .png or .jpg.", show_default=False
    ),
]
Folder = Annotated[
    Path | None,
    typer.Option(
        "--job",
        metavar="DIR",
        parser=o.named,
        help="The job folder, which keeps what is finished; by default OUTPUT.restyle.",
    ),
]
Fresh = Annotated[
    bool,
    typer.Option(
        "--fresh/--resume",
        help="Start anew, or go on from what an earlier run finished (the default).",
        show_default=False,
    ),
]
Report = Annotated[
    bool,
    typer.Option("--report/--no-report", help="Measure, and write report.html."),
]


def run(
    ctx: typer.Context,
    source: o.Source,
    output: o.Output,
    style: o.Style = None,
    prompt: o.Prompt = None,
    negative_prompt: o.NegativePrompt = None,
    prompt_at: o.PromptAt = None,
    control: o.Control = None,
    strength: o.Strength = None,
    keep_colour: o.KeepColour = None,
    painter: o.Painter = None,
    painter_option: o.PainterOption = None,
    fill: o.Fill = None,
    fill_option: o.FillOption = None,
    seed: o.Seed = None,
    recipe: o.RecipeFile = None,
    keyframes: o.Keyframes = None,
    keyframe_image: o.KeyframeImage = None,
    coverage: o.Coverage = None,
    max_gap: o.MaxGap = None,
    cuts: o.Cuts = None,
    deinterlace: o.Deinterlace = None,
    objects: o.Object = None,
    layer: o.Layer = None,
    masker: o.Masker = None,
    masker_option: o.MaskerOption = None,
    span: o.Span = None,
    fps: o.Fps = None,
    overwrite: o.Overwrite = False,
    codec: o.Codec = None,
    quality: o.Quality = None,
    job: Folder = None,
    fresh: Fresh = False,
    report: Report = True,
    offline: o.Offline = False,
    as_json: o.AsJson = False,
    verbose: o.Verbose = False,
    quiet: o.Quiet = False,
) -> None:
    """Restyle footage: INPUT goes in, OUTPUT comes out, frame for frame with its sound.

    Stopped or killed, the same command goes on where it was. With another style or option, only what that
    touches is done again.

    Example: restyle run clip.mp4 -o painted.mp4 --style winter-ink --strength 0.8
    """
    terminal: Terminal = ctx.obj.adopt(verbose=verbose, quiet=quiet, as_json=as_json)
    from restyle.job.job import Job

    wanted = o.recipe_of(
        recipe,
        style=style,
        prompt=prompt,
        negative_prompt=negative_prompt,
        prompts=prompt_at,
        controls=control,
        strength=strength,
        keep_colour=keep_colour,
        painter=painter,
        painter_options=painter_option,
        fill=fill,
        fill_options=fill_option,
        seed=seed,
        keyframes=keyframes,
        storyboard=keyframe_image,
        coverage=coverage,
        max_gap=max_gap,
        cuts=cuts,
        deinterlace=deinterlace,
        objects=objects,
        layers=layer,
        masker=masker,
        masker_options=masker_option,
        range=span,
        codec=codec,
        quality=quality,
    )
    with terminal.display() as progress:
        work = Job(
            source,
            output,
            wanted,
            folder=job,
            fresh=fresh,
            overwrite=overwrite,
            report=report,
            offline=offline,
            rate=o.rate_of(fps),
            progress=progress,
            cancel=terminal.stop.event,
        )
        terminal.job = work.folder
        for note in (*work.spec.notes, *work.output_plan.notes):
            terminal.say(f"restyle: note: {note}")
        result = work.run()
    if terminal.as_json:
        terminal.document(result.to_json())
    elif not quiet:
        _summary(terminal, result)


def plan(
    ctx: typer.Context,
    source: o.Source,
    style: o.Style = None,
    prompt: o.Prompt = None,
    negative_prompt: o.NegativePrompt = None,
    prompt_at: o.PromptAt = None,
    control: o.Control = None,
    painter: o.Painter = None,
    painter_option: o.PainterOption = None,
    recipe: o.RecipeFile = None,
    keyframes: o.Keyframes = None,
    keyframe_image: o.KeyframeImage = None,
    coverage: o.Coverage = None,
    max_gap: o.MaxGap = None,
    cuts: o.Cuts = None,
    deinterlace: o.Deinterlace = None,
    objects: o.Object = None,
    layer: o.Layer = None,
    masker: o.Masker = None,
    masker_option: o.MaskerOption = None,
    span: o.Span = None,
    fps: o.Fps = None,
    as_json: o.AsJson = False,
    verbose: o.Verbose = False,
    quiet: o.Quiet = False,
) -> None:
    """Look at INPUT and say what would be done: shots, keyframes, windows of work, and about how long. Paints nothing.

    Example: restyle plan clip.mp4 --coverage 0.8
    """
    terminal: Terminal = ctx.obj.adopt(verbose=verbose, quiet=quiet, as_json=as_json)
    from restyle.job.job import Job

    wanted = o.recipe_of(
        recipe,
        style=style,
        prompt=prompt,
        negative_prompt=negative_prompt,
        prompts=prompt_at,
        controls=control,
        painter=painter,
        painter_options=painter_option,
        keyframes=keyframes,
        storyboard=keyframe_image,
        coverage=coverage,
        max_gap=max_gap,
        cuts=cuts,
        deinterlace=deinterlace,
        objects=objects,
        layers=layer,
        masker=masker,
        masker_options=masker_option,
        range=span,
    )
    with terminal.display() as progress:
        found = Job(source, None, wanted, rate=o.rate_of(fps), progress=progress, cancel=terminal.stop.event).plan()
    if terminal.as_json:
        terminal.document(found.to_json())
    else:
        _show_plan(terminal, found)


def preview(
    ctx: typer.Context,
    source: o.Source,
    output: Sheet,
    style: o.Style = None,
    prompt: o.Prompt = None,
    negative_prompt: o.NegativePrompt = None,
    prompt_at: o.PromptAt = None,
    control: o.Control = None,
    strength: o.Strength = None,
    keep_colour: o.KeepColour = None,
    painter: o.Painter = None,
    painter_option: o.PainterOption = None,
    seed: o.Seed = None,
    recipe: o.RecipeFile = None,
    keyframe_image: o.KeyframeImage = None,
    cuts: o.Cuts = None,
    deinterlace: o.Deinterlace = None,
    objects: o.Object = None,
    layer: o.Layer = None,
    masker: o.Masker = None,
    masker_option: o.MaskerOption = None,
    span: o.Span = None,
    fps: o.Fps = None,
    overwrite: o.Overwrite = False,
    offline: o.Offline = False,
    as_json: o.AsJson = False,
    verbose: o.Verbose = False,
    quiet: o.Quiet = False,
) -> None:
    """Paint only the first keyframe of each shot, and lay footage and painting side by side on a contact sheet.

    Example: restyle preview clip.mp4 -o sheet.jpg --style winter-ink
    """
    terminal: Terminal = ctx.obj.adopt(verbose=verbose, quiet=quiet, as_json=as_json)
    from restyle.job.job import Job
    from restyle.quality.contact_sheet import Tile, check_sheet, write_sheet

    wanted = o.recipe_of(
        recipe,
        style=style,
        prompt=prompt,
        negative_prompt=negative_prompt,
        prompts=prompt_at,
        controls=control,
        strength=strength,
        keep_colour=keep_colour,
        painter=painter,
        painter_options=painter_option,
        seed=seed,
        storyboard=keyframe_image,
        cuts=cuts,
        deinterlace=deinterlace,
        objects=objects,
        layers=layer,
        masker=masker,
        masker_options=masker_option,
        range=span,
    )
    with terminal.display() as progress:
        job = Job(
            source,
            None,
            wanted,
            offline=offline,
            rate=o.rate_of(fps),
            progress=progress,
            cancel=terminal.stop.event,
        )
        check_sheet(output, overwrite=overwrite, inputs=job.inputs)
        shown = job.preview()
    tiles = [Tile(f"shot {n}, frame {key.frame}", (before, after)) for n, (key, before, after) in enumerate(shown)]
    write_sheet(output, tiles, overwrite=overwrite)
    if terminal.as_json:
        frames = [{"shot": n, "frame": key.frame, "reason": key.reason} for n, (key, _, _) in enumerate(shown)]
        terminal.document({"sheet": output, "shots": frames})
    elif not quiet:
        terminal.line(f"{show_path(output)}: the first keyframe of {_count(len(shown), 'shot')}")


def matte(
    ctx: typer.Context,
    source: o.Source,
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            metavar="DIR",
            parser=o.named,
            help="The folder of the mattes, one folder an object.",
            show_default=False,
        ),
    ],
    objects: o.Object = None,
    form: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="png|png16|exr|mov|webm",
            help="Pictures of 8 or 16 bits, or floats; or clips with alpha (ProRes 4444, VP9).",
        ),
    ] = "png",
    masker: o.Masker = None,
    masker_option: o.MaskerOption = None,
    recipe: o.RecipeFile = None,
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
    """Follow objects through footage and write their mattes; paint nothing.

    They can be looked at, drawn over, and used instead of a prompt: --object car=mattes:DIR/car

    Example: restyle matte clip.mp4 -o mattes --object thing=box:10,8,40,36@0
    """
    terminal: Terminal = ctx.obj.adopt(verbose=verbose, quiet=quiet, as_json=as_json)
    from restyle.job.job import Job
    from restyle.job.matte_clips import CLIPS

    wanted = o.recipe_of(
        recipe,
        objects=objects,
        masker=masker,
        masker_options=masker_option,
        cuts=cuts,
        deinterlace=deinterlace,
        range=span,
    )
    with terminal.display() as progress:
        work = Job(
            source,
            None,
            wanted,
            offline=offline,
            rate=o.rate_of(fps),
            progress=progress,
            cancel=terminal.stop.event,
        )
        notes = work.mattes(output, form=form, overwrite=overwrite)  # type: ignore[arg-type]
    places = {name: output / (f"{name}.{form}" if form in CLIPS else name) for name in wanted.object_names}
    if terminal.as_json:
        terminal.document({"mattes": places, "notes": notes})
    elif not quiet:
        terminal.facts([("mattes", show_path(place)) for place in places.values()] + [("note", note) for note in notes])


def _summary(terminal: Terminal, result: Result) -> None:
    painted = f"{result.painted} painted" + (f" ({result.repaired} of them repairs)" if result.repaired else "")
    reused = f", {result.reused} kept from an earlier run" if result.reused else ""
    speed = f", {result.frames / result.seconds:.1f} frames/s" if result.seconds > 0 else ""
    rows = [
        ("result", show_path(result.output)),
        ("frames", f"{result.frames} in {_count(result.shots, 'shot')}; {painted}{reused}"),
        ("time", f"{duration(result.seconds)}{speed}"),
    ]
    if result.report is not None:
        rows.append(("report", show_path(result.report)))
    rows.append(("job", f"{show_path(result.folder)} (delete it when nothing is to be changed any more)"))
    rows += [("note", note) for note in result.notes]
    terminal.facts(rows)


def _show_plan(terminal: Terminal, found: Plan) -> None:
    from restyle.footage import format_timecode

    rows = []
    for shot in found.shots:
        keys = [key for key in found.keyframes if shot.start <= key.frame < shot.stop]
        numbers = [str(key.frame) for key in keys]
        shown = ", ".join(numbers[:12]) + (", ..." if len(numbers) > 12 else "")
        windows = sum(window.shot == shot.index for window in found.windows)
        start = format_timecode(shot.start, found.rate)
        rows.append((shot.index, f"{shot.start}:{shot.stop}", start, shot.begins, windows, len(keys), shown))
    terminal.facts([("note", note) for note in found.notes])
    columns = ("shot", "frames", "starts at", "why", "windows", "keyframes", "at")
    terminal.table("", columns, rows, left=(1, 2, 3, 6))
    terminal.line(
        f"{_count(found.frames, 'frame')}, {_count(len(found.shots), 'shot')}, {_count(len(found.windows), 'window')}, "
        f"{_count(len(found.keyframes), 'keyframe')} to paint; about {duration(found.seconds)} on this machine"
    )


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
