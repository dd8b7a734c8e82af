"""The pages of one studio, and the clips that are open in it."""

from __future__ import annotations

import asyncio
import os
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from nicegui import ui

from restyle.errors import FootageError, RestyleError
from restyle.studio.allowed import Allowed
from restyle.studio.clip_page import ClipPage
from restyle.studio.open_clip import OpenClip
from restyle.studio.shell import page_frame

if TYPE_CHECKING:
    from restyle.studio.folder_batch import FolderBatch

__all__ = ["Rooms"]

KEPT = 2  # clips that stay open, with their models, though no page shows them


class Rooms:
    """Pages and open clips of one studio. ``source``: a clip, or a folder of them."""

    def __init__(self, source: Path, *, rate: Fraction | None = None, offline: bool = False) -> None:
        source = Path(os.path.abspath(source))
        self._is_clip = not source.is_dir()
        self.source = source
        self.batch: FolderBatch | None = None
        if not self._is_clip:
            from restyle.studio.folder_batch import FolderBatch

            self.batch = FolderBatch(source, rate=rate, offline=offline)
        self._allowed = Allowed([source.parent if self._is_clip else source])
        self._rate, self._offline = rate, offline
        self._open: dict[Path, OpenClip] = {}
        self._opening = asyncio.Lock()

    def named(self, name: str) -> OpenClip | None:
        """The open clip of that name."""
        return next((clip for clip in self._open.values() if clip.name == name), None)

    async def clip(self, text: str) -> OpenClip:
        """Open a clip, or give the one that is open. Raises ``RecipeError`` (outside of the folders), ``FootageError``."""
        path = self._allowed.path(text)
        async with self._opening:
            if path not in self._open:
                unseen = [each for each, clip in self._open.items() if not clip.pages]
                for each in unseen[: max(0, len(unseen) - KEPT)]:
                    self._open.pop(each).close()
                self._open[path] = await asyncio.to_thread(
                    OpenClip, path, rate=self._rate, offline=self._offline, batch=self.batch
                )
            return self._open[path]

    def poster(self, text: str) -> bytes:
        """A picture of a clip of the folder. Raises as ``clip``."""
        path = self._allowed.path(text)
        if self.batch is None:
            raise FootageError("this studio shows one clip")
        return self.batch.poster(path)

    def add_pages(self) -> None:
        """Add the page to NiceGUI."""

        @ui.page("/", title="restyle studio")
        async def index(clip: str = "") -> None:
            text = clip or (str(self.source) if self._is_clip else "")
            if not text:
                from restyle.studio.folder_page import FolderPage

                assert self.batch is not None
                FolderPage(self.batch).build()
                return
            try:
                opened = await self.clip(text)
            except RestyleError as error:
                with page_frame("restyle studio"):
                    ui.label(str(error)).classes("refusal").props('role="alert"')
                return
            opened.pages += 1
            ui.context.client.on_delete(partial(self._left, opened))
            ClipPage(opened).build()

    @staticmethod
    def _left(clip: OpenClip) -> None:
        clip.pages -= 1

    def close(self) -> None:
        """Let go of the clips."""
        for clip in self._open.values():
            clip.close()
