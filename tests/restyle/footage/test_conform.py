"""Joining: time stamps, spans, sound in sync, chapters, subtitles; and nothing is overwritten or left half done."""

from __future__ import annotations

import os
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from clips import moving_frames, number_of, numbered_frames, read_pts, stream_packets, write_clip, write_pictures

from restyle.errors import FootageError, OutputError, OutputExistsError
from restyle.footage import SegmentWriter, check_output, conform, open_footage, plan_output, probe, timing
from restyle.types import Frame

VFR = [0, 40, 80, 81, 200, 240, 500, 540, 541, 900, 930, 1000]


@pytest.mark.parametrize(
    ("codec", "suffix"),
    [("h264", ".mp4"), ("h264", ".mkv"), ("hevc", ".mov"), ("vp9", ".webm"), ("prores", ".mov"), ("av1", ".mp4")],
)
@pytest.mark.parametrize("span", [range(12), range(2, 9)])
def test_variable_rate_is_kept_to_the_tick(tmp_path: Path, codec: str, suffix: str, span: range, pass_through) -> None:  # type: ignore[no-untyped-def]
    source = write_clip(
        tmp_path / "in.mp4", numbered_frames(12, (64, 64)), pts=VFR, time_base=Fraction(1, 1000), options={"bf": "3"}
    )
    done = pass_through(source, f"out{suffix}", codec=codec, span=span)
    assert done.source.variable_rate
    want = [Fraction(VFR[n] - VFR[span.start], 1000) for n in span]
    assert read_pts(done.path) == want
    again = list(open_footage(done.path).frames())
    assert [number_of(f.picture) for f in again] == list(span)
    if span.stop < 12:  # the last frame lasts until the next one would have come
        with av.open(str(done.path)) as container:
            stream = container.streams.video[0]
            length = stream.duration * stream.time_base if stream.duration else Fraction(container.duration, 1_000_000)
        assert length == Fraction(VFR[span.stop] - VFR[span.start], 1000)


def test_the_last_frames_length_is_the_sources(tmp_path: Path, pass_through) -> None:  # type: ignore[no-untyped-def]
    source = write_clip(tmp_path / "in.mp4", numbered_frames(12, (64, 48)), pts=VFR, time_base=Fraction(1, 1000))
    with av.open(str(source)) as container:
        stream = container.streams.video[0]
        length = stream.duration * stream.time_base
    done = pass_through(source, "out.mp4")
    with av.open(str(done.path)) as container:
        stream = container.streams.video[0]
        assert stream.duration * stream.time_base == length


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".avi"])
@pytest.mark.parametrize("span", [range(30), range(0, 13), range(10, 30), range(11, 12)])
def test_sound_stays_in_sync(tmp_path: Path, suffix: str, span: range, pass_through) -> None:  # type: ignore[no-untyped-def]
    rate = Fraction(24000, 1001)
    source = write_clip(tmp_path / "in.mp4", numbered_frames(30, (64, 48)), rate=rate, audio=True)
    done = pass_through(source, f"out{suffix}", span=span)
    before, after = stream_packets(source), stream_packets(done.path)
    start, end = span.start / rate, span.stop / rate
    if span == range(30):
        assert [data for _, data in after] == [data for _, data in before]
    packet = Fraction(1024, 48000)
    where = {data: when for when, data in before}
    assert len(where) == len(before)  # every packet is told from the others
    for when, data in after:
        shift = when - (where[data] - start)
        if suffix == ".avi":  # no time stamps: from 0 on, one packet after the other
            assert abs(shift) <= 2 * packet
        elif not (when == 0 and suffix == ".mkv"):  # the encoder's run-up, put at 0
            assert abs(shift) <= (Fraction(1, 1000) if suffix == ".mkv" else Fraction(1, 10000)), (when, where[data])
    kept = [data for when, data in before if (span.start == 0 or when >= start) and (span.stop == 30 or when < end)]
    assert [data for _, data in after] == kept


