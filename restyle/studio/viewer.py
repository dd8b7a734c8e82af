"""The viewer on the page: stage, time line and transport (``viewer.js``)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from nicegui.element import Element
from nicegui.events import GenericEventArguments

__all__ = ["Viewer"]


class Viewer(Element, component="viewer.js"):
    """Shows frames. What it shows is set by ``set``; it tells ``at`` (the frame on which it settles), ``mark`` (a click, a box
    or a stroke: frame, kind, values in pixels of the footage), ``kind`` (what is to be shown), ``brush`` (a factor by which
    the brush is to grow) and ``pin`` (a frame that is to be a keyframe, or no longer)."""

    def __init__(
        self,
        *,
        at: Callable[[int], Any],
        mark: Callable[[int, str, list[float]], Any],
        kind: Callable[[str], Any],
        brush: Callable[[float], Any],
        pin: Callable[[int], Any],
    ) -> None:
        super().__init__()
        self.on("at", lambda event: at(int(_value(event))))
        self.on("show", lambda event: kind(str(_value(event))))
        self.on("brush", lambda event: brush(float(_value(event))))
        self.on("pin", lambda event: pin(int(_value(event))))
        self.on("mark", lambda event: mark(*_mark(event)))

    def set(self, **props: Any) -> None:
        """Set properties; the page is told of those that changed."""
        changed = {name: value for name, value in props.items() if self._props.get(name) != value}
        if changed:
            self._props.update(changed)
            self.update()

    async def opened(self) -> int:
        """Wait until the first frame is shown; gives its number."""
        with suppress(TimeoutError):
            return int(await self.run_method("opened", timeout=10) or 0)
        return 0

    def seek(self, frame: int) -> None:
        """Show another frame."""
        self.run_method("show", frame)


def _value(event: GenericEventArguments) -> Any:
    return event.args[0] if isinstance(event.args, list) else event.args


def _mark(event: GenericEventArguments) -> tuple[int, str, list[float]]:
    plain = _value(event)
    return int(plain["frame"]), str(plain["kind"]), [float(value) for value in plain["values"]]
