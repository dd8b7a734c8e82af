"""What becomes of work when the studio, or the work's own process, is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from clips import moving_frames, write_clip
from playwright.sync_api import Browser
from studio_browser import page_of, recipe_of, studio, tab, wait_until

from restyle.footage import probe


def state_of(clip: Path) -> dict[str, object]:
    try:
        plain: dict[str, object] = json.loads(
            (clip.with_name(f"{clip.stem}.restyled.mp4.studio") / "work.json").read_text()
        )
    except (OSError, ValueError):
        return {}
    return plain


@pytest.mark.slow
def test_work_outlives_the_studio_and_is_gone_on_with_when_it_is_killed_itself(
    tmp_path: Path, chromium: Browser
) -> None:
    clip = write_clip(tmp_path / "clip.mp4", moving_frames(40, (160, 120)))
    result = tmp_path / "clip.restyled.mp4"
    command = [sys.executable, "-m", "restyle", "studio", str(clip), "--no-open"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with page_of(chromium, process.stdout.readline().strip()) as page:
        page.wait_for_selector('canvas[data-frame="0"]')
        page.locator('[data-style="lava"]').click()
        wait_until("the look", lambda: recipe_of(clip).style == "lava")
        tab(page, "Render")
        page.get_by_role("button", name="Render", exact=True).click()
        wait_until("the work", lambda: state_of(clip).get("stage") == "render")
        process.kill()
        process.communicate()
        assert not result.exists()
    wait_until("the end of the work", result.exists, seconds=120)
    before = result.read_bytes()
    with studio(clip) as address, page_of(chromium, address) as page:
        page.wait_for_selector('canvas[data-frame="0"]')
        tab(page, "Render")
        page.get_by_text("Done.", exact=True).wait_for()
        assert recipe_of(clip).style == "lava"
        page.get_by_label("Frames IN:OUT (empty: all)").fill("0:38")
        page.keyboard.press("Enter")
        wait_until("the range", lambda: recipe_of(clip).range == "0:38")
        page.get_by_role("button", name="Render", exact=True).click()
        page.get_by_role("button", name="Stop", exact=True).first.wait_for()
        wait_until("its process", lambda: state_of(clip).get("state") == "running")
        os.kill(int(str(state_of(clip)["pid"])), signal.SIGKILL)
        page.get_by_text("The work ended without a word").wait_for()
        assert result.read_bytes() == before
        page.get_by_role("button", name="Go on").click()
        wait_until("the result", lambda: probe(result).frames == 38, seconds=120)
