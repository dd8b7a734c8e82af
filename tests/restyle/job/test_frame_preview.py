"""Single frames, looked at soon: as a run would see, cut and paint them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from clips import number_of, numbered_frames, write_clip
from scenes import moving_scene

from restyle import Control, FramePreview, Job, Layer, Recipe, RecipeError
from restyle.footage import open_footage


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("preview") / "clip.mkv"
    write_clip(path, moving_scene(12).frames, codec="ffv1", pixel_format="bgr0")
    return path


@pytest.fixture(scope="module")
def preview(clip: Path) -> Iterator[FramePreview]:
    with FramePreview(clip) as opened:
        yield opened


def test_a_frame_is_painted_as_a_run_paints_a_shots_first(clip: Path, preview: FramePreview) -> None:
    recipe = Recipe(style="lava", strength=0.8, cuts="none")
    alone = preview.paint(5, recipe)
    (run,) = Job(clip, recipe=recipe.model_copy(update={"range": "5:6"})).frames()
    assert np.array_equal(alone, run.result.picture)
    assert not np.array_equal(alone, preview.paint(5, Recipe(style="mosaic")))


def test_the_frame_is_the_one_that_was_asked_for(tmp_path: Path) -> None:
    write_clip(tmp_path / "numbers.mkv", numbered_frames(30), codec="ffv1", pixel_format="bgr0")
    with FramePreview(tmp_path / "numbers.mkv") as numbers:
        assert [number_of(numbers.picture(frame)) for frame in (17, 3, 29)] == [17, 3, 29]
        for frame in (-1, 30):
            with pytest.raises(RecipeError, match="the frames are 0 to 29"):
                numbers.picture(frame)


def test_a_given_keyframe_is_shown_as_it_is(preview: FramePreview, tmp_path: Path) -> None:
    from restyle.footage import write_picture

    given = 255 - preview.picture(4)
    write_picture(tmp_path / "given.png", given)
    recipe = Recipe(style="lava", storyboard={4: str(tmp_path / "given.png"), 400: "missing.png"})
    assert np.array_equal(preview.paint(4, recipe), given)


def test_mattes_are_cut_on_the_frame_that_is_marked(preview: FramePreview) -> None:
    x, y, radius = 160 * 0.25 + 4.5 * 3, 120 * 0.5 + 0.5 * 3, 24  # of ``moving_scene``'s disc
    rows, columns = np.mgrid[0:120, 0:160]
    truth = np.hypot(columns - x, rows - y) <= radius
    recipe = Recipe(masker="flowcut", objects=(f"disc=box:{x - 26:.0f},{y - 26:.0f},{x + 26:.0f},{y + 26:.0f}@3",))
    for mattes in (preview.quick_mattes(3, recipe.objects), preview.mattes(3, recipe)):
        cut = mattes["disc"] > 0.5
        assert cut.shape == truth.shape
        assert (cut & truth).sum() / (cut | truth).sum() > 0.6
    assert preview.mattes(4, recipe) == preview.quick_mattes(4, recipe.objects) == {}


def test_a_drawn_matte_is_the_matte_and_points_beside_it_count(preview: FramePreview, tmp_path: Path) -> None:
    drawn = np.zeros((120, 160), np.uint8)
    drawn[40:80, 30:90] = 255
    cv2.imwrite(str(tmp_path / "drawn.png"), drawn)
    marks = (f"disc=matte:{tmp_path / 'drawn.png'}@3",)
    for mattes in (preview.quick_mattes(3, marks), preview.mattes(3, Recipe(masker="flowcut", objects=marks))):
        assert np.array_equal(mattes["disc"] > 0.5, drawn > 0)
    corrected = preview.quick_mattes(3, (*marks, "disc=not:35,45@3"))["disc"]
    assert corrected.shape == drawn.shape
    cv2.imwrite(str(tmp_path / "small.png"), drawn[::2])
    with pytest.raises(RecipeError, match="the matte is 160x60, the picture 160x120"):
        preview.quick_mattes(3, (f"disc=matte:{tmp_path / 'small.png'}@3",))


def test_a_control_map_is_that_of_the_frame(preview: FramePreview, tmp_path: Path) -> None:
    found = preview.control_map(3, "canny")
    assert found.kind == "canny"
    assert found.picture.shape == (120, 160, 3)
    edges = cv2.Canny(preview.picture(3), 100, 200) > 0
    assert (edges & (found.picture[..., 0] > 127)).sum() > 0.7 * edges.sum()
    assert not np.array_equal(found.picture, preview.control_map(9, Control(kind="canny")).picture)
    fine = preview.control_map(3, Control(kind="canny", options={"low": 1, "high": 2})).picture
    assert (fine > 0).sum() > (found.picture > 0).sum()
    with pytest.raises(RecipeError, match="shows two frames"):
        preview.control_map(3, "flow")


def test_only_what_the_mattes_say_is_painted(preview: FramePreview) -> None:
    picture = preview.picture(2)
    matte = np.zeros(picture.shape[:2], np.float32)
    matte[30:60, 40:90] = 1
    recipe = Recipe(style="lava", objects=("thing=box:40,30,90,60@0",), layers=(Layer(object="thing", feather=0),))
    painted = preview.paint(2, recipe, {"thing": matte})
    differs = (painted != picture).any(axis=2)
    assert differs[32:58, 42:88].mean() > 0.9
    assert not differs[matte == 0].any()
    assert np.array_equal(preview.paint(2, recipe, {}), picture)


def test_styles_come_one_by_one(preview: FramePreview, clip: Path) -> None:
    names = ["lava", "mosaic"]
    tiles = dict(preview.styles(0, names, strength=0.5))
    assert list(tiles) == ["the footage", *names]
    assert len({tile.tobytes() for tile in tiles.values()}) == 3
    with open_footage(clip) as footage:
        assert tiles["lava"].shape[1] / tiles["lava"].shape[0] == pytest.approx(
            footage.spec.width / footage.spec.height, rel=0.02
        )
