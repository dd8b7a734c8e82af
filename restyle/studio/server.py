"""The studio's server: NiceGUI on this machine's own address, behind the guard."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import nullcontext
from fractions import Fraction
from importlib.resources import files
from typing import Any

import uvicorn
from fastapi import FastAPI
from nicegui import app as pages
from nicegui import ui

from restyle.studio.door import Door
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
    door: Door,
    *,
    rate: Fraction | None = None,
    offline: bool = False,
    stop: threading.Event,
    stopping: Callable[[], None] = lambda: None,
) -> None:
    """Serve the page at the door until ``stop`` is set. ``stopping`` is called when it has seen that it is to stop."""
    rooms = Rooms(door.source, rate=rate, offline=offline)
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
        Guard(app, token=door.token, port=door.port), log_level="error", access_log=False, timeout_graceful_shutdown=1
    )
    server = _Server(config)

    async def run() -> None:
        serving = asyncio.create_task(server.serve([door.socket]))
        while not stop.is_set() and not serving.done():
            await asyncio.sleep(0.1)
        stopping()
        server.should_exit = True
        await serving
        rooms.close()

    asyncio.run(run())
