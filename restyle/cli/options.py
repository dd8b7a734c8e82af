"""Arguments and options that several commands share and no recipe holds, and what every command has."""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path, PurePath
from typing import Annotated, Any

import typer

from restyle.cli.terminal import Terminal
from restyle.files.remote import Url, place_of

__all__ = [
    "Address",
    "Compared",
    "Engine",
    "Gpus",
    "Offline",
    "Output",
    "Overwrite",
    "Place",
    "Rate",
    "Restyled",
    "Source",
    "Threads",
    "command",
    "make_parameter",
    "parse_path",
    "parse_place",
    "rate_parser",
    "remember_footage",
    "set_signature",
]


def parse_path(text: str) -> Path:
    """A path as it was typed; an empty one would be the current folder, which nobody has named."""
    if not text:
        raise typer.BadParameter("an empty name")
    if isinstance(place_of(text), Url):
        raise typer.BadParameter(f"{text} is elsewhere, and a path on this machine is wanted: make a copy of it")
    return Path(text)


def parse_place(text: str) -> PurePath:
    """A path as it was typed, or the address of what lies elsewhere."""
    place = place_of(text)
    return place if isinstance(place, Url) else parse_path(text)


def rate_parser(option: str) -> Callable[[str], Fraction]:
    """Parser of frames a second: a number or a fraction; 23.976 means 24000/1001. It raises ``RecipeError``."""

    def parse(text: str) -> Fraction:
        from restyle.retiming.clock import parse_rate

        return parse_rate(text, option)

    return parse


def remember_footage(ctx: typer.Context, source: PurePath | None) -> PurePath | None:
    """Callback of the argument that is the footage at work: an error that names no file is told with this one."""
    if isinstance(ctx.obj, Terminal):
        ctx.obj.source = source
    return source


def _stay_offline(wanted: bool) -> bool:
    """Libraries that ask the model hub by themselves are told, too; they look at this when they are first imported."""
    if wanted:
        os.environ["HF_HUB_OFFLINE"] = "1"
    return wanted


Source = Annotated[
    PurePath,
    typer.Argument(
        metavar="INPUT",
        parser=parse_place,
        callback=remember_footage,
        help="Footage: a video file, a GIF, a folder of pictures, or a pattern such as shot/frame.%04d.png; also an address, "
        "such as s3://bucket/clip.mov.",
        show_default=False,
    ),
]
Compared = Annotated[
    PurePath,
    typer.Argument(
        metavar="SOURCE",
        parser=parse_place,
        callback=remember_footage,
        help="The footage; also an address, such as s3://bucket/clip.mov.",
        show_default=False,
    ),
]
Restyled = Annotated[
    PurePath,
    typer.Argument(
        metavar="RESULT", parser=parse_place, help="What was made of it; also an address.", show_default=False
    ),
]
Output = Annotated[
    Path,
    typer.Option(
        "--output",
        "-o",
        metavar="OUTPUT",
        parser=parse_path,
        help="The result: a video file (.mp4 .mov .mkv .webm .avi), a folder, or a pattern such as out/frame.%04d.png.",
        show_default=False,
    ),
]
Place = Annotated[
    PurePath,
    typer.Option(
        "--output",
        "-o",
        metavar="OUTPUT",
        parser=parse_place,
        help="The result: a video file (.mp4 .mov .mkv .webm .avi) or a pattern such as out/frame.%04d.png, which may also be "
        "addresses such as s3://bucket/out.mp4, or a folder.",
        show_default=False,
    ),
]
Rate = Annotated[
    Fraction | None,
    typer.Option(
        "--fps",
        "--rate",
        metavar="RATE",
        parser=rate_parser("--fps"),
        help="Frames a second of a sequence of pictures, which carries no rate: 24, 23.976, 30000/1001.",
    ),
]
Overwrite = Annotated[
    bool,
    typer.Option("--overwrite", help="Replace the result if it is there already."),
]
Offline = Annotated[
    bool,
    typer.Option("--offline", callback=_stay_offline, help="Fetch nothing from anywhere, whatever the painter."),
]
Threads = Annotated[
    int | None,
    typer.Option("--threads", metavar="N", help="Cores for each job; by default all, shared among the jobs."),
]
Engine = Annotated[
    str | None,
    typer.Option(
        "--engine",
        metavar="NAME",
        help="Where the work is done: process (this one), pool (of processes on this machine) or ray (a cluster). By default "
        "process for one job, pool for more.",
    ),
]
Address = Annotated[
    str | None,
    typer.Option(
        "--address",
        metavar="ADDRESS",
        help="A Ray cluster that is there: HOST:6379, ray://HOST:10001 or auto. Without it, --engine ray starts one on this "
        "machine, and stops it in the end.",
    ),
]
Gpus = Annotated[
    float | None,
    typer.Option("--gpus", metavar="N", help="GPUs for each job, such as 1, or 0.5 for two jobs on one."),
]
AsJson = Annotated[
    bool,
    typer.Option(
        "--json", help="One JSON document on standard output, and nothing else there; messages go to standard error."
    ),
]
Verbose = Annotated[
    bool,
    typer.Option("--verbose", "-v", help="Say more; show the traceback if it fails."),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors and what was asked for.")]
_EVERY_COMMAND = {"as_json": AsJson, "verbose": Verbose, "quiet": Quiet}


def command(function: Callable[..., None]) -> Callable[..., None]:
    """Decorator: a function whose first parameter is the ``Terminal`` becomes a command, with the options of every command.

    The signature that Typer reads has the context in the terminal's place, and ``--json``, ``--verbose`` and ``--quiet`` last.
    """

    @functools.wraps(function)
    def call(ctx: typer.Context, **values: Any) -> None:
        terminal: Terminal = ctx.obj
        terminal.configure(**{name: values.pop(name) for name in _EVERY_COMMAND})
        function(terminal, **values)

    own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
    set_signature(
        call,
        [
            make_parameter("ctx", typer.Context),
            *own,
            *(make_parameter(name, annotation, default=False) for name, annotation in _EVERY_COMMAND.items()),
        ],
    )
    return call


def make_parameter(name: str, annotation: Any, *, default: Any = inspect.Parameter.empty) -> inspect.Parameter:
    """A parameter for ``set_signature``."""
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def set_signature(function: Callable[..., None], parameters: Iterable[inspect.Parameter]) -> None:
    """Give a function other parameters than it was written with, in the eyes of Typer, which calls by keyword."""
    keywords = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in parameters]
    function.__signature__ = inspect.Signature(keywords)  # type: ignore[attr-defined]
    function.__annotations__ = {keyword.name: keyword.annotation for keyword in keywords}
