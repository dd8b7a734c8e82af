"""What is read is what was written: pictures, their number, their time, their colour; and seeking equals reading on."""

from __future__ import annotations

import struct
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from clips import moving_frames, number_of, numbered_frames, psnr, write_clip

from restyle import restyle
from restyle.errors import FootageError, RecipeError
from restyle.footage import files_of, open_footage, probe, timing
from restyle.types import ColourTags


@pytest.mark.parametrize(
    "rate", [Fraction(24000, 1001), Fraction(30000, 1001), Fraction(25), Fraction(60), Fraction(12)]
)
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi"])
def test_rate_and_count_are_exact(tmp_path: Path, rate: Fraction, suffix: str) -> None:
    codec = {".avi": "mjpeg"}.get(suffix, "libx264")
    path = write_clip(
        tmp_path / f"clip{suffix}",
        numbered_frames(13, (64, 48)),
        rate=rate,
        codec=codec,
        pixel_format="yuvj420p" if suffix == ".avi" else "yuv420p",
    )
    spec = probe(path)
    assert spec.rate == rate
    assert spec.frames in (13, None)
    assert not spec.variable_rate
    frames = list(open_footage(path).frames())
    assert [number_of(f.picture) for f in frames] == list(range(13))
    assert [f.index for f in frames] == list(range(13))
    assert timing(path) == [f.pts for f in frames]
    for frame in frames:
        assert abs(frame.pts * spec.time_base - frame.index / rate) <= Fraction(1, 1000)


def test_variable_rate_keeps_every_time_stamp(tmp_path: Path) -> None:
    stamps = [0, 40, 80, 81, 200, 240, 500, 540, 541, 900]
    path = write_clip(tmp_path / "vfr.mp4", numbered_frames(10, (64, 48)), pts=stamps, time_base=Fraction(1, 1000))
    with open_footage(path) as footage:
        base = footage.spec.time_base
        assert [f.pts * base * 1000 for f in footage.frames()] == stamps
        assert footage.spec.variable_rate
    assert [t * base * 1000 for t in timing(path)] == stamps


SEEKS = {
    "B-frames": ("clip.mp4", "libx264", {"g": "9", "bf": "3", "x264-params": "b-adapt=0:b-pyramid=2:scenecut=0"}),
    "open-gop": ("clip.mp4", "libx264", {"g": "8", "bf": "3", "x264-params": "open-gop=1:b-adapt=0:scenecut=0"}),
    "open-gop-mkv": ("clip.mkv", "libx264", {"g": "8", "bf": "3", "x264-params": "open-gop=1:b-adapt=0:scenecut=0"}),
    "hevc-open-gop": (
        "clip.mp4",
        "libx265",
        {"g": "8", "x265-params": "log-level=none:open-gop=1:keyint=8:bframes=3:pools=1"},
    ),
    "vp9": ("clip.webm", "libvpx-vp9", {"g": "8", "deadline": "realtime", "cpu-used": "8"}),
    "one-keyframe": ("clip.mp4", "libx264", {"g": "250"}),
}


@pytest.mark.parametrize("kind", SEEKS)
def test_seeking_to_every_frame_equals_reading_on(tmp_path: Path, kind: str) -> None:
    name, codec, options = SEEKS[kind]
    path = write_clip(tmp_path / name, moving_frames(30, (64, 48)), codec=codec, options=options)
    with open_footage(path) as footage:
        line = list(footage.frames())
        assert len(line) == 30
        pts = [f.pts for f in line]
        for start in range(30):
            found = list(footage.frames(start, min(30, start + 2), pts=pts))
            assert [f.index for f in found] == list(range(start, min(30, start + 2)))
            for frame in found:
                assert frame.pts == pts[frame.index]
                assert np.array_equal(frame.picture, line[frame.index].picture), frame.index


