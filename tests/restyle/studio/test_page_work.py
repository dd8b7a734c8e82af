"""The studio in a real browser: keyframes changed and painted elsewhere, objects followed and doubted, versions compared."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from clips import read_picture, read_pictures, write_clip
from PIL import Image
from playwright.sync_api import Page
from scenes import moving_scene
from studio_browser import at, recipe_of, tab, wait_until

from restyle.footage import probe, write_picture
from restyle.studio.keyframe_files import place

SIZE = (160, 120)
GONE = 9  # the frame in which the disc is gone, in the middle of the picture


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("footage") / "disc.mp4"
    frames = moving_scene(14).frames[:GONE] + moving_scene(14, disc=0).frames[GONE:]
    write_clip(path, frames, options={"crf": "8"})
    return path


def looked_at(page: Page, clip: Path, *, frames: int = 14) -> None:
    """Wait until the clip was looked at, and the page knows it."""
    state = clip.with_name("disc.restyled.mp4.studio") / "work.json"
    wait_until(
        "the look", lambda: f"{frames} frames in " in state.read_text() if state.exists() else False, seconds=120
    )
    page.wait_for_timeout(1000)


def test_keyframes_are_found_pinned_and_dropped(page: Page, clip: Path) -> None:
    tab(page, "Keyframes")
    page.get_by_role("button", name="Find shots and keyframes").click()
    page.locator('.card[data-frame="0"]').wait_for()
    page.get_by_role("slider", name="Frame").focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    page.wait_for_selector('canvas[data-frame="5"]')
    page.wait_for_timeout(300)  # until it has settled
    page.get_by_role("button", name="Pin this frame").click()
    page.locator('.card[data-frame="5"]').wait_for()
    looked_at(page, clip)
    assert {0, 5} <= set(recipe_of(clip).keyframes)
    page.locator('.card[data-frame="5"]').get_by_role("button", name="Drop").click()
    page.locator('.card[data-frame="5"]').wait_for(state="detached")
    assert 5 not in recipe_of(clip).keyframes
    page.get_by_role("button", name="Choose anew").click()
    wait_until("the choice", lambda: recipe_of(clip).keyframes == "auto")
    looked_at(page, clip)


def test_keyframes_are_painted_elsewhere_and_taken_back(page: Page, clip: Path, tmp_path: Path) -> None:
    tab(page, "Keyframes")
    page.locator('.card[data-frame="0"]').wait_for()
    page.get_by_role("button", name="Export all for painting").click()
    folder = clip.with_name("disc.restyled.mp4.studio") / "keyframes" / "to-paint"
    wait_until("the pictures", lambda: (folder / "frame.000000.png").exists())
    page.get_by_role("button", name="Take painted ones back").click()
    page.get_by_text("no picture in").wait_for()
    assert recipe_of(clip).storyboard == {}
    write_picture(folder / "frame.000000.png", 255 - read_picture(folder / "frame.000000.png"))
    page.get_by_role("button", name="Take painted ones back").click()
    wait_until("the painted keyframe", lambda: list(recipe_of(clip).storyboard) == [0])
    card = page.locator('.card[data-frame="0"]')
    taken = Path(recipe_of(clip).storyboard[0])
    page.get_by_role("button", name="Export all for painting").click()
    page.get_by_text("1 that are painted already were left").wait_for()
    assert np.array_equal(read_picture(taken), read_picture(folder / "frame.000000.png"))
    card.get_by_role("button", name="Withdraw").click()
    card.get_by_role("button", name="Approve").wait_for()
    # a picture of one's own in its place; one of another size is refused
    for name, size in (("small.png", (80, 60)), ("own.png", SIZE)):
        write_picture(tmp_path / name, np.full((size[1], size[0], 3), 90, np.uint8))
    card.get_by_role("button", name="Replace").click()
    page.locator(".q-dialog input[type=file]").set_input_files(tmp_path / "small.png")
    page.get_by_text("is 80x60, the footage 160x120").wait_for()
    page.locator(".q-dialog input[type=file]").set_input_files(
        {"name": f"own.{'x' * 300}", "mimeType": "image/png", "buffer": b"no picture"}
    )
    page.get_by_text("cannot write").wait_for()
    page.locator(".q-dialog input[type=file]").set_input_files(tmp_path / "own.png")
    wait_until("the picture", lambda: recipe_of(clip).storyboard.get(0, str(taken)) != str(taken))
    given = Path(recipe_of(clip).storyboard[0])
    refused = place(given.parent, "given.000000", (tmp_path / "small.png").read_bytes(), ".png")
    assert not refused.exists()
    refused.write_bytes((tmp_path / "small.png").read_bytes())  # as if a version that was kept used it
    card.get_by_role("button", name="Replace").click()
    page.locator(".q-dialog input[type=file]").set_input_files(tmp_path / "small.png")
    page.get_by_text("is 80x60, the footage 160x120").last.wait_for()
    assert recipe_of(clip).storyboard[0] == str(given)
    assert read_picture(given).shape == (SIZE[1], SIZE[0], 3)  # what was given before is still there
    page.get_by_role("button", name="Close").last.click()
    card.get_by_role("button", name="Withdraw").click()
    wait_until("the withdrawal", lambda: recipe_of(clip).storyboard == {})
    assert refused.exists()


def test_an_object_is_followed_to_its_end_and_what_is_doubted_is_marked(page: Page, clip: Path) -> None:
    tab(page, "Objects")
    page.get_by_label("Name of a new object").fill("disc")
    page.get_by_role("button", name="New object").click()
    page.mouse.move(*at(page, 0.1, 0.3, size=SIZE))
    page.mouse.down()
    page.mouse.move(*at(page, 0.3, 0.6, size=SIZE))
    page.mouse.move(*at(page, 0.41, 0.71, size=SIZE))
    page.mouse.up()
    wait_until("the box", lambda: any("disc=box:" in text for text in recipe_of(clip).objects))
    page.get_by_role("button", name="Follow through the clip").click()
    looked_at(page, clip)
    doubt = page.locator(".chips button").first
    doubt.wait_for()
    number = int(doubt.inner_text())
    assert abs(number - GONE) <= 2
    with page.expect_response(lambda answer: f"/matte/{GONE - 1}.png" in answer.url) as told:
        page.get_by_role("slider", name="Frame").focus()
        page.keyboard.press("Home")
        for _ in range(GONE - 1):
            page.keyboard.press("ArrowRight")
    matte = Image.open(io.BytesIO(told.value.body())).getchannel("A")
    assert (np.asarray(matte) > 0).mean() > 0.05  # the disc, followed to its last frame
    doubt.click()
    page.wait_for_selector(f'canvas[data-frame="{number}"]')
    page.get_by_role("button", name="Remove disc").click()
    wait_until("the removal", lambda: recipe_of(clip).objects == ())


def test_words_want_a_detector_and_say_so(page: Page, clip: Path) -> None:
    tab(page, "Objects")
    page.get_by_label("Or name it in words").fill("red disc")
    page.get_by_role("button", name="Find").click()
    wait_until("the words", lambda: any("disc=text:red disc" in text for text in recipe_of(clip).objects))
    page.locator(".q-notification").get_by_text("detector").wait_for()
    page.get_by_role("button", name="Take away").click()
    wait_until("the removal", lambda: recipe_of(clip).objects == ())


def test_control_maps_of_the_shown_frame_stand_beside_the_prompts(page: Page, clip: Path) -> None:
    page.get_by_text("Painter and prompts").click()
    page.get_by_label("Painter", exact=True).click()
    page.get_by_role("option", name="diffusion").click()
    page.get_by_label("Add a kind").click()
    page.get_by_role("option", name="canny", exact=True).click()
    shown = '[data-control="canny"] img[src*="map-canny-0-"]:not(.empty)'
    page.wait_for_selector(shown)
    page.wait_for_function(f"document.querySelector({shown!r}).naturalWidth === {SIZE[0]}")
    assert [control.kind for control in recipe_of(clip).controls] == ["canny"]
    page.locator(".stage canvas").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_selector('[data-control="canny"] img[src*="map-canny-1-"]:not(.empty)')
    strength = page.get_by_label("Strength of canny")
    strength.fill("0.5")
    strength.press("Enter")
    wait_until("the strength", lambda: recipe_of(clip).controls[0].strength == 0.5)
    page.get_by_role("button", name="Remove canny").click()
    wait_until("the removal", lambda: recipe_of(clip).controls == ())
    page.get_by_label("Painter", exact=True).click()
    page.get_by_role("option", name="neural-style").click()
    wait_until("the painter", lambda: recipe_of(clip).painter == "neural-style")


def test_a_range_that_is_none_renders_nothing(page: Page, clip: Path) -> None:
    tab(page, "Render")
    page.get_by_label("Frames IN:OUT (empty: all)").fill("ten")
    page.get_by_role("button", name="Render", exact=True).click()
    page.locator(".q-notification").get_by_text("cannot read the range").first.wait_for()
    page.wait_for_timeout(300)
    assert page.get_by_role("button", name="Render", exact=True).is_visible()
    assert recipe_of(clip).range is None


def test_versions_wait_for_each_other_are_compared_and_written_as_a_clip(page: Page, clip: Path) -> None:
    page.locator('[data-style="lava"]').click()
    wait_until("the look", lambda: recipe_of(clip).style == "lava")
    tab(page, "Render")
    page.get_by_label("Frames IN:OUT (empty: all)").fill("0:6")
    page.keyboard.press("Enter")
    wait_until("the range", lambda: recipe_of(clip).range == "0:6")
    page.get_by_role("button", name="Render", exact=True).click()
    page.get_by_role("button", name="Stop", exact=True).first.wait_for()
    tab(page, "Look")
    page.locator('[data-style="mosaic"]').click()
    wait_until("the other look", lambda: recipe_of(clip).style == "mosaic")
    tab(page, "Render")
    page.get_by_role("button", name="Render as a version").click()
    row = page.locator('[data-version="1"]')
    row.get_by_text("1: mosaic").wait_for()
    page.get_by_role("button", name="Keep this result").click(timeout=120_000)
    page.locator('[data-version="2"]').get_by_text("2: lava").wait_for()
    row.get_by_role("button", name="Use its recipe").wait_for(timeout=120_000)
    for label, option in (("A", "2: lava"), ("B", "1: mosaic")):
        page.get_by_label(label, exact=True).click()
        page.get_by_role("option", name=option).click()
        page.wait_for_function("document.querySelectorAll('[role=option]').length === 0")
    with (
        page.expect_response(lambda answer: "/version/2/0.jpg" in answer.url and answer.status == 200),
        page.expect_response(lambda answer: "/version/1/0.jpg" in answer.url and answer.status == 200),
    ):
        page.get_by_role("button", name="Compare A and B").click()
    page.wait_for_selector('canvas[data-right="result"]')
    page.get_by_role("button", name="Side by side").click()
    page.get_by_role("link", name="beside.mp4, 6 frames").wait_for(timeout=60_000)
    own = clip.with_name("disc.restyled.mp4.studio")
    written = probe(own / "comparison" / "beside.mp4")
    assert (written.width, written.height) == (2 * SIZE[0], SIZE[1])
    (first, *_), (lava, *_) = (
        read_pictures(p) for p in (own / "comparison" / "beside.mp4", own / "versions" / "2" / "result.mp4")
    )
    assert np.abs(first[:, : SIZE[0]].astype(int) - lava).mean() < 8
    page.get_by_role("button", name="Remove version 1").click()
    row.wait_for(state="detached")


def test_renders_in_the_queue_are_stopped_and_gone_on_with(page: Page, clip: Path) -> None:
    tab(page, "Render")
    own = clip.with_name("disc.restyled.mp4.studio")
    for name in ("3", "4"):
        page.get_by_role("button", name="Render as a version").click()
        page.locator(f'[data-version="{name}"]').wait_for()
    queue = page.get_by_role("group", name="Queue")
    queue.get_by_text("disc.mp4 · version 3").wait_for()
    queue.get_by_role("button", name="Stop disc.mp4 · version 4").click()
    row = page.locator('[data-version="4"]')
    row.get_by_role("button", name="Go on").click()
    for name in ("3", "4"):
        result = own / "versions" / name / "result.mp4"
        wait_until(f"version {name}", result.exists, seconds=120)
        assert probe(result).frames == 6
    queue.get_by_text("version").first.wait_for(state="detached")


def test_a_wipe_is_written_and_can_be_watched(page: Page, clip: Path) -> None:
    tab(page, "Render")
    folder = clip.with_name("disc.restyled.mp4.studio") / "comparison"
    page.get_by_role("button", name="Wipe", exact=True).last.click()
    page.get_by_role("link", name="wipe.mp4, 6 frames").wait_for(timeout=60_000)
    assert (probe(folder / "wipe.mp4").width, probe(folder / "wipe.mp4").height) == SIZE
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="wipe.mp4, 6 frames").click()
    opened.value.close()
