"""The studio's start: soon, and without a trace."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from clips import moving_frames, write_clip
from playwright.sync_api import Browser
from studio_browser import page_of, studio

from restyle.studio.door import Door


def test_what_the_first_page_does_not_need_is_not_imported() -> None:
    code = "import sys, restyle.studio.server; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    dear = {"restyle.job.job", "restyle.batch.batch", "scenedetect", "onnxruntime", "torch", "scipy", "mediapipe"}
    assert loaded & dear == set()


def test_the_door_listens_before_there_is_anything_behind_it(tmp_path: Path) -> None:
    door = Door(tmp_path)
    assert door.socket.getsockname() == ("127.0.0.1", door.port)
    assert door.address == f"http://127.0.0.1:{door.port}/?token={door.token}"
    assert len(door.token) >= 32
    door.socket.close()


def test_who_only_looks_leaves_nothing(tmp_path: Path, chromium: Browser) -> None:
    write_clip(tmp_path / "clip.mp4", moving_frames(6, (64, 48)))
    with studio(tmp_path / "clip.mp4") as address, page_of(chromium, address) as page:
        page.wait_for_selector('canvas[data-frame="0"]')
        page.wait_for_function("document.querySelectorAll('.tile img[src]').length === 26")
        page.keyboard.press("ArrowRight")
        page.wait_for_selector('canvas[data-frame="1"]')
        page.wait_for_timeout(400)
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]
