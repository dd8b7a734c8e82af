"""What of a recipe reaches the painter, and what is done again when it changes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from clips import moving_frames, write_clip
from command import Caller
from listener import Listener

from controls.maps import DETECTORS
from controls.maps.canny import Canny
from controls.stabilise.keyframes import stabilise_keyframes
from controls.stabilise.motion import KeyframeTracker
from controls.types import ControlMap
from interp.flow.dis import DisEstimator
from restyle import Job, Recipe
from restyle.errors import RecipeError
from restyle.footage import open_footage
from restyle.painters import PAINTERS

SIZE = (96, 64)
FRAMES = 120
PLAIN: dict[str, Any] = {"painter": "listener", "filler": "hold", "keyframes": "every:12", "cuts": [72]}


@pytest.fixture(autouse=True)
def listener(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    monkeypatch.setitem(PAINTERS.own, "listener", "listener:Listener")
    Listener.heard.clear()
    yield Listener.heard
    Listener.heard.clear()


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    frames = moving_frames(FRAMES, SIZE, cuts=(72,))
    return write_clip(tmp_path / "in.mkv", frames, codec="ffv1", pixel_format="bgr0", rate=24)


class Shot:
    """Some frames (``controls.types.Pictures``)."""

    size = SIZE

    def __init__(self, pictures: list[np.ndarray]) -> None:
        self._pictures = pictures

    def __len__(self) -> int:
        return len(self._pictures)

    def read(self, start: int, stop: int) -> Iterator[np.ndarray]:
        yield from self._pictures[start:stop]


def run(clip: Path, tmp_path: Path, **fields: Any) -> Path:
    job = Job(clip, tmp_path / "out.mkv", Recipe.build(**PLAIN | fields), overwrite=True, report=False)
    job.run()
    return tmp_path / "out.mkv.restyle"


def said(heard: list[Any]) -> dict[int, str]:
    """Frame -> its prompt, of all keyframes that were painted afresh."""
    return {
        frame: work.prompts[place].prompt
        for work in heard
        for place, frame in enumerate(work.frames)
        if place not in work.fixed
    }


def test_words_are_the_recipes_the_shots_or_from_a_frame_on(clip: Path, tmp_path: Path, listener: list[Any]) -> None:
    prompts = [{"shot": 1, "prompt": "two"}, {"frame": 48, "prompt": "late"}, {"frame": 96, "negative_prompt": "fog"}]
    run(clip, tmp_path, prompt="one", negative_prompt="rain", prompts=prompts)
    found = said(listener)
    assert {frame for frame, words in found.items() if words == "one"} == {0, 12, 24, 36}
    assert {frame for frame, words in found.items() if words == "late"} == {48, 60}
    assert {frame for frame, words in found.items() if words == "two"} == {72, 84, 96, 108}
    negative = {
        frame: work.prompts[place].negative_prompt for work in listener for place, frame in enumerate(work.frames)
    }
    assert {frame for frame, words in negative.items() if words == "fog"} == {96, 108}


def test_words_for_one_frame_add_up(clip: Path, tmp_path: Path, listener: list[Any]) -> None:
    """A shot's words, and those from its first frame on: each says only what it says."""
    prompts = [{"shot": 1, "prompt": "two"}, {"frame": 72, "negative_prompt": "fog"}]
    run(clip, tmp_path, prompt="one", negative_prompt="rain", prompts=prompts)
    words = {frame: work.prompts[place] for work in listener for place, frame in enumerate(work.frames)}
    assert (words[60].prompt, words[60].negative_prompt) == ("one", "rain")
    assert (words[72].prompt, words[72].negative_prompt) == ("two", "fog")


@pytest.mark.parametrize("own", ["one", "", "rust"])
def test_a_layers_own_words_stay_where_the_recipes_change(
    clip: Path, tmp_path: Path, listener: list[Any], own: str
) -> None:
    """Also where they are the recipe's, which is not to have none."""
    (tmp_path / "mattes").mkdir()
    for number in range(FRAMES):
        cv2.imwrite(str(tmp_path / "mattes" / f"{number:04d}.png"), np.full(SIZE[::-1], 255, np.uint8))
    layers = [{"object": "car", "prompt": own}]
    prompts = [{"shot": 1, "prompt": "two"}]
    run(clip, tmp_path, prompt="one", prompts=prompts, objects=[f"car=mattes:{tmp_path / 'mattes'}"], layers=layers)
    assert set(said(listener).values()) == {own}


