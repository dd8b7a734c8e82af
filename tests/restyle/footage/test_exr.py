"""OpenEXR as renderers and compositors write it: windows, layers, parts, what is no picture; and what goes out again."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import OpenImageIO as oiio
import pytest

from restyle.errors import FootageError
from restyle.footage import open_footage, plan_output, probe, read_picture
from restyle.footage.exr import write_exr

SIZE = (24, 16)


@dataclass(frozen=True)
class Part:
    channels: dict[str, float]
    """Name -> the value everywhere, plus a ramp."""
    data: tuple[int, int, int, int] = (0, 0, *SIZE)
    """Left, top, width, height."""
    display: tuple[int, int, int, int] = (0, 0, *SIZE)
    name: str = ""
    attributes: tuple[tuple[str, Any], ...] = ()
    format: str = "half"


def ramp(width: int, height: int, value: float) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    return (value + (x + 2 * y) / 128).astype(np.float16).astype(np.float32)


def write(path: Path, *parts: Part) -> Path:
    path.parent.mkdir(exist_ok=True)
    specs = []
    for part in parts:
        spec = oiio.ImageSpec(part.data[2], part.data[3], len(part.channels), part.format)
        spec.channelnames = tuple(part.channels)
        spec.x, spec.y = part.data[:2]
        spec.full_x, spec.full_y, spec.full_width, spec.full_height = part.display
        if part.name:
            spec.attribute("name", part.name)
        for name, value in part.attributes:
            spec.attribute(name, value) if not isinstance(value, tuple) else spec.attribute(name, *value)
        specs.append(spec)
    out = oiio.ImageOutput.create("openexr")
    assert out.open(str(path), tuple(specs)) if len(specs) > 1 else out.open(str(path), specs[0])
    for number, part in enumerate(parts):
        if number:
            assert out.open(str(path), specs[number], "AppendSubimage")
        _, _, width, height = part.data
        assert out.write_image(np.dstack([ramp(width, height, value) for value in part.channels.values()]))
    assert out.close()
    return path


def windows(path: Path) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Data window and display window: left, top, width, height."""
    spec = oiio.ImageInput.open(str(path)).spec()
    return (spec.x, spec.y, spec.width, spec.height), (spec.full_x, spec.full_y, spec.full_width, spec.full_height)


def pixels(path: Path) -> np.ndarray:
    return np.asarray(oiio.ImageInput.open(str(path)).read_image("float"))


RGB = {"R": 0.1, "G": 0.2, "B": 0.3}
CROP = (6, 4, 12, 8)
OVERSCAN = (-4, -2, 32, 20)


def test_a_crop_lies_where_it_was_and_goes_out_as_it_came(tmp_path: Path, pass_through) -> None:  # type: ignore[no-untyped-def]
    crops = [CROP, (6, 4, 11, 7), (0, 0, 24, 16), (20, 12, 10, 10)]  # windows that vary, one reaching out of the frame
    for number, crop in enumerate(crops):
        write(tmp_path / "in" / f"f.{number:04d}.exr", Part(RGB, crop))
    (tmp_path / "out").mkdir()
    done = pass_through(tmp_path / "in", "out/f.%04d.exr")
    assert (done.source.width, done.source.height) == SIZE
    first = done.frames[0].picture
    assert np.array_equal(first[4:12, 6:18, 2], ramp(12, 8, 0.3))
    outside = first.copy()
    outside[4:12, 6:18] = 0
    assert not outside.any()
    for number, crop in enumerate(crops):
        name = f"f.{number:04d}.exr"
        assert windows(tmp_path / "out" / name) == (crop, (0, 0, *SIZE))
        assert np.array_equal(pixels(tmp_path / "out" / name), pixels(tmp_path / "in" / name))


