"""Single pictures of every kind that the docs promise: upright, whole, of sane size, or an error in one line."""

from __future__ import annotations

import io
import struct
import time
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import OpenImageIO as oiio
import pytest
from PIL import Image, ImageCms, PngImagePlugin

from restyle.errors import FootageError
from restyle.footage import open_footage, probe, read_picture
from restyle.footage.stills import read_facts, read_with_alpha, upright

Y, X = np.mgrid[:20, :30]
GREY = (X * 8 + Y).astype(np.uint8)
RGB = np.dstack([GREY, 255 - GREY, (Y * 12).astype(np.uint8)])
DEEP = RGB.astype(np.uint16) * 257
FLOAT = RGB.astype(np.float32) / 255
FORMATS = {"float16": "half", "float32": "float", "float64": "double"}
"""OpenImageIO's names of numpy's types."""


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, depth: int, colour: int, rows: bytes, *extra: tuple[bytes, bytes]) -> bytes:
    """A PNG by hand: ``colour`` 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGBA; ``rows`` with their filter bytes."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(chunk(*one) for one in extra) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")  # fmt: skip # noqa: E501


def rows(values: np.ndarray) -> bytes:
    return b"".join(b"\0" + row.astype(values.dtype.newbyteorder(">")).tobytes() for row in values)


def tiff(path: Path, *pages: np.ndarray, **attributes: Any) -> Path:
    out = oiio.ImageOutput.create("tiff")
    for number, page in enumerate(pages):
        values = page if page.ndim == 3 else page[..., None]
        spec = oiio.ImageSpec(
            values.shape[1], values.shape[0], values.shape[2], FORMATS.get(str(values.dtype), str(values.dtype))
        )
        tile = attributes.get("tile", 0)
        spec.tile_width = spec.tile_height = tile
        for name, value in attributes.items():
            if name != "tile":
                spec.attribute(name.replace("__", ":"), value)
        assert out.open(str(path), spec, "AppendSubimage" if number else "Create")
        assert out.write_image(np.ascontiguousarray(values))
    assert out.close()
    return path


def stored(orientation: int) -> np.ndarray:
    """What a camera stores for the upright ``RGB``: the transform that ``orientation`` undoes."""
    inverse = {6: 8, 8: 6}.get(orientation, orientation)
    return upright(RGB, inverse)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_means_what_exif_says(orientation: int) -> None:
    # By EXIF: 1 is row 0 at the top and column 0 on the left; 6: row 0 on the right, column 0 at the top; and so on.
    picture = np.arange(6).reshape(2, 3)
    told = {1: [[0, 1, 2], [3, 4, 5]], 2: [[2, 1, 0], [5, 4, 3]], 3: [[5, 4, 3], [2, 1, 0]], 4: [[3, 4, 5], [0, 1, 2]],
            5: [[0, 3], [1, 4], [2, 5]], 6: [[3, 0], [4, 1], [5, 2]], 7: [[5, 2], [4, 1], [3, 0]], 8: [[2, 5], [1, 4], [0, 3]]}  # fmt: skip # noqa: E501
    assert upright(picture, orientation).tolist() == told[orientation]


@pytest.mark.parametrize("orientation", range(2, 9))
@pytest.mark.parametrize("kind", ["png", "webp", "tif", "jpg", "deep.png", "deep.tif"])
def test_pictures_come_upright(tmp_path: Path, kind: str, orientation: int, pass_through) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "in" / f"f.0001.{kind.rpartition('.')[2]}"
    path.parent.mkdir()
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = stored(orientation)
    if kind == "deep.png":
        block = exif.tobytes().removeprefix(b"Exif\0\0")
        deep = picture.astype(np.uint16) * 257
        path.write_bytes(png(deep.shape[1], deep.shape[0], 16, 2, rows(deep.reshape(len(deep), -1)), (b"eXIf", block)))
    elif kind == "deep.tif":
        tiff(path, picture.astype(np.uint16) * 257, Orientation=orientation)
    else:
        options = {"webp": {"lossless": True}, "jpg": {"quality": 100, "subsampling": 0}}.get(kind, {})
        Image.fromarray(picture).save(path, exif=exif, **options)
    assert (probe(path).width, probe(path).height) == (30, 20)
    found = read_picture(path)
    wanted = DEEP if kind.startswith("deep") else RGB
    assert np.abs(found.astype(int) - wanted).max() <= (3 if kind == "jpg" else 0)
    (tmp_path / "out").mkdir()
    done = pass_through(tmp_path / "in", f"out/f.%04d.{kind.rpartition('.')[2]}")
    assert np.abs(done.frames[0].picture.astype(int) - wanted).max() <= (3 if kind == "jpg" else 0)
    again = read_facts(tmp_path / "out" / path.name)
    assert (again.width, again.height, again.orientation) == (30, 20, 1)


def test_several_pictures_in_one_file_are_not_one(tmp_path: Path) -> None:
    frames = [Image.fromarray(RGB), Image.fromarray(255 - RGB)]
    for name in ("a.webp", "a.png"):
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:], duration=80)
    tiff(tmp_path / "a.tif", RGB, 255 - RGB)
    tiff(tmp_path / "deep.tif", DEEP, DEEP)
    for name in ("a.webp", "a.png", "a.tif", "deep.tif"):
        folder = tmp_path / f"of {name}"
        folder.mkdir()
        (tmp_path / name).rename(folder / name)
        for read in (probe, lambda place, name=name: read_picture(place / name)):
            with pytest.raises(FootageError, match=rf"{name}' holds 2 pictures"):
                read(folder)


def test_a_preview_in_a_tiff_is_no_page(tmp_path: Path) -> None:
    assert read_facts(tiff(tmp_path / "a.tif", RGB, RGB[::4, ::4])).pictures == 1


KINDS: dict[str, tuple[Any, np.ndarray, np.ndarray | None]] = {
    "grey, 1 bit": (png(8, 1, 1, 0, b"\0\xa5"), np.array([[255, 0, 255, 0, 0, 255, 0, 255]], np.uint8), None),
    "grey, 2 bits": (png(4, 1, 2, 0, b"\0\x1b"), np.array([[0, 85, 170, 255]], np.uint8), None),
    "grey, 4 bits": (png(2, 1, 4, 0, b"\0\x1f"), np.array([[17, 255]], np.uint8), None),
    "grey and alpha": (png(1, 1, 8, 4, b"\0\x50\x80"), np.array([[80]], np.uint8), np.array([[128]], np.uint8)),
    "grey and alpha, 16 bits": (
        png(1, 1, 16, 4, rows(np.array([[1000, 30000]], np.uint16))),
        np.array([[1000]], np.uint16), np.array([[30000]], np.uint16),
    ),
    "palette with transparency": (
        png(2, 1, 8, 3, b"\0\0\1", (b"PLTE", bytes((9, 9, 9, 50, 50, 50))), (b"tRNS", b"\0")),
        np.array([[9, 50]], np.uint8), np.array([[0, 255]], np.uint8),
    ),
    "grey, 16 bits": (png(30, 20, 16, 0, rows(DEEP[..., 0])), DEEP[..., 0], None),
    "grey, 16 bits, one value transparent": (
        png(2, 1, 16, 0, rows(np.array([[7, 9]], np.uint16)), (b"tRNS", b"\0\7")),
        np.array([[7, 9]], np.uint16), np.array([[0, 65535]], np.uint16),
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_png_of_every_depth(tmp_path: Path, kind: str) -> None:
    data, values, alpha = KINDS[kind]
    path = tmp_path / "x.png"
    path.write_bytes(data)
    found, clear = read_with_alpha(path)
    assert np.array_equal(found, np.dstack([values] * 3))
    assert (clear is None) == (alpha is None)
    assert alpha is None or np.array_equal(clear, alpha)


@pytest.mark.parametrize(
    ("values", "how"),
    [
        (RGB, {"tile": 16}), (DEEP, {"tile": 16}), (FLOAT, {"tile": 16}), (DEEP, {"planarconfig": "separate"}),
        (RGB, {"planarconfig": "separate"}), (DEEP, {"compression": "lzw"}), (FLOAT, {"compression": "zip"}),
        (FLOAT.astype(np.float16), {}), (FLOAT.astype(np.float64), {}), (DEEP[..., 0], {}), (FLOAT[..., 0], {}),
    ],
)  # fmt: skip
def test_tiff_of_every_kind(tmp_path: Path, values: np.ndarray, how: dict[str, Any]) -> None:
    found = read_picture(tiff(tmp_path / "x.tif", values, **how))
    wanted = values if values.ndim == 3 else np.dstack([values] * 3)
    assert found.dtype == (np.float32 if values.dtype.kind == "f" else values.dtype)
    assert np.array_equal(found, wanted.astype(found.dtype))


def test_tiff_of_the_other_byte_order_with_white_as_zero(tmp_path: Path) -> None:
    entries = [(256, 2), (257, 1), (258, 16), (259, 1), (262, 0), (273, 8), (277, 1), (278, 1), (279, 4)]
    directory = struct.pack(">H", len(entries))
    directory += b"".join(struct.pack(">HHIHH", tag, 3, 1, value, 0) for tag, value in entries)
    path = tmp_path / "x.tif"
    path.write_bytes(b"MM\0*" + struct.pack(">I", 12) + struct.pack(">HH", 65535, 1000) + directory + bytes(4))
    assert read_picture(path)[0, :, 0].tolist() == [0, 64535]


def test_jpeg_that_is_progressive_or_of_four_inks(tmp_path: Path) -> None:
    Image.fromarray(RGB).save(tmp_path / "p.jpg", progressive=True, quality=100, subsampling=0)
    Image.fromarray(RGB).convert("CMYK").save(tmp_path / "c.jpg", quality=100)
    for name in ("p.jpg", "c.jpg"):
        assert np.abs(read_picture(tmp_path / name).astype(int) - RGB).max() < 8


@pytest.mark.parametrize("keep", [0.3, 0.6, 0.9])
@pytest.mark.parametrize("kind", ["grey16.png", "rgb.png", "p.jpg", "b.jpg", "x.tif", "deep.tif", "t.tif", "x.webp"])
def test_a_truncated_picture_is_never_half_grey(tmp_path: Path, kind: str, keep: float) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (90, 100, 3), np.uint8)
    path = tmp_path / kind
    if kind == "grey16.png":
        path.write_bytes(png(100, 90, 16, 0, rows(noise[..., 0].astype(np.uint16) * 257)))
    elif kind in ("deep.tif", "t.tif"):
        tiff(path, noise.astype(np.uint16) * 257 if kind == "deep.tif" else noise, tile=16 if kind == "t.tif" else 0)
    else:
        Image.fromarray(noise).save(path, **({"progressive": True} if kind == "p.jpg" else {}))
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * keep)])
    with pytest.raises(FootageError, match=kind):
        read_picture(path)


def bomb(kind: str, width: int, height: int) -> bytes:
    if kind == "png":
        return png(width, height, 16, 2, bytes(600))
    if kind == "tif":
        entries = [(256, 4, width), (257, 4, height), (258, 3, 8), (259, 3, 8), (262, 3, 1), (273, 4, 8), (277, 3, 1),
                   (278, 4, height), (279, 4, 4)]  # fmt: skip
        directory = b"".join(
            struct.pack("<HHII" if form == 4 else "<HHIHxx", tag, form, 1, value) for tag, form, value in entries
        )
        return b"II*\0" + struct.pack("<I", 12) + bytes(4) + struct.pack("<H", len(entries)) + directory + bytes(4)
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "jpeg")
    data = bytearray(out.getvalue())
    start = data.index(b"\xff\xc0")
    data[start + 5 : start + 9] = struct.pack(">HH", height, width)
    return bytes(data)


@pytest.mark.parametrize(
    "size", [(30000, 30000), (32000, 32000), (100000, 100000), (2**31 - 1, 2**31 - 1), (0, 0), (5, 0)]
)
@pytest.mark.parametrize("kind", ["png", "tif", "jpg"])
def test_a_header_that_claims_too_much_is_refused_at_once(
    tmp_path: Path, kind: str, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    from restyle.footage import limits

    monkeypatch.setattr(limits, "_memory", lambda: 8 << 30)
    path = tmp_path / f"bomb.{kind}"
    path.write_bytes(bomb(kind, *(size if kind != "jpg" else (min(65535, size[0]), min(65535, size[1])))))
    began = time.perf_counter()
    for read in (probe, read_picture):
        with pytest.raises(FootageError, match=rf"bomb\.{kind}'") as caught:
            read(path)
        assert "\n" not in str(caught.value)
    assert time.perf_counter() - began < 1


@pytest.mark.parametrize(
    "window", [(0, 0, 99999, 99999), (0, 0, 31999, 31999), (0, 0, -1, -1), (-(2**31), -(2**31), 2**31 - 1, 2**31 - 1)]
)
@pytest.mark.parametrize("which", [b"dataWindow", b"displayWindow"])
def test_exr_windows_that_cannot_be(
    tmp_path: Path, which: bytes, window: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    from restyle.footage import limits, write_picture

    monkeypatch.setattr(limits, "_memory", lambda: 8 << 30)
    path = tmp_path / "x.exr"
    write_picture(path, FLOAT)
    data = bytearray(path.read_bytes())
    place = data.index(which + b"\0box2i\0") + len(which) + 11
    data[place : place + 16] = struct.pack("<4i", *window)
    path.write_bytes(data)
    with pytest.raises(FootageError, match=r"x\.exr'") as caught:
        read_picture(path)
    assert "\n" not in str(caught.value)


def test_a_large_picture_is_read_without_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "wide.png"  # beyond what Pillow warns of
    path.write_bytes(png(20000, 5000, 1, 0, bytes(2501 * 5000)))
    assert read_facts(path).width == 20000


def test_profiles_and_gammas_that_are_not_used_are_said(tmp_path: Path) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()
    for number, (profile, said) in enumerate(((srgb, False), (lab, True))):
        for suffix in ("png", "jpg", "webp", "tif"):
            path = tmp_path / f"{number}.{suffix}"
            Image.fromarray(RGB).save(path, icc_profile=profile)
            assert bool(probe(path).notes) == said, path
    (tmp_path / "g.png").write_bytes(png(1, 1, 8, 0, b"\0\0", (b"gAMA", struct.pack(">I", 100000))))
    assert "gamma" in probe(tmp_path / "g.png").notes[0]
    info = PngImagePlugin.PngInfo()
    info.add(b"gAMA", struct.pack(">I", 45455))
    Image.fromarray(RGB).save(tmp_path / "n.png", pnginfo=info)
    assert probe(tmp_path / "n.png").notes == ()


@pytest.mark.parametrize("name", ["a?b=c.exr", "%04d.exr", "\udcff.exr", "動.tif"])
def test_names_that_a_library_would_read_otherwise(tmp_path: Path, name: str) -> None:
    from restyle.footage import write_picture

    write_picture(tmp_path / name, FLOAT)
    assert np.array_equal(next(open_footage(tmp_path / name).frames()).picture, FLOAT)


def test_the_content_decides_not_the_name(tmp_path: Path) -> None:
    """Pictures saved from the web often bear another format's name."""
    path = tmp_path / "x.png"
    Image.fromarray(RGB).save(path, "webp", lossless=True)
    assert probe(path).codec == "webp"
    assert np.array_equal(read_picture(path), RGB)
    path.write_bytes(b"GIF89a" + bytes(20))
    with pytest.raises(FootageError, match=r"x\.png' is no PNG picture"):
        read_picture(path)


