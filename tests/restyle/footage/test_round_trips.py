"""Every codec in every container it goes into: count, time stamps, rate, pictures, tags, the same bytes twice."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from clips import moving_frames, number_of, numbered_frames, psnr, read_pts, stream_packets, write_clip, write_pictures

from restyle.errors import OutputError
from restyle.footage import CODECS, SegmentWriter, open_footage, plan_output, probe
from restyle.types import ColourTags, Frame

SUFFIX = {"mp4": ".mp4", "mov": ".mov", "matroska": ".mkv", "webm": ".webm", "avi": ".avi"}
PAIRS = [(codec, SUFFIX[c]) for codec, known in CODECS.items() for c in known.containers]


def closeness(one: Frame, other: Frame) -> float:
    """PSNR in 8 bits, whatever depth each has."""
    return psnr(*(p if p.dtype == np.uint8 else (p // 257).astype(np.uint8) for p in (one.picture, other.picture)))


def test_every_codec_of_the_product_is_here() -> None:
    assert set(CODECS) == {"h264", "hevc", "vp9", "av1", "prores", "ffv1", "ffv1-yuv", "mjpeg"}
    assert {suffix for _, suffix in PAIRS} == set(SUFFIX.values())
    for codec in CODECS.values():
        av.codec.Codec(codec.encoder, "w")  # this build of PyAV encodes them all


@pytest.mark.parametrize(("codec", "suffix"), PAIRS)
def test_codec_in_container(tmp_path: Path, codec: str, suffix: str, pass_through) -> None:  # type: ignore[no-untyped-def]
    rate = Fraction(30000, 1001)
    source = write_clip(
        tmp_path / "in.mp4", numbered_frames(17, (80, 64)), rate=rate, audio=True, pixel_aspect=Fraction(8, 9),
        timecode="10:00:00:00",
        colour={"matrix": "bt709", "primaries": "bt709", "transfer": "bt709", "range": "tv"},
    )  # fmt: skip
    done = pass_through(source, f"out{suffix}", codec=codec)
    spec = probe(done.path)
    assert spec.codec == CODECS[codec].encoder if codec.startswith("ffv1") else codec
    assert spec.rate == rate
    bare = codec.startswith("ffv1") and suffix == ".avi"
    assert spec.pixel_aspect == (1 if bare else Fraction(8, 9))
    frames = list(open_footage(done.path).frames())
    assert [number_of(f.picture) for f in frames] == list(range(17))
    assert all(closeness(a, b) > 30 for a, b in zip(frames, done.frames, strict=True))
    coarse = suffix in (".mkv", ".webm")
    for index, when in enumerate(read_pts(done.path)):
        assert abs(when - index / rate) <= (Fraction(1, 2000) if coarse else 0), index
    with av.open(str(done.path)) as container:
        stream = container.streams.video[0]
        if stream.duration:
            assert stream.duration * stream.time_base == 17 / rate
    if codec == "mjpeg":
        assert (spec.colour.matrix, spec.colour.range) == ("bt470bg", "pc")
    elif codec != "ffv1" and suffix != ".avi":
        assert spec.colour == ColourTags("bt709", "bt709", "bt709", "tv")
    assert spec.timecode == "10:00:00:00"
    sound = stream_packets(done.path)
    if suffix == ".webm":
        assert done.warnings == [
            ".webm cannot hold aac audio; it is encoded again as opus (.mp4, .mov, .mkv, .avi hold it as it is)"
        ]
    else:
        assert [data for _, data in sound] == [data for _, data in stream_packets(source)]
        assert len(done.warnings) == bare
    first = done.path.read_bytes()
    segment = done.segments[1].read_bytes()
    again = pass_through(source, f"out{suffix}", codec=codec, overwrite=True)
    assert again.segments[1].read_bytes() == segment
    assert again.path.read_bytes() == first


@pytest.mark.parametrize(("suffix", "dtype"), [(".png", "uint8"), (".png", "uint16")])
@pytest.mark.parametrize("container", [".mkv", ".avi"])
def test_ffv1_is_lossless(tmp_path: Path, suffix: str, dtype: str, container: str, pass_through) -> None:  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(3)
    top = 256 if dtype == "uint8" else 65536
    noise = [rng.integers(0, top, (31, 45, 3), dtype=dtype) for _ in range(5)]
    source = write_pictures(tmp_path / "in", noise)
    done = pass_through(source, f"out{container}", codec="ffv1")
    again = list(open_footage(done.path).frames())
    assert len(again) == 5
    assert all(np.array_equal(a.picture, b) for a, b in zip(again, noise, strict=True))


@pytest.mark.parametrize(
    ("codec", "name", "within"),
    [("ffv1", "out.mkv", 0), ("prores", "out.mov", 300), ("vp9", "out.webm", 1500), ("vp9", "out.mkv", 1500)],
)
def test_alpha_stays(tmp_path: Path, codec: str, name: str, within: int, pass_through) -> None:  # type: ignore[no-untyped-def]
    alpha = np.tile(np.linspace(0, 65535, 64).astype(np.uint16)[None, :, None], (48, 1, 1))
    colour = moving_frames(3, (64, 48), dtype="uint16")
    source = write_pictures(tmp_path / "in", [np.concatenate([c, alpha], 2) for c in colour])
    done = pass_through(source, name, codec=codec)
    assert done.out.has_alpha
    frame, *others = open_footage(done.path).frames()
    assert len(others) == 2
    assert frame.alpha is not None
    scale = 1 if frame.alpha.dtype == np.uint16 else 257
    assert np.abs(frame.alpha.astype(int) * scale - alpha[..., 0]).max() <= within
    assert psnr(frame.picture if scale == 1 else frame.picture * np.uint16(257), colour[0]) > (38 if scale == 1 else 30)


@pytest.mark.parametrize(
    ("codec", "suffix", "stays"),
    [("h264", ".mp4", 10), ("hevc", ".mp4", 10), ("hevc", ".mkv", 10), ("av1", ".mkv", 10), ("prores", ".mov", 10),
     (None, ".mov", 10),
     ("vp9", ".webm", None), ("mjpeg", ".mov", 8)],
)  # fmt: skip
def test_ten_bits_stay_where_the_codec_can(
    tmp_path: Path, codec: str | None, suffix: str, stays: int | None, pass_through
) -> None:  # type: ignore[no-untyped-def]
    ramp = np.tile(np.linspace(2000, 60000, 64).astype(np.uint16)[None, :, None], (48, 1, 3))
    source = write_clip(tmp_path / "in.mp4", [ramp] * 4, pixel_format="yuv420p10le", options={"crf": "1"})
    done = pass_through(source, f"out{suffix}", codec=codec)
    spec = probe(done.path)
    if stays is None:  # depends on how libvpx was built
        stays = 10 if "yuv420p10le" in {f.name for f in av.codec.Codec("libvpx-vp9", "w").video_formats or ()} else 8
    assert spec.bits == stays
    assert bool(done.warnings) == (stays == 8)
    if stays == 10:
        row = next(open_footage(done.path).frames()).picture[20, :, 1].astype(int)
        before = done.frames[0].picture[20, :, 1].astype(int)
        assert np.abs(row - before).max() < 600  # 1 % of the range, and no 8-bit steps:
        assert len(np.unique(row)) > 50
    if codec is None:
        assert spec.codec == "prores"


REFUSED = [(codec, size) for codec in ("hevc", "av1") for size in ((1, 1), (3, 5))]  # smaller than their blocks may be


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (33, 17), (34, 17), (33, 18)])
@pytest.mark.parametrize("codec", ["h264", "hevc", "vp9", "av1", "prores", "ffv1", "ffv1-yuv", "mjpeg"])
def test_odd_sizes_stay_or_are_refused_in_one_line(
    tmp_path: Path, codec: str, size: tuple[int, int], pass_through
) -> None:  # type: ignore[no-untyped-def]
    pictures = [np.full((size[1], size[0], 3), 40 * t + 30, np.uint8) for t in range(3)]
    source = write_pictures(tmp_path / "in", pictures)
    suffix = ".mov" if codec == "prores" else ".mkv"
    if (codec, size) in REFUSED:
        with pytest.raises(
            OutputError, match=f"{codec} cannot encode {size[0]}x{size[1]} as yuv.*choose another codec"
        ) as caught:
            plan_output(probe(source), tmp_path / f"out{suffix}", codec=codec)
        assert "\n" not in str(caught.value)
        return
    done = pass_through(source, f"out{suffix}", codec=codec)
    frames = list(open_footage(done.path).frames())
    assert [f.picture.shape for f in frames] == [p.shape for p in pictures]
    assert all(
        np.abs(f.picture.astype(int) // (257 if f.picture.dtype == np.uint16 else 1) - p).max() <= 8
        for f, p in zip(frames, pictures, strict=True)
    )


@pytest.mark.parametrize("rotation", [90, 180, 270])
@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".webm"])
def test_rotation_is_kept_or_stored_upright(tmp_path: Path, rotation: int, suffix: str, pass_through) -> None:  # type: ignore[no-untyped-def]
    source = write_clip(tmp_path / "in.mp4", moving_frames(4, (64, 48)), rotation=rotation, pixel_aspect=Fraction(4, 3))
    done = pass_through(source, f"out{suffix}")
    spec = probe(done.path)
    assert spec.rotation == (rotation if suffix in (".mp4", ".mov") else 0)
    assert (spec.width, spec.height) == (done.source.width, done.source.height)
    assert spec.pixel_aspect == done.source.pixel_aspect
    frames = list(open_footage(done.path).frames())
    assert all(closeness(a, b) > 33 for a, b in zip(frames, done.frames, strict=True))


TAGS = [
    {},
    {"matrix": "smpte170m", "primaries": "smpte170m", "transfer": "smpte170m", "range": "tv"},
    {"matrix": "bt709", "range": "pc"},
    {"matrix": "bt2020nc", "primaries": "bt2020", "transfer": "arib-std-b67", "range": "tv"},
]


@pytest.mark.parametrize("tags", TAGS, ids=lambda t: "-".join(t.values()) or "untagged")
@pytest.mark.parametrize(("codec", "suffix"), [("h264", ".mp4"), ("hevc", ".mkv"), ("vp9", ".webm"), ("av1", ".mp4")])
def test_colour_tags_are_kept(tmp_path: Path, tags: dict[str, str], codec: str, suffix: str, pass_through) -> None:  # type: ignore[no-untyped-def]
    source = write_clip(tmp_path / "in.mp4", moving_frames(3, (64, 64)), colour=tags)
    done = pass_through(source, f"out{suffix}", codec=codec)
    got, want = probe(done.path).colour, probe(source).colour
    assert got.matrix == want.matrix or (want.matrix is None and codec in ("vp9", "av1"))
    assert (got.primaries, got.transfer) == (want.primaries, want.transfer)
    assert (got.range or "tv") == (want.range or "tv")
    assert all(closeness(a, b) > 33 for a, b in zip(open_footage(done.path).frames(), done.frames, strict=True))


def test_pictures_become_tagged_video(tmp_path: Path, pass_through) -> None:  # type: ignore[no-untyped-def]
    source = write_pictures(tmp_path / "in", moving_frames(5, (64, 48)))
    done = pass_through(source, "out.mp4")
    spec = probe(done.path)
    assert spec.colour == ColourTags("bt709", "bt709", "bt709", "tv")
    assert spec.rate == 24
    assert all(closeness(a, b) > 33 for a, b in zip(open_footage(done.path).frames(), done.frames, strict=True))


def test_linear_light_becomes_viewable_video(tmp_path: Path, pass_through) -> None:  # type: ignore[no-untyped-def]
    grey = np.full((48, 64, 3), 0.2140, np.float32)  # sRGB's 127
    done = pass_through(write_pictures(tmp_path / "in", [grey] * 2, "f.%02d.exr"), "out.mov")
    assert probe(done.path).codec == "prores"
    assert abs(int(next(open_footage(done.path).frames()).picture[20, 20, 1]) - 127 * 257) < 400


def test_quality_changes_the_size(tmp_path: Path, pass_through) -> None:  # type: ignore[no-untyped-def]
    source = write_clip(tmp_path / "in.mp4", moving_frames(6, (96, 64)), options={"crf": "5"})
    for codec, suffix in (
        ("h264", ".mp4"),
        ("hevc", ".mp4"),
        ("vp9", ".webm"),
        ("av1", ".webm"),
        ("mjpeg", ".avi"),
        ("prores", ".mov"),
    ):
        sizes, fidelity = [], []
        for quality in (10, 60, 100):
            done = pass_through(source, f"q{quality}{suffix}", codec=codec, quality=quality, overwrite=True)
            sizes.append(sum(s.stat().st_size for s in done.segments))
            fidelity.append(closeness(next(open_footage(done.path).frames()), done.frames[0]))
        assert sizes == sorted(sizes), codec
        assert fidelity == sorted(fidelity), codec
        assert sizes[0] < sizes[2]


@pytest.mark.parametrize(
    ("name", "codec", "message"),
    [
        ("o.webm", "prores", r"\.webm cannot hold prores; it takes vp9, av1; prores goes into \.mov, \.mkv"),
        ("o.mp4", "ffv1", r"\.mp4 cannot hold ffv1; it takes h264, hevc, vp9, av1; ffv1 goes into \.mkv, \.avi"),
        ("o.mp4", "png", r"\.mp4 cannot hold png; .* name a sequence"),
        ("o.mp4", "divx", r"unknown codec 'divx'; there are h264"),
        ("o.xyz", None, r"no output is known for '\.xyz'; there are \.mp4"),
        ("o/f.%04d.png", "h264", r"named \.png, which cannot hold h264"),
        ("folder", "h264", r"folder of pictures, which cannot hold h264; choose png"),
    ],
)
def test_impossible_outputs_say_what_is_possible(tmp_path: Path, name: str, codec: str | None, message: str) -> None:
    source = probe(write_clip(tmp_path / "in.mp4", moving_frames(2, (64, 48))))
    with pytest.raises(OutputError, match=message) as caught:
        plan_output(source, tmp_path / name, codec=codec)
    assert "\n" not in str(caught.value)


def test_quality_out_of_range(tmp_path: Path) -> None:
    source = probe(write_clip(tmp_path / "in.mp4", moving_frames(2, (64, 48))))
    with pytest.raises(OutputError, match="0 to 100, got 101"):
        plan_output(source, tmp_path / "o.mp4", quality=101)


def test_the_identity_is_plain_and_tells_outputs_apart(tmp_path: Path) -> None:
    import json

    source = probe(write_clip(tmp_path / "in.mp4", moving_frames(2, (64, 48))))
    one = plan_output(source, tmp_path / "a.mp4").identity
    assert json.loads(json.dumps(one)) == one
    assert plan_output(source, tmp_path / "b.mp4").identity == one  # another name, the same packets
    others = [{"codec": "hevc"}, {"quality": 50}]
    assert all(plan_output(source, tmp_path / "a.mp4", **other).identity != one for other in others)  # type: ignore[arg-type]


def test_a_segment_takes_consecutive_frames_of_one_size(tmp_path: Path) -> None:
    source = probe(write_clip(tmp_path / "in.mp4", moving_frames(4, (64, 48))))
    out = plan_output(source, tmp_path / "o.mp4")
    black = np.zeros((48, 64, 3), np.uint8)

    def write(*frames: Frame) -> None:
        with SegmentWriter(tmp_path / "s", out, source) as writer:
            for frame in frames:
                writer.write(frame)

    with pytest.raises(ValueError, match="expected frame 4, got 5"):
        write(Frame(3, 3, black), Frame(5, 5, black))
    with pytest.raises(ValueError, match="48 x 64"):
        write(Frame(0, 0, black[:-1]))
    with pytest.raises(OutputError, match="no frame was written"):
        write()
    assert [p.name for p in tmp_path.iterdir()] == ["in.mp4"]
