from __future__ import annotations

import itertools
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from clips import moving_frames, number_of, numbered_frames, psnr, write_clip
from command import Caller

from restyle import Job, Recipe
from restyle.errors import RecipeError
from restyle.footage import open_footage, plan_output, probe, timing
from restyle.footage.colour import to_depth


def woven(count: int, size: tuple[int, int] = (128, 96), shift: tuple[int, int] = (6, 0)) -> list[np.ndarray]:
    """Frames of two fields each: the top one from an instant, the bottom one from half a frame later."""
    instants = moving_frames(2 * count, size, shift=shift)
    frames = [first.copy() for first in instants[::2]]
    for frame, later in zip(frames, instants[1::2], strict=True):
        frame[1::2] = later[1::2]
    return frames


def write_fields(
    path: Path, frames: list[np.ndarray], order: str = "tff", codec: str = "libx264", **options: str
) -> Path:
    """Encoded and flagged as two fields a frame."""
    form = {"libx264": "yuv420p", "prores_ks": "yuv422p10le", "mpeg2video": "yuv420p", "ffv1": "yuv420p"}[codec]
    height, width = frames[0].shape[:2]
    graph = av.filter.Graph()
    chain = [
        graph.add_buffer(width=width, height=height, format=av.VideoFormat("rgb24"), time_base=Fraction(1, 25)),
        graph.add("setfield", order), graph.add("buffersink"),
    ]  # fmt: skip
    for one, other in itertools.pairwise(chain):
        one.link_to(other)
    graph.configure()
    if codec == "libx264":
        options = {"x264-params": f"{order}=1", "crf": "8"} | options
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, form
        stream.codec_context.flags |= av.codec.context.Flags.interlaced_dct | av.codec.context.Flags.interlaced_me
        stream.codec_context.field_order = 2 if order == "tff" else 3
        if codec == "mpeg2video":
            stream.bit_rate = 4_000_000
        for n, picture in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(picture, "rgb24")
            frame.pts, frame.time_base = n, Fraction(1, 25)
            graph.push(frame)
            out.mux(stream.encode(graph.pull().reformat(format=form)))
        out.mux(stream.encode(None))
    return path


CASES = [
    ("c.mp4", "libx264"),
    ("c.mov", "prores_ks"),
    ("c.mkv", "ffv1"),
    ("c.mpg", "mpeg2video"),
    ("c.ts", "mpeg2video"),
]


@pytest.mark.parametrize(("name", "codec"), CASES)
@pytest.mark.parametrize("order", ["tff", "bff"])
def test_interlaced_footage_is_known_and_said(tmp_path: Path, name: str, codec: str, order: str) -> None:
    spec = probe(write_fields(tmp_path / name, woven(3), order, codec))
    first = {"tff": "top", "bff": "bottom"}[order]
    assert spec.field_order == first
    (note,) = spec.notes
    assert note.startswith(f"interlaced, {first} field first")
    assert "--deinterlace" in note


def test_whole_pictures_say_nothing(tmp_path: Path) -> None:
    for name, codec, form in (
        ("c.mp4", "libx264", "yuv420p"),
        ("c.mov", "prores_ks", "yuv422p10le"),
        ("c.ts", "mpeg2video", "yuv420p"),
    ):
        spec = probe(write_clip(tmp_path / name, moving_frames(3), codec=codec, pixel_format=form))
        assert (spec.field_order, spec.notes) == ("progressive", ())


KEPT = [
    ("o.mp4", None),
    ("o.mov", "h264"),
    ("o.mkv", "h264"),
    ("o.mov", "prores"),
    ("o.mkv", "ffv1"),
    ("o.avi", "ffv1"),
]


@pytest.mark.parametrize(("name", "codec"), KEPT)
@pytest.mark.parametrize("order", ["tff", "bff"])
def test_fields_and_their_flag_are_kept(tmp_path: Path, name: str, codec: str | None, order: str, pass_through) -> None:  # type: ignore[no-untyped-def]
    pictures = woven(5)
    source = write_fields(tmp_path / "in.mkv", pictures, order)
    done = pass_through(source, name, codec=codec)
    result = probe(done.path)
    assert result.field_order == done.source.field_order
    assert not any("interlaced" in warning for warning in done.warnings)
    for frame, picture in zip(open_footage(done.path).frames(), done.frames, strict=True):
        assert psnr(to_depth(frame.picture, "uint8"), picture.picture) > 30


@pytest.mark.parametrize(
    ("name", "codec"), [("o.mp4", "hevc"), ("o.webm", None), ("o.mp4", "av1"), ("o.mov", "mjpeg"), ("o.%04d.png", None)]
)
def test_a_flag_that_cannot_be_kept_is_noted(tmp_path: Path, name: str, codec: str | None) -> None:
    spec = probe(write_fields(tmp_path / "in.mp4", woven(2)))
    out = plan_output(spec, tmp_path / name, codec=codec)
    assert out.field_order == "progressive"
    assert any("not flagged as interlaced" in note for note in out.notes)


