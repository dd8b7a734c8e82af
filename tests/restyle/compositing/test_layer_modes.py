"""Cut-outs, blend modes, floats: with known answers to the pixel."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from clips import moving_frames, number_of, numbered_frames, write_clip, write_pictures
from command import Caller

from restyle import Job, Recipe
from restyle.compositing.blend import blend_mode, matte_edge, over
from restyle.errors import RecipeError
from restyle.footage import open_footage, probe

SIZE = (96, 64)
FRAMES = 6


def square(t: int) -> np.ndarray:
    matte = np.zeros(SIZE[::-1], np.float32)
    matte[16:40, 20 + 2 * t : 44 + 2 * t] = 1
    return matte


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "in.mkv", moving_frames(FRAMES, SIZE), codec="ffv1", pixel_format="bgr0")


@pytest.fixture
def car(tmp_path: Path) -> str:
    (tmp_path / "car").mkdir()
    for t in range(FRAMES):
        cv2.imwrite(str(tmp_path / "car" / f"m.{t:04d}.png"), np.rint(square(t) * 255).astype(np.uint8))
    return f"car=mattes:{tmp_path / 'car'}"


# Cut-outs


@pytest.mark.parametrize(("output", "codec"), [("out/f.%04d.png", None), ("out/f.%04d.tif", None), ("o.mkv", "ffv1")])
def test_a_cut_out_is_the_footage_and_its_alpha_the_softened_matte(
    clip: Path, car: str, tmp_path: Path, output: str, codec: str | None
) -> None:
    recipe = Recipe.build(objects=[car], layers=[{"object": "car", "mode": "cutout", "feather": 3}], codec=codec)
    Job(clip, tmp_path / output, recipe, report=False).run()
    place = tmp_path / output if codec else (tmp_path / output).parent
    with open_footage(clip) as before, open_footage(place) as after:
        assert after.spec.has_alpha
        for source, made in zip(before.frames(), after.frames(), strict=True):
            assert made.alpha is not None
            wanted = np.rint(matte_edge(square(source.index), feather=3) * 255)
            assert np.abs(made.alpha.astype(int) - wanted).max() <= 1
            assert np.array_equal(made.picture, source.picture)


def test_prores_carries_a_cut_out(clip: Path, car: str, tmp_path: Path) -> None:
    recipe = Recipe.build(objects=[car], layers=[{"object": "car", "mode": "cutout", "feather": 0}])
    Job(clip, tmp_path / "o.mov", recipe, report=False).run()
    spec = probe(tmp_path / "o.mov")
    assert (spec.codec, spec.has_alpha) == ("prores", True)
    with open_footage(tmp_path / "o.mov") as footage:
        for frame in footage.frames():
            assert frame.alpha is not None
            assert np.abs(frame.alpha / 65535 - square(frame.index)).mean() < 0.01


def test_exr_is_multiplied_by_its_alpha(car: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    pictures = [rng.uniform(-0.5, 4, (*SIZE[::-1], 3)).astype(np.float32) for _ in range(FRAMES)]
    write_pictures(tmp_path / "in", pictures, "f.%04d.exr")
    recipe = Recipe.build(objects=[car], layers=[{"object": "car", "mode": "cutout", "feather": 2}])
    Job(tmp_path / "in", tmp_path / "out" / "f.%04d.exr", recipe, rate=24, report=False).run()
    with open_footage(tmp_path / "in") as before, open_footage(tmp_path / "out") as after:
        for source, made in zip(before.frames(), after.frames(), strict=True):
            assert made.alpha is not None
            alpha = matte_edge(square(source.index), feather=2)
            assert np.abs(made.alpha - alpha).max() < 1e-3
            assert np.abs(made.picture - source.picture * alpha[:, :, None]).max() < 1e-2
            assert not made.picture[alpha == 0].any()


def test_several_cut_outs_add_up_and_others_lie_under_them(clip: Path, car: str) -> None:
    layers = [
        {"object": "car", "mode": "cutout", "feather": 0},
        {"object": "car", "mode": "cutout", "feather": 0, "grow": 4},
        {"object": "car", "mode": "replace", "source": "#00ff00", "feather": 0},
    ]
    for made in Job(clip, recipe=Recipe.build(objects=[car], layers=layers)).frames():
        matte = square(made.result.index)
        assert made.result.alpha is not None
        assert np.array_equal(made.result.alpha > 0, matte_edge(matte, grow=4) > 0)
        assert (made.result.picture[matte > 0] == (0, 255, 0)).all()


def test_an_output_without_alpha_is_refused_before_anything_is_done(
    restyle_command: Caller, clip: Path, car: str, tmp_path: Path
) -> None:
    words = ("run", clip, "-o", tmp_path / "o.mp4", "-q", "--object", car, "--layer", "car:mode=cutout")
    line = restyle_command.fails(*words, code=2)
    assert "o.mp4" in line
    assert ".mov (prores)" in line
    assert not (tmp_path / "o.mp4").exists()
    assert not (tmp_path / "o.mp4.restyle").exists()


# Blend modes


@pytest.mark.parametrize(
    ("how", "wanted"),
    [
        ("normal", [0.8, 0.2, 0.5]),
        ("multiply", [0.2, 0.15, 0.05]),
        ("screen", [0.85, 0.8, 0.55]),
        ("overlay", [0.4, 0.6, 0.1]),
        ("darken", [0.25, 0.2, 0.1]),
        ("lighten", [0.8, 0.75, 0.5]),
        # W3C: D(0.25) = 0.5; 0.25 + 0.6 (0.5 - 0.25); 0.75 - 0.6 0.75 0.25; a top of 0.5 changes nothing
        ("soft-light", [0.4, 0.6375, 0.1]),
    ],
)
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_blend_modes_by_hand(how: str, wanted: list[float], dtype: str) -> None:
    white = {"uint8": 255, "uint16": 65535, "float32": 1}[dtype]
    base, top = (
        (np.array([[values]]) * white + (0.5 if white > 1 else 0)).astype(dtype)
        for values in ([0.25, 0.75, 0.1], [0.8, 0.2, 0.5])
    )
    made = blend_mode(base, top, how)
    assert made.dtype == np.dtype(dtype)
    assert np.abs(made[0, 0] / white - wanted).max() < (0.004 if dtype == "uint8" else 1e-4)


def test_colour_and_luminosity_take_one_from_each() -> None:
    base, top = np.full((1, 1, 3), 100, np.uint8), np.array([[[200, 60, 60]]], np.uint8)
    luma = np.array([0.2126, 0.7152, 0.0722])
    colour, light = blend_mode(base, top, "colour")[0, 0], blend_mode(base, top, "luminosity")[0, 0]
    assert abs(float(colour @ luma) - 100) < 1
    assert int(colour[0]) - int(colour[1]) == pytest.approx(140, abs=2)
    assert np.ptp(light) <= 1
    assert abs(float(light @ luma) - float(top[0, 0] @ luma)) < 1
    with pytest.raises(ValueError, match="no blend mode 'burn'"):
        blend_mode(base, top, "burn")


@pytest.mark.parametrize("how", ["multiply", "soft-light", "luminosity"])
def test_a_blended_layer_touches_nothing_outside_of_its_matte(clip: Path, car: str, how: str) -> None:
    layers = [{"object": "car", "mode": "replace", "source": "#808020", "feather": 3, "blend": how}]
    with open_footage(clip) as footage:
        sources = [frame.picture for frame in footage.frames()]
    upper = np.full_like(sources[0], (128, 128, 32))
    for made, source in zip(
        Job(clip, recipe=Recipe.build(objects=[car], layers=layers)).frames(), sources, strict=True
    ):
        matte = matte_edge(square(made.result.index), feather=3)
        assert np.array_equal(made.result.picture[matte == 0], source[matte == 0])
        assert np.array_equal(made.result.picture, over(source, blend_mode(source, upper, how), matte))


def test_what_cannot_be_blended_is_refused(car: str) -> None:
    for layer in ({"object": "car", "mode": "keep", "blend": "screen"}, {"object": "car", "blend": "burn"}):
        with pytest.raises(RecipeError):
            Recipe.build(objects=[car], layers=[layer])


# Floats


def test_outside_of_the_matte_floats_keep_every_bit(car: str, tmp_path: Path) -> None:
    """EXR, with values below 0, above 1, tiny ones and infinity."""
    rng = np.random.default_rng(1)
    pictures = [rng.uniform(-2, 30, (*SIZE[::-1], 3)).astype(np.float32) for _ in range(FRAMES)]
    for picture in pictures:
        picture[50, 5:9] = (np.inf, 1e-30, -7.25)
    write_pictures(tmp_path / "in", pictures, "f.%04d.exr")
    recipe = Recipe.build(style="mosaic", objects=[car], layers=[{"object": "car", "feather": 4, "grow": 2}])
    Job(tmp_path / "in", tmp_path / "out" / "f.%04d.exr", recipe, rate=24, report=False).run()
    with open_footage(tmp_path / "in") as before, open_footage(tmp_path / "out") as after:
        for source, made in zip(before.frames(), after.frames(), strict=True):
            inside = matte_edge(square(source.index), grow=2, feather=4) > 0
            assert made.picture.dtype == np.float32
            assert np.array_equal(made.picture[~inside].view(np.uint32), source.picture[~inside].view(np.uint32))
            core = square(source.index) > 0
            assert (made.picture[core] != source.picture[core]).mean() > 0.8


# Removing


def test_a_removed_object_gives_way_to_what_lay_behind_it(tmp_path: Path) -> None:
    """A moving square over footage that moves, too; lossless, so that all else is the same to the bit."""
    truth = moving_frames(16, (160, 96), shift=(1, 0))
    (tmp_path / "thing").mkdir()
    shown, holes = [], []
    for t, frame in enumerate(truth):
        matte = np.zeros(frame.shape[:2], np.uint8)
        matte[30:56, 10 + 8 * t : 36 + 8 * t] = 255
        cv2.imwrite(str(tmp_path / "thing" / f"m.{t:04d}.png"), matte)
        shown.append(np.where(matte[:, :, None] > 0, np.uint8(250), frame))
        holes.append(matte > 0)
    clip = write_clip(tmp_path / "in.mkv", shown, codec="ffv1", pixel_format="bgr0")
    layer = {"object": "thing", "mode": "remove", "feather": 2, "grow": 2}
    recipe = Recipe.build(objects=[f"thing=mattes:{tmp_path / 'thing'}"], layers=[layer], codec="ffv1")
    result = Job(clip, tmp_path / "out.mkv", recipe, report=False).run()
    assert result.frames == 16
    with open_footage(tmp_path / "out.mkv") as footage:
        made = [frame.picture for frame in footage.frames()]
    for t, hole in enumerate(holes):
        edge = matte_edge(hole.astype(np.float32), grow=2, feather=2) > 0
        assert np.array_equal(made[t][~edge], shown[t][~edge])
        assert float(np.abs(made[t][hole].astype(int) - truth[t][hole]).mean()) < 12
        assert float(np.abs(shown[t][hole].astype(int) - truth[t][hole]).mean()) > 60
    again = Job(clip, tmp_path / "out.mkv", recipe, report=False, overwrite=True).run()
    assert again.reused == 16
    (plates,) = (result.folder / "plates").iterdir()
    before = {path.name: path.stat().st_mtime_ns for path in plates.iterdir()}
    wider = Recipe.build(objects=recipe.objects, layers=[layer, {"object": "thing", "feather": 9}], codec="ffv1")
    Job(clip, tmp_path / "out.mkv", wider, report=False, overwrite=True).run()
    assert {path.name: path.stat().st_mtime_ns for path in plates.iterdir()} == before  # made once a job


def test_frames_handed_out_one_by_one_are_cleared_too(clip: Path, car: str) -> None:
    recipe = Recipe.build(objects=[car], layers=[{"object": "car", "mode": "remove", "feather": 0}])
    for made in Job(clip, recipe=recipe).frames():
        changed = (made.result.picture != made.source.picture).any(axis=2)
        assert changed[square(made.result.index) > 0].mean() > 0.3
        assert not changed[square(made.result.index) == 0].any()


# Mattes out


@pytest.mark.parametrize(("form", "within"), [("png", 0.5 / 255), ("png16", 0.5 / 65535), ("exr", 0.0)])
def test_mattes_are_written_in_every_depth_and_read_back(
    restyle_command: Caller, clip: Path, tmp_path: Path, form: str, within: float
) -> None:
    """Soft mattes of 16 bits, handed over, written, and handed over again."""
    (tmp_path / "soft").mkdir()
    soft = [np.clip(cv2.GaussianBlur(square(t), (0, 0), 4), 0, 1) for t in range(FRAMES)]
    for t, matte in enumerate(soft):
        cv2.imwrite(str(tmp_path / "soft" / f"m.{t:04d}.png"), np.rint(matte * 65535).astype(np.uint16))
    words = ("matte", clip, "--format", form, "-q", "--object")
    restyle_command(*words, f"car=mattes:{tmp_path / 'soft'}", "-o", tmp_path / "out")
    again = Recipe.build(
        objects=[f"car=mattes:{tmp_path / 'out' / 'car'}"], layers=[{"object": "car", "mode": "cutout"}]
    )
    from controls.masks.files import read_matte

    for path, matte in zip(sorted((tmp_path / "out" / "car").iterdir()), soft, strict=True):
        wanted = np.rint(matte * 65535) / 65535
        assert float(np.abs(read_matte(path) - wanted).max()) <= within + 1e-6
    assert sum(1 for _ in Job(clip, recipe=again).frames()) == FRAMES


@pytest.mark.parametrize("form", ["mov", "webm"])
def test_mattes_as_the_alpha_of_a_clip_and_read_back(
    restyle_command: Caller, clip: Path, car: str, tmp_path: Path, form: str
) -> None:
    made = tmp_path / "out" / f"car.{form}"
    said = restyle_command("matte", clip, "-o", tmp_path / "out", "--format", form, "--object", car, "--json")
    assert said.json["mattes"] == {"car": str(made)}
    assert sorted((tmp_path / "out").glob("[!.]*")) == [made, tmp_path / "out" / "sheet.jpg"]
    with open_footage(made) as footage:
        frames = list(footage.frames())
    assert len(frames) == FRAMES
    for frame in frames:
        assert frame.alpha is not None
        whole = np.iinfo(frame.alpha.dtype).max
        assert float(np.abs(frame.alpha / whole - square(frame.index)).mean()) < 0.01
    layers = [{"object": "car", "mode": "cutout", "feather": 0}]
    recipe = Recipe.build(objects=[f"car=mattes:{made}"], layers=layers, cuts=[3])
    for again in Job(clip, recipe=recipe).frames():
        assert again.result.alpha is not None
        assert float(np.abs(again.result.alpha / 255 - square(again.result.index)).mean()) < 0.01
    line = restyle_command.fails("matte", clip, "-o", tmp_path / "x", "-q", "--format", "gif", "--object", car, code=2)
    assert "png, png16, exr, mov, webm" in line


def test_a_clip_without_alpha_is_a_matte_by_its_brightness(tmp_path: Path, clip: Path) -> None:
    drawn = write_pictures(
        tmp_path / "drawn", [np.uint8(square(t) * 255)[:, :, None].repeat(3, 2) for t in range(FRAMES)]
    )
    drawn_clip = tmp_path / "drawn.mkv"
    Job(drawn, drawn_clip, Recipe.build(painter="identity", codec="ffv1"), report=False).run()
    layers = [{"object": "car", "mode": "cutout", "feather": 0}]
    for made in Job(clip, recipe=Recipe.build(objects=[f"car=mattes:{drawn_clip}"], layers=layers)).frames():
        assert made.result.alpha is not None
        assert np.array_equal(made.result.alpha > 127, square(made.result.index) > 0.5)


@pytest.mark.parametrize(
    ("size", "count", "words"),
    [
        ((SIZE[0] // 2, SIZE[1]), FRAMES, "other.webm.* are 48x64, the picture 96x64"),
        (SIZE, FRAMES - 1, "holds 5 mattes, 6 are needed"),
    ],
)
def test_a_clip_of_mattes_of_another_size_or_length_is_refused(
    clip: Path, tmp_path: Path, size: tuple[int, int], count: int, words: str
) -> None:
    other = write_pictures(tmp_path / "other", [np.zeros((*size[::-1], 3), np.uint8)] * count)
    Job(other, tmp_path / "other.webm", Recipe.build(painter="identity"), report=False).run()
    recipe = Recipe.build(objects=[f"car=mattes:{tmp_path / 'other.webm'}"], codec="ffv1")
    with pytest.raises(RecipeError, match=words):
        Job(clip, tmp_path / "o.mkv", recipe).run()


def test_a_changed_clip_of_mattes_is_read_anew(clip: Path, car: str, tmp_path: Path) -> None:
    held = tmp_path / "car.webm"
    recipe = Recipe.build(
        objects=[f"car=mattes:{held}"], layers=[{"object": "car", "mode": "replace", "source": "#00ff00"}], codec="ffv1"
    )
    changed = []
    for level in (0, 255):
        flat = write_pictures(tmp_path / f"flat{level}", [np.full((*SIZE[::-1], 3), level, np.uint8)] * FRAMES)
        Job(flat, held, Recipe.build(painter="identity"), report=False, overwrite=True, fresh=True).run()
        Job(clip, tmp_path / "o.mkv", recipe, overwrite=True, report=False).run()
        with open_footage(tmp_path / "o.mkv") as footage:
            changed.append((next(footage.frames()).picture == (0, 255, 0)).all(axis=2).mean())
    assert changed == [0, 1]


# The report


def test_the_report_shows_mattes_area_and_leakage(clip: Path, car: str, tmp_path: Path) -> None:
    import json

    recipe = Recipe.build(
        objects=[car], layers=[{"object": "car", "mode": "replace", "source": "#00ff00", "feather": 0}], codec="ffv1"
    )
    result = Job(clip, tmp_path / "o.mkv", recipe).run()
    assert result.report is not None
    plain = json.loads(result.report.with_suffix(".json").read_text())
    for row in plain["frames"]:
        assert row["area"] == pytest.approx(float(square(row["frame"]).mean()), abs=1e-5)
        assert row["leakage"] == 0
    assert plain["summary"]["leakage"] == 0
    page = result.report.read_text()
    assert "no pixel differs from the footage" in page
    assert "Area of the layers" in page
    assert 'alt="Mattes, frame 0"' in page
    whole = Job(clip, tmp_path / "w.mkv", Recipe.build(style="mosaic", codec="ffv1")).run()
    assert whole.report is not None
    assert json.loads(whole.report.with_suffix(".json").read_text())["summary"]["leakage"] is None
    assert "Area of the layers" not in whole.report.read_text()


def test_leakage_is_seen_if_there_is_some(
    clip: Path, car: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import json

    from restyle.compositing.layers import LayerCompositor

    compose = LayerCompositor.compose

    def leaky(self, frame, pictures):  # type: ignore[no-untyped-def]
        made = compose(self, frame, pictures).copy()
        made[0, 0] ^= 1
        return made

    monkeypatch.setattr(LayerCompositor, "compose", leaky)
    recipe = Recipe.build(
        objects=[car], layers=[{"object": "car", "mode": "replace", "source": "#00ff00"}], codec="ffv1"
    )
    result = Job(clip, tmp_path / "o.mkv", recipe).run()
    assert result.report is not None
    assert json.loads(result.report.with_suffix(".json").read_text())["summary"]["leakage"] > 0
    assert "please report it" in result.report.read_text()


# Backdrops


def test_a_clip_as_the_backdrop_keeps_its_own_speed_and_begins_again(car: str, tmp_path: Path) -> None:
    """25 frames a second behind 10: frame n shows the clip at n / 10 s, and after its 8 frames it starts anew."""
    source = write_clip(tmp_path / "slow.mkv", moving_frames(FRAMES, SIZE), rate=10, codec="ffv1", pixel_format="bgr0")
    write_clip(tmp_path / "behind.mkv", numbered_frames(8, SIZE), rate=25, codec="ffv1", pixel_format="bgr0")
    layer = {"object": "background", "mode": "replace", "source": str(tmp_path / "behind.mkv"), "feather": 0}
    recipe = Recipe.build(objects=[car], layers=[layer, {"object": "car", "mode": "replace", "source": "#000000"}])
    recipe = recipe.model_copy(update={"layers": recipe.layers[:1]})
    for made in Job(source, recipe=recipe).frames():
        shown = np.where(square(made.result.index)[:, :, None] > 0, np.uint8(0), made.result.picture)
        assert number_of(shown[:12]) == made.result.index * 25 // 10 % 8
    part = recipe.model_copy(update={"range": "3:6"})
    first = next(iter(Job(source, recipe=part).frames()))
    assert number_of(first.result.picture[:12]) == 0  # it begins where the result begins


def test_a_clip_as_the_backdrop_is_closed_at_the_end(car: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from restyle.compositing.backdrops import ClipBackdrop

    source = write_clip(tmp_path / "in.mkv", moving_frames(FRAMES, SIZE), codec="ffv1", pixel_format="bgr0")
    write_clip(tmp_path / "behind.mkv", numbered_frames(40, SIZE), codec="ffv1", pixel_format="bgr0")
    layer = {"object": "car", "mode": "replace", "source": str(tmp_path / "behind.mkv")}
    made: list[ClipBackdrop] = []
    first = ClipBackdrop.__init__

    def seen(self: ClipBackdrop, *args: object) -> None:
        made.append(self)
        first(self, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(ClipBackdrop, "__init__", seen)
    assert list(Job(source, recipe=Recipe.build(objects=[car], layers=[layer])).frames())
    assert [backdrop._stream for backdrop in made] == [None]


def test_a_clip_as_the_backdrop_keeps_its_own_times(tmp_path: Path) -> None:
    from restyle.compositing.backdrops import open_backdrop
    from restyle.types import Frame

    path = write_clip(
        tmp_path / "v.mkv", numbered_frames(4, SIZE), pts=[0, 100, 900, 1000], time_base=Fraction(1, 1000),
        codec="ffv1", pixel_format="bgr0",
    )  # fmt: skip
    backdrop = open_backdrop(str(path), SIZE, "uint8", lambda frame: Fraction(frame.pts, 10))
    picture = numbered_frames(1, SIZE)[0]
    shown = [number_of(backdrop.of(Frame(n, n, picture))) for n in range(11)]
    assert shown == [0, 1, 1, 1, 1, 1, 1, 1, 1, 2, 3]
    backdrop.close()


def test_a_clip_that_cannot_be_read_ends_in_one_line(
    restyle_command: Caller, clip: Path, car: str, tmp_path: Path
) -> None:
    (tmp_path / "broken.mp4").write_bytes(b"no film")
    layer = f"car:mode=replace,source={tmp_path / 'broken.mp4'}"
    line = restyle_command.fails("run", clip, "-o", tmp_path / "o.mkv", "-q", "--object", car, "--layer", layer, code=3)
    assert "broken.mp4" in line


def test_a_note_says_how_much_was_invented(tmp_path: Path, car: str) -> None:
    """A square that stands still before a still picture hides the same for ever; one that moves on does not."""
    frames = [moving_frames(1, SIZE)[0]] * FRAMES
    clip = write_clip(tmp_path / "still.mkv", frames, codec="ffv1", pixel_format="bgr0")
    (tmp_path / "held").mkdir()
    for t in range(FRAMES):
        cv2.imwrite(str(tmp_path / "held" / f"m.{t:04d}.png"), np.rint(square(0) * 255).astype(np.uint8))
    noted = []
    for name, objects in (("held", f"car=mattes:{tmp_path / 'held'}"), ("moving", car)):
        recipe = Recipe.build(objects=[objects], layers=[{"object": "car", "mode": "remove"}], codec="ffv1")
        result = Job(clip, tmp_path / f"{name}.mkv", recipe, report=False).run()
        noted.append([note for note in result.notes if "invented" in note])
    assert noted[0] == [
        "of what is behind what was removed 100% is shown by no frame near it: it was invented (6 frames)"
    ]
    assert "100%" not in "".join(noted[1])
