from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from clips import numbered_frames, write_clip
from command import Caller
from PIL import Image

from restyle import Job, Recipe
from restyle.errors import FootageError
from restyle.footage import open_footage, probe
from restyle.footage.ffv1 import intact
from restyle.footage.gif import survey_gif


def noisy(count: int) -> list[np.ndarray]:
    noise = np.random.default_rng(0).integers(0, 64, (count, 96, 128, 3), np.uint8)
    return [f // 2 + n for f, n in zip(numbered_frames(count, (128, 96)), noise, strict=True)]


def holed(path: Path, size: int) -> Path:
    """The file with rubbish in the middle."""
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + size] = np.random.default_rng(1).bytes(size)
    path.write_bytes(data)
    return path


CASES = {
    "ffv1": ("c.mkv", "ffv1", "yuv420p", {"level": "3", "slicecrc": "1"}, 60),
    "h264": ("c.mp4", "libx264", "yuv420p", {"g": "10"}, 100),
    "prores": ("c.mov", "prores_ks", "yuv422p10le", {}, 300),
    "ts": ("c.ts", "libx264", "yuv420p", {"g": "5"}, 300),
    "mpeg2": ("c.ts", "mpeg2video", "yuv420p", {"g": "5"}, 300),
}


@pytest.mark.parametrize("kind", CASES)
def test_frames_that_the_decoder_mends_are_told(tmp_path: Path, kind: str) -> None:
    name, codec, form, options, size = CASES[kind]
    path = write_clip(tmp_path / name, noisy(24), codec=codec, pixel_format=form, options=options)
    whole = open_footage(path)
    assert len(list(whole.frames())) == 24
    assert whole.damage.concealed == set()
    footage = open_footage(holed(path, size))
    count = len(list(footage.frames()))
    assert count >= 20
    assert footage.damage.concealed
    assert min(footage.damage.concealed) > 2


def test_frames_that_do_not_decode_are_counted(tmp_path: Path) -> None:
    options = {"x265-params": "log-level=none"}
    path = holed(write_clip(tmp_path / "c.ts", noisy(24), codec="libx265", options=options), 1880)
    footage = open_footage(path)
    count = len(list(footage.frames()))
    assert footage.damage.concealed
    assert 20 <= count + footage.damage.lost <= 24
    (note,) = Job(path).analyse().notes
    assert f"about {footage.damage.lost} more do not decode" in note


@pytest.mark.parametrize("left", ["a part of a packet", "zeros"])
def test_a_transport_stream_that_ends_in_something_else_is_told(tmp_path: Path, left: str) -> None:
    path = write_clip(tmp_path / "c.ts", numbered_frames(12), options={"g": "3"})
    whole = open_footage(path)
    assert len(list(whole.frames())) == 12
    assert whole.damage.concealed == set()
    data = path.read_bytes()
    kept = len(data) // 2 // 188 * 188
    path.write_bytes(data[:kept] + (data[kept : kept + 100] if left != "zeros" else bytes(len(data) - kept)))
    footage = open_footage(path)
    count = len(list(footage.frames()))
    assert 0 < count < 12
    assert count - 1 in footage.damage.concealed


BARE = [
    ("c.mjpeg", "mjpeg", "yuvj420p", "mjpeg"),
    ("c.obu", "libsvtav1", "yuv420p", "obu"),
    ("c.webm", "libvpx", "yuv420p", "webm"),
]


@pytest.mark.parametrize(("name", "codec", "form", "muxer"), BARE)
@pytest.mark.parametrize("keep", [0.5, 0.8])
def test_half_a_stream_does_not_pass_for_the_whole(
    tmp_path: Path, name: str, codec: str, form: str, muxer: str, keep: float
) -> None:
    path = write_clip(tmp_path / name, noisy(16), codec=codec, pixel_format=form, muxer=muxer)
    whole = open_footage(path)
    assert len(list(whole.frames())) == 16
    assert whole.damage.concealed == set()
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * keep)])
    footage, told = open_footage(path), False
    try:
        assert len(list(footage.frames())) < 16
    except FootageError as error:
        told = "is damaged after frame" in str(error)
    assert told or footage.damage.concealed


