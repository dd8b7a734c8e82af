from __future__ import annotations

from pathlib import Path

import av
from av.stream import Disposition
from clips import number_of, numbered_frames

from restyle.footage import open_footage, probe, timing


def write_streams(path: Path, sizes: list[tuple[int, int]], dispositions: dict[int, Disposition]) -> Path:
    """A file with several video streams of six numbered frames; the n-th stream's numbers begin at 10 * n."""
    with av.open(str(path), "w") as out:
        streams = []
        for n, (width, height) in enumerate(sizes):
            stream = out.add_stream("libx264" if n else "mjpeg", rate=25)
            stream.width, stream.height = width, height
            stream.pix_fmt = "yuv420p" if n else "yuvj420p"
            stream.disposition = dispositions.get(n, Disposition(0))
            streams.append(stream)
        for t in range(6):
            for n, stream in enumerate(streams):
                picture = numbered_frames(10 * n + t + 1, sizes[n])[-1]
                out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        for stream in streams:
            out.mux(stream.encode(None))
    return path


def test_the_stream_flagged_as_default_is_the_footage(tmp_path: Path) -> None:
    path = write_streams(tmp_path / "two.mkv", [(64, 48), (128, 96)], {1: Disposition.default})
    spec = probe(path)
    assert (spec.width, spec.height, spec.frames) == (128, 96, 6)
    assert [number_of(f.picture) for f in open_footage(path).frames()] == list(range(10, 16))
    assert len(timing(path)) == 6
    (note,) = spec.notes
    assert note == "of 2 video streams, stream 1 (h264, 128x96) is the footage; left out: stream 0 (mjpeg, 64x48)"


def test_the_flag_counts_more_than_the_size_and_the_size_more_than_the_place(tmp_path: Path) -> None:
    small = write_streams(tmp_path / "small.mkv", [(128, 96), (64, 48)], {1: Disposition.default})
    assert probe(small).width == 64
    both = {0: Disposition.default, 1: Disposition.default}
    assert probe(write_streams(tmp_path / "both.mkv", [(64, 48), (128, 96)], both)).width == 128
    assert probe(write_streams(tmp_path / "same.mkv", [(64, 48), (64, 48)], both)).codec == "mjpeg"


def test_a_cover_is_no_footage_and_no_note(tmp_path: Path) -> None:
    path = write_streams(tmp_path / "cover.mp4", [(256, 192), (64, 48)], {0: Disposition.attached_pic})
    spec = probe(path)
    assert spec.width == 64
    assert spec.notes == ()
