"""A folder in the studio: its clips in a table, restyled as a batch, and opened one by one."""

from __future__ import annotations

from pathlib import Path

from clips import moving_frames, write_clip
from studio_browser import browser, nameless, page_of, studio, wait_until

from restyle import Recipe


def test_the_clips_of_a_folder_are_restyled_and_each_can_be_opened(tmp_path: Path) -> None:
    folder = tmp_path / "day 1"
    (folder / "b").mkdir(parents=True)
    for number, name in enumerate(("a & <i>.mp4", "b/two.mp4")):
        write_clip(folder / name, moving_frames(6, (64, 48), seed=number))
    (folder / "broken.mp4").write_bytes(b"no film")
    with browser() as opened, studio(folder) as address, page_of(opened, address) as page:
        page.wait_for_selector("tr[data-clip]")
        assert page.locator("tr[data-clip]").count() == 3
        page.get_by_text("a & <i>.mp4", exact=True).wait_for()
        page.get_by_role("button", name="Restyle all").click()
        page.get_by_text("2 done, 1 failed").wait_for(timeout=60_000)
        page.locator(".clips .wrong").wait_for()
        assert {path.name for path in (tmp_path / "day 1.restyled").rglob("*.mp4")} >= {"a & <i>.mp4", "two.mp4"}
        page.locator(".clips .verdict").nth(1).wait_for()
        assert nameless(page) == []
        page.get_by_role("link", name="Open").first.click()
        page.wait_for_selector('canvas[data-frame="0"]')
        page.locator('[data-style="lava"]').click()
        page.wait_for_selector('canvas[data-right="painting"]')
        page.get_by_role("tab", name="Recipe", exact=True).click()
        page.get_by_role("button", name="Use it for all clips of the folder").click()
        recipe = tmp_path / "day 1.studio" / "recipe.json"
        wait_until("the recipe of all", lambda: Recipe.load(recipe).style == "lava" if recipe.exists() else False)
    assert sorted(path.name for path in folder.iterdir()) == ["a & <i>.mp4", "b", "broken.mp4"]
