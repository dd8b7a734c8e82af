"""Makes the pictures of docs/studio.md anew: python docs/studio_pictures.py (wants Debian's chromium, and the extra ``test``).

The sample clip is worked on in the studio as a person would, and the page is photographed. For looking at the page, ``--out``
names another folder, ``--size`` and ``--dark`` another view.
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from studio_browser import browser, harbour, page_of, studio

MOST = 300_000  # bytes of a picture


def save(page: Page, path: Path) -> None:
    """A photograph of the page, as a PNG of few colours where it would be too large."""
    page.mouse.move(2, 2)
    page.wait_for_function("document.querySelector('.status').innerText === ''", timeout=120_000)
    page.wait_for_timeout(400)
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    for colours in (256, 128, 64):
        picture.quantize(colours, dither=Image.Dither.FLOYDSTEINBERG).save(path, optimize=True)
        if path.stat().st_size < MOST:
            return
    raise SystemExit(f"{path} is {path.stat().st_size:,} bytes")


def tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name, exact=True).click()
    page.locator(f".panel-body[data-panel={name}]").wait_for()


def photograph(page: Page, out: Path) -> None:
    page.wait_for_selector('canvas[data-frame="0"]')
    page.get_by_role("slider", name="Frame").focus()
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    page.locator('[data-style="autumn-oil"]').click()
    page.wait_for_selector('canvas[data-right="painting"]')
    page.get_by_role("button", name="Paint them on this frame").click()
    page.wait_for_function("document.querySelectorAll('.tile img[src*=\"-20-\"]').length === 26", timeout=300_000)
    save(page, out / "studio-look.png")
    page.get_by_role("button", name="Footage", exact=True).click()
    tab(page, "Objects")
    page.wait_for_selector("canvas.marking")
    box = page.locator(".stage canvas").bounding_box()
    assert box is not None
    scale = min(box["width"] / 640, box["height"] / 360)
    left, top = box["x"] + (box["width"] - 640 * scale) / 2, box["y"] + (box["height"] - 360 * scale) / 2
    page.get_by_label("Name of a new object").fill("balloon")
    page.get_by_role("button", name="New object").click()
    page.mouse.move(left + 433 * scale, top + 10 * scale)
    page.mouse.down()
    page.mouse.move(left + 480 * scale, top + 60 * scale)
    page.mouse.move(left + 506 * scale, top + 104 * scale)
    page.mouse.up()
    page.locator(".object", has_text="balloon").wait_for()
    save(page, out / "studio-objects.png")
    page.get_by_role("button", name="Remove balloon").click()
    tab(page, "Render")
    page.get_by_role("button", name="Render", exact=True).click()
    page.get_by_role("button", name="Compare").click(timeout=300_000)
    page.wait_for_selector('canvas[data-right="result"]')
    save(page, out / "studio-result.png")
    tab(page, "Keyframes")
    page.locator('.card[data-frame="0"]').wait_for()
    save(page, out / "studio-keyframes.png")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    parser.add_argument("--size", default="1280x720")
    parser.add_argument("--dark", action="store_true")
    given = parser.parse_args()
    width, height = map(int, given.size.split("x"))
    with (
        tempfile.TemporaryDirectory() as folder,
        browser() as opened,
        studio(harbour(Path(folder))) as address,
        page_of(opened, address, size=(width, height), dark=given.dark) as page,
    ):
        photograph(page, given.out)


if __name__ == "__main__":
    main()
