"""Clips that are open in a studio of a folder."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from clips import moving_frames, write_clip

from restyle.studio.bench import Superseded
from restyle.studio.open_clip import OpenClip
from restyle.studio.rooms import KEPT, Rooms


def test_clips_that_nobody_looks_at_are_let_go_of(tmp_path: Path) -> None:
    names = [f"{number}.mp4" for number in range(KEPT + 3)]
    for name in names:
        write_clip(tmp_path / name, moving_frames(3, (64, 48)))
    rooms = Rooms(tmp_path)

    async def look() -> list[OpenClip]:
        clips = [await rooms.clip(str(tmp_path / names[0]))]
        clips[0].pages = 1
        clips += [await rooms.clip(str(tmp_path / name)) for name in names[1:]]
        assert await rooms.clip(str(tmp_path / names[0])) is clips[0]
        with pytest.raises(Superseded):  # it is closed: nothing begins any more
            await clips[1].bench.run("paint", lambda: None)
        assert await clips[0].bench.run("paint", lambda: 7) == 7
        return clips

    clips = asyncio.run(look())
    still = [clip for clip in clips if rooms.named(clip.name) is clip]
    assert still == [clips[0], *clips[-KEPT - 1 :]]
    rooms.close()
