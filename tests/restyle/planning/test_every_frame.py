from __future__ import annotations

from pathlib import Path

import pytest
from clips import moving_frames, write_clip
from hypothesis import given
from hypothesis import strategies as st

from restyle import Job, Recipe
from restyle.errors import RecipeError
from restyle.footage import probe
from restyle.painters.base import Capabilities, EveryFrame
from restyle.painters.identity import IdentityPainter
from restyle.planning.every_frame import planned
from restyle.planning.plan import Analysis, make_plan
from restyle.types import FootageSpec


class Film(IdentityPainter):
    name = "film"

    def __init__(self, rule: EveryFrame) -> None:
        self._rule = rule

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(every_frame=self._rule)


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> FootageSpec:
    return probe(write_clip(tmp_path_factory.mktemp("film") / "a.mp4", moving_frames(4, (32, 24))))


@given(
    frames=st.integers(1, 200),
    cut=st.integers(1, 199),
    multiple=st.integers(1, 8),
    times=st.integers(1, 12),
    overlap=st.integers(1, 9),
)
def test_windows_cover_every_frame_once_and_are_as_long_as_may_be(
    spec: FootageSpec, frames: int, cut: int, multiple: int, times: int, overlap: int
) -> None:
    rule = EveryFrame(multiple * times + 1, multiple, min(overlap, multiple * times))
    recipe, found = planned(Recipe(cuts=(cut,)), [Film(rule)])
    assert found == rule
    analysis = Analysis(0, frames, tuple(range(frames)), {}, (), (1.0,) * frames, (0.0,) * frames)
    plan = make_plan(spec, recipe, analysis, every_frame=rule)
    rendered = [frame for window in plan.windows for frame in range(window.start, window.stop)]
    assert rendered == list(range(frames))
    for window in plan.windows:
        numbers = [key.frame for key in window.keys]
        assert numbers == list(range(window.start, window.last + 1))
        shot = plan.shots[window.shot]
        if window.stop < shot.stop:
            assert len(numbers) == rule.longest
            assert window.last + 1 - window.stop == rule.overlap
        else:
            assert len(numbers) <= rule.longest


def test_a_painter_that_goes_on_from_painted_frames_needs_one_in_every_shot(spec: FootageSpec, tmp_path: Path) -> None:
    rule = EveryFrame(9, overlap=2, begins=True)
    analysis = Analysis(0, 40, tuple(range(40)), {}, (), (1.0,) * 40, (0.0,) * 40)
    painted = str(tmp_path / "painted.png")
    pictures = {0: painted, 24: painted}
    recipe, _ = planned(Recipe(cuts=(20,), storyboard=pictures), [Film(rule)])
    plan = make_plan(spec, recipe, analysis, every_frame=rule)
    assert [key.frame for key in plan.keyframes if key.picture is not None] == [0, 24]
    with pytest.raises(RecipeError, match=r"shot 1 has none: hand in one of its frames 20 to 28, .*-image 20=PICTURE"):
        make_plan(spec, recipe.model_copy(update={"storyboard": {0: painted}}), analysis, every_frame=rule)


def test_keyframes_that_would_not_be_heeded() -> None:
    with pytest.raises(RecipeError, match="the painter 'film' makes every frame: leave out the keyframes 'every:8'"):
        planned(Recipe(keyframes="every:8"), [Film(EveryFrame(17, 4, 1))])
    other = Film(EveryFrame(9))
    other.name = "other"
    with pytest.raises(RecipeError, match="want different windows"):
        planned(Recipe(), [Film(EveryFrame(17, 4, 1)), other])
    recipe = Recipe(keyframes="every:8")
    assert planned(recipe, [IdentityPainter()]) == (recipe, None)


@pytest.mark.parametrize(
    ("longest", "multiple", "overlap"), [(16, 4, 1), (4, 4, 1), (17, 4, 0), (17, 4, 17), (5, 0, 1)]
)
def test_rules_that_cannot_be(longest: int, multiple: int, overlap: int) -> None:
    with pytest.raises(ValueError, match=r"frames"):
        EveryFrame(longest, multiple, overlap)


def test_a_film_is_made_window_by_window(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From footage to footage, through plan, job folder and encoder: each frame as it was."""
    monkeypatch.setattr(
        IdentityPainter, "capabilities", property(lambda self: Capabilities(every_frame=EveryFrame(9, 4, 3)))
    )
    path = write_clip(tmp_path / "a.mkv", moving_frames(31, (32, 24)), codec="ffv1", pixel_format="bgr0")
    job = Job(path, tmp_path / "b.mkv", Recipe(painter="identity", codec="ffv1", cuts=(11,)))
    assert [(window.start, window.stop, window.last) for window in job.plan().windows] == [
        (0, 6, 8),
        (6, 11, 10),
        (11, 17, 19),
        (17, 23, 25),
        (23, 31, 30),
    ]
    result = job.run()
    assert (result.frames, result.painted, result.repaired) == (31, 31, 0)
    assert Job(path, tmp_path / "b.mkv", job.recipe, overwrite=True).run().reused == 31
