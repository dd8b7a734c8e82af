from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from studio_browser import browser, page_of, studio

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def address(clip: Path, chromium: Browser) -> Iterator[str]:
    """Of a studio of the module's own clip."""
    with studio(clip) as told:
        yield told


@pytest.fixture
def page(chromium: Browser, address: str) -> Iterator[Page]:
    with page_of(chromium, address) as opened:
        opened.wait_for_selector('canvas[data-frame="0"]')
        yield opened