def test_what_is_no_file_is_not_opened(tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(FootageError, match=r"pipe\.png'"):
        read_picture(tmp_path / "pipe.png")
    (tmp_path / "dir.png").mkdir()
    with pytest.raises(FootageError, match=r"dir\.png'"):
        read_picture(tmp_path / "dir.png")


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("said", ["alpha", "nothing", "multiplied in"])
def test_a_fourth_channel_in_a_tiff_is_alpha(tmp_path: Path, said: str, deep: bool) -> None:
    values = np.dstack([RGB, np.full_like(GREY, 200)])
    values = values.astype(np.uint16) * 257 if deep else values
    extra = {"alpha": 2, "nothing": 0, "multiplied in": 1}[said]
    size, bits = values.shape, values.dtype.itemsize * 8
    entries = [(256, size[1]), (257, size[0]), (258, bits), (259, 1), (262, 2), (273, 8), (277, 4), (278, size[0]),
               (279, values.nbytes), (338, extra)]  # fmt: skip
    directory = struct.pack("<H", len(entries))
    for tag, value in entries:
        number, place = (4, 8 + values.nbytes) if tag == 258 else (1, value)
        directory += struct.pack("<HHII", tag, 3 if tag == 258 else 4, number, place)
    path = tmp_path / "x.tif"
    data = values.tobytes() + struct.pack("<4H", *[bits] * 4) + directory + bytes(4)
    path.write_bytes(b"II*\0" + struct.pack("<I", 8 + values.nbytes + 8) + data)
    picture, alpha = read_with_alpha(path)
    assert alpha is not None
    assert (alpha == (51400 if deep else 200)).all()
    if said != "multiplied in" or deep:
        assert np.array_equal(picture, values[..., :3])
    assert bool(probe(path).notes) == (deep and said == "multiplied in")


@pytest.mark.parametrize("damage", ["cut", "changed", "zeros"])
def test_damage_in_a_deep_png_is_told_in_one_line(
    damage: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The decoder's library would write lines of its own."""
    data = png(30, 20, 16, 2, rows(DEEP))
    (tmp_path / "whole.png").write_bytes(data)
    assert (read_picture(tmp_path / "whole.png") == DEEP).all()
    half = len(data) // 2
    damaged = {
        "cut": data[:half],
        "changed": data[:half] + b"changed" + data[half + 7 :],
        "zeros": data[:half] + bytes(half),
    }
    (tmp_path / "damaged.png").write_bytes(damaged[damage])
    with pytest.raises(FootageError, match=r"damaged\.png' is (damaged|cut off)"):
        read_picture(tmp_path / "damaged.png")
    assert capfd.readouterr().err == ""