def test_a_layers_own_words_come_first(clip: Path, tmp_path: Path, listener: list[Any]) -> None:
    matte = np.zeros(SIZE[::-1], np.uint8)
    matte[16:48, 24:72] = 255
    (tmp_path / "mattes").mkdir()
    for number in range(FRAMES):
        cv2.imwrite(str(tmp_path / "mattes" / f"{number:04d}.png"), matte)
    layers = [{"object": "car", "prompt": "rust", "feather": 0}, {"object": "background"}]
    run(clip, tmp_path, prompt="one", objects=[f"car=mattes:{tmp_path / 'mattes'}"], layers=layers)
    looks = {work.prompts[0].prompt: work for work in listener}
    assert set(looks) == {"rust", "one"}
    assert np.array_equal(looks["rust"].mattes[0] > 0, matte > 0)
    assert looks["one"].mattes[0][0, 0] == 1
    assert looks["one"].mattes[0][32, 48] == 0


def test_maps_are_found_once_and_agree_within_a_shot(clip: Path, tmp_path: Path, listener: list[Any]) -> None:
    folder = run(clip, tmp_path, controls=[{"kind": "canny"}, {"kind": "tile", "strength": 0.5}])
    with open_footage(clip) as footage:
        pictures = [frame.picture for frame in footage.frames()]
    detector: Any = DETECTORS.make("canny")
    expected: dict[int, np.ndarray] = {}
    for first, last in ((0, 72), (72, FRAMES)):
        shot = Shot(pictures[first:last])
        keys = [*range(0, last - first, 12)]
        found = {key: detector.detect(pictures[first + key]) for key in keys}
        tracker = KeyframeTracker(shot, DisEstimator(), keys)
        expected |= {
            first + key: made.picture
            for key, made in stabilise_keyframes(found.__getitem__, keys, tracker, method="edges")
        }
        assert any(not np.array_equal(expected[first + key], found[key].picture) for key in keys)
    for work in listener:
        assert set(work.controls) == {"canny", "tile"}
        for frame, canny, tile in zip(work.frames, work.controls["canny"], work.controls["tile"], strict=True):
            assert np.array_equal(canny, expected[frame])
            assert np.array_equal(tile, pictures[frame])
    stored = {item.name: item.stat().st_mtime_ns for item in (folder / "maps").iterdir()}
    assert len(stored) == 10 + 2 * 10, "tiles; edges as detected, and stabilised"
    listener.clear()
    run(clip, tmp_path, controls=[{"kind": "canny", "strength": 0.7}, {"kind": "tile"}])
    assert listener, "another strength is another painting"
    assert {item.name: item.stat().st_mtime_ns for item in (folder / "maps").iterdir()} == stored


def test_maps_that_no_longer_belong_to_the_job_go(clip: Path, tmp_path: Path, listener: list[Any]) -> None:
    def names(folder: Path) -> set[str]:
        return {item.name for item in (folder / "maps").iterdir()}

    both = names(run(clip, tmp_path, controls=[{"kind": "canny"}, {"kind": "tile"}]))
    tiles = names(run(clip, tmp_path, controls=[{"kind": "tile"}]))
    assert tiles < both
    assert len(tiles) == 10
    fewer = names(run(clip, tmp_path, controls=[{"kind": "tile"}], range="0:60", cuts=[]))
    assert fewer < tiles
    assert len(fewer) == 5
    assert not names(run(clip, tmp_path))