def test_sound_that_must_be_encoded_again_stays_in_sync(tmp_path: Path, pass_through) -> None:  # type: ignore[no-untyped-def]
    source = write_clip(tmp_path / "in.mp4", numbered_frames(50, (64, 48)), rate=25, audio=True)
    done = pass_through(source, "out.webm", span=range(10, 40))
    assert done.warnings == [
        ".webm cannot hold aac audio; it is encoded again as opus (.mp4, .mov, .mkv, .avi hold it as it is)"
    ]
    with av.open(str(done.path)) as container:
        sound = np.concatenate([f.to_ndarray().mean(0) for f in container.decode(audio=0)])
    assert abs(len(sound) / 48000 - 1.2) < 0.05
    assert 0.1 < np.abs(sound[4800:-4800]).max() < 0.6
    crossings = np.sum(np.diff(np.signbit(sound[4800:43200]))) / 0.8
    assert abs(crossings - 880) < 10  # 440 Hz


@pytest.mark.parametrize(
    ("sound", "suffix", "kept"),
    [("pcm_s16le", ".mov", True), ("pcm_s16le", ".mp4", False), ("flac", ".mkv", True), ("libopus", ".webm", True)],
)
def test_other_sounds(tmp_path: Path, sound: str, suffix: str, kept: bool, pass_through) -> None:  # type: ignore[no-untyped-def]
    source = write_clip(tmp_path / "in.mkv", numbered_frames(25, (64, 48)), audio=sound)
    done = pass_through(source, f"out{suffix}")
    assert len(done.warnings) == (not kept)
    if kept:
        assert b"".join(d for _, d in stream_packets(done.path)) == b"".join(d for _, d in stream_packets(source))
    else:
        assert stream_packets(done.path)


def test_several_sounds_subtitles_chapters_and_metadata(tmp_path: Path, pass_through) -> None:  # type: ignore[no-untyped-def]
    plain = write_clip(tmp_path / "plain.mkv", numbered_frames(50, (64, 48)), audio=True)
    source = tmp_path / "in.mkv"
    (tmp_path / "titles.srt").write_text("1\n00:00:00,700 --> 00:00:01,300\nhello\n")
    with av.open(str(plain)) as old, av.open(str(tmp_path / "titles.srt")) as text, av.open(str(source), "w") as new:
        video = new.add_stream_from_template(old.streams.video[0], opaque=True)
        sounds = [new.add_stream_from_template(old.streams.audio[0]) for _ in range(2)]
        sounds[1].metadata["language"] = "fra"
        titles = new.add_stream_from_template(text.streams.subtitles[0])
        new.metadata["title"] = "a night in Paris"
        new.set_chapters(
            [
                {
                    "id": n + 1,
                    "start": n * 1000,
                    "end": (n + 1) * 1000,
                    "time_base": Fraction(1, 1000),
                    "metadata": {"title": f"chapter {n}"},
                }
                for n in range(2)
            ]
        )
        new.start_encoding()
        for packet in old.demux():
            if not packet.size:
                continue
            if packet.stream.type == "video":
                packet.stream = video
                new.mux(packet)
            else:
                data, pts = bytes(packet), packet.pts
                for stream in sounds:
                    copy = av.Packet(data)
                    copy.pts = copy.dts = pts
                    copy.time_base, copy.stream = Fraction(1, 1000), stream
                    new.mux(copy)
        line = next(text.demux())
        line.stream = titles
        new.mux(line)
    done = pass_through(source, "out.mkv", span=range(25, 50))
    assert done.warnings == []
    with av.open(str(done.path)) as container:
        assert len(container.streams.audio) == 2
        assert container.streams.audio[1].metadata["language"] == "fra"
        assert container.metadata["title"] == "a night in Paris"
        assert [c["metadata"]["title"] for c in container.chapters()] == ["chapter 1"]
        assert [c["start"] * c["time_base"] for c in container.chapters()] == [0]
    assert stream_packets(done.path, "subtitles") == [(0, b"hello")]  # showing already when the span begins
    assert pass_through(source, "out.mp4").warnings == [
        ".mp4 cannot hold subrip subtitles; they are left out (.mkv holds them)"
    ]


def test_footage_that_starts_late(tmp_path: Path, pass_through) -> None:  # type: ignore[no-untyped-def]
    stamps = [2000 + 40 * n for n in range(20)]
    source = write_clip(tmp_path / "in.mkv", numbered_frames(20, (64, 48)), pts=stamps, time_base=Fraction(1, 1000))
    done = pass_through(source, "out.mp4")
    assert read_pts(done.path) == [Fraction(n, 25) for n in range(20)]


