from __future__ import annotations

import itertools
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from clips import number_of, numbered_frames, write_clip

from restyle.footage import open_footage, probe, timing
from restyle.footage.clock import CONTINUOUS, Clock, Section, clock_of
from restyle.footage.opening import open_container


def joined(
    folder: Path, *, sound: bool | str = False, counts: tuple[int, ...] = (20, 12), muxer: str = "mpegts"
) -> Path:
    """Clips end to end in one file, each on a clock of its own; the pictures are numbered through."""
    pictures = numbered_frames(sum(counts), (64, 48))
    data = b""
    for count in counts:
        part, pictures = pictures[:count], pictures[count:]
        made = write_clip(folder / "part", part, muxer=muxer, audio=sound, options={"bf": "2"})
        data += made.read_bytes()
    path = folder / "joined.ts"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("counts", [(20, 12), (12, 20, 9)])
def test_joined_broadcasts_keep_every_frames_length(tmp_path: Path, counts: tuple[int, ...]) -> None:
    path = joined(tmp_path, counts=counts)
    frames = list(open_footage(path).frames())
    assert [number_of(f.picture) for f in frames] == list(range(sum(counts)))
    assert {b.pts - a.pts for a, b in itertools.pairwise(frames)} == {3600}
    assert timing(path) == [f.pts for f in frames]


def test_a_late_frame_of_joined_broadcasts_is_not_one_of_the_same_time_in_another_part(tmp_path: Path) -> None:
    path = joined(tmp_path)
    footage = open_footage(path)
    pts = timing(path)
    assert [number_of(next(footage.frames(n, pts=pts)).picture) for n in (3, 19, 20, 31)] == [3, 19, 20, 31]


def test_sound_is_shifted_as_the_pictures_of_its_part_are(tmp_path: Path) -> None:
    path = joined(tmp_path, sound="aac", counts=(40, 30))
    clock = clock_of(path)
    assert [section.shift for section in clock.sections] == [0, Fraction(40, 25)]
    ticks = clock.follow()
    with open_container(path) as container:
        sound = container.streams.audio[0]
        stamps = [(p.pts, ticks(p)) for p in container.demux(sound) if p.size]
    back = next(n for n, (a, b) in enumerate(itertools.pairwise(stamps)) if b[0] < a[0]) + 1
    assert {shift for _, shift in stamps[:back]} == {0}
    assert {shift for _, shift in stamps[back:]} == {144_000}


def test_a_clock_that_leaps_ahead_is_held_back(tmp_path: Path) -> None:
    """As downloads do whose advertisements were cut out: in a format that has jumps, more than ten seconds are one."""
    pictures = numbered_frames(20, (64, 48))
    stamps = [n + (2500 if n >= 10 else 0) for n in range(20)]
    path = write_clip(tmp_path / "c.ts", pictures, pts=stamps, muxer="mpegts", options={"bf": "0"})
    frames = list(open_footage(path).frames())
    assert {b.pts - a.pts for a, b in itertools.pairwise(frames)} == {3600}
    pause = write_clip(tmp_path / "pause.mp4", pictures, pts=stamps, time_base=Fraction(1, 25), options={"bf": "0"})
    times = [f.pts * probe(pause).time_base for f in open_footage(pause).frames()]
    assert times[10] - times[9] == Fraction(2501, 25)


def test_a_clock_that_runs_on_is_left_alone(tmp_path: Path) -> None:
    for name in ("c.mp4", "c.mkv", "c.ts"):
        assert clock_of(write_clip(tmp_path / name, numbered_frames(12, (64, 48)), options={"bf": "2"})) == CONTINUOUS


def test_near_a_joint_the_time_tells_the_part() -> None:
    clock = Clock(
        (Section(0, Fraction(0)), Section(1000, Fraction(2))),
        tuple((n * 250, Fraction(n, 2)) for n in range(9)),
    )
    assert clock.jumps
    assert (
        clock.shift(1010, Fraction(19, 10)) == 0
    )  # the first part's last sound lies behind the second's first picture
    assert clock.shift(990, Fraction(-1, 50)) == 2
    assert clock.shift(100, Fraction(1, 5)) == 0
    assert clock.shift(1800, Fraction(8, 5)) == 2


def test_small_steps_back_are_no_new_clock(tmp_path: Path) -> None:
    """Decoding stamps that stumble by a frame or two: repaired where they are."""
    from restyle.footage.clock import ClockTracker

    path = write_clip(tmp_path / "c.ts", numbered_frames(4, (64, 48)))
    with open_container(path) as container:
        tracker = ClockTracker(container, container.streams.video[0])
        for stamp in (0, 3600, 1800, 7200):
            packet = av.Packet(1)
            packet.pts = packet.dts = stamp
            tracker.correct(packet)
            assert (packet.pts, packet.dts) == (stamp, stamp)
        packet = av.Packet(1)
        packet.pts = packet.dts = -90_000
        tracker.correct(packet)
        assert packet.pts == 10_800
    assert np.isclose(float(tracker.clock.sections[1].shift), 100_800 / 90_000)
