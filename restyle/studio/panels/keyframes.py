"""The panel of keyframes: each shot's side by side; approved, repainted, replaced, pinned and dropped."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nicegui import events, ui

from restyle.errors import RecipeError, RestyleError, show_path
from restyle.footage import read_picture
from restyle.studio.keyframe_files import export, exported, is_painted, keep, place
from restyle.studio.shell import attempt, heading, notify

if TYPE_CHECKING:
    from restyle.studio.clip_page import ClipPage

__all__ = ["KeyframesPanel"]

SHOWN = 60  # keyframes with their pictures
MOST_PICTURE = 256 << 20  # bytes
REASONS = {
    "start": "begins the shot", "coverage": "by motion", "max-gap": "by distance", "pinned": "pinned", "every": "every Nth",
    "storyboard": "given", "repair": "repair", "end": "ends the shot",
}  # fmt: skip


class KeyframesPanel:
    """Shows keyframes as the last look at the clip planned them, and changes which there are and what they show."""

    def __init__(self, page: ClipPage) -> None:
        self._page = page
        self._built: Any = None

    def build(self) -> None:
        """Make the elements."""
        heading("Keyframes", "The frames that are painted; those between follow them along the motion.")
        with ui.element("div").classes("line"):
            ui.button("Find shots and keyframes", on_click=lambda: self._page.start("look")).props(
                "outline dense no-caps"
            )
            ui.button("Pin this frame", on_click=self.pin_here).props("outline dense no-caps")
            self._free = ui.button("Choose anew", on_click=self._choose_anew).props("flat dense no-caps")
            self._free.tooltip("By the footage's motion, as before any was pinned or dropped")
        with ui.element("div").classes("line"):
            ui.button("Export all for painting", on_click=self._export).props("flat dense no-caps")
            ui.button("Take painted ones back", on_click=self._import).props("flat dense no-caps")
        self._where = ui.label("").classes("hint path")
        self._list = ui.element("div").classes("cards")
        with ui.dialog() as self._dialog, ui.card().classes("dialog"):
            self._asked = ui.label("")
            self._upload = ui.upload(
                on_upload=self._given, max_file_size=MOST_PICTURE, auto_upload=True, label="Drop the painted picture"
            ).props('accept="image/*" flat bordered')
            ui.button("Close", on_click=self._dialog.close).props("flat dense no-caps")

    def refresh(self) -> None:
        """Show the plan and the recipe's given keyframes."""
        page, clip = self._page, self._page.clip
        plan, recipe = clip.project.plan or {}, page.recipe
        paintings = clip.paintings(recipe)
        state = (
            str(plan.get("keyframes")),
            str(recipe.storyboard),
            str(recipe.keyframes),
            tuple(paintings.items()),
            clip.result_stamp,
        )
        if state == self._built or page.tabs.value != "Keyframes":
            return
        self._built = state
        self._free.set_visibility(isinstance(recipe.keyframes, tuple))
        self._where.set_text(f"in {show_path(clip.project.keyframes)}")
        keys = self.known()
        starts = [shot["start"] for shot in plan.get("shots", [])] or [0]
        self._list.clear()
        with self._list:
            if not keys:
                ui.label("They are not known yet: the clip has to be looked at once.").classes("hint")
            for number, frame in enumerate(sorted(keys)):
                if frame in starts or number == 0:
                    shot = max((n for n, start in enumerate(starts) if start <= frame), default=0)
                    ui.label(f"Shot {shot}").classes("shot")
                if number >= SHOWN:
                    ui.label(f"and {len(keys) - SHOWN:,} more").classes("hint")
                    break
                self._card(frame, keys[frame], paintings)

    def known(self) -> dict[int, str]:
        """Keyframes -> why they are: as they were planned, and as they were chosen since, until the clip is looked at again."""
        plan, recipe = self._page.clip.project.plan or {}, self._page.recipe
        keys = {key["frame"]: key["reason"] for key in plan.get("keyframes", [])}
        if isinstance(recipe.keyframes, tuple):
            keys = {frame: reason for frame, reason in keys.items() if frame in recipe.keyframes or reason == "start"}
            keys |= {int(frame): keys.get(int(frame), "pinned") for frame in recipe.keyframes}
        return keys | dict.fromkeys(recipe.storyboard, "storyboard")

    def _card(self, frame: int, reason: str, paintings: Mapping[int, str]) -> None:
        page, clip = self._page, self._page.clip
        base, results = f"/clips/{clip.name}", clip.results
        given = frame in page.recipe.storyboard
        with ui.element("div").classes("card").props(f'data-frame="{frame}"'):
            with ui.element("div").classes("pair"):
                ui.element("img").props(
                    f'src="{base}/frame/{frame}.jpg?side=320" loading="lazy" alt="Footage, frame {frame}"'
                )
                at = frame - clip.project.first_result
                if frame in paintings:
                    ui.element("img").props(
                        f'src="{base}/made/{paintings[frame]}.jpg" loading="lazy" alt="Painted, frame {frame}"'
                    )
                elif results is not None and 0 <= at < results.frames:
                    address = f"{base}/result/{at}.jpg?side=320&v={clip.result_stamp}"
                    ui.element("img").props(f'src="{address}" loading="lazy" alt="Result, frame {frame}"')
                else:
                    ui.label("not painted yet").classes("blank")
            with ui.element("div").classes("line tight"):
                ui.button(f"{frame:,}", on_click=page.act(lambda: page.seek(frame))).props(
                    "flat dense no-caps"
                ).tooltip("Go there")
                ui.label("approved" if given else REASONS.get(reason, reason)).classes("hint grow")
                small = "flat dense no-caps size=sm"
                if given:
                    ui.button("Withdraw", on_click=page.act(lambda: self._withdraw(frame))).props(small)
                else:
                    ui.button("Repaint", on_click=page.act(lambda: self._repaint(frame))).props(small).tooltip(
                        "With the next seed; neural-style draws no random numbers"
                    )
                    ui.button("Approve", on_click=page.act(lambda: self._approve(frame))).props(small).tooltip(
                        "It is used as it is painted now, whatever changes later"
                    )
                ui.button("Replace", on_click=page.act(lambda: self._ask(frame))).props(small)
                ui.button("Drop", on_click=page.act(lambda: self.drop(frame))).props(small)

    # What is done

    async def _repaint(self, frame: int) -> None:
        page = self._page
        page.seek(frame)
        page.shown = "painting"
        if page.recipe.painter != "neural-style":
            await page.change(seed=page.recipe.seed + 1)
        else:
            await page.paint()

    async def _approve(self, frame: int) -> None:
        page = self._page
        project = page.clip.project
        recipe = page.recipe

        async def work() -> None:
            look = hashlib.blake2b(recipe.to_text().encode(), digest_size=5).hexdigest()
            path = project.make_folder(project.keyframes) / f"approved.{frame:06d}.{look}.png"
            await page.clip.paint_whole(frame, recipe, path)
            project.change(storyboard={**project.recipe.storyboard, frame: str(path)})

        await attempt(work, f"painting frame {frame}", f"keyframe {frame} is approved")
        page.refresh()

    def _withdraw(self, frame: int) -> None:
        board = {number: path for number, path in self._page.recipe.storyboard.items() if number != frame}
        self._page.set(storyboard=board)

    def _ask(self, frame: int) -> None:
        self._asking = frame
        self._asked.set_text(f"A picture of the footage's size in place of keyframe {frame}; it is used as it is.")
        self._upload.reset()
        self._dialog.open()

    async def _given(self, event: events.UploadEventArguments) -> None:
        frame, project = self._asking, self._page.clip.project
        data = await event.file.read()
        suffix = Path(event.file.name).suffix.lower()

        async def work() -> None:
            folder = project.make_folder(project.keyframes)
            path = place(folder, f"given.{frame:06d}", data, suffix)
            new = await asyncio.to_thread(keep, path, data)
            try:
                await self._take({frame: path})
            except RestyleError:
                if new:
                    path.unlink()
                raise
            self._dialog.close()

        await attempt(work, "reading the picture", f"keyframe {frame} is yours")
        self._page.refresh()

    async def _take(self, pictures: Mapping[int, Path]) -> None:
        """Use pictures as keyframes. Raises ``RecipeError`` for one of another size or frame."""
        clip = self._page.clip
        spec, frames = clip.frames.spec, len(await asyncio.to_thread(lambda: clip.frames.pts))
        for frame, path in pictures.items():
            if frame >= frames:
                raise RecipeError(f"{show_path(path)}: there is no frame {frame}; the frames are 0 to {frames - 1}")
            picture = await asyncio.to_thread(read_picture, path)
            if picture.shape[:2] != (spec.height, spec.width):
                height, width = picture.shape[:2]
                raise RecipeError(f"{show_path(path)} is {width}x{height}, the footage {spec.width}x{spec.height}")
        board = {**clip.project.recipe.storyboard, **{frame: str(path) for frame, path in pictures.items()}}
        clip.project.change(storyboard=board)

    def _planned(self) -> list[int]:
        """The keyframes as they are, or will be."""
        page = self._page
        chosen = page.recipe.keyframes
        plan = page.clip.project.plan or {}
        return (
            [int(f) for f in chosen]
            if isinstance(chosen, tuple)
            else [key["frame"] for key in plan.get("keyframes", [])]
        )

    async def pin_here(self) -> None:
        """Make the shown frame a keyframe."""
        await self.pin(self._page.frame)

    async def pin(self, frame: int) -> None:
        """Make a frame a keyframe, beside those that there are."""
        keys = sorted({*self._planned(), frame})
        if self._page.set(keyframes=tuple(keys)):
            await self._page.start("look")
            notify(f"frame {frame} is a keyframe")

    async def _choose_anew(self) -> None:
        if self._page.set(keyframes="auto"):
            await self._page.start("look")

    async def drop(self, frame: int) -> None:
        """Make a keyframe one no longer."""
        keys = [number for number in self._planned() if number != frame]
        board = {number: path for number, path in self._page.recipe.storyboard.items() if number != frame}
        if not keys:
            notify("a clip has at least one keyframe", wrong=True)
            return
        if self._page.set(keyframes=tuple(keys), storyboard=board):
            await self._page.start("look")

    async def _export(self) -> None:
        page, project = self._page, self._page.clip.project
        keys = self._planned()

        async def work() -> None:
            if not keys:
                raise RecipeError("find the keyframes first")
            folder = project.make_folder(project.keyframes / "to-paint")
            for frame in keys:

                def save(frame: int = frame) -> bool:
                    return export(folder, frame, page.clip.preview.picture(frame))

                written.append(await page.clip.bench.run(f"export-{frame}", save))

        where, written = show_path(project.keyframes / "to-paint"), list[bool]()
        if await attempt(work, "writing the keyframes"):
            left = f"; {written.count(False)} that are painted already were left" if False in written else ""
            notify(f"{sum(written)} pictures in {where}{left}: paint over them, and take them back")

    async def _import(self) -> None:
        project = self._page.clip.project
        folder = project.keyframes / "to-paint"

        async def work() -> None:
            found: dict[int, Path] = {}
            for frame, path in exported(folder).items():
                if await self._is_painted(path, frame):
                    data = await asyncio.to_thread(path.read_bytes)  # a copy: who paints on changes nothing unseen
                    found[frame] = place(project.keyframes, f"given.{frame:06d}", data, ".png")
                    await asyncio.to_thread(keep, found[frame], data)
            if not found:
                raise RecipeError(
                    f"no picture in {show_path(folder)} differs from its frame: export, and paint over them"
                )
            await self._take(found)
            notify(f"{len(found)} painted keyframes are used")

        await attempt(work, "looking for painted pictures")
        self._page.refresh()

    async def _is_painted(self, path: Path, frame: int) -> bool:
        clip = self._page.clip
        return await clip.bench.run(f"import-{frame}", lambda: is_painted(path, clip.preview.picture(frame)))