@pytest.mark.parametrize("timecode", ["01:00:00:00", "00:00:59;28"])
def test_timecode_moves_on_to_the_span(tmp_path: Path, timecode: str, pass_through) -> None:  # type: ignore[no-untyped-def]
    source = write_clip(tmp_path / "in.mov", moving_frames(20, (64, 48)), rate=Fraction(30000, 1001), timecode=timecode)
    done = pass_through(source, "out.mov", span=range(5, 20))
    assert probe(done.path).timecode == {"01:00:00:00": "01:00:00:05", "00:00:59;28": "00:01:00;05"}[timecode]


@pytest.mark.parametrize("timecode", ["01:00:00;00", "01:00:00:00"])
@pytest.mark.parametrize("suffix", [".mov", ".mp4", ".mkv"])
def test_timecode_of_a_variable_rate_counts_by_the_cameras(
    tmp_path: Path, timecode: str, suffix: str, pass_through
) -> None:  # type: ignore[no-untyped-def]
    rate = Fraction(30000, 1001)
    stamps = [1001 * n for n in range(30) if n not in (10, 11)]  # two frames were dropped: 27.9 a second on average
    frames, base = numbered_frames(28, (64, 48)), 1 / Fraction(30000)
    source = write_clip(tmp_path / "in.mov", frames, rate=rate, pts=stamps, time_base=base, timecode=timecode)
    assert probe(source).variable_rate
    for span, label in ((range(28), "00"), (range(20, 28), "22")):
        done = pass_through(source, f"{span.start}{suffix}", span=span)
        assert probe(done.path).timecode == timecode[:-2] + label


def test_timecode_that_cannot_be_is_said(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mkv", moving_frames(3, (64, 48)), rate=25, timecode="01:00:00;00")
    out = plan_output(probe(source), tmp_path / "out.mov")
    assert out.notes == ("the timecode '01:00:00;00' cannot be counted at 25 frames a second; it is left out",)


@pytest.mark.parametrize("pieces", [1, 2, 5, 9])
def test_however_it_is_cut_into_segments(tmp_path: Path, pieces: int, pass_through) -> None:  # type: ignore[no-untyped-def]
    source = write_clip(tmp_path / "in.mp4", numbered_frames(40, (64, 48)), audio=True, options={"bf": "2"})
    for codec, suffix in (("h264", ".mp4"), ("hevc", ".mkv"), ("av1", ".mp4"), ("vp9", ".webm")):
        done = pass_through(source, f"{codec}{suffix}", codec=codec, pieces=pieces)
        frames = list(open_footage(done.path).frames())
        assert [number_of(f.picture) for f in frames] == list(range(40))
        pieces_frames = [f for s in done.segments for f in open_footage(s).frames()]
        assert all(np.array_equal(a.picture, b.picture) for a, b in zip(frames, pieces_frames, strict=True))
        assert timing(done.path) == [f.pts for f in frames]


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize(
    ("codec", "suffix"),
    [("h264", ".mp4"), ("hevc", ".mp4"), ("vp9", ".webm"), ("av1", ".mkv"), ("prores", ".mov"), ("mjpeg", ".avi")],
)
def test_one_frame_and_two(tmp_path: Path, count: int, codec: str, suffix: str, pass_through) -> None:  # type: ignore[no-untyped-def]
    source = write_clip(tmp_path / "in.mp4", numbered_frames(count, (64, 64)))
    done = pass_through(source, f"out{suffix}", codec=codec, pieces=count)
    assert [number_of(f.picture) for f in open_footage(done.path).frames()] == list(range(count))
    assert probe(done.path).rate == 25


def test_pictures_are_numbered_on_from_the_sources(tmp_path: Path, pass_through) -> None:  # type: ignore[no-untyped-def]
    source = write_pictures(tmp_path / "in", numbered_frames(9, (64, 48)), "p.%04d.png", first=1001)
    done = pass_through(source, "own", span=range(3, 6))
    assert sorted(p.name for p in done.path.glob("[!.]*")) == ["frame.1004.png", "frame.1005.png", "frame.1006.png"]
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "letter.txt").write_text("mine")
    done = pass_through(source, "there/q_%d.png", span=range(0, 2))
    assert sorted(p.name for p in (tmp_path / "there").glob("[!.]*")) == ["letter.txt", "q_1001.png", "q_1002.png"]
    with pytest.raises(OutputExistsError, match=r"q_1001\.png' is there already"):
        pass_through(source, "there/q_%d.png", span=range(1, 3))
    pass_through(source, "there/q_%d.png", span=range(1, 3), overwrite=True)
    assert sorted(p.name for p in (tmp_path / "there").glob("[!.]*")) == [
        "letter.txt",
        "q_1001.png",
        "q_1002.png",
        "q_1003.png",
    ]


