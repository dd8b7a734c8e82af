"""Image sequences: every depth and format in and out, order, numbers, gaps."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from clips import moving_frames, number_of, numbered_frames, psnr, read_picture, write_pictures

from restyle.errors import FootageError, OutputError
from restyle.footage import files_of, open_footage, plan_output, probe, timing, write_picture
from restyle.footage import read_picture as read_still

LOSSLESS = [
    (".png", "uint8"),
    (".png", "uint16"),
    (".tif", "uint8"),
    (".tiff", "uint16"),
    (".exr", "float32"),
    (".tif", "float32"),
]


@pytest.mark.parametrize(("suffix", "dtype"), LOSSLESS)
def test_lossless_pictures_are_read_bit_for_bit(tmp_path: Path, suffix: str, dtype: str) -> None:
    pictures = moving_frames(4, (40, 30), dtype=dtype)
    if suffix == ".exr":
        pictures[0][0, 0] = (-0.5, 3.5, 70000.0)  # light beyond white, and half's range
    pattern = write_pictures(tmp_path / "in", pictures, f"shot.%04d{suffix}", first=1001)
    spec = probe(pattern, rate=Fraction(24000, 1001))
    assert (spec.kind, spec.frames, spec.first_number, spec.dtype) == ("sequence", 4, 1001, dtype)
    assert (spec.rate, spec.time_base) == (Fraction(24000, 1001), Fraction(1001, 24000))
    with open_footage(pattern) as footage:
        frames = list(footage.frames())
    for frame, picture in zip(frames, pictures, strict=True):
        assert np.array_equal(frame.picture, picture)
        assert frame.picture.flags["C_CONTIGUOUS"]
        assert frame.pts == frame.index
    assert timing(pattern) == [0, 1, 2, 3]


def test_half_float_exr(tmp_path: Path) -> None:
    import cv2

    picture = moving_frames(1, (40, 30), dtype="float32")[0].astype(np.float16).astype(np.float32)
    done, data = cv2.imencode(".exr", picture[..., ::-1], [cv2.IMWRITE_EXR_TYPE, cv2.IMWRITE_EXR_TYPE_HALF])
    assert done
    (tmp_path / "h.0001.exr").write_bytes(data.tobytes())
    spec = probe(tmp_path / "h.%04d.exr")
    assert (spec.bits, spec.dtype) == (16, "float32")
    assert np.array_equal(next(open_footage(tmp_path / "h.%04d.exr").frames()).picture, picture)


@pytest.mark.parametrize("suffix", [".jpg", ".webp"])
def test_lossy_pictures(tmp_path: Path, suffix: str) -> None:
    pictures = moving_frames(3, (64, 48))
    pattern = write_pictures(tmp_path, pictures, f"a_%d{suffix}", first=8)  # 8, 9, 10: natural order matters
    frames = list(open_footage(pattern).frames())
    assert all(psnr(f.picture, p) > 30 for f, p in zip(frames, pictures, strict=True))


@pytest.mark.parametrize("suffix", [".png", ".webp", ".tif", ".exr"])
def test_alpha_goes_in_and_out(tmp_path: Path, suffix: str, pass_through) -> None:  # type: ignore[no-untyped-def]
    dtype = "float32" if suffix == ".exr" else "uint8" if suffix == ".webp" else "uint16"
    whole = {"uint8": 255, "uint16": 65535, "float32": 1}[dtype]
    colour = moving_frames(2, (40, 30), dtype=dtype)
    alpha = np.zeros((30, 40, 1), dtype)
    alpha[:, 20:] = whole
    write_pictures(tmp_path / "in", [np.concatenate([c, alpha], 2) for c in colour], f"f.%02d{suffix}")
    done = pass_through(tmp_path / "in", f"out/f.%02d{suffix}") if (tmp_path / "out").mkdir() is None else None
    assert done.source.has_alpha
    assert np.array_equal(done.frames[0].alpha, alpha[..., 0])
    again = list(open_footage(tmp_path / "out").frames())
    assert np.array_equal(again[1].alpha, alpha[..., 0])
    if suffix != ".webp":
        assert np.array_equal(again[1].picture, colour[1])


def test_a_folder_is_read_in_natural_order(tmp_path: Path) -> None:
    pictures = numbered_frames(12, (64, 48))
    write_pictures(tmp_path / "in", pictures, "take2_%d.png", first=0)
    (tmp_path / "in" / ".hidden.png").write_bytes(b"no picture")
    (tmp_path / "in" / "notes.txt").write_text("no picture either")
    with open_footage(tmp_path / "in") as footage:
        assert footage.spec.frames == 12
        assert footage.spec.rate == 24
        assert [number_of(f.picture) for f in footage.frames()] == list(range(12))
        assert [number_of(f.picture) for f in footage.frames(7, 9)] == [7, 8]
    assert [p.name for p in files_of(tmp_path / "in")][9:] == ["take2_9.png", "take2_10.png", "take2_11.png"]


def test_small_pictures_of_a_sequence(tmp_path: Path) -> None:
    pattern = write_pictures(tmp_path, moving_frames(2, (64, 48), dtype="uint16"))
    frame = next(open_footage(pattern).frames(size=(16, 12)))
    assert frame.picture.shape == (12, 16, 3)
    assert frame.picture.dtype == np.uint8


def test_a_gap_names_the_missing_picture(tmp_path: Path) -> None:
    pattern = write_pictures(tmp_path / "in", moving_frames(6, (16, 12)))
    (tmp_path / "in" / "frame.0004.png").unlink()
    for path in (pattern, tmp_path / "in"):
        with pytest.raises(FootageError, match=r"gap: '.*frame\.0004\.png' is missing"):
            probe(path)


def test_another_size_names_the_odd_picture(tmp_path: Path) -> None:
    write_pictures(tmp_path / "in", moving_frames(3, (16, 12)))
    write_pictures(tmp_path / "in", moving_frames(1, (18, 12)), first=4)
    with pytest.raises(FootageError, match=r"frame\.0004\.png' is 18x12, but the sequence begins with 16x12"):
        probe(tmp_path / "in")


def test_another_depth_names_the_odd_picture(tmp_path: Path) -> None:
    write_pictures(tmp_path / "in", moving_frames(2, (16, 12)))
    write_pictures(tmp_path / "in", moving_frames(1, (16, 12), dtype="uint16"), first=3)
    with pytest.raises(FootageError, match=r"frame\.0003\.png' has 16 bits"):
        probe(tmp_path / "in")


@pytest.mark.parametrize(("suffix", "dtype"), [*LOSSLESS, (".jpg", "uint8"), (".webp", "uint8")])
@pytest.mark.parametrize("keep", [0.0, 0.5, 0.97])
def test_a_corrupt_picture_is_an_error_that_names_it(tmp_path: Path, suffix: str, dtype: str, keep: float) -> None:
    pattern = write_pictures(tmp_path / "in", moving_frames(4, (64, 48), dtype=dtype), f"f.%02d{suffix}")
    victim = tmp_path / "in" / f"f.03{suffix}"
    data = victim.read_bytes()
    spec_before = probe(pattern)
    footage = open_footage(pattern)
    victim.write_bytes(data[: int(len(data) * keep)])
    good = list(footage.frames(0, 2))
    assert len(good) == spec_before.frames - 2  # what is asked for before it still comes
    with pytest.raises(FootageError, match=r"f\.03") as caught:
        list(footage.frames())
    assert "\n" not in str(caught.value)


def test_not_a_picture(tmp_path: Path) -> None:
    for suffix in (".png", ".jpg", ".tif", ".webp", ".exr"):
        path = tmp_path / f"x{suffix}"
        path.write_text("this is a text, not a picture")
        with pytest.raises(FootageError, match=f"x{suffix}"):
            probe(path)
        with pytest.raises(FootageError, match=f"x{suffix}"):
            read_still(path)


def test_missing_folders_and_empty_ones(tmp_path: Path) -> None:
    with pytest.raises(FootageError, match=r"there is no folder '.*gone'"):
        probe(tmp_path / "gone" / "f.%04d.png")
    (tmp_path / "empty").mkdir()
    with pytest.raises(FootageError, match="holds no pictures"):
        probe(tmp_path / "empty")
    with pytest.raises(FootageError, match="no picture in"):
        probe(tmp_path / "empty" / "f.%04d.png")
    write_pictures(tmp_path / "mixed", moving_frames(1, (16, 12)))
    write_pictures(tmp_path / "mixed", moving_frames(1, (16, 12)), "frame.%04d.jpg")
    with pytest.raises(FootageError, match="several kinds"):
        probe(tmp_path / "mixed")


@pytest.mark.parametrize("folder", ["100%d", "it's %04d 映画", "new\nline", "-x"])
def test_hostile_folder_names(tmp_path: Path, folder: str) -> None:
    pattern = write_pictures(tmp_path / folder, numbered_frames(3, (64, 48)), "f %03d.png")
    for path in (pattern, tmp_path / folder):
        assert [number_of(f.picture) for f in open_footage(path).frames()] == [0, 1, 2]


def test_a_picture_with_percent_in_its_name_is_itself(tmp_path: Path) -> None:
    write_picture(tmp_path / "a%04d.png", numbered_frames(1, (64, 48))[0])
    assert probe(tmp_path / "a%04d.png").frames == 1


def test_8k_picture(tmp_path: Path) -> None:
    picture = np.zeros((4320, 7680, 3), np.uint8)
    picture[::64] = 200
    path = tmp_path / "big.0001.png"
    write_picture(path, picture)
    spec = probe(tmp_path / "big.%04d.png")
    assert (spec.width, spec.height) == (7680, 4320)
    frame = next(open_footage(tmp_path / "big.%04d.png").frames())
    assert np.array_equal(frame.picture, picture)


@pytest.mark.parametrize("size", [(1, 1), (3, 1), (1, 7), (13, 11)])
def test_tiny_and_odd_pictures(tmp_path: Path, size: tuple[int, int], pass_through) -> None:  # type: ignore[no-untyped-def]
    pictures = moving_frames(2, size)
    write_pictures(tmp_path / "in", pictures)
    done = pass_through(tmp_path / "in", "out")
    made = sorted(done.path.glob("[!.]*"))
    assert [p.name for p in made] == ["frame.0001.png", "frame.0002.png"]
    assert all(np.array_equal(read_picture(m), p) for m, p in zip(made, pictures, strict=True))


@pytest.mark.parametrize(
    ("name", "dtype", "kept"),
    [("o/f.%04d.png", "uint16", "uint16"), ("o/f.%04d.tif", "float32", "float32"), ("o/f.%04d.png", "float32", "uint16"),
     ("o/f.%04d.exr", "float32", "float32"), ("o/f.%04d.exr", "uint16", "float32"), ("o/f.%04d.jpg", "uint8", "uint8")],
)  # fmt: skip
def test_sequence_to_sequence(tmp_path: Path, name: str, dtype: str, kept: str, pass_through) -> None:  # type: ignore[no-untyped-def]
    pictures = moving_frames(5, (40, 30), dtype=dtype)
    write_pictures(tmp_path / "in", pictures, f"s.%03d{'.exr' if dtype == 'float32' else '.png'}", first=7)
    (tmp_path / "o").mkdir()
    done = pass_through(tmp_path / "in", name, span=range(1, 4))
    again = list(open_footage(done.path).frames())
    assert probe(done.path).first_number == 8
    assert [str(f.picture.dtype) for f in again] == [kept] * 3
    if dtype == kept and not name.endswith("jpg"):
        assert all(np.array_equal(f.picture, p) for f, p in zip(again, pictures[1:4], strict=True))
    elif dtype == "uint8":
        assert psnr(again[0].picture, pictures[1]) > 38


def test_linear_light_is_encoded_for_viewing_and_back(tmp_path: Path) -> None:
    from restyle.footage.colour import to_depth

    levels = np.arange(256, dtype=np.uint8).reshape(1, 256, 1).repeat(3, 2)
    linear = to_depth(levels, "float32")
    assert abs(linear[0, 188, 0] - 0.5028) < 1e-3  # sRGB's middle of light
    assert np.array_equal(to_depth(linear, "uint8"), levels)
    deep = to_depth(levels, "uint16")
    assert deep[0, 255, 0] == 65535
    assert np.array_equal(to_depth(deep, "uint8"), levels)


def test_one_name_for_many_pictures_is_refused(tmp_path: Path) -> None:
    write_pictures(tmp_path / "in", moving_frames(3, (16, 12)))
    source = probe(tmp_path / "in")
    with pytest.raises(OutputError, match=r"number them, as out\.%04d\.png"):
        plan_output(source, tmp_path / "out.png")
