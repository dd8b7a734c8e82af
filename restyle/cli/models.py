"""``restyle models``."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from typing import Annotated, Any

import typer

from restyle.cli.options import Offline, command
from restyle.cli.progress import duration
from restyle.cli.terminal import Terminal
from restyle.errors import Cancelled, MissingModelError, RecipeError, show_path
from restyle.weights.fetching import check_room, fetch
from restyle.weights.hub import cache_folder, hub_library, look_up
from restyle.weights.known import Model, known_models, resolve

__all__ = ["models"]

GIB = 1 << 30
MIB = 1 << 20
EVERY = 5.0  # seconds between two lines of a log
ACTIONS = ("list", "pull", "where")


Action = Annotated[str, typer.Argument(metavar="list|pull|where", help="What is wanted.", show_default=False)]
Names = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[NAME|ID]...", help="Names as 'list' gives them, or ids on the model hub.", show_default=False
    ),
]
File = Annotated[
    list[str] | None,
    typer.Option(
        "--file",
        metavar="FILE",
        help="Only this file of an id, such as one LoRA of many. Can be given many times.",
        show_default=False,
    ),
]
Variant = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Variant of the files to fetch; by default fp16 where there is one.",
        show_default=False,
    ),
]


@command
def models(
    terminal: Terminal,
    action: Action = "list",
    names: Names = None,
    file: File = None,
    variant: Variant = None,
    offline: Offline = False,
) -> None:
    """List the models of diffusion, edit, video and of SAM 2, fetch some (pull), or say where some are here (where).

    A model is fetched with its VAE. Stopped or cut off, the same command goes on where it was.

    Example: restyle models list
    """
    if action not in ACTIONS:
        raise RecipeError(f"restyle models does {', '.join(ACTIONS)}; not {action!r}")
    if action == "list":
        if names or file or variant:
            raise RecipeError("restyle models list lists them all, and takes no name: restyle models where NAME")
        _list(terminal)
        return
    if not names:
        raise RecipeError(f"which? restyle models {action} NAME, names as 'restyle models list' gives them, or an id")
    if file and len(names) > 1:
        raise RecipeError("--file is of one id: give one")
    wanted = [model for name in dict.fromkeys(names) for model in resolve(name, file or ())]
    for model in wanted:
        if model.packaged is None:
            hub_library(f"{model.kind} {model.name!r}", model.extra)
    if action == "where":
        _where(terminal, wanted)
    elif offline:
        raise RecipeError("pull fetches, and --offline fetches nothing: leave one of them out")
    else:
        _pull(terminal, wanted, variant)


def _list(terminal: Terminal) -> None:
    groups = known_models()
    if terminal.as_json:
        terminal.document(
            {group: [model.to_json() | _location(model) for model in known] for group, known in groups.items()}
        )
        return
    for group, known in groups.items():
        terminal.line(f"{group}:")
        for model in known:
            present = model.folder is not None
            named = model.name != model.hub_id
            about = f"{model.name}: {model.about}" if named else model.about
            terminal.line(f"  {'here  ' if present else 'absent'}  {about} ({model.licence})")
            more = [model.hub_id] if named or present else []
            terminal.line(f"          {': '.join(more + ([] if present else [model.line]))}")
    terminal.line(
        "Licences are those of the models' pages when they were written down: read a page before you use its model."
    )


def _location(model: Model) -> dict[str, Any]:
    folder = model.folder
    return {"folder": folder, "size": None if folder is None else model.size}


def _where(terminal: Terminal, wanted: list[Model]) -> None:
    located = []
    for model in wanted:
        if model.folder is None:
            lack = f" (what is there lacks {model.lack})" if model.lack else ""
            raise MissingModelError(f"{model.hub_id!r} is not on this machine{lack}: {model.line}")
        located.append({"id": model.hub_id} | _location(model))
    if terminal.as_json:
        terminal.document({"models": located})
        return
    for entry in located:
        terminal.line(f"{entry['folder']}  {_size(entry['size'])}")


def _pull(terminal: Terminal, wanted: list[Model], variant: str | None) -> None:
    for model in wanted:
        if model.packaged is not None:
            raise RecipeError(f"model {model.name!r} comes in a package, and is not on the hub: {model.line}")
    offers = [look_up(model.hub_id, model.kind, replace(model.selection, variant=variant)) for model in wanted]
    for model, offer in zip(wanted, offers, strict=True):
        to_come = "all of it here" if not offer.missing else f"{_size(offer.missing)} to fetch"
        licence = offer.licence or "none told on its page"
        terminal.say(f"restyle: {model.kind} {offer.hub_id}: {_size(offer.size)}, {to_come}; licence: {licence}")
    check_room(offers)
    fetched: list[dict[str, Any]] = []
    for offer in offers:
        terminal.job = cache_folder(offer.hub_id)  # goes on where it was, if it is stopped
        before = offer.missing
        folder = fetch(offer, progress=_Fetching(terminal, offer.size))
        fetched.append(
            {"id": offer.hub_id, "folder": folder, "size": offer.size, "fetched": before, "licence": offer.licence}
        )
    if terminal.as_json:
        terminal.document({"models": fetched})
    elif not terminal.quiet:
        terminal.facts([(entry["id"], show_path(entry["folder"])) for entry in fetched])


class _Fetching:
    """Says how far a fetch is: one line that is written over on a terminal, lines about every five seconds in a log."""

    def __init__(self, terminal: Terminal, total: int) -> None:
        self._terminal = terminal
        self._total = total
        self._began = self._last = time.monotonic()
        self._first: int | None = None
        self._over = False
        self._shows = sys.stderr.isatty()

    def __call__(self, name: str, done: int, total: int) -> None:
        if self._terminal.stop.event.is_set():
            raise Cancelled("stopped; what is fetched is kept: the same command goes on from there")
        clock = time.monotonic()
        if self._first is None:
            self._first = done
        over = done >= total and done > self._first and not self._over
        self._over = self._over or over
        if self._over and not over:
            return
        if not self._terminal.quiet and (over or clock - self._last >= (0.2 if self._shows else EVERY)):
            self._last = clock
            self._write(self._line(name, done, clock), over=over)

    def _line(self, name: str, done: int, clock: float) -> str:
        assert self._first is not None
        rate = (done - self._first) / max(clock - self._began, 1e-3)
        left = (self._total - done) / rate if rate else 0
        facts = [f"{_size(done)} of {_size(self._total)}", f"{rate / MIB:.1f} MiB/s"]
        facts += [f"about {duration(left)} left"] if left >= 1 else []
        return f"restyle: fetching {100 * done // max(self._total, 1):3d} %: {', '.join(facts)} ({name})"

    def _write(self, line: str, *, over: bool) -> None:
        if self._shows:
            sys.stderr.write(f"\r\x1b[K{line}" + ("\n" if over else ""))
            sys.stderr.flush()
        else:
            self._terminal.say(line)


def _size(size: int) -> str:
    """``3.4 GiB``, ``12 MiB``, ``0.3 MiB``."""
    if size >= GIB:
        return f"{size / GIB:.1f} GiB"
    return f"{size / MIB:.0f} MiB" if size >= 10 * MIB else f"{size / MIB:.1f} MiB"
