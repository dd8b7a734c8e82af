from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from clips import number_of, numbered_frames, write_clip
from PIL import Image

from restyle.compositing.backdrops import ClipBackdrop, StillBackdrop, open_backdrop
from restyle.errors import FootageError, RecipeError
from restyle.footage import open_footage, probe, timing


def write_animation(path: Path, durations: list[int], **options: object) -> Path:
    first, *others = [Image.fromarray(f) for f in numbered_frames(len(durations), (64, 48))]
    kind = {".webp": "WEBP", ".gif": "GIF"}.get(path.suffix, "PNG")
    first.save(path, kind, save_all=True, append_images=others, duration=durations, **options)
    return path


@pytest.mark.parametrize("name", ["a.webp", "a.png", "a.apng", "a.gif"])
def test_animations_are_footage_whatever_their_name(tmp_path: Path, name: str) -> None:
    path = write_animation(tmp_path / name, [80] * 8, **({"lossless": True} if name == "a.webp" else {}))
    spec = probe(path)
    assert (spec.rate, spec.width, spec.height, spec.variable_rate) == (Fraction(25, 2), 64, 48, False)
    frames = list(open_footage(path).frames())
    assert [number_of(f.picture) for f in frames] == list(range(8))
    assert [f.pts * spec.time_base for f in frames] == [Fraction(80 * n, 1000) for n in range(8)]
    assert timing(path) == [f.pts for f in frames]
    with pytest.raises(RecipeError, match="its own rate"):
        probe(path, rate=Fraction(24))


def test_an_animation_keeps_its_timing(tmp_path: Path, pass_through) -> None:  # type: ignore[no-untyped-def]
    path = write_animation(tmp_path / "v.webp", [40, 200, 70, 1000], lossless=True)
    spec = probe(path)
    assert spec.variable_rate
    assert timing(path) == [0, 40, 240, 310]
    made = pass_through(path, "out.mkv", codec="ffv1").path
    assert timing(made) == [0, 40, 240, 310]
    for frame, picture in zip(open_footage(made).frames(), numbered_frames(4, (64, 48)), strict=True):
        assert np.array_equal(frame.picture, picture)
    late = list(open_footage(path).frames(2, 3))
    assert [(f.index, f.pts, number_of(f.picture)) for f in late] == [(2, 240, 2)]
    small = next(open_footage(path).frames(size=(32, 24)))
    assert small.picture.shape == (24, 32, 3)


def test_alpha_of_an_animation(tmp_path: Path) -> None:
    pictures = [np.dstack([f, np.full((48, 64), 60 * n, np.uint8)]) for n, f in enumerate(numbered_frames(4, (64, 48)))]
    first, *others = map(Image.fromarray, pictures)
    first.save(tmp_path / "a.webp", save_all=True, append_images=others, duration=40, lossless=True, exact=True)
    spec = probe(tmp_path / "a.webp")
    assert spec.has_alpha
    for frame, picture in zip(open_footage(tmp_path / "a.webp").frames(), pictures, strict=True):
        assert frame.alpha is not None
        assert np.array_equal(frame.alpha, picture[..., 3])


def test_half_an_animation_is_no_shorter_film(tmp_path: Path) -> None:
    path = write_animation(tmp_path / "a.webp", [80] * 8, lossless=True)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])
    with pytest.raises(FootageError, match=r"a\.webp"):
        list(open_footage(path).frames())


def test_one_picture_is_one_picture(tmp_path: Path) -> None:
    for name in ("a.webp", "a.png"):
        Image.fromarray(numbered_frames(1, (64, 48))[0]).save(tmp_path / name)
        assert (probe(tmp_path / name).kind, probe(tmp_path / name).frames) == ("sequence", 1)


def test_a_film_named_as_a_picture_is_a_film(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "film.png", numbered_frames(5, (64, 48)), muxer="mp4")
    assert [number_of(f.picture) for f in open_footage(path).frames()] == list(range(5))
    (tmp_path / "bad.png").write_bytes(b"no picture" * 20)
    with pytest.raises(FootageError, match="PNG"):
        probe(tmp_path / "bad.png")


def test_an_animation_behind_an_object_runs(tmp_path: Path) -> None:
    moving = write_animation(tmp_path / "a.webp", [80] * 4, lossless=True)
    assert isinstance(open_backdrop(str(moving), (64, 48), "uint8", lambda frame: Fraction(0)), ClipBackdrop)
    Image.fromarray(numbered_frames(1, (64, 48))[0]).save(tmp_path / "still.webp")
    still = open_backdrop(str(tmp_path / "still.webp"), (64, 48), "uint8", lambda frame: Fraction(0))
    assert isinstance(still, StillBackdrop)
