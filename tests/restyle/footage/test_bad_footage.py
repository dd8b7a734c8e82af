"""Footage that cannot be used ends in one clear line that names the file."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from clips import moving_frames, number_of, numbered_frames, write_clip

from restyle.errors import FootageError
from restyle.footage import open_footage, probe, timing


def line_of(caught: pytest.ExceptionInfo[FootageError], name: str) -> str:
    text = str(caught.value)
    assert "\n" not in text
    assert name in text
    assert "Errno" not in text
    return text


def test_zero_bytes(tmp_path: Path) -> None:
    (tmp_path / "z.mp4").touch()
    with pytest.raises(FootageError, match="is empty") as caught:
        probe(tmp_path / "z.mp4")
    line_of(caught, "z.mp4")


@pytest.mark.parametrize(
    "content",
    [
        b"This is a letter, not a film.\n" * 50,
        b"\0" * 5000,
        bytes(range(256)) * 40,
        b"#EXTM3U\nhttp://x/y.ts\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
    ],
)
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi", ".txt", ""])
def test_no_video_at_all(tmp_path: Path, content: bytes, suffix: str) -> None:
    path = tmp_path / f"letter{suffix}"
    path.write_bytes(content)
    with pytest.raises(FootageError) as caught:
        probe(path)
    line_of(caught, "letter")


def test_sound_only(tmp_path: Path) -> None:
    import av

    path = tmp_path / "song.mp4"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("aac", rate=48000)
        stream.codec_context.layout = "mono"
        for n in range(10):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
            frame.sample_rate, frame.pts = 48000, 1024 * n
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    with pytest.raises(FootageError, match="no video stream, only audio") as caught:
        probe(path)
    line_of(caught, "song.mp4")


def test_missing(tmp_path: Path) -> None:
    with pytest.raises(FootageError, match="there is no file") as caught:
        probe(tmp_path / "gone.mp4")
    line_of(caught, "gone.mp4")
    with pytest.raises(FootageError, match=r"there is no folder '.*away'"):
        probe(tmp_path / "away" / "gone.mp4")


@pytest.mark.skipif(os.getuid() == 0, reason="root reads everything")
def test_unreadable(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "secret.mp4", moving_frames(2, (64, 48)))
    path.chmod(0)
    with pytest.raises(FootageError, match="permission denied") as caught:
        probe(path)
    line_of(caught, "secret.mp4")


TRUNCATED = [
    ("c.mp4", "libx264", "yuv420p", {"movflags": "faststart"}),
    ("c.mov", "prores_ks", "yuv422p10le", {"movflags": "faststart"}),
    ("c.mov", "mjpeg", "yuvj420p", {"movflags": "faststart"}),
    ("c.mkv", "libx264", "yuv420p", {}),
    ("c.mkv", "ffv1", "bgr0", {}),
    ("c.webm", "libvpx-vp9", "yuv420p", {}),
    ("c.avi", "mjpeg", "yuvj420p", {}),
]


@pytest.mark.parametrize(("name", "codec", "pixel_format", "muxer"), TRUNCATED)
@pytest.mark.parametrize("keep", [0.6, 0.85, 0.97])
def test_a_truncated_file_is_never_a_shorter_film(
    tmp_path: Path, name: str, codec: str, pixel_format: str, muxer: dict[str, str], keep: float
) -> None:
    noise = np.random.default_rng(0).integers(0, 64, (40, 48, 64, 3), np.uint8)
    path = write_clip(
        tmp_path / name,
        [f // 2 + n for f, n in zip(numbered_frames(40, (64, 48)), noise, strict=True)],
        codec=codec,
        pixel_format=pixel_format,
        muxer_options=muxer,
        audio=True,
        options={"g": "5"} if codec.startswith("lib") else None,
    )
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * keep)])
    footage = open_footage(path)
    good: list[int] = []
    with pytest.raises(FootageError, match=r"is damaged after frame \d+") as caught:
        good.extend(frame.index for frame in footage.frames())
    text = line_of(caught, name)
    count = len(good)
    assert 0 < count <= 40
    assert good == list(range(count))
    assert f"after frame {count - 1} " in text
    assert f"--range 0:{count}" in text
    # The remedy works, seeking included.
    readable = list(footage.frames(0, count))
    assert len(readable) == count
    assert [number_of(f.picture) for f in readable] == list(range(count))
    late = next(footage.frames(count - 1, count, pts=[f.pts for f in readable]))
    assert late.index == count - 1
    if count < 40:
        with pytest.raises(FootageError, match="damaged"):
            timing(path)


def test_a_file_without_its_index(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "c.mp4", moving_frames(20, (64, 48)))
    path.write_bytes(path.read_bytes()[:-200])  # the moov atom lies at the end
    with pytest.raises(FootageError, match="damaged") as caught:
        probe(path)
    line_of(caught, "c.mp4")


@pytest.mark.parametrize("codec", ["prores_ks", "ffv1", "libvpx-vp9"])
def test_rubbish_in_the_middle(tmp_path: Path, codec: str) -> None:
    form = {"prores_ks": "yuv422p10le", "ffv1": "bgr0", "libvpx-vp9": "yuv420p"}[codec]
    path = write_clip(tmp_path / "c.mkv", moving_frames(20, (64, 48)), codec=codec, pixel_format=form)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 3000] = bytes(3000)
    path.write_bytes(data)
    seen: list[int] = []
    with pytest.raises(FootageError, match="damaged after frame") as caught:
        seen.extend(frame.index for frame in open_footage(path).frames())
    line_of(caught, "c.mkv")
    assert 2 < len(seen) < 18


def test_a_film_that_changes_its_size(tmp_path: Path) -> None:
    import av

    path = tmp_path / "two.ts"
    parts = [
        write_clip(tmp_path / f"{n}.ts", moving_frames(6, s), muxer="mpegts")
        for n, s in enumerate([(64, 48), (96, 64)])
    ]
    path.write_bytes(b"".join(p.read_bytes() for p in parts))
    assert av.open(str(path)).streams.video
    with pytest.raises(FootageError, match="changes its size from 64x48 to 96x64"):
        list(open_footage(path).frames())


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm"])
def test_one_frame_and_two_are_footage(tmp_path: Path, count: int, suffix: str) -> None:
    codec = "libvpx-vp9" if suffix == ".webm" else "libx264"
    path = write_clip(tmp_path / f"c{suffix}", numbered_frames(count, (64, 48)), codec=codec)
    assert probe(path).rate == 25
    assert [number_of(f.picture) for f in open_footage(path).frames()] == list(range(count))
    assert len(timing(path)) == count


@pytest.mark.parametrize("size", [(1, 1), (3, 1), (17, 33)])
def test_tiny_and_odd_footage(tmp_path: Path, size: tuple[int, int]) -> None:
    path = write_clip(
        tmp_path / "c.mkv", moving_frames(3, size), codec="ffv1", pixel_format="bgr0", options={"slices": "1"}
    )
    spec = probe(path)
    assert (spec.width, spec.height) == size
    frames = list(open_footage(path).frames())
    assert all(np.array_equal(f.picture, p) for f, p in zip(frames, moving_frames(3, size), strict=True))
    assert next(open_footage(path).frames(size=(8, 8))).picture.shape == (8, 8, 3)


def test_a_folder_named_like_a_film(tmp_path: Path) -> None:
    (tmp_path / "c.mp4").mkdir()
    with pytest.raises(FootageError, match="holds no pictures"):
        probe(tmp_path / "c.mp4")
