"""``restyle studio``."""

from __future__ import annotations

import gc
import importlib.util
import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from restyle.cli.options import Offline, Rate, command, parse_path, remember_footage
from restyle.cli.terminal import Terminal
from restyle.errors import MissingExtraError

__all__ = ["studio"]

Source = Annotated[
    Path,
    typer.Argument(
        metavar="[CLIP|FOLDER]",
        parser=parse_path,
        callback=remember_footage,
        help="A clip, or a folder of clips; by default the current folder.",
        show_default=False,
    ),
]
Port = Annotated[int, typer.Option("--port", metavar="N", min=0, max=65535, help="Port; 0 takes a free one.")]
Open = Annotated[
    bool, typer.Option("--open/--no-open", help="Open the page in the browser, or just print its address.")
]


@command
def studio(
    terminal: Terminal,
    source: Source = Path("."),
    port: Port = 0,
    show: Open = True,
    rate: Rate = None,
    offline: Offline = False,
) -> None:
    """Open the studio: a page on this machine for looks, objects, keyframes and results, side by side.

    Only this machine can reach it, and only with the address that is printed. Ctrl-C closes it; work that runs goes on.

    Example: restyle studio clip.mp4
    """
    if importlib.util.find_spec("nicegui") is None:
        raise MissingExtraError("the studio", "studio")
    from restyle.studio.door import Door

    door = Door(source, port=port)
    if terminal.as_json:
        terminal.document({"url": door.address})
    else:
        terminal.line(door.address)
        terminal.say("restyle: the studio is open at this address; Ctrl-C closes it, work that runs goes on")
    if show:
        webbrowser.open(door.address)
    gc.disable()  # nothing that an import makes is garbage, and looking for it takes a tenth of the time
    try:
        from restyle.studio.server import serve
    finally:
        gc.enable()
    serve(door, rate=rate, offline=offline, stop=terminal.stop.event, stopping=terminal.stop.settle)
