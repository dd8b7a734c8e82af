"""The frame of every page: head, theme, style sheet; and how errors and waiting are shown."""

from __future__ import annotations

import traceback
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from nicegui import ui

from restyle.errors import RestyleError
from restyle.studio.bench import Superseded
from restyle.unforeseen import describe

__all__ = ["attempt", "heading", "notify", "page_frame"]

HEAD = '<link rel="stylesheet" href="/studio/studio.css"><meta name="color-scheme" content="light dark">'


@contextmanager
def page_frame(title: str, facts: str = "", *, back: bool = False) -> Iterator[None]:
    """The bar at the top; what is built within lies below it."""
    ui.add_head_html(HEAD)
    dark = ui.dark_mode(None)
    with ui.element("header").classes("top"):
        if back:
            ui.link("All clips", "/").classes("back")
        ui.label("restyle").classes("brand")
        ui.label(title).classes("title")
        ui.label(facts).classes("facts")
        ui.element("span").classes("gap")
        status = ui.label("").classes("status").props('role="status" aria-live="polite"')
        choices = {"auto": None, "light": False, "dark": True}
        theme = ui.select(list(choices), value="auto", on_change=lambda event: dark.set_value(choices[event.value]))
        theme.props('dense borderless options-dense aria-label="Light or dark"').classes("theme")
    ui.context.client.storage["status"] = status
    with ui.element("div").classes("page"):  # NiceGUI puts it into a main
        yield


def notify(text: str, *, wrong: bool = False) -> None:
    """Say something in the bar at the top; what went wrong, at the bottom, until it is closed."""
    if wrong:
        ui.notify(text, type="negative", position="bottom", multi_line=True, timeout=9000, close_button="Close")
    else:
        ui.context.client.storage["status"].set_text(text)


async def attempt(action: Callable[[], Awaitable[Any]], waiting: str = "", done: str = "") -> bool:
    """Do something that may fail, and say how it goes: of what goes on at once, the last that began. Tells whether it was
    done, and there still is a page that could show it."""
    client = ui.context.client
    going: list[str] = client.storage.setdefault("going", [])
    going.append(waiting)
    notify(waiting)
    problem, whole = "", False
    try:
        await action()
        whole = True
    except Superseded:
        pass
    except (RestyleError, ValueError) as error:
        problem = str(error)
    except Exception as error:  # nobody foresaw it: the page says so, too, and goes on
        problem = describe(error, None)[2]
        traceback.print_exc()
    finally:
        going.remove(waiting)
    if client.is_deleted:  # the tab was closed meanwhile
        return False
    notify(going[-1] if going else done if whole else "")
    if problem:
        notify(problem, wrong=True)
    return whole


def heading(text: str, hint: str = "") -> None:
    """A heading in a panel, with a line that explains."""
    with ui.element("h2").classes("heading"):
        ui.label(text)
    if hint:
        ui.label(hint).classes("hint")
