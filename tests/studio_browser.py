"""A studio in a process of its own, and a browser that looks at it: Debian's chromium, driven by Playwright."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from restyle import Recipe

__all__ = ["CHROMIUM", "at", "browser", "harbour", "nameless", "page_of", "recipe_of", "studio", "tab", "wait_until"]

CHROMIUM = shutil.which("chromium")
NAMELESS = re.compile(
    r"\s*- (button|checkbox|combobox|img|link|option|progressbar|radio|slider|spinbutton|switch|tab|textbox)\b(?! \"[^\"])"
)
UNLABELLED = """() => [...document.querySelectorAll('input:not([type=file]), textarea')]
  .filter((e) => e.offsetParent && !e.ariaLabel && !e.closest('.q-field')?.ariaLabel
    && !e.closest('.q-field')?.querySelector('[aria-label], .q-field__label'))
  .map((e) => e.outerHTML)"""
PATIENCE = 60_000  # milliseconds; a busy machine takes its time


@contextmanager
def studio(*words: object, cwd: Path | None = None) -> Iterator[str]:
    """Start ``restyle studio``; gives the address that it prints."""
    command = [sys.executable, "-m", "restyle", "studio", *map(str, words), "--no-open"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=cwd)
    try:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        if address == "{":  # --json
            address = json.loads(address + process.stdout.readline() + "}")["url"]
        if not address:
            assert process.stderr is not None
            pytest.fail(process.stderr.read())
        yield address
    finally:
        process.terminate()
        _, said = process.communicate(timeout=20)
    assert "Traceback" not in said, said
    assert process.returncode == 0, said


@contextmanager
def browser() -> Iterator[Browser]:
    """A browser without a window; skips the test where there is none."""
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine: apt-get install chromium")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield opened
        finally:
            opened.close()


@contextmanager
def page_of(
    opened: Browser, address: str, *, size: tuple[int, int] = (1280, 720), dark: bool = False
) -> Iterator[Page]:
    """A page in a browser profile of its own. It fails if the page asks any other machine for anything, or a script fails."""
    context = opened.new_context(
        viewport={"width": size[0], "height": size[1]}, color_scheme="dark" if dark else "light"
    )
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    asked: list[str] = []
    failed: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: failed.append(str(error)))
    page.on(
        "console", lambda message: failed.append(message.text) if "Content Security Policy" in message.text else None
    )
    page.goto(address, wait_until="commit")
    try:
        yield page
    finally:
        context.close()
    own = address.split("?")[0]
    strangers = [url for url in asked if not url.startswith((own, "data:", "blob:"))]
    assert strangers == []
    assert failed == []


def nameless(page: Page) -> list[str]:
    """What can be done on the page, and has no name for who cannot see it."""
    told = page.locator("body").aria_snapshot().splitlines()
    assert any("- button" in line for line in told)
    unlabelled: list[str] = page.evaluate(UNLABELLED)
    return [line.strip() for line in told if NAMELESS.match(line)] + unlabelled


def wait_until(what: str, true: object, *, seconds: float = 30) -> None:
    """Wait until a function gives something true."""
    assert callable(true)
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"{what}: it did not come"
        time.sleep(0.1)


def harbour(folder: Path, name: str = "harbour.mp4") -> Path:
    """The sample in a folder."""
    path = folder / name
    shutil.copyfile(Path(__file__).parents[1] / "samples" / "harbour.mp4", path)
    return path


def recipe_of(clip: Path) -> Recipe:
    """The recipe file that the studio wrote of a clip."""
    path = clip.with_name(f"{clip.stem}.restyled.mp4.studio") / "recipe.json"
    return Recipe.load(path) if path.exists() else Recipe()


def tab(page: Page, name: str) -> None:
    """Turn to a panel."""
    page.get_by_role("tab", name=name, exact=True).click()
    page.locator(f".panel-body[data-panel={name}]").wait_for()
    page.locator("canvas.marking").wait_for(state="attached" if name == "Objects" else "detached")


def at(page: Page, x: float, y: float, *, size: tuple[int, int] = (640, 360)) -> tuple[float, float]:
    """A place of the picture, as parts of its width and height, on the screen."""
    box = page.locator(".stage canvas").bounding_box()
    assert box is not None
    wide, tall = size
    scale = min(box["width"] / wide, box["height"] / tall)
    left, top = box["x"] + (box["width"] - wide * scale) / 2, box["y"] + (box["height"] - tall * scale) / 2
    return left + x * wide * scale, top + y * tall * scale