def test_overscan_is_kept_and_said(tmp_path: Path, pass_through) -> None:  # type: ignore[no-untyped-def]
    write(tmp_path / "in" / "f.0001.exr", Part({**RGB, "A": 0.5}, OVERSCAN))
    (tmp_path / "out").mkdir()
    done = pass_through(tmp_path / "in", "out/f.%04d.exr")
    assert np.array_equal(done.frames[0].picture[..., 0], ramp(32, 20, 0.1)[2:18, 4:28])
    assert windows(tmp_path / "out" / "f.0001.exr") == (OVERSCAN, (0, 0, *SIZE))
    assert np.array_equal(pixels(tmp_path / "out" / "f.0001.exr"), pixels(tmp_path / "in" / "f.0001.exr"))
    assert any("overscan" in note for note in done.source.notes)


def test_a_display_window_that_begins_elsewhere(tmp_path: Path, pass_through) -> None:  # type: ignore[no-untyped-def]
    write(tmp_path / "in" / "f.0001.exr", Part(RGB, (100, 50, 12, 8), (96, 48, *SIZE)))
    (tmp_path / "out").mkdir()
    done = pass_through(tmp_path / "in", "out/f.%04d.exr")
    assert np.array_equal(done.frames[0].picture[2:10, 4:16, 0], ramp(12, 8, 0.1))
    assert windows(tmp_path / "out" / "f.0001.exr") == ((100, 50, 12, 8), (96, 48, *SIZE))


def test_what_is_painted_outside_of_a_crop_is_not_lost(tmp_path: Path) -> None:
    source = write(tmp_path / "in" / "f.0001.exr", Part(RGB, CROP))
    picture = read_picture(source)
    picture[14, 20] = 0.75
    write_exr(tmp_path / "out.exr", picture, like=source)
    assert windows(tmp_path / "out.exr") == ((6, 4, 15, 11), (0, 0, *SIZE))
    assert np.array_equal(read_picture(tmp_path / "out.exr"), picture)


LAYERS = {
    "Blender": (Part({f"ViewLayer.{name}": v for name, v in {"Combined.R": 0.1, "Combined.G": 0.2, "Combined.B": 0.3,
                      "Combined.A": 0.4, "Depth.Z": 5.0}.items()}),),
    "lower case": (Part({"r": 0.1, "g": 0.2, "b": 0.3}),),
    "passes beside": (Part({**RGB, "Z": 4.0, "diffuse.R": 0.7, "diffuse.G": 0.7, "diffuse.B": 0.7}),),
    "depth first": (Part({"Z": 4.0}, name="depth"), Part(RGB, name="rgba")),
    "beauty last": (Part(dict.fromkeys("RGB", 0.7), name="diffuse"), Part(RGB, name="beauty")),
    "one layer alone": (Part({"left.R": 0.1, "left.G": 0.2, "left.B": 0.3}),),
}  # fmt: skip
LEFT_OUT = {
    "Blender": "ViewLayer.Depth",
    "passes beside": "diffuse, Z",
    "depth first": "depth",
    "beauty last": "diffuse",
}


@pytest.mark.parametrize("case", LAYERS)
def test_the_beauty_is_found_and_the_rest_is_named(tmp_path: Path, case: str) -> None:
    path = write(tmp_path / "f.0001.exr", *LAYERS[case])
    picture = read_picture(path)
    for channel, value in enumerate(RGB.values()):
        assert np.array_equal(picture[..., channel], ramp(*SIZE, value)), channel
    spec = probe(tmp_path / "f.%04d.exr")
    assert spec.has_alpha == (case == "Blender")
    assert [note.rpartition(": ")[2] for note in spec.notes] == ([LEFT_OUT[case]] if case in LEFT_OUT else [])


def test_grey_and_alpha(tmp_path: Path) -> None:
    path = write(tmp_path / "f.0001.exr", Part({"Y": 0.5, "A": 0.25}))
    frame = next(open_footage(path).frames())
    assert np.array_equal(frame.picture, np.dstack([ramp(*SIZE, 0.5)] * 3))
    assert frame.alpha is not None
    assert np.array_equal(frame.alpha, ramp(*SIZE, 0.25))


