"""The time line under the mouse: scrubbed, zoomed, its marks clicked on; and keys that go from mark to mark."""

from __future__ import annotations

from pathlib import Path

import pytest
from clips import moving_frames, write_clip
from playwright.sync_api import Page
from studio_browser import recipe_of, tab, wait_until

FRAMES = 200


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("footage") / "long.mp4"
    return write_clip(path, moving_frames(FRAMES, (64, 48), cuts=(80,)))


def place(page: Page, part: float, *, below: bool = False) -> tuple[float, float]:
    box = page.locator("canvas.timeline").bounding_box()
    assert box is not None
    return box["x"] + part * box["width"], box["y"] + (41 if below else 15)


def shown(page: Page) -> tuple[int, int]:
    first, last = (page.locator("canvas.timeline").get_attribute("data-range") or "").split(":")
    return int(first), int(last)


def frame_is(page: Page, number: int) -> None:
    page.wait_for_selector(f'.stage canvas[data-frame="{number}"]')


def test_dragging_scrubs(page: Page) -> None:
    page.mouse.move(*place(page, 0.25))
    page.mouse.down()
    frame_is(page, 50)
    page.mouse.move(*place(page, 0.6))
    page.mouse.move(*place(page, 0.75))
    frame_is(page, 150)
    page.mouse.up()
    page.mouse.move(*place(page, 0.1))  # nothing is held any more
    page.wait_for_timeout(200)
    frame_is(page, 150)


def test_the_wheel_shows_a_part_in_which_single_frames_can_be_hit(page: Page) -> None:
    assert shown(page) == (0, FRAMES)
    page.mouse.move(*place(page, 0.5))
    for _ in range(12):
        page.mouse.wheel(0, -100)
    wait_until("the part", lambda: shown(page)[1] - shown(page)[0] == 12)
    assert shown(page)[0] <= 100 <= shown(page)[1]  # what was under the mouse still is
    first = shown(page)[0]
    page.mouse.click(*place(page, 0.3))
    wait_until("the frame", lambda: abs(number(page) - (first + 3.6)) <= 1)
    page.keyboard.press("End")  # the shown frame is kept in sight
    wait_until("the end", lambda: shown(page)[1] == FRAMES)
    page.mouse.wheel(-100, 0)
    wait_until("the part before", lambda: shown(page)[1] < FRAMES)
    page.mouse.dblclick(*place(page, 0.5))
    wait_until("all of it", lambda: shown(page) == (0, FRAMES))


def number(page: Page) -> int:
    return int(page.locator("canvas.timeline").get_attribute("aria-valuenow") or -1)


def test_keyframes_are_pinned_by_a_key_clicked_on_and_leapt_to(page: Page, clip: Path) -> None:
    tab(page, "Keyframes")
    page.get_by_role("button", name="Find shots and keyframes").click()
    page.locator('.card[data-frame="80"]').wait_for()
    page.get_by_role("slider", name="Frame").focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("k")
    wait_until("the keyframe", lambda: recipe_of(clip).keyframes != "auto")
    assert {2, 80} <= set(recipe_of(clip).keyframes)
    page.locator('.card[data-frame="2"]').wait_for()
    page.keyboard.press("ArrowUp")
    frame_is(page, 0)
    page.keyboard.press("ArrowDown")
    frame_is(page, 2)
    page.mouse.move(*place(page, 80 / FRAMES, below=True))
    line = page.locator("canvas.timeline")
    wait_until("its name", lambda: (line.get_attribute("title") or "").startswith("Frame 80: keyframe"))
    page.mouse.click(*place(page, 80 / FRAMES, below=True))
    frame_is(page, 80)
    page.keyboard.press("ArrowUp")
    frame_is(page, leapt_to := max(int(frame) for frame in recipe_of(clip).keyframes if int(frame) < 80))
    page.keyboard.press("k")
    wait_until("the keyframe that is none", lambda: leapt_to not in recipe_of(clip).keyframes)