def test_an_output_that_is_there_is_left_alone(tmp_path: Path, pass_through) -> None:  # type: ignore[no-untyped-def]
    source = write_clip(tmp_path / "in.mp4", moving_frames(3, (64, 48)))
    (tmp_path / "out.mp4").write_text("precious")
    with pytest.raises(OutputExistsError, match=r"out\.mp4' is there already; give another name, or --overwrite"):
        pass_through(source, "out.mp4")
    assert (tmp_path / "out.mp4").read_text() == "precious"
    pass_through(source, "out.mp4", overwrite=True)
    assert probe(tmp_path / "out.mp4").frames == 3


@pytest.mark.parametrize("way", ["same", "symlink", "hardlink", "dots"])
def test_the_footage_is_never_its_own_output(tmp_path: Path, way: str) -> None:
    source = write_clip(tmp_path / "in.mp4", moving_frames(3, (64, 48)))
    target = {"same": source, "dots": tmp_path / "x" / ".." / "in.mp4"}.get(way, tmp_path / "out.mp4")
    (tmp_path / "x").mkdir()
    if way == "symlink":
        target.symlink_to(source)
    elif way == "hardlink":
        os.link(source, target)
    out = plan_output(probe(source), target)
    with pytest.raises(OutputError, match="is the footage itself"):
        check_output(probe(source), out, overwrite=True)


def test_a_sequence_is_never_its_own_output(tmp_path: Path) -> None:
    pattern = write_pictures(tmp_path / "in", moving_frames(3, (16, 12)))
    spec = probe(pattern)
    (tmp_path / "link").symlink_to(tmp_path / "in")
    for target in (pattern, tmp_path / "in", tmp_path / "link", tmp_path / "link" / "frame.%04d.png"):
        with pytest.raises(OutputError, match="is the footage itself"):
            check_output(spec, plan_output(spec, target), overwrite=True)
    check_output(spec, plan_output(spec, tmp_path / "in" / "other.%04d.png"))


def test_missing_and_forbidden_folders(tmp_path: Path) -> None:
    source = probe(write_clip(tmp_path / "in.mp4", moving_frames(2, (64, 48))))
    for name in ("gone/out.mp4", "gone/new/f.%04d.png", "gone/folder"):
        with pytest.raises(OutputError, match=r"there is no folder '.*gone' to write .* create it first"):
            check_output(source, plan_output(source, tmp_path / name))
    (tmp_path / "d.mp4").mkdir()
    film = replace(plan_output(source, tmp_path / "e.mp4"), path=str(tmp_path / "d.mp4"))
    with pytest.raises(OutputError, match="is a folder"):
        check_output(source, film, overwrite=True)
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="is a file"):
        check_output(source, plan_output(source, tmp_path / "file", codec="png"), overwrite=True)
    if os.getuid() == 0:
        pytest.skip("root writes everywhere")
    (tmp_path / "locked").mkdir(mode=0o500)
    with pytest.raises(OutputError, match=r"cannot write into the folder '.*locked': permission denied"):
        check_output(source, plan_output(source, tmp_path / "locked" / "out.mp4"))


HOSTILE = [
    "with space.mp4", "quo'te\".mp4", "new\nline.mov", "-leading.mkv", "ünïcødé 映画.mp4", "100%d.mp4", "file:x.mp4",
    "a%04d.webm", "b" * 250 + ".mp4",
]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_output_names(tmp_path: Path, name: str, pass_through) -> None:  # type: ignore[no-untyped-def]
    source = write_clip(tmp_path / "in.mp4", numbered_frames(3, (64, 48)), audio=True)
    with open_footage(source) as footage:
        out = plan_output(footage.spec, tmp_path / name)
        with SegmentWriter(tmp_path / "seg", out, footage.spec) as writer:
            for frame in footage.frames():
                writer.write(frame)
        conform([tmp_path / "seg"], out, footage.spec, pts=timing(source), span=range(3))
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(["in.mp4", "seg", name])
    assert [number_of(f.picture) for f in open_footage(tmp_path / name).frames()] == [0, 1, 2]