def test_seeking_does_not_read_from_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from restyle.footage import decoding, video

    path = write_clip(tmp_path / "clip.mp4", numbered_frames(30, (64, 48)), options={"g": "5"})
    with open_footage(path) as footage:
        pts = timing(path)

        def never(*args: object) -> None:
            raise AssertionError("read from the start")

        monkeypatch.setattr(decoding, "from_start", never)
        monkeypatch.setattr(video, "from_start", never)
        assert [number_of(next(footage.frames(n, pts=pts)).picture) for n in (6, 14, 29)] == [6, 14, 29]


def test_seeking_in_variable_rate_and_late_start(tmp_path: Path) -> None:
    stamps = [1000 + s for s in (0, 40, 80, 81, 200, 240, 500, 540, 541, 900, 950, 1000, 1010, 1500)]
    path = write_clip(
        tmp_path / "v.mkv", numbered_frames(14, (64, 48)), pts=stamps, time_base=Fraction(1, 1000), options={"g": "4"}
    )
    with open_footage(path) as footage:
        pts = [f.pts for f in footage.frames()]
        for start in range(14):
            frame = next(footage.frames(start, pts=pts))
            assert (frame.index, number_of(frame.picture), frame.pts) == (start, start, pts[start])


def test_seeking_with_stamps_of_another_file_reads_from_the_start(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", numbered_frames(12, (64, 48)), options={"g": "3"})
    with open_footage(path) as footage:
        frame = next(footage.frames(7, pts=list(range(0, 1200, 100))))
        assert (frame.index, number_of(frame.picture)) == (7, 7)


def test_repeated_and_missing_time_stamps_are_repaired(tmp_path: Path) -> None:
    from restyle.footage.decoding import Timeline

    spec = probe(write_clip(tmp_path / "clip.avi", moving_frames(2, (64, 48)), codec="mjpeg", pixel_format="yuvj420p"))
    line = Timeline(spec)
    assert [line.stamp(p) for p in (None, 1, 1, 0, None, 9)] == [0, 1, 2, 3, 4, 9]


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_rotated_footage_comes_upright(tmp_path: Path, rotation: int) -> None:
    stored = moving_frames(3, (64, 48))
    path = write_clip(tmp_path / "r.mp4", stored, rotation=rotation, pixel_aspect=Fraction(4, 3))
    with open_footage(path) as footage:
        spec = footage.spec
        assert spec.rotation == rotation
        upright = np.rot90(stored[1], rotation // 90)
        assert (spec.height, spec.width) == upright.shape[:2]
        assert spec.pixel_aspect == (Fraction(4, 3) if rotation == 180 else Fraction(3, 4))
        frames = list(footage.frames())
        assert psnr(frames[1].picture, np.ascontiguousarray(upright)) > 31
        assert frames[1].picture.flags["C_CONTIGUOUS"]
        small = next(footage.frames(size=(spec.width // 2, spec.height // 2))).picture
        assert small.shape == (spec.height // 2, spec.width // 2, 3)


COLOURS = [
    {},
    {"matrix": "bt709", "primaries": "bt709", "transfer": "bt709", "range": "tv"},
    {"matrix": "smpte170m", "range": "tv"},
    {"matrix": "bt709", "range": "pc"},
    {"matrix": "bt2020nc", "primaries": "bt2020", "transfer": "smpte2084", "range": "tv"},
]


@pytest.mark.parametrize("tags", COLOURS, ids=lambda t: "-".join(t.values()) or "untagged")
@pytest.mark.parametrize("pixel_format", ["yuv444p", "yuv444p10le"])
def test_colour_tags_are_read_and_obeyed(tmp_path: Path, tags: dict[str, str], pixel_format: str) -> None:
    deep = pixel_format.endswith("10le")
    patches = np.zeros((48, 64, 3), np.uint16 if deep else np.uint8)
    colours = [
        (255, 0, 0),
        (0, 255, 0),
        (0, 0, 255),
        (255, 255, 255),
        (0, 0, 0),
        (128, 128, 128),
        (200, 120, 40),
        (20, 90, 160),
    ]
    for place, colour in enumerate(colours):
        patches[:, place * 8 : place * 8 + 8] = np.array(colour, np.uint32) * (257 if deep else 1)
    path = write_clip(
        tmp_path / "c.mp4",
        [patches] * 2,
        pixel_format=pixel_format,
        colour=tags,
        options={"qp": "0"} if not deep else {"crf": "1"},
    )
    with open_footage(path) as footage:
        want = ColourTags(tags.get("primaries"), tags.get("transfer"), tags.get("matrix"), tags.get("range"))
        assert footage.spec.colour == want
        picture = next(footage.frames()).picture
    assert picture.dtype == patches.dtype
    # The test's own writer passes 16 bits through libswscale, whose white is 255 * 256: 0.4 % too bright, clipped.
    tolerance = 3 if not deep else 3 * 257
    assert np.abs(picture.astype(int) - patches.astype(int)).max() <= tolerance


def test_untagged_footage_of_720_lines_is_bt709(tmp_path: Path) -> None:
    picture = np.zeros((720, 64, 3), np.uint8)
    picture[:] = (220, 30, 60)
    path = write_clip(
        tmp_path / "hd.mp4", [picture], pixel_format="yuv444p", colour={"matrix": "bt709"}, options={"qp": "0"}
    )
    # Encoded as bt709; take the tag away by writing the same pixels without one.
    bare = tmp_path / "bare.mp4"
    import av

    with av.open(str(path)) as source, av.open(str(bare), "w") as out:
        frame = next(source.decode(video=0))
        frame.colorspace = 2
        stream = out.add_stream("libx264", rate=25, options={"qp": "0"})
        stream.width, stream.height, stream.pix_fmt = 64, 720, "yuv444p"
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            out.mux(packet)
    spec = probe(bare)
    assert spec.colour.matrix is None
    assert np.abs(next(open_footage(bare).frames()).picture.astype(int) - picture).max() <= 3


def test_ten_bits_reach_full_scale(tmp_path: Path) -> None:
    ramp = np.repeat(np.linspace(0, 65280, 64).astype(np.uint16)[None, :, None], 48, 0).repeat(3, 2)
    path = write_clip(
        tmp_path / "ten.mov", [ramp] * 2, codec="prores_ks", pixel_format="yuv444p10le", options={"profile": "4444"}
    )
    with open_footage(path) as footage:
        assert (footage.spec.bits, footage.spec.dtype) == (12, "uint16")  # so FFmpeg decodes 4444
        row = next(footage.frames()).picture[24, :, 1].astype(int)
    assert row[0] < 300
    assert row[-1] > 65200
    assert np.abs(row - np.linspace(0, 65535, 64)).max() < 450


@pytest.mark.parametrize("range_", ["tv", "pc"])
@pytest.mark.parametrize("pixel_format", ["yuv444p10le", "yuv444p12le", "gbrp16le"])
def test_deep_levels_go_into_yuv_and_back(pixel_format: str, range_: str) -> None:
    from restyle.footage.colour import FrameMaker, FrameReader

    tags = ColourTags(matrix="bt709", range=range_)
    levels = np.linspace(0, 65535, 64).astype(np.uint16)[None, :, None].repeat(16, 0).repeat(3, 2)
    frame = FrameMaker(pixel_format=pixel_format, tags=tags, height=16, rotation=0, depth="uint16").make(levels, None)
    if range_ == "tv" and pixel_format == "yuv444p10le":
        luma = np.frombuffer(frame.planes[0], np.uint16)[:64]
        assert (luma[0], luma[-1]) == (64, 940)  # BT.709: black and white at 10 bits
    back, _ = FrameReader(dtype="uint16", tags=tags, height=16, rotation=0, alpha=False, size=None).read(frame)
    # A code of 10 bits is 64 wide; in full range libswscale itself is up to two codes off. A wrong white would be 257 off.
    allowed = {"gbrp16le": (0, 0), "yuv444p10le": (80, 160), "yuv444p12le": (20, 40)}[pixel_format][range_ == "pc"]
    assert np.abs(back.astype(int) - levels).max() <= allowed


def test_alpha_is_kept(tmp_path: Path) -> None:
    import av

    picture = np.zeros((48, 64, 4), np.uint8)
    picture[..., 0] = 200
    picture[:, 32:, 3] = 255
    path = tmp_path / "alpha.mkv"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "bgra"
        frame = av.VideoFrame.from_ndarray(picture, "rgba")
        for packet in [*stream.encode(frame.reformat(format="bgra")), *stream.encode(None)]:
            out.mux(packet)
    with open_footage(path) as footage:
        assert footage.spec.has_alpha
        frame = next(footage.frames())
    assert np.array_equal(frame.picture, picture[..., :3])
    assert frame.alpha is not None
    assert np.array_equal(frame.alpha, picture[..., 3])


def test_gif_is_footage(tmp_path: Path) -> None:
    from PIL import Image

    pictures = [Image.fromarray(p) for p in numbered_frames(6, (64, 48))]
    pictures[0].save(
        tmp_path / "g.gif", save_all=True, append_images=pictures[1:], duration=[40, 80, 40, 120, 40, 40], disposal=1
    )
    with open_footage(tmp_path / "g.gif") as footage:
        frames = list(footage.frames())
        assert footage.spec.codec == "gif"
        assert [number_of(f.picture) for f in frames] == list(range(6))
        times = [f.pts * footage.spec.time_base for f in frames]
        assert times == [Fraction(t, 100) for t in (0, 4, 12, 16, 28, 32)]


def test_small_pictures_are_the_picture_made_small(tmp_path: Path) -> None:
    path = write_clip(
        tmp_path / "s.mp4", moving_frames(4, (128, 96)), pixel_format="yuv420p10le", colour={"matrix": "bt709"}
    )
    with open_footage(path) as footage:
        large = list(footage.frames())
        small = list(footage.frames(size=(32, 24)))
    assert len(small) == len(large) == 4
    for one, other in zip(small, large, strict=True):
        assert one.picture.dtype == np.uint8
        assert one.pts == other.pts
        shrunk = other.picture.reshape(24, 4, 32, 4, 3).mean((1, 3)) / 257
        assert psnr(one.picture, shrunk.round().astype(np.uint8)) > 32


def test_closing_early_stops(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "s.mp4", moving_frames(20, (64, 48)))
    frames = open_footage(path).frames()
    next(frames)
    frames.close()
    assert next(frames, None) is None


def test_empty_and_reversed_spans_give_nothing(tmp_path: Path) -> None:
    footage = open_footage(write_clip(tmp_path / "s.mp4", moving_frames(5, (64, 48))))
    assert list(footage.frames(3, 3)) == []
    assert [f.index for f in footage.frames(2, 4)] == [2, 3]
    with pytest.raises(ValueError, match="numbered from 0"):
        footage.frames(-1)


HOSTILE = [
    "with space.mp4", "quo'te\".mp4", "new\nline.mp4", "-leading.mp4", "ünïcødé 映画.mp4", "100%d.mp4", "a%04d.mp4",
    "file:x.mp4", "http:x.mp4", "x?y=1&z#t.mp4", "%s/clip.mp4", "a:b.mp4",
]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    source = write_clip(tmp_path / "plain.mp4", numbered_frames(3, (64, 48)))
    source.rename(tmp_path / name)
    assert [number_of(f.picture) for f in open_footage(tmp_path / name).frames()] == [0, 1, 2]
    monkeypatch.chdir(tmp_path)
    assert probe(name).frames == 3
    assert files_of(name) == [Path(name)]


def test_timecode_and_audio_are_seen(tmp_path: Path) -> None:
    spec = probe(write_clip(tmp_path / "t.mov", moving_frames(5, (64, 48)), timecode="01:02:03:04", audio=True))
    assert spec.timecode == "01:02:03:04"
    assert spec.audio_streams == 1


def test_a_rate_is_refused_for_video(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "t.mp4", moving_frames(2, (64, 48)))
    with pytest.raises(RecipeError, match="its own rate"):
        probe(path, rate=Fraction(50))


def test_dropped_frames_of_an_avi_are_pauses(tmp_path: Path) -> None:
    """A capture that dropped frames has empty chunks in their place, which its header counts."""
    stamps = [n for n in range(20) if n not in (6, 7, 13)]
    path = write_clip(
        tmp_path / "c.avi", numbered_frames(17, (64, 48)), codec="mjpeg", pixel_format="yuvj420p", pts=stamps,
        time_base=Fraction(1, 25),
    )  # fmt: skip
    spec = probe(path)
    assert (spec.frames, spec.rate, spec.variable_rate) == (17, 25, True)
    frames = list(open_footage(path).frames())
    assert [number_of(f.picture) for f in frames] == list(range(17))
    assert timing(path) == [f.pts for f in frames] == stamps
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 5 // 6])
    with pytest.raises(FootageError, match="is damaged after frame"):
        list(open_footage(path).frames())


@pytest.mark.parametrize(
    ("muxer", "codec", "form"),
    [("h264", "libx264", "yuv420p"), ("hevc", "libx265", "yuv420p"), ("mjpeg", "mjpeg", "yuvj420p"),
     ("mpeg2video", "mpeg2video", "yuv420p"), ("ivf", "libvpx-vp9", "yuv420p"), ("obu", "libsvtav1", "yuv420p")],
)  # fmt: skip
def test_bare_streams(tmp_path: Path, muxer: str, codec: str, form: str) -> None:
    """No index, no seeking, often no time stamps: a frame after the other at the stream's own rate."""
    options = {"x265-params": "log-level=none"} if codec == "libx265" else {}
    path = write_clip(
        tmp_path / f"bare.{muxer}", numbered_frames(12, (128, 96)), codec=codec, pixel_format=form, muxer=muxer,
        options=options,
    )  # fmt: skip
    footage = open_footage(path)
    frames = list(footage.frames())
    assert [number_of(f.picture) for f in frames] == list(range(12))
    step = 1 / (25 * footage.spec.time_base)
    assert {b.pts - a.pts for a, b in pairwise(frames)} == {step}
    pts = timing(path)
    assert pts == [f.pts for f in frames]
    assert [number_of(f.picture) for f in footage.frames(7, 9, pts=pts)] == [7, 8]


@pytest.mark.parametrize(("aspect", "kept"), [(Fraction(1, 10_000), False), (Fraction(12_345_677, 12_345_679), True)])
def test_an_aspect_that_cannot_be_meant_is_noted_and_any_other_written(
    aspect: Fraction, kept: bool, tmp_path: Path
) -> None:
    codec = {"codec": "mjpeg", "pixel_format": "yuvj420p"}
    path = write_clip(tmp_path / "c.mov", moving_frames(2), pixel_aspect=Fraction(4, 3), **codec)
    head, atom, tail = path.read_bytes().partition(b"pasp")
    path.write_bytes(head + atom + struct.pack(">II", aspect.numerator, aspect.denominator) + tail[8:])
    spec = probe(path)
    assert bool(spec.notes) != kept
    assert abs(spec.pixel_aspect - 1) < Fraction(1, 1000)
    restyle(path, tmp_path / "out.mkv", painter="identity", codec="ffv1", report=False)
    assert abs(probe(tmp_path / "out.mkv").pixel_aspect - 1) < Fraction(1, 1000)
