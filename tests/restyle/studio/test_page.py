"""The studio in a real browser: opened, looked at, marked, painted, rendered, compared; left and found again."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page
from studio_browser import at, harbour, nameless, page_of, recipe_of, tab, wait_until

from controls.masks.files import read_matte
from controls.prompts import split_object


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return harbour(tmp_path_factory.mktemp("footage"), "a clip's <img src=x onerror=alert(1)> näme & #1%20.mp4")


def stroke(page: Page, *places: tuple[float, float]) -> None:
    page.mouse.move(*at(page, *places[0]))
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*at(page, *place))
    page.mouse.up()


def matte_of(clip: Path) -> np.ndarray:
    return read_matte(Path(split_object(recipe_of(clip).objects[0]).value))


def test_the_clip_is_shown_with_its_facts_and_its_name_as_it_is(page: Page, clip: Path) -> None:
    assert page.locator(".title").inner_text() == clip.name
    assert page.locator(".facts").inner_text() == "640 × 360 · 24 fps · 5.5 s · h264 8 bit · sound"
    assert page.locator('img[src="x"]').count() == 0


def test_keys_step_play_and_magnify(page: Page) -> None:
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    page.wait_for_selector('canvas[data-frame="11"]')
    assert page.get_by_role("slider", name="Frame").get_attribute("aria-valuetext") == "frame 11, 00:00:00:11"
    page.keyboard.press("End")
    page.wait_for_selector('canvas[data-frame="131"]')
    page.wait_for_timeout(300)  # until it has settled
    page.reload()
    page.wait_for_selector('canvas[data-frame="131"]')
    page.keyboard.press("Home")
    page.wait_for_selector('canvas[data-frame="0"]')
    page.keyboard.press("+")
    assert page.get_by_role("button", name="Whole picture").inner_text() == "150 %"
    page.keyboard.press("-")
    page.keyboard.press(" ")
    page.wait_for_function("Number(document.querySelector('.stage canvas').dataset.frame) > 8")
    page.keyboard.press(" ")


def test_a_look_paints_the_shown_frame_and_is_in_the_recipe(page: Page, clip: Path) -> None:
    page.locator('[data-style="lava"]').click()
    page.wait_for_selector('canvas[data-right="painting"]')
    assert recipe_of(clip).style == "lava"
    page.wait_for_selector('[data-style="lava"][aria-pressed="true"]')
    strength = page.get_by_role("slider", name="Strength: how strongly the style is painted")
    strength.locator("[tabindex]").focus()
    page.keyboard.press("ArrowLeft")
    wait_until("the strength", lambda: recipe_of(clip).strength == 0.95)
    page.wait_for_selector('canvas[data-right="painting"]')
    page.wait_for_function("document.querySelectorAll('.tile img[src]').length > 2")
    page.keyboard.press("Escape")
    page.locator(".stage canvas").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_selector('canvas[data-frame="1"][data-right="painting"]')
    page.get_by_role("button", name="Paint them on this frame").click()  # while the others are being painted
    page.wait_for_function("document.querySelectorAll('.tile img[src*=\"-1-\"]').length > 2")


def test_a_click_on_an_object_shows_its_matte(page: Page, clip: Path) -> None:
    tab(page, "Objects")
    with page.expect_response(lambda answer: "/matte/0.png" in answer.url and answer.status == 200):
        page.mouse.click(*at(page, 0.73, 0.14))
    wait_until("the mark", lambda: len(recipe_of(clip).objects) == 1)
    name, _, mark = recipe_of(clip).objects[0].partition("=")
    x, y = (float(value) for value in mark.removeprefix("point:").removesuffix("@0").split(","))
    assert name == "object-1"
    assert abs(x - 0.73 * 640) < 3
    assert abs(y - 0.14 * 360) < 3
    page.wait_for_function("document.querySelector('.status').innerText === ''")
    page.keyboard.down("Shift")
    page.mouse.click(*at(page, 0.5, 0.5))
    page.keyboard.up("Shift")
    wait_until("the second mark", lambda: len(recipe_of(clip).objects) == 2)
    assert "=not:" in recipe_of(clip).objects[1]
    page.get_by_text("2 marks").wait_for()
    page.get_by_role("button", name="Remove object-1").click()
    wait_until("the removal", lambda: recipe_of(clip).objects == ())


def test_a_box_is_dragged(page: Page, clip: Path) -> None:
    tab(page, "Objects")
    page.mouse.move(*at(page, 0.66, 0.03))
    page.mouse.down()
    page.mouse.move(*at(page, 0.75, 0.2))
    page.mouse.move(*at(page, 0.79, 0.32))
    page.mouse.up()
    wait_until("the box", lambda: any("=box:" in text for text in recipe_of(clip).objects))
    page.get_by_role("button", name="Remove object-1").click()
    wait_until("the removal", lambda: recipe_of(clip).objects == ())


def test_a_matte_is_painted_with_the_brush_erased_and_taken_back(page: Page, clip: Path) -> None:
    tab(page, "Objects")
    page.get_by_role("button", name="Brush", exact=True).click()
    page.wait_for_selector('canvas[data-tool="brush"]')
    with page.expect_response(lambda answer: "/matte/0.png" in answer.url and answer.status == 200):
        stroke(page, (0.3, 0.4), (0.4, 0.4), (0.5, 0.5))
    wait_until("the matte", lambda: len(recipe_of(clip).objects) == 1)
    painted = matte_of(clip)
    assert painted.shape == (360, 640)
    assert painted[144, 224] == 1
    assert painted[300, 224] == 0
    page.get_by_role("button", name="Eraser").click()
    page.wait_for_selector('canvas[data-tool="erase"]')
    page.keyboard.press("]")
    stroke(page, (0.35, 0.4), (0.36, 0.4))
    wait_until("the eraser", lambda: matte_of(clip)[144, 224] == 0)
    assert matte_of(clip)[180, 320] == 1
    page.get_by_role("button", name="Undo").click()
    wait_until("the stroke that is taken back", lambda: matte_of(clip)[144, 224] == 1)
    page.wait_for_function("document.querySelector('.status').innerText === ''")
    page.get_by_role("button", name="Clear").click()
    wait_until("the cleared matte", lambda: recipe_of(clip).objects == ())
    page.wait_for_selector('canvas[data-overlay="-1"]')
    page.get_by_role("button", name="Brush", exact=True).click()
    page.wait_for_selector('canvas[data-tool="brush"]')
    stroke(page, (0.6, 0.8), (0.62, 0.8))
    wait_until("a stroke anew", lambda: len(recipe_of(clip).objects) == 1)
    assert recipe_of(clip).objects[0].startswith("object-1=matte:")
    assert matte_of(clip)[144, 224] == 0
    page.get_by_role("button", name="Undo").click()
    wait_until("the stroke that is taken back", lambda: recipe_of(clip).objects == ())
    page.get_by_role("button", name="Undo").click()
    wait_until("the mark that is there again", lambda: len(recipe_of(clip).objects) == 1)
    assert matte_of(clip)[144, 224] == 1
    page.wait_for_selector('canvas:not([data-overlay="-1"])')
    page.get_by_role("button", name="Click and box").click()
    page.get_by_role("button", name="Remove object-1").click()
    wait_until("the removal", lambda: recipe_of(clip).objects == ())


def test_ten_frames_are_rendered_stopped_gone_on_with_and_compared(page: Page, clip: Path) -> None:
    tab(page, "Render")
    page.get_by_label("Frames IN:OUT (empty: all)").fill("0:60")
    page.keyboard.press("Enter")
    wait_until("the range", lambda: recipe_of(clip).range == "0:60")
    page.get_by_role("button", name="Render", exact=True).click()
    page.get_by_role("button", name="Stop").click()
    page.get_by_text("Stopped; what is finished is kept.").wait_for()
    page.reload()
    page.wait_for_selector('canvas[data-frame="0"]')
    tab(page, "Render")
    page.get_by_role("button", name="Go on").wait_for()
    page.get_by_label("Frames IN:OUT (empty: all)").fill("0:10")
    page.keyboard.press("Enter")
    wait_until("the range", lambda: recipe_of(clip).range == "0:10")
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("button", name="Stop").wait_for()
    page.reload()  # in mid-job
    page.wait_for_selector('canvas[data-frame="0"]')
    tab(page, "Render")
    page.get_by_role("button", name="Compare").click()
    page.wait_for_selector('canvas[data-right="result"]')
    assert clip.with_name(f"{clip.stem}.restyled.mp4").exists()
    page.mouse.move(*at(page, 0.5, 0.5))
    page.mouse.down()
    page.mouse.move(*at(page, 0.2, 0.5))
    page.mouse.up()
    page.keyboard.press(" ")  # both sides in step
    page.wait_for_function("Number(document.querySelector('.stage canvas').dataset.frame) > 4")


def test_a_keyframe_is_approved_and_another_tab_sees_it(
    page: Page, chromium: Browser, address: str, clip: Path
) -> None:
    tab(page, "Keyframes")
    card = page.locator('.card[data-frame="0"]')
    card.get_by_role("button", name="Approve").click()
    wait_until("the approval", lambda: 0 in recipe_of(clip).storyboard)
    assert Path(recipe_of(clip).storyboard[0]).is_file()
    card.get_by_text("approved").wait_for()
    with page_of(chromium, address) as other:
        other.wait_for_selector('canvas[data-frame="0"]')
        tab(other, "Keyframes")
        other.locator('.card[data-frame="0"]').get_by_role("button", name="Withdraw").click()
    wait_until("the withdrawal", lambda: recipe_of(clip).storyboard == {})
    card.get_by_role("button", name="Approve").wait_for()


def test_the_recipe_and_the_lines_that_do_the_same_are_told(page: Page, clip: Path) -> None:
    tab(page, "Recipe")
    told = json.loads(page.get_by_role("region", name="Recipe", exact=True).inner_text())
    assert told["style"] == "lava"
    assert page.get_by_role("region", name="Command line").inner_text().startswith("restyle run -o ")
    program = page.get_by_role("region", name="Python").inner_text()
    compile(program, "program", "exec")
    assert repr(str(clip)) in program


@pytest.mark.parametrize(("size", "dark"), [((1280, 720), False), ((820, 1180), True)])
def test_nothing_is_cut_off_or_lies_over_something_else(
    chromium: Browser, address: str, size: tuple[int, int], dark: bool
) -> None:
    with page_of(chromium, address, size=size, dark=dark) as page:
        page.wait_for_selector('canvas[data-frame="0"]')
        for name in ("Look", "Objects", "Keyframes", "Render", "Recipe"):
            tab(page, name)
            page.wait_for_timeout(150)
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= size[0], f"{name} is {wide} pixels wide"
            assert page.evaluate(CUT_OFF) == [], name
        paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (paper == "rgb(22, 22, 21)") == dark


def test_whatever_can_be_done_has_a_name_for_who_cannot_see_it(page: Page) -> None:
    tab(page, "Objects")
    page.get_by_role("button", name="Brush", exact=True).click()
    page.wait_for_selector('canvas[data-tool="brush"]')
    page.mouse.click(*at(page, 0.73, 0.14))
    page.get_by_role("button", name="Remove object-1").wait_for()
    for name in ("Look", "Objects", "Keyframes", "Render", "Recipe"):
        tab(page, name)
        for more in page.locator(".panel-body .q-expansion-item:visible").all():
            more.get_by_role("button").first.click()
        page.wait_for_timeout(400)
        assert nameless(page) == [], name
    tab(page, "Objects")
    page.get_by_role("button", name="Click and box").click()
    page.get_by_role("button", name="Remove object-1").click()


CUT_OFF = """() => [...document.querySelectorAll(
    '.panel button, .panel label, .heading, .transport button, .panel .q-tab__label')]
  .filter((e) => e.offsetParent && (e.scrollWidth > e.clientWidth + 2 || e.getBoundingClientRect().right > innerWidth + 1))
  .map((e) => e.innerText)"""
