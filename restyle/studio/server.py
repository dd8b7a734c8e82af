"""The studio's server: NiceGUI on this machine's own address, behind the guard."""

from __future__ import annotations

import asyncio
import secrets
import socket
import threading
from collections.abc import Callable
from contextlib import nullcontext
from fractions import Fraction
from importlib.resources import files
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from nicegui import app as pages
from nicegui import ui

from restyle.errors import OutputError, why
from restyle.studio.guard import Guard
from restyle.studio.rooms import Rooms
from restyle.studio.routes import add_routes

__all__ = ["serve"]


class _Server(uvicorn.Server):
    """Leaves signals to the command line, which listens to them from its first moment on."""

    def capture_signals(self) -> Any:
        """See ``uvicorn.Server``."""
        return nullcontext()


def serve(
    source: Path,
    *,
    port: int = 0,
    rate: Fraction | None = None,
    offline: bool = False,
    ready: Callable[[str], None],
    stop: threading.Event,
    stopping: Callable[[], None] = lambda: None,
) -> None:
    """Serve the page until ``stop`` is set. ``ready`` is called with its address, ``stopping`` when it has seen
    that it is to stop.

    ``source``: a clip, or a folder of clips. ``port``: 0 takes a free one. Raises ``OutputError`` if the port is taken,
    ``FootageError`` if there is nothing at ``source``.
    """
    rooms = Rooms(source, rate=rate, offline=offline)
    token = secrets.token_urlsafe(24)
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        raise OutputError(f"cannot serve at port {port}: {why(error)}; choose another with --port") from error
    port = listener.getsockname()[1]
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    add_routes(pages, rooms.named, rooms.poster)
    pages.add_static_files("/studio", str(files("restyle.studio").joinpath("static")))
    rooms.add_pages()
    ui.run_with(
        app,
        title="restyle studio",
        favicon="🎞",
        dark=None,
        language="en-US",
        tailwind=False,
        show_welcome_message=False,
        reconnect_timeout=30,
    )
    config = uvicorn.Config(
        Guard(app, token=token, port=port), log_level="error", access_log=False, timeout_graceful_shutdown=1
    )
    server = _Server(config)

    async def run() -> None:
        serving = asyncio.create_task(server.serve([listener]))
        while not server.started and not serving.done():
            await asyncio.sleep(0.005)
        if not serving.done():
            ready(f"http://127.0.0.1:{port}/?token={token}")
        while not stop.is_set() and not serving.done():
            await asyncio.sleep(0.1)
        stopping()
        server.should_exit = True
        await serving
        await rooms.close()

    asyncio.run(run())
