"""Preview clips: both halves in step, whatever the pieces they were encoded in."""

from __future__ import annotations

import io
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from clips import moving_frames, number_of, numbered_frames, psnr, write_clip

from restyle.footage import probe
from restyle.footage.preview import PreviewEncoder, join_previews, preview_size
from restyle.types import FootageSpec


def spec_of(tmp_path: Path, size: tuple[int, int], **options) -> FootageSpec:
    return probe(write_clip(tmp_path / "in.mp4", moving_frames(2, size), **options))


def decoded(data: bytes) -> list[av.VideoFrame]:
    with av.open(io.BytesIO(data)) as container:
        assert container.format.name.startswith("mov")
        assert not container.streams.audio
        return list(container.decode(video=0))


def test_pieces_become_one_clip_with_source_above_result(tmp_path: Path) -> None:
    size = (128, 72)
    spec = spec_of(tmp_path, size, rate=Fraction(30000, 1001))
    source, result = numbered_frames(40, size), numbered_frames(80, size)[40:]
    pieces = []
    for span in (range(13), range(13, 14), range(14, 40)):
        encoder = PreviewEncoder(spec)
        for number in span:
            encoder.add(source[number], result[number])
        pieces.append(encoder.finish())
    clip = join_previews(pieces, spec.rate)
    frames = decoded(clip)
    halves = [np.split(frame.to_ndarray(format="rgb24"), 2) for frame in frames]
    assert [(number_of(a), number_of(b)) for a, b in halves] == [(n, 40 + n) for n in range(40)]
    times = [frame.time for frame in frames]
    assert np.allclose(times, np.arange(40) * 1001 / 30000, atol=1e-4)
    assert join_previews(pieces, spec.rate) == clip


def test_the_same_pairs_give_the_same_bytes_and_about_the_same_picture(tmp_path: Path) -> None:
    size = (160, 120)
    spec = spec_of(tmp_path, size)
    made = []
    for _ in range(2):
        encoder = PreviewEncoder(spec)
        for a, b in zip(moving_frames(6, size), moving_frames(6, size, seed=5, dtype="uint16"), strict=True):
            encoder.add(a, b)
        made.append(encoder.finish())
    assert made[0] == made[1]
    above, below = np.split(decoded(join_previews(made[:1], spec.rate))[5].to_ndarray(format="rgb24"), 2)
    assert psnr(above, moving_frames(6, size)[5]) > 22
    assert psnr(below, moving_frames(6, size, seed=5)[5]) > 22


def test_pictures_are_small_even_and_in_their_shape(tmp_path: Path) -> None:
    assert preview_size(spec_of(tmp_path, (1280, 720))) == (640, 360)
    assert preview_size(spec_of(tmp_path, (720, 1280))) == (360, 640)
    assert preview_size(spec_of(tmp_path, (96, 64))) == (96, 64)
    spec = spec_of(tmp_path, (96, 64))
    assert preview_size(replace(spec, pixel_aspect=Fraction(4, 3))) == (128, 64)


@pytest.mark.parametrize(("size", "wanted"), [((51, 35), (50, 34)), ((1, 1), (2, 2)), ((2000, 3), (640, 2))])
def test_odd_sizes(tmp_path: Path, size: tuple[int, int], wanted: tuple[int, int]) -> None:
    spec = replace(spec_of(tmp_path, (96, 64)), width=size[0], height=size[1])
    assert preview_size(spec) == wanted
    encoder = PreviewEncoder(spec)
    for picture in moving_frames(2, size, dtype="float32"):
        encoder.add(picture, picture)
    frames = decoded(join_previews([encoder.finish()], spec.rate))
    assert [(frame.width, frame.height) for frame in frames] == [(wanted[0], 2 * wanted[1])] * 2


def test_nothing_was_added(tmp_path: Path) -> None:
    assert PreviewEncoder(spec_of(tmp_path, (64, 48))).finish() == b""