def test_half_a_frame_at_the_end_of_a_file_of_frames_is_damage(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "c.y4m", numbered_frames(4), codec="wrapped_avframe", muxer="yuv4mpegpipe")
    assert len(list(open_footage(path).frames())) == 4
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(FootageError, match="ends in the middle of a frame"):
        list(open_footage(path).frames())


def test_a_gif_whose_second_half_is_zeros_is_no_shorter_film(tmp_path: Path) -> None:
    path = tmp_path / "c.gif"
    write_clip(path, noisy(8), codec="gif", pixel_format="rgb8")
    data = path.read_bytes()
    for padding in (0, 3):
        path.write_bytes(data[:-1] + bytes(padding))
        found = survey_gif(path)
        assert found is not None
        assert found.intact
    path.write_bytes(data[: len(data) // 2] + bytes(len(data) - len(data) // 2))
    found = survey_gif(path)
    assert found is not None
    assert not found.intact


def test_inspect_run_and_plan_say_so(tmp_path: Path, restyle_command: Caller) -> None:
    path = write_clip(tmp_path / "c.mp4", noisy(24), options={"g": "10"})
    holed(path, 100)
    (note,) = Job(path).analyse().notes
    assert "damaged in the footage" in note
    assert "made up by the decoder" in note
    recipe = Recipe.build(painter="identity", keyframes="every:1")
    assert note in Job(path, tmp_path / "o.mkv", recipe, report=False).run().notes
    assert Job(path, recipe=recipe).plan().notes == (note,)
    for command in ("inspect", "plan"):
        assert "made up by the decoder" in " ".join(restyle_command(command, path).out.split())


def test_half_a_broadcast_is_noted(tmp_path: Path) -> None:
    """Cut off at the end of a packet, in the middle of a frame."""
    path = write_clip(tmp_path / "c.ts", noisy(24), muxer="mpegts")
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2 // 188 * 188])
    footage = open_footage(path)
    assert len(list(footage.frames())) > 8
    assert len(footage.damage.concealed) == 1


def test_half_a_gif_is_no_shorter_film(tmp_path: Path) -> None:
    first, *others = [Image.fromarray(f) for f in noisy(12)]
    path = tmp_path / "c.gif"
    first.save(path, save_all=True, append_images=others, duration=40)
    assert probe(path).frames == 12
    assert len(list(open_footage(path).frames())) == 12
    data = path.read_bytes()
    for keep in (0.3, 0.5, 0.77, 0.99):
        path.write_bytes(data[: int(len(data) * keep)])
        whole = survey_gif(path)
        assert whole is not None
        assert not whole.intact
        seen: list[int] = []
        with pytest.raises(FootageError, match=f"after frame {whole.blocks - 1}"):
            seen.extend(frame.index for frame in open_footage(path).frames())
        assert seen == list(range(whole.blocks))
    path.write_bytes(data[:-1])  # without its end mark: some writers leave it out
    assert len(list(open_footage(path).frames())) == 12


def test_checksums_of_ffv1(tmp_path: Path) -> None:
    import av

    def verdicts(**options: str) -> set[bool | None]:
        path = write_clip(tmp_path / "c.mkv", noisy(3), codec="ffv1", pixel_format="bgr0", options=options)
        with av.open(str(path)) as container:
            return {intact(bytes(packet)) for packet in container.demux(video=0) if packet.size}

    assert verdicts(level="3", slicecrc="1", slices="4") == {True}
    assert verdicts(level="3", slicecrc="1", slices="24", coder="1") == {True}
    assert verdicts(level="3", slicecrc="0") == {None}
    assert verdicts(level="1") == {None}
    assert intact(b"\0" * 8) is not None
    assert intact(b"\1\2\3") is None