def test_heights_that_h264_cannot_code_as_fields_are_noted(tmp_path: Path) -> None:
    spec = probe(write_fields(tmp_path / "in.mkv", woven(2, (64, 50)), codec="ffv1"))
    out = plan_output(spec, tmp_path / "o.mp4")
    assert any("multiples of 4" in note for note in out.notes)
    assert plan_output(spec, tmp_path / "o.mkv", codec="ffv1").field_order == "top"


def test_colour_of_fields_is_not_mixed(tmp_path: Path, pass_through) -> None:  # type: ignore[no-untyped-def]
    """Red in the lines of one field, blue in those of the other: 4:2:0 of whole frames would make purple of both."""
    picture = np.zeros((96, 128, 3), np.uint8)
    picture[0::2], picture[1::2] = (200, 30, 30), (30, 30, 200)
    source = write_fields(tmp_path / "in.mp4", [picture] * 3, crf="1")
    frame = next(open_footage(source).frames()).picture
    assert np.abs(frame[20:-20].astype(int) - picture[20:-20]).max() < 16
    made = pass_through(source, "out.mp4", quality=100).path
    frame = next(open_footage(made).frames()).picture
    assert np.abs(frame[20:-20].astype(int) - picture[20:-20]).max() < 20


def test_deinterlacing_gives_one_whole_picture_a_frame(tmp_path: Path) -> None:
    source = write_fields(tmp_path / "in.mp4", woven(10))
    truth = moving_frames(20, (128, 96), shift=(6, 0))[::2]
    footage = open_footage(source, deinterlace=True)
    assert (footage.spec.field_order, footage.spec.deinterlaced, footage.spec.notes) == ("progressive", True, ())
    whole = list(footage.frames())
    combed = list(open_footage(source).frames())
    assert [f.pts for f in whole] == [f.pts for f in combed] == timing(source)
    for frame, other, true in zip(whole[2:-2], combed[2:-2], truth[2:-2], strict=True):
        assert psnr(frame.picture, true) > psnr(other.picture, true) + 4


@pytest.mark.parametrize("start", [1, 4, 9])
def test_seeking_equals_reading_on(tmp_path: Path, start: int) -> None:
    source = write_fields(tmp_path / "in.mp4", woven(12), g="3")
    footage = open_footage(source, deinterlace=True)
    line = list(footage.frames())
    pts = [f.pts for f in line]
    found = list(footage.frames(start, start + 2, pts=pts))
    assert [f.index for f in found] == [start, start + 1]
    for frame in found:
        assert frame.pts == pts[frame.index]
        assert np.array_equal(frame.picture, line[frame.index].picture)


def test_the_recipe_deinterlaces(tmp_path: Path) -> None:
    source = write_fields(tmp_path / "in.mp4", woven(6))
    recipe = Recipe.build(painter="identity", keyframes="every:1", codec="ffv1", deinterlace=True)
    result = Job(source, tmp_path / "o.mkv", recipe, report=False).run()
    assert not any("interlaced" in note for note in result.notes)
    made = list(open_footage(tmp_path / "o.mkv").frames())
    whole = list(open_footage(source, deinterlace=True).frames())
    assert probe(tmp_path / "o.mkv").field_order == "progressive"
    assert all(np.array_equal(a.picture, b.picture) for a, b in zip(made, whole, strict=True))


def test_pictures_have_no_fields(tmp_path: Path) -> None:
    from PIL import Image

    Image.fromarray(moving_frames(1)[0]).save(tmp_path / "a.png")
    with pytest.raises(RecipeError, match="video files"):
        probe(tmp_path / "a.png", deinterlace=True)


def test_alpha_and_rgb_footage_deinterlaces(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "c.mkv", numbered_frames(4, (64, 48)), codec="ffv1", pixel_format="bgr0")
    assert [number_of(f.picture) for f in open_footage(path, deinterlace=True).frames()] == [0, 1, 2, 3]


def test_other_commands_deinterlace_as_well(tmp_path: Path, restyle_command: Caller) -> None:
    source = write_fields(tmp_path / "in.mp4", woven(6))
    whole = [frame.picture for frame in open_footage(source, deinterlace=True).frames()]
    restyle_command("retime", source, "-o", tmp_path / "o.mkv", "--codec", "ffv1", "--deinterlace")
    made = [frame.picture for frame in open_footage(tmp_path / "o.mkv").frames()]
    assert all(np.array_equal(a, b) for a, b in zip(made, whole, strict=True))
    restyle_command("controls", source, "-o", tmp_path / "maps", "--kinds", "canny", "--deinterlace")