def _segment(folder: Path, source: Path, out_name: str, first: int, last: int) -> tuple:  # type: ignore[type-arg]
    spec = probe(source)
    out = plan_output(spec, folder / out_name)
    path = folder / f"part{first}"
    with SegmentWriter(path, out, spec) as writer:
        for frame in open_footage(source).frames(first, last):
            writer.write(frame)
    return path, out, spec


@pytest.mark.parametrize("name", ["out.mp4", "pictures"])
def test_a_missing_segment_is_told(tmp_path: Path, name: str) -> None:
    source = write_clip(tmp_path / "in.mp4", moving_frames(9, (64, 48)))
    one, out, spec = _segment(tmp_path, source, name, 0, 3)
    two, _, _ = _segment(tmp_path, source, name, 5, 9)
    with pytest.raises(OutputError, match="do not hold frame 3; run the same command again"):
        conform([one, two], out, spec, pts=timing(source), span=range(9))
    assert not (tmp_path / name).exists()
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".")]


def test_a_damaged_segment_is_told(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mp4", moving_frames(9, (64, 48)))
    part, out, spec = _segment(tmp_path, source, "out.mp4", 0, 9)
    part.write_bytes(part.read_bytes()[:300])
    with pytest.raises(OutputError, match="run the same command again"):
        conform([part], out, spec, pts=timing(source), span=range(9))
    assert not (tmp_path / "out.mp4").exists()


def test_segments_of_other_settings_are_refused(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mp4", moving_frames(8, (64, 48)))
    one, out, spec = _segment(tmp_path, source, "out.mp4", 0, 4)
    other = plan_output(spec, tmp_path / "out.mp4", quality=20)
    with SegmentWriter(tmp_path / "two", other, spec) as writer:
        for frame in open_footage(source).frames(4):
            writer.write(frame)
    with pytest.raises(OutputError, match="encoded with other settings"):
        conform([one, tmp_path / "two"], out, spec, pts=timing(source), span=range(8))


def test_an_exception_leaves_no_segment(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mp4", moving_frames(4, (64, 48)))
    spec = probe(source)

    def fail(name: str) -> None:
        with SegmentWriter(tmp_path / "s", plan_output(spec, tmp_path / name), spec) as writer:
            writer.write(Frame(0, 0, np.zeros((48, 64, 3), np.uint8)))
            raise ZeroDivisionError

    for name in ("o.mp4", "folder"):
        with pytest.raises(ZeroDivisionError):
            fail(name)
    assert [p.name for p in tmp_path.iterdir()] == ["in.mp4"]


def test_pictures_that_somebody_else_made_are_not_replaced(tmp_path: Path, pass_through) -> None:  # type: ignore[no-untyped-def]
    source = write_pictures(tmp_path / "in", numbered_frames(3, (64, 48)), "p.%04d.png")
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "q_1.png").write_text("a photograph")
    with pytest.raises(OutputError, match=r"q_1\.png' was not written by restyle"):
        pass_through(source, "there/q_%d.png", overwrite=True)
    assert [path.name for path in (tmp_path / "there").iterdir()] == ["q_1.png"]
    assert (tmp_path / "there" / "q_1.png").read_text() == "a photograph"
    (tmp_path / "there" / "q_1.png").unlink()
    pass_through(source, "there/q_%d.png", overwrite=True)
    (tmp_path / "there" / "q_2.png").write_text("mended by hand")
    with pytest.raises(OutputError, match=r"q_2\.png' was not written by restyle, or was changed since"):
        pass_through(source, "there/q_%d.png", overwrite=True)
    assert (tmp_path / "there" / "q_2.png").read_text() == "mended by hand"


@pytest.mark.parametrize("output", ["out.mkv", "new", "there/f.%03d.png"])
def test_a_source_that_changes_leaves_no_output(tmp_path: Path, pass_through, output: str) -> None:  # type: ignore[no-untyped-def]
    source = write_clip(tmp_path / "in.mp4", moving_frames(4, (64, 48)))
    (tmp_path / "there").mkdir()

    def unchanged() -> None:
        raise FootageError("it changed")

    with pytest.raises(FootageError, match="it changed"):
        pass_through(source, output, unchanged=unchanged)
    assert sorted(path.name for path in tmp_path.rglob("*") if path.name not in ("in.mp4", "there")) == []