def test_only_keyframes_are_looked_at_and_a_later_one_changes_no_earlier_map(
    clip: Path, tmp_path: Path, listener: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[int] = []
    detect = Canny.detect

    def counted(self: Canny, picture: np.ndarray) -> ControlMap:
        looked.append(1)
        return detect(self, picture)

    monkeypatch.setattr(Canny, "detect", counted)
    controls = {"controls": [{"kind": "canny"}], "cuts": [], "painter_options": {"chain": "ends"}}
    run(clip, tmp_path, **controls, keyframes=[0, 12, 24, 36, 48, 60, 72])
    assert len(looked) == 7
    before = {frame: made for work in listener for frame, made in zip(work.frames, work.controls["canny"], strict=True)}
    windows = [work.frames for work in listener]
    listener.clear()
    run(clip, tmp_path, **controls, keyframes=[0, 12, 24, 36, 48, 60, 72, 84])
    assert len(looked) == 8, "what was found is kept"
    after = {frame: made for work in listener for frame, made in zip(work.frames, work.controls["canny"], strict=True)}
    assert windows[0] == (0, 12, 24, 36, 48)
    assert 24 not in after, "the first window is as it was"
    assert 84 in after
    listener.clear()
    again = tmp_path / "fresh"
    again.mkdir()
    run(clip, again, **controls, keyframes=[0, 12, 24, 36, 48, 60, 72, 84])
    fresh = {frame: made for work in listener for frame, made in zip(work.frames, work.controls["canny"], strict=True)}
    for frame in (0, 12, 24, 36, 48):
        assert np.array_equal(fresh[frame], before[frame])
    for frame, made in after.items():
        assert np.array_equal(fresh[frame], made), "gone on with, a job's maps are those of one made at once"


def test_a_preview_looks_no_further_than_it_must(
    clip: Path, tmp_path: Path, listener: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[int] = []
    detect = Canny.detect
    monkeypatch.setattr(Canny, "detect", lambda self, picture: looked.append(1) or detect(self, picture))
    job = Job(clip, tmp_path / "out.mkv", Recipe.build(**PLAIN | {"controls": [{"kind": "canny"}]}), report=False)
    assert len(job.preview()) == 2
    assert len(looked) == 2 * 3, "each shot's first keyframe and the two after it"


def test_maps_of_a_folder_are_used_and_an_edited_one_repaints_its_window(
    clip: Path, tmp_path: Path, listener: list[Any]
) -> None:
    (tmp_path / "depth").mkdir()
    for number in range(FRAMES):
        cv2.imwrite(str(tmp_path / "depth" / f"{number:06d}.png"), np.full(SIZE[::-1], number, np.uint8))
    controls = [{"kind": "depth", "source": str(tmp_path / "depth")}]
    run(clip, tmp_path, controls=controls)
    assert all(
        (made == frame).all()
        for work in listener
        for frame, made in zip(work.frames, work.controls["depth"], strict=True)
    )
    windows = [work.frames for work in listener]
    assert windows == [(0, 12, 24, 36, 48), (48, 60), (72, 84, 96, 108)]
    listener.clear()
    cv2.imwrite(str(tmp_path / "depth" / "000060.png"), np.full(SIZE[::-1], 200, np.uint8))
    run(clip, tmp_path, controls=controls)
    assert [work.frames for work in listener] == [(48, 60)]


@pytest.mark.parametrize("chain", ["keys", "ends"])
def test_what_is_repainted_is_what_the_painter_builds_on(
    clip: Path, tmp_path: Path, listener: list[Any], chain: str
) -> None:
    options: dict[str, Any] = {"painter_options": {"chain": chain}, "prompt": "one"}
    both = [(0, 12, 24, 36, 48), (48, 60)]
    run(clip, tmp_path, **options)
    listener.clear()
    run(clip, tmp_path, **options, prompts=[{"frame": 12, "prompt": "x"}, {"frame": 24, "prompt": "one"}])
    assert [work.frames for work in listener] == (both if chain == "keys" else both[:1])
    for frame in (0, 48):  # an end
        run(clip, tmp_path, **options)
        listener.clear()
        run(
            clip, tmp_path, **options, prompts=[{"frame": frame, "prompt": "x"}, {"frame": frame + 12, "prompt": "one"}]
        )
        assert [work.frames for work in listener] == both


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"painter": "neural-style", "prompt": "a"}, "does not read prompts"),
        (
            {
                "painter": "neural-style",
                "objects": ["a=point:9,9@0"],
                "masker": "flowcut",
                "layers": [{"object": "a", "negative_prompt": "fog"}],
            },
            "does not read prompts",
        ),
        ({"painter": "neural-style", "controls": [{"kind": "canny"}]}, "does not hold on to control maps"),
        ({"controls": [{"kind": "cany"}]}, "did you mean 'canny'"),
        ({"controls": [{"kind": "canny"}, {"kind": "canny"}]}, "given twice"),
        ({"controls": [{"kind": "flow"}]}, "flow=FOLDER"),
        ({"controls": [{"kind": "depth", "source": "nowhere"}]}, "nowhere"),
        ({"controls": [{"kind": "canny", "options": {"lo": 1}}]}, "no option 'lo'"),
        ({"prompts": [{"shot": 9, "prompt": "a"}]}, "shots are 0 to 1"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(clip: Path, tmp_path: Path, fields: dict[str, Any], says: str) -> None:
    with pytest.raises(RecipeError) as caught:
        run(clip, tmp_path, **fields)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_options_on_the_command_line(restyle_command: Caller, clip: Path, tmp_path: Path) -> None:
    restyle_command(
        "run", clip, "-o", tmp_path / "o.mkv", "--painter", "listener", "--prompt", "one, two", "--prompt-at",
        "shot:1=a = b", "--control", "canny,tile", "--negative-prompt", "fog", "--no-report", "--keyframes", "every:12",
        "--control", "depth:strength=0.5,end=0.8", "--painter-option", "chain=keys", "--cuts", "72", "--offline", code=6,
    )  # fmt: skip
    recipe = json.loads((tmp_path / "o.mkv.restyle" / "recipe.json").read_text())
    assert (recipe["prompt"], recipe["negative_prompt"]) == ("one, two", "fog")
    assert recipe["prompts"] == [{"shot": 1, "frame": None, "prompt": "a = b", "negative_prompt": None}]
    assert [control["kind"] for control in recipe["controls"]] == ["canny", "tile", "depth"]
    assert (recipe["controls"][2]["strength"], recipe["controls"][2]["end"]) == (0.5, 0.8)
    assert recipe["painter_options"] == {"chain": "keys"}
    for wrong in (["--control", "depth:streng=1"], ["--prompt-at", "2=x"], ["--painter-option", "chain"]):
        restyle_command.fails("run", clip, "-o", tmp_path / "p.mkv", *wrong, code=2)


def test_other_weights_of_the_filler_fill_anew_and_paint_nothing(tmp_path: Path, listener: list[Any]) -> None:
    import tiny_rife

    short = write_clip(tmp_path / "short.mkv", moving_frames(5, SIZE), codec="ffv1", pixel_format="bgr0", rate=24)
    weights = tiny_rife.build(tmp_path / "rife.safetensors", seed=0)
    fields: dict[str, Any] = {
        "painter": "listener",
        "keyframes": [0, 4],
        "filler": "rife",
        "filler_options": {"model": str(weights), "device": "cpu"},
    }

    def again() -> tuple[int, int]:
        listener.clear()
        made = Job(short, tmp_path / "o.mkv", Recipe.build(**fields), overwrite=True, report=False).run()
        return len(listener), made.reused

    assert again()[1] == 0
    assert again() == (0, 5)
    tiny_rife.build(weights, seed=1)
    assert again() == (0, 0)


def test_all_is_done_upon_the_footage_without_what_was_removed(clip: Path, tmp_path: Path, listener: list[Any]) -> None:
    """Painter, maps, motion and what lies over it: as if the footage had come without the object."""
    (tmp_path / "mattes").mkdir()
    frames = moving_frames(48, SIZE, cuts=(24,))
    for number, frame in enumerate(frames):
        matte = np.zeros(SIZE[::-1], np.uint8)
        matte[20:36, 8 + number : 24 + number] = 255
        frame[matte > 0] = (250, 240, 20)
        cv2.imwrite(str(tmp_path / "mattes" / f"{number:04d}.png"), matte)
    clip = write_clip(tmp_path / "in.mkv", frames, codec="ffv1", pixel_format="bgr0", rate=24)
    objects = [f"car=mattes:{tmp_path / 'mattes'}"]
    remove, paint = {"object": "car", "mode": "remove", "feather": 2}, {"object": "background"}
    Job(clip, tmp_path / "clean.mkv", Recipe.build(objects=objects, layers=[remove], codec="ffv1")).run()
    wanted: dict[str, Any] = PLAIN | {
        "filler": "along-motion",
        "controls": [{"kind": "canny"}],
        "codec": "ffv1",
        "cuts": [24],
    }
    runs = []
    for place, source, more in (
        ("a", tmp_path / "clean.mkv", {}),
        ("b", clip, {"objects": objects, "layers": [remove, paint]}),
        ("c", clip, {"objects": objects, "layers": [paint, remove]}),
    ):
        listener.clear()
        job = Job(
            source, tmp_path / f"{place}.mkv", Recipe.build(**wanted | more), report=False
        )  # whose moments differ
        job.run()
        with open_footage(tmp_path / f"{place}.mkv") as footage:
            runs.append(([*listener], [frame.picture for frame in footage.frames()]))
    (clean, whole), *others = runs
    for heard, made in others:
        for one, other in zip(clean, heard, strict=True):
            assert np.array_equal(one.pictures, other.pictures)
            assert np.array_equal(one.controls["canny"], other.controls["canny"])
            assert all((matte == 1).all() for matte in other.mattes)
        assert np.array_equal(whole, made)
    assert (clean[0].pictures[0] != frames[0])[22:34, 10:22].any(axis=2).all()
