"""``restyle plan``."""

from __future__ import annotations

from restyle.cli.options import Rate, Source, command
from restyle.cli.progress import count, duration
from restyle.cli.recipe_options import recipe_options
from restyle.cli.terminal import Terminal
from restyle.footage import format_timecode
from restyle.job.job import Job
from restyle.planning.plan import Plan
from restyle.recipe import Recipe

__all__ = ["plan"]


@command
@recipe_options(
    without=("strength", "brush_size", "mix", "keep_colour", "filler", "filler_options", "seed", "codec", "quality")
)
def plan(terminal: Terminal, source: Source, recipe: Recipe, rate: Rate = None) -> None:
    """Look at INPUT and say what would be done: shots, keyframes, windows of work, and about how long. Paints nothing.

    Example: restyle plan clip.mp4 --effort draft
    """
    with terminal.display() as progress:
        result = Job(source, None, recipe, rate=rate, progress=progress, cancel=terminal.stop.event).plan()
    if terminal.as_json:
        terminal.document(result.to_json())
    else:
        _show(terminal, result)


def _show(terminal: Terminal, plan: Plan) -> None:
    rows = []
    for shot in plan.shots:
        keys = [key for key in plan.keyframes if shot.start <= key.frame < shot.stop]
        numbers = [str(key.frame) for key in keys]
        shown = ", ".join(numbers[:12]) + (", ..." if len(numbers) > 12 else "")
        windows = sum(window.shot == shot.index for window in plan.windows)
        start = format_timecode(shot.start, plan.rate)
        rows.append((shot.index, f"{shot.start}:{shot.stop}", start, shot.begins, windows, len(keys), shown))
    terminal.facts([("note", note) for note in plan.notes])
    columns = ("shot", "frames", "starts at", "why", "windows", "keyframes", "at")
    terminal.table("", columns, rows, left=(1, 2, 3, 6))
    terminal.line(
        f"{count(plan.frames, 'frame')}, {count(len(plan.shots), 'shot')}, {count(len(plan.windows), 'window')}, "
        f"{count(len(plan.keyframes), 'keyframe')} to paint; about {duration(plan.seconds)} on this machine"
    )
