"""What is done to which object, with mattes handed over as files: nothing is found, so every pixel has a known answer."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from clips import moving_frames, write_clip
from command import Caller
from scenes import texture

from restyle import Job, Recipe
from restyle.compositing.backdrops import StillBackdrop, open_backdrop
from restyle.compositing.blend import matte_edge
from restyle.compositing.layers import LayerCompositor, looks_of
from restyle.errors import FootageError, RecipeError
from restyle.footage import open_footage
from restyle.recipe import Layer
from restyle.types import Frame

SIZE = (96, 64)
FRAMES = 10


def square(t: int, *, left: int = 20, top: int = 16, side: int = 24) -> np.ndarray:
    matte = np.zeros(SIZE[::-1], np.float32)
    matte[top : top + side, left + 2 * t : left + side + 2 * t] = 1
    return matte


def folder_of(place: Path, mattes: list[np.ndarray]) -> Path:
    place.mkdir(parents=True)
    for number, matte in enumerate(mattes):
        cv2.imwrite(str(place / f"m.{number:04d}.png"), np.rint(matte * 255).astype(np.uint8))
    return place


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "in.mkv", moving_frames(FRAMES, SIZE), codec="ffv1", pixel_format="bgr0")


@pytest.fixture
def car(tmp_path: Path) -> str:
    return f"car=mattes:{folder_of(tmp_path / 'car', [square(t) for t in range(FRAMES)])}"


def frames_of(path: Path) -> list[np.ndarray]:
    with open_footage(path) as footage:
        return [frame.picture for frame in footage.frames()]


@pytest.mark.parametrize("bits", [8, 16])
def test_outside_of_the_feathered_matte_every_bit_is_the_footages(tmp_path: Path, car: str, bits: int) -> None:
    kind = np.uint8 if bits == 8 else np.uint16
    frames = [
        frame.astype(kind) * (1 if bits == 8 else 257) + (0 if bits == 8 else t)
        for t, frame in enumerate(moving_frames(FRAMES, SIZE))
    ]
    (tmp_path / "in").mkdir()
    for number, frame in enumerate(frames):
        cv2.imwrite(str(tmp_path / "in" / f"f.{number:04d}.png"), cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
    recipe = Recipe.build(style="mosaic", objects=[car], layers=[{"object": "car", "feather": 4, "grow": 2}])
    Job(tmp_path / "in", tmp_path / "out" / "f.%04d.png", recipe, rate=24, report=False).run()
    for t, frame in enumerate(frames):
        made = cv2.cvtColor(
            cv2.imread(str(tmp_path / "out" / f"f.{t:04d}.png"), cv2.IMREAD_UNCHANGED), cv2.COLOR_BGR2RGB
        )
        assert made.dtype == kind
        inside = matte_edge(square(t), grow=2, feather=4) > 0
        assert 0.05 < inside.mean() < 0.4
        assert np.array_equal(made[~inside], frame[~inside])
        assert (made[square(t) > 0] != frame[square(t) > 0]).mean() > 0.8


def test_layers_lie_over_each_other_in_order(clip: Path, car: str, tmp_path: Path) -> None:
    """Red everywhere, the car kept, and a blue hole within the car."""
    hole = f"hole=mattes:{folder_of(tmp_path / 'hole', [square(t, left=28, top=24, side=8) for t in range(FRAMES)])}"
    sharp: dict[str, Any] = {"feather": 0}
    layers = [
        {"object": "background", "mode": "replace", "source": "#ff0000", **sharp},
        {"object": "car", "mode": "keep", **sharp},
        {"object": "hole", "mode": "replace", "source": "#0000ff", **sharp},
    ]
    job = Job(clip, recipe=Recipe.build(objects=[car, hole], layers=layers))
    for t, (made, source) in enumerate(zip(job.frames(), frames_of(clip), strict=True)):
        blue, kept = square(t, left=28, top=24, side=8) > 0, square(t) > 0
        picture = made.result.picture
        assert (picture[blue] == (0, 0, 255)).all()
        assert np.array_equal(picture[kept & ~blue], source[kept & ~blue])
        assert (picture[~kept] == (255, 0, 0)).all()


def test_each_object_has_its_own_look_and_a_shared_one_is_painted_once(clip: Path, car: str, tmp_path: Path) -> None:
    tree = f"tree=mattes:{folder_of(tmp_path / 'tree', [square(t, left=48, top=30) for t in range(FRAMES)])}"
    layers = [
        {"object": "car", "feather": 0},
        {"object": "tree", "style": "winter-ink", "feather": 0},
        {"object": "car", "invert": True, "mix": 0.0},
    ]
    recipe = Recipe.build(style="mosaic", objects=[car, tree], layers=layers, keyframes="every:3")
    looks, places = looks_of(recipe)
    assert [look.style for look in looks] == ["mosaic", "winter-ink", "mosaic"]
    assert places == [0, 1, 2]
    made = [
        f.result.picture for f in Job(clip, recipe=recipe.model_copy(update={"layers": recipe.layers[:2]})).frames()
    ]
    alone = [
        [f.result.picture for f in Job(clip, recipe=Recipe(style=style, keyframes="every:3")).frames()]
        for style in ("mosaic", "winter-ink")
    ]
    for t in (0, 5):
        on_tree = square(t, left=48, top=30) > 0
        on_car = (square(t) > 0) & ~on_tree
        assert np.array_equal(made[t][on_car], alone[0][t][on_car])
        assert np.array_equal(made[t][on_tree], alone[1][t][on_tree])


def test_words_that_never_differ_are_painted_once() -> None:
    layers = [{"object": "a", "prompt": "rust"}, {"object": "b"}, {"object": "c", "prompt": "rust"}]
    fields: dict[str, Any] = {"objects": [f"{name}=point:1,1@0" for name in "abc"], "layers": layers}
    assert looks_of(Recipe.build(prompt="rust", **fields))[1] == [0, 0, 0]
    assert looks_of(Recipe.build(prompt="fog", **fields))[1] == [0, 1, 0]
    changing = [{"shot": 1, "prompt": "night"}]
    assert looks_of(Recipe.build(prompt="rust", prompts=changing, **fields))[1] == [0, 1, 0]


def test_objects_without_layers_are_restyled_alone(clip: Path, car: str) -> None:
    assert looks_of(Recipe.build(objects=[car], style="mosaic"))[1] == [0]
    made = next(iter(Job(clip, recipe=Recipe.build(objects=[car], style="mosaic")).frames()))
    assert np.array_equal(made.result.picture[:8], made.source.picture[:8])


def test_changing_a_feather_repaints_nothing(clip: Path, car: str, tmp_path: Path) -> None:
    out = tmp_path / "out.mkv"
    first = Recipe.build(objects=[car], style="mosaic", codec="ffv1")
    Job(clip, out, first, report=False).run()
    stored = {
        path: path.stat().st_mtime_ns
        for kind in ("paintings", "mattes")
        for path in Path(f"{out}.restyle", kind).rglob("*.npz")
    }
    second = first.model_copy(update={"layers": (Layer(object="car", feather=9),)})
    result = Job(clip, out, second, report=False, overwrite=True).run()
    assert result.reused == 0
    assert stored == {path: path.stat().st_mtime_ns for path in stored}


def test_an_object_followed_through_a_cut_is_left_alone_after_it(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "in.mp4", moving_frames(24, SIZE, cuts=(12,)), rate=24)
    recipe = Recipe.build(objects=["thing=box:20,16,60,50@3"], cuts=[12], style="mosaic", codec="ffv1")
    result = Job(path, tmp_path / "out.mkv", recipe, report=False).run()
    assert any("'thing' is not marked in shots 1" in note for note in result.notes)
    source, made = frames_of(path), frames_of(tmp_path / "out.mkv")
    assert all(np.array_equal(a, b) for a, b in zip(source[12:], made[12:], strict=True))
    assert not np.array_equal(source[3], made[3])


class Fixed:
    names = ("a",)

    def __init__(self, matte: np.ndarray) -> None:
        self._matte = matte

    def of(self, name: str, frame: int) -> np.ndarray:
        return self._matte

    def box(self, name: str, frame: int) -> tuple[int, int, int, int] | None:
        return (2, 3, 6, 7)


def test_what_no_layer_touches_is_the_frame_itself() -> None:
    frame = Frame(0, 0, texture(8, 8))
    made = LayerCompositor([Layer(object="a")], [0], Fixed(np.zeros((8, 8), np.float32)), {}).compose(
        frame, [texture(8, 8, 2)]
    )
    assert made is frame.picture


@pytest.mark.parametrize("invert", [False, True])
def test_working_on_a_part_gives_what_working_on_the_whole_would(invert: bool) -> None:
    matte = np.zeros((60, 80), np.float32)
    matte[20:40, 0:30] = 1

    class Near(Fixed):
        def box(self, name: str, frame: int) -> tuple[int, int, int, int] | None:
            return (0, 20, 30, 40)

    class Far(Fixed):
        def box(self, name: str, frame: int) -> tuple[int, int, int, int] | None:
            return (0, 0, 80, 60)

    layer = Layer(object="a", feather=4, grow=2, invert=invert)
    frame, painting = Frame(0, 0, texture(60, 80)), texture(60, 80, 2)
    near, far = (LayerCompositor([layer], [0], of(matte), {}).compose(frame, [painting]) for of in (Near, Far))
    assert np.array_equal(near, far)
    assert not np.array_equal(near, frame.picture)


def still(source: str, width: int, height: int, dtype: str) -> np.ndarray:
    made = open_backdrop(source, (width, height), dtype, lambda frame: Fraction(0))
    assert isinstance(made, StillBackdrop)
    return made.picture


def test_a_backdrop_fills_the_frame(tmp_path: Path) -> None:
    cv2.imwrite(
        str(tmp_path / "wide.png"),
        np.dstack([np.full((20, 80), 10), np.full((20, 80), 20), np.tile(np.arange(80), (20, 1))]),
    )
    made = still(str(tmp_path / "wide.png"), 40, 40, "uint8")
    assert made.shape == (40, 40, 3)
    assert 28 < made[:, 0, 0].mean() < 32 < 47 < made[:, -1, 0].mean() < 52
    assert still("#102030", 3, 2, "uint16")[0, 0].tolist() == [0x1010, 0x2020, 0x3030]
    assert still("#ff0000", 1, 1, "float32")[0, 0].tolist() == [1, 0, 0]
    with pytest.raises(RecipeError, match="#rrggbb"):
        still("#12", 3, 2, "uint8")
    with pytest.raises(FootageError, match="nowhere"):
        still(str(tmp_path / "nowhere.png"), 3, 2, "uint8")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--object", "car"], "NAME=PROMPT|objects"),
        (["--object", "car=box:1,2,300,40@0"], "outside of the picture, 96x64"),
        (["--object", "car=box:10,10,40,40@77"], "frame 77"),
        (["--object", "car=mattes:nowhere"], "nowhere"),
        (["--object", "car=box:10,10,40,40@0", "--layer", "dog"], "dog"),
        (["--object", "car=box:10,10,40,40@0", "--masker", "flowcat"], "flowcat"),
        (["--object", "background=box:10,10,40,40@0"], "background"),
        (["--layer", "background"], "--object"),
    ],
)
def test_bad_objects_end_in_one_line(
    restyle_command: Caller, clip: Path, tmp_path: Path, options: list[str], said: str
) -> None:
    line = restyle_command.fails("run", clip, "-o", tmp_path / "out.mkv", "--no-report", "-q", *options, code=2)
    assert re.search(said, line), line
    assert not (tmp_path / "out.mkv").exists()


def test_a_matte_that_is_not_there_is_named(restyle_command: Caller, clip: Path, tmp_path: Path) -> None:
    words = ("run", clip, "-o", tmp_path / "out.mkv", "-q", "--object", "car=matte:gone.png@0")
    assert "gone.png" in restyle_command.fails(*words, code=2)


def test_the_wrong_number_or_size_of_mattes_is_told(clip: Path, tmp_path: Path) -> None:
    few = folder_of(tmp_path / "few", [square(t) for t in range(4)])
    with pytest.raises(RecipeError, match="holds 4 mattes, 10 are needed"):
        list(Job(clip, recipe=Recipe.build(objects=[f"car=mattes:{few}"])).frames())
    small = folder_of(tmp_path / "small", [square(t)[::2, ::2] for t in range(FRAMES)])
    with pytest.raises(RecipeError, match="48x32"):
        list(Job(clip, recipe=Recipe.build(objects=[f"car=mattes:{small}"])).frames())


def test_a_recipe_file_finds_its_mattes_beside_it(clip: Path, car: str, tmp_path: Path) -> None:
    fields = {
        "objects": ["car=mattes:car"],
        "layers": [{"object": "car", "mode": "replace", "source": "#00ff00", "feather": 0}],
    }
    (tmp_path / "look.json").write_text(json.dumps(fields))
    made = next(iter(Job(clip, recipe=Recipe.load(tmp_path / "look.json")).frames()))
    assert (made.result.picture[square(0) > 0] == (0, 255, 0)).all()


def test_mattes_are_written_and_read_back(restyle_command: Caller, clip: Path, car: str, tmp_path: Path) -> None:
    said = restyle_command("matte", clip, "-o", tmp_path / "mattes", "--object", car, "--json")
    assert said.json["mattes"] == {"car": str(tmp_path / "mattes" / "car")}
    files = sorted((tmp_path / "mattes" / "car").iterdir())
    assert [path.name for path in files] == [f"car.{t:06d}.png" for t in range(FRAMES)]
    for t, path in enumerate(files):
        assert np.array_equal(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), np.rint(square(t) * 255).astype(np.uint8))
    assert not list(tmp_path.glob(".mattes*"))
    line = restyle_command.fails("matte", clip, "-o", tmp_path / "mattes", "-q", "--object", car, code=4)
    assert "--overwrite" in line
    again = restyle_command(
        "matte", clip, "-o", tmp_path / "again", "--object", f"car=mattes:{tmp_path / 'mattes' / 'car'}", "--json"
    )
    assert again.json["notes"] == []
    assert "mark one" in restyle_command.fails("matte", clip, "-o", tmp_path / "none", "-q", code=2)


def test_mattes_of_a_range_are_black_where_nothing_is_marked(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "in.mp4", moving_frames(24, SIZE, cuts=(12,)), rate=24)
    recipe = Recipe.build(objects=["thing=box:20,16,60,50@3"], cuts=[12], range="2:20")
    notes = Job(path, recipe=recipe).mattes(tmp_path / "out")
    assert any("shots 1" in note for note in notes)
    files = sorted((tmp_path / "out" / "thing").iterdir())
    assert [int(path.stem.split(".")[-1]) for path in files] == list(range(2, 20))
    found = [cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) for path in files]
    assert found[1][25:40, 30:50].mean() > 100
    assert not any(matte.any() for matte in found[10:])


def test_sam2_without_its_package_or_its_weights_says_what_to_do(
    restyle_command: Caller, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    words = (
        "run",
        clip,
        "-o",
        tmp_path / "out.mkv",
        "-q",
        "--offline",
        "--masker",
        "sam2",
        "--object",
        "a=point:9,9@0",
    )
    line = restyle_command.fails(*words, code=6)
    assert "restyle[sam2]" in line or "restyle models pull sam2" in line


def test_options_of_the_masker_reach_it_and_make_other_mattes(clip: Path, tmp_path: Path) -> None:
    prompt = ("thing=box:20,16,60,50@3",)
    with pytest.raises(RecipeError, match="no masker has an option 'hardness'"):
        Job(clip, recipe=Recipe.build(objects=prompt, masker_options={"hardness": 2})).mattes(tmp_path / "a")
    with pytest.raises(RecipeError, match="edge"):
        Job(clip, recipe=Recipe.build(objects=prompt, masker_options={"edge": 99})).mattes(tmp_path / "b")
    Job(clip, recipe=Recipe.build(objects=prompt, masker_options={"edge": 0})).mattes(tmp_path / "c")
    assert (tmp_path / "c" / "thing").is_dir()