@pytest.mark.parametrize(
    ("part", "said"),
    [
        (Part({"Z": 1.0}), r"holds no colours \(R, G, B\), only Z"),
        (Part({"N.X": 0.0, "N.Y": 0.0, "N.Z": 0.0, "uv.U": 1, "uv.V": 1}), "holds no colours .* and 1 more"),
        (Part(RGB, format="uint"), "holds whole numbers"),
    ],
)
def test_files_without_colours_are_named_as_such(tmp_path: Path, part: Part, said: str) -> None:
    path = write(tmp_path / "f.0001.exr", part)
    for read in (probe, read_picture):
        with pytest.raises(FootageError, match=r"f\.0001\.exr' " + said) as caught:
            read(path)
        assert "\n" not in str(caught.value)


def test_time_code_primaries_and_aspect_go_on(tmp_path: Path, pass_through) -> None:  # type: ignore[no-untyped-def]
    primaries = (0.7347, 0.2653, 0.0, 1.0, 0.0001, -0.077, 0.32168, 0.33767)
    kept = (
        ("chromaticities", ("float[8]", primaries)),
        ("PixelAspectRatio", 2.0),
        ("FramesPerSecond", ("rational", (24, 1))),
    )
    for number in range(2):
        code = ("smpte:TimeCode", ("timecode", (0x01020304 + number, 0)))
        write(tmp_path / "in" / f"f.{number}.exr", Part(RGB, attributes=(*kept, code)))
    assert probe(tmp_path / "in").pixel_aspect == 2
    (tmp_path / "out").mkdir()
    pass_through(tmp_path / "in", "out/f.%d.exr")
    before, after = ({a.name: a.value for a in oiio.ImageInput.open(str(tmp_path / d / "f.1.exr")).spec().extra_attribs}
                     for d in ("in", "out"))  # fmt: skip
    for name in ("chromaticities", "PixelAspectRatio", "smpte:TimeCode", "FramesPerSecond"):
        assert after[name] == before[name], name


def test_the_same_picture_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.exr", "b.exr"):
        write_exr(tmp_path / name, ramp(*SIZE, 0.5))
    assert (tmp_path / "a.exr").read_bytes() == (tmp_path / "b.exr").read_bytes()
    named = {one.name for one in oiio.ImageInput.open(str(tmp_path / "a.exr")).spec().extra_attribs}
    assert "DateTime" not in named  # which two writes in one second would share


def test_a_retimed_sequence_has_no_headers_of_its_own(tmp_path: Path) -> None:
    from restyle.retiming.retimer import retime

    for number in range(3):
        write(tmp_path / "in" / f"f.{number}.exr", Part(RGB, CROP))
    retime(tmp_path / "in", tmp_path / "out", fps="48", codec="exr")
    assert len(list((tmp_path / "out").iterdir())) >= 5
    assert plan_output(probe(tmp_path / "out"), tmp_path / "again", codec="exr").width == SIZE[0]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_process_reads_and_writes_too(tmp_path: Path) -> None:
    """Threads are not forked: a child that waits for its parent's would wait for ever."""
    picture = np.random.default_rng(0).random((256, 256, 3), np.float32)
    write_exr(tmp_path / "a.exr", picture)
    assert np.array_equal(read_picture(tmp_path / "a.exr"), picture)
    child = os.fork()
    if child == 0:
        write_exr(tmp_path / "b.exr", read_picture(tmp_path / "a.exr"))
        os._exit(0)
    for _ in range(500):
        done, state = os.waitpid(child, os.WNOHANG)
        if done:
            break
        time.sleep(0.02)
    else:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    assert done
    assert state == 0
    assert (tmp_path / "b.exr").read_bytes() == (tmp_path / "a.exr").read_bytes()
