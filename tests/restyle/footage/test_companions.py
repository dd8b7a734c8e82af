"""What comes along beside the pictures is decided, tried and said before the work begins."""

from __future__ import annotations

import io
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from clips import numbered_frames, stream_packets, write_clip

from restyle.errors import OutputError
from restyle.footage import plan_output, probe


def tone(stream: Any, seconds: float, *, hertz: int = 440, only: int | None = None, size: int = 1024) -> list[Any]:
    """Packets of a tone on every channel of an encoder's stream, or on ``only`` one of them."""
    context = stream.codec_context
    context.open(strict=False)
    rate, layout = context.sample_rate, context.layout
    wave = 0.2 * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)
    resampler = av.AudioResampler(context.format, layout, rate, context.frame_size or size)
    waves = np.repeat(wave[:, None], layout.nb_channels, axis=1)
    if only is not None:
        waves *= np.arange(layout.nb_channels) == only
    frame = av.AudioFrame.from_ndarray(waves.reshape(1, -1).astype(np.float32), "flt", layout)
    frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
    made = [p for f in [*resampler.resample(frame), *resampler.resample(None)] if f for p in stream.encode(f)]
    return made + stream.encode(None)


def film(
    path: Path,
    tracks: Sequence[dict[str, Any]],
    *,
    seconds: float = 0.4,
    hertz: Sequence[int] = (440, 880),
    only: int | None = None,
    size: int = 1024,
) -> Path:
    """A clip of 25 pictures a second with sound tracks: ``codec``, ``layout``, ``rate``, ``metadata``, ``disposition``."""
    with av.open(str(path), "w") as out:
        video = out.add_stream("libx264", rate=25)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        streams = []
        for track in tracks:
            stream = out.add_stream(track["codec"], rate=track.get("rate", 48000))
            stream.codec_context.layout = track.get("layout", "stereo")
            stream.metadata.update(track.get("metadata", {}))
            stream.disposition = track.get("disposition", 0)
            streams.append(stream)
        packets = []
        for number, picture in enumerate(numbered_frames(round(seconds * 25), (64, 48))):
            frame = av.VideoFrame.from_ndarray(picture, "rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            packets += video.encode(frame)
        packets += video.encode(None)
        for stream, pitch in zip(streams, hertz, strict=False):
            packets += tone(stream, seconds, hertz=pitch, only=only, size=size)
        for packet in sorted(packets, key=lambda p: Fraction(p.dts or 0) * (p.time_base or 1)):
            out.mux(packet)
    return path


def heard(path: Path, index: int = 0) -> tuple[str, int, np.ndarray]:
    """Layout, rate and samples (channels x n) of a track."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[index]
        resampler = av.AudioResampler("flt", stream.layout, stream.rate)
        frames = [f.to_ndarray() for made in container.decode(stream) for f in resampler.resample(made)]
        return stream.layout.name, stream.rate, np.concatenate(frames, axis=1).reshape(-1, stream.layout.nb_channels).T


@pytest.mark.parametrize(
    ("layout", "suffix", "becomes"),
    [
        ("5.1(side)", ".webm", "5.1"),
        ("5.0(side)", ".webm", "5.1"),  # libopus would mix up the channels of 5.0
        ("2.1", ".webm", "5.1"),  # a layout with more speakers, silent ones
        ("5.1(side)", ".mp4", "5.1"),
        ("7.1", ".mp4", "7.1"),
        ("mono", ".webm", "mono"),
    ],
)
def test_layouts_that_encoders_do_not_take_are_called_by_those_they_do(
    tmp_path: Path, layout: str, suffix: str, becomes: str, pass_through
) -> None:  # type: ignore[no-untyped-def]
    source = film(tmp_path / "in.mov", [{"codec": "pcm_s16le", "layout": layout}])
    out = plan_output(probe(source), tmp_path / f"out{suffix}")
    assert len(out.notes) == 1
    assert "it is encoded again as" in out.notes[0]
    assert (f"its {layout} as {becomes}" in out.notes[0]) == (layout != becomes)
    done = pass_through(source, f"out{suffix}")
    assert done.warnings == list(out.notes)
    name, _, samples = heard(done.path)
    assert name == becomes
    loud = np.abs(samples[:, 4800:-4800]).max(1) > 0.05
    assert loud.sum() >= min(len(av.AudioLayout(layout).channels), 5)  # a low-frequency channel may be filtered


@pytest.mark.parametrize(
    ("rate", "suffix", "becomes"), [(192000, ".mp4", 96000), (192000, ".webm", 48000), (37800, ".mp4", 44100)]
)
def test_rates_that_encoders_do_not_take_are_resampled(
    tmp_path: Path, rate: int, suffix: str, becomes: int, pass_through
) -> None:  # type: ignore[no-untyped-def]
    source = film(tmp_path / "in.mkv", [{"codec": "pcm_s24le", "rate": rate}])
    done = pass_through(source, f"out{suffix}")
    assert f"resampled from {rate} to {becomes} Hz" in done.warnings[0]
    _, got, samples = heard(done.path)
    assert got == becomes
    middle = samples[0][got // 10 : -got // 10]
    crossings = np.sum(np.diff(np.signbit(middle))) * got / len(middle)
    assert abs(crossings - 880) < 15  # 440 Hz


@pytest.mark.parametrize("suffix", [".mov", ".mp4", ".webm"])
def test_language_title_and_flags_stay_when_sound_is_encoded_again(tmp_path: Path, suffix: str, pass_through) -> None:  # type: ignore[no-untyped-def]
    default = int(av.stream.Disposition.default)
    source = film(
        tmp_path / "in.mkv",
        [
            {"codec": "pcm_s24le" if suffix != ".mov" else "libopus", "metadata": {"language": "jpn"}},
            {
                "codec": "pcm_s24le" if suffix != ".mov" else "libopus",
                "metadata": {"language": "eng", "title": "Commentary"},
                "disposition": default,
            },
        ],
    )
    done = pass_through(source, f"out{suffix}")
    assert any("encoded again" in note for note in done.warnings)
    with av.open(str(done.path)) as container:
        first, second = container.streams.audio
        assert (first.metadata["language"], second.metadata["language"]) == ("jpn", "eng")
        assert (second.metadata.get("title") or second.metadata.get("name")) == "Commentary"
        assert not first.disposition & default
        assert second.disposition & default


@pytest.mark.parametrize(
    ("codec", "suffix", "becomes"),
    [
        ("pcm_s16be", ".avi", "pcm_s16le"),
        ("pcm_s24be", ".avi", "pcm_s24le"),
        ("adpcm_ms", ".mp4", "aac"),
        ("flac", ".avi", "pcm_s16le"),
    ],
)
def test_uncompressed_sound_stays_so_where_it_can(
    tmp_path: Path, codec: str, suffix: str, becomes: str, pass_through
) -> None:  # type: ignore[no-untyped-def]
    source = film(
        tmp_path / ("in.avi" if codec == "adpcm_ms" else "in.mov" if "be" in codec else "in.mkv"), [{"codec": codec}]
    )
    done = pass_through(source, f"out{suffix}")
    with av.open(str(done.path)) as container:
        assert container.streams.audio[0].codec_context.name == becomes
    assert np.abs(heard(done.path)[2]).max() > 0.15


def test_sound_that_cannot_be_held_is_refused_at_once_with_what_can(tmp_path: Path) -> None:
    source = film(tmp_path / "in.mkv", [{"codec": "pcm_s16le", "layout": "22.2"}])
    with pytest.raises(OutputError) as refused:
        plan_output(probe(source), tmp_path / "out.webm")
    assert str(refused.value).endswith("; choose .mov or .mkv or .avi")
    assert "24 channels" in str(refused.value)


def test_sound_that_changes_its_layout_on_the_way(tmp_path: Path, pass_through) -> None:  # type: ignore[no-untyped-def]
    parts = [
        film(tmp_path / f"{layout}.ts", [{"codec": "ac3", "layout": layout}], seconds=0.8)
        for layout in ("stereo", "5.1(side)")
    ]
    source = tmp_path / "in.ts"
    source.write_bytes(b"".join(part.read_bytes() for part in parts))
    done = pass_through(source, "out.webm")
    _, _, samples = heard(done.path)
    assert abs(samples.shape[1] / 48000 - 1.6) < 0.05
    assert all(np.abs(samples[0][at : at + 4800]).max() > 0.05 for at in (14400, 60000))


def test_sound_of_joined_parts_stays_in_sync(tmp_path: Path, pass_through) -> None:  # type: ignore[no-untyped-def]
    part = film(tmp_path / "part.ts", [{"codec": "aac"}], seconds=1)
    source = tmp_path / "in.ts"
    source.write_bytes(part.read_bytes() * 2)
    for name, span in (("out.mp4", None), ("out.mkv", None), ("late.mp4", range(30, 50)), ("out.webm", range(30, 50))):
        done = pass_through(source, name, span=span)
        stamps = [when for when, _ in stream_packets(done.path)]
        assert stamps == sorted(set(stamps))
        assert abs(float(stamps[-1]) - (2 if span is None else 0.8)) < 0.06
        if name == "out.mp4":
            gaps = np.diff([float(when) for when in stamps])
            assert gaps.max() < 0.06
            assert gaps.min() > 0.01


def test_attached_fonts_and_covers(tmp_path: Path, pass_through) -> None:  # type: ignore[no-untyped-def]
    plain = write_clip(tmp_path / "plain.mkv", numbered_frames(5, (64, 48)))
    picture = io.BytesIO()
    with av.open(picture, "w", format="mjpeg") as still:
        stream = still.add_stream("mjpeg", rate=1)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuvj420p"
        still.mux(
            [*stream.encode(av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), "rgb24")), *stream.encode(None)]
        )
    source = tmp_path / "in.mkv"
    with av.open(str(plain)) as old, av.open(str(source), "w") as new:
        video = new.add_stream_from_template(old.streams.video[0], opaque=True)
        new.add_attachment("hand.ttf", "application/x-truetype-font", b"letters")
        new.add_attachment("cover.jpg", "image/jpeg", picture.getvalue())
        for packet in old.demux():
            if packet.size:
                packet.stream = video
                new.mux(packet)

    def found(path: Path) -> tuple[list[bytes], list[bytes]]:
        with av.open(str(path)) as container:
            covers = [s for s in container.streams.video if s.disposition & av.stream.Disposition.attached_pic]
            shown = [bytes(p) for p in container.demux(covers) if p.size] if covers else []
            return [bytes(s.data) for s in container.streams.attachments], shown

    done = pass_through(source, "out.mkv")
    assert done.warnings == []
    assert found(done.path) == ([b"letters"], [picture.getvalue()])
    again = pass_through(done.path, "again.mp4")  # the cover has a home there, the font has none
    assert again.warnings == [".mp4 holds no attached files; 'hand.ttf' is left out (.mkv holds it)"]
    assert found(again.path) == ([], [picture.getvalue()])
    assert found(pass_through(again.path, "back.mkv").path) == ([], [picture.getvalue()])
    for suffix in (".webm", ".mov", ".avi"):
        done = pass_through(source, f"out{suffix}")
        assert done.warnings == [
            f"{suffix} holds no attached files; 'hand.ttf' is left out (.mkv holds it)",
            f"{suffix} holds no cover picture (mjpeg); it is left out (.mkv, .mp4 hold it)",
        ]
        assert found(done.path) == ([], [])


@pytest.mark.parametrize("kind", ["h264", "hevc", "mjpeg"])
def test_bare_streams(tmp_path: Path, kind: str, pass_through) -> None:  # type: ignore[no-untyped-def]
    coder = {"h264": "libx264", "hevc": "libx265", "mjpeg": "mjpeg"}[kind]
    form = "yuvj420p" if kind == "mjpeg" else "yuv420p"
    options = {"x265-params": "log-level=none"} if kind == "hevc" else {}
    source = write_clip(
        tmp_path / f"in.{kind}",
        numbered_frames(9, (96, 64)),
        codec=coder,
        pixel_format=form,
        muxer=kind,
        options=options,
    )
    for suffix in (".mp4", ".mkv"):
        done = pass_through(source, f"{kind}{suffix}")
        with av.open(str(done.path)) as container:
            assert sum(1 for _ in container.decode(video=0)) == 9


@pytest.mark.parametrize(
    ("layout", "tag", "told", "only", "speaker"),
    [
        ("5.1", 123 << 16 | 6, "FL+FC+FR+SL+SR+LFE", 1, "FC"),
        ("7.1", 128 << 16 | 8, "FL+FR+FC+LFE+SL+SR+BL+BR", 4, "SL"),
    ],
)
@pytest.mark.parametrize("suffix", [".mov", ".webm", ".mp4"])
def test_channels_in_an_order_of_their_own(
    tmp_path: Path, layout: str, tag: int, told: str, only: int, speaker: str, suffix: str, pass_through
) -> None:  # type: ignore[no-untyped-def]
    """As film editors write them. PyAV frees such a layout twice: a crash, if it is looked at as others are."""
    source = film(tmp_path / "in.mov", [{"codec": "pcm_s16le", "layout": layout}], only=only)
    data = bytearray(source.read_bytes())
    at = data.index(b"chan") + 8
    data[at : at + 4] = tag.to_bytes(4, "big")  # one of QuickTime's layouts
    source.write_bytes(data)
    count = len(told.split("+"))
    done = pass_through(source, f"out{suffix}")
    if suffix == ".mov":
        assert done.warnings == []
        assert b"".join(d for _, d in stream_packets(done.path)) == b"".join(d for _, d in stream_packets(source))
        return
    assert f"its {count} channels ({told}) as {layout}" in done.warnings[0]
    name, _, samples = heard(done.path)
    channels = [channel.name for channel in av.AudioLayout(name).channels]
    loud = [speaker for speaker, wave in zip(channels, samples, strict=True) if np.abs(wave).max() > 0.1]
    assert [{"BL": "SL"}.get(one, one) if layout == "5.1" else one for one in loud] == [speaker]


def test_damage_in_the_sound_is_told_and_costs_nothing_else(tmp_path: Path, pass_through) -> None:  # type: ignore[no-untyped-def]
    source = film(tmp_path / "in.mkv", [{"codec": "ac3"}], seconds=1)
    packets = [data for _, data in stream_packets(source)]
    data = source.read_bytes()
    for packet in packets[10:13]:
        data = data.replace(packet, bytes(len(packet)))
    source.write_bytes(data)
    done = pass_through(source, "out.webm")
    assert f"3 packets of the sound of '{source}' are damaged; there it is silent" in done.warnings
    assert abs(heard(done.path)[2].shape[1] / 48000 - 1) < 0.15


def test_slow_motion_says_what_stays_behind(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "in.mkv"), "w") as out:
        video = out.add_stream("libx264", rate=25)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        out.set_chapters(
            [{"id": 1, "start": 0, "end": 100, "time_base": Fraction(1, 1000), "metadata": {"title": "one"}}]
        )
        for number, picture in enumerate(numbered_frames(5, (64, 48))):
            frame = av.VideoFrame.from_ndarray(picture, "rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
    source = probe(tmp_path / "in.mkv")
    assert plan_output(source, tmp_path / "out.mp4", slow=Fraction(2)).notes == (
        "chapters are left out where the pictures run slower",
    )
    assert plan_output(source, tmp_path / "out.avi").notes == (
        ".avi holds no chapters; they are left out (.mkv, .mp4, .mov hold them)",
    )


def test_a_layout_that_matroska_does_not_tell_is_said(tmp_path: Path) -> None:
    source = film(tmp_path / "in.mov", [{"codec": "pcm_s16le", "layout": "5.1(side)"}])
    assert plan_output(probe(source), tmp_path / "out.mkv").notes == (
        ".mkv does not tell the layout of uncompressed sound: its 5.1(side) is 6 channels",
    )
    assert plan_output(probe(source), tmp_path / "out.mov").notes == ()


@pytest.mark.parametrize("suffix", [".mkv", ".webm", ".avi", ".mp4"])
def test_sound_in_packets_shorter_than_the_ticks_of_the_container(tmp_path: Path, suffix: str, pass_through) -> None:  # type: ignore[no-untyped-def]
    source = film(tmp_path / "in.mkv", [{"codec": "pcm_s16le"}], size=40)  # as TrueHD has them
    done = pass_through(source, f"out{suffix}")
    if suffix == ".mkv":
        assert [data for _, data in stream_packets(done.path)] == [data for _, data in stream_packets(source)]
    assert abs(heard(done.path)[2].shape[1] - heard(source)[2].shape[1]) < 0.02 * 48000
