"""A source's own samples, laid into frames that are encoded: untouched outside, and only where they can be."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from clips import moving_frames, write_clip

from restyle.footage import SegmentWriter, open_footage, plan_output, probe
from restyle.footage.samples import keeps_samples, outside_of_planes, planar
from restyle.types import Frame

SIZE = (66, 50)


def planes(path: Path) -> list[list[np.ndarray]]:
    """Y, U and V of every frame, by PyAV alone."""
    found = []
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            kind = np.uint8 if frame.format.components[0].bits <= 8 else np.uint16
            rows = []
            for plane in frame.planes:
                lines = np.frombuffer(plane, kind).reshape(plane.height, -1)
                rows.append(lines[:, : plane.width].copy())
            found.append(rows)
    return found


def edited(frame: Frame) -> tuple[Frame, np.ndarray]:
    """A bright square in the middle, at odd coordinates."""
    region = np.zeros(frame.picture.shape[:2], np.float32)
    region[15:32, 21:44] = 0.5
    picture = frame.picture.copy()
    picture[region > 0] = np.iinfo(picture.dtype).max
    return replace(frame, picture=picture), region


@pytest.mark.parametrize(
    ("codec", "form", "rotation"),
    [
        ("libx264", "yuv420p", 0),
        ("libx264", "yuv422p10le", 0),
        ("libx264", "yuv444p", 0),
        ("libx264", "yuv420p", 90),
        ("libx264", "yuvj420p", 0),
    ],
)
def test_samples_outside_are_the_source_s(tmp_path: Path, codec: str, form: str, rotation: int) -> None:
    deep = "10le" in form
    frames = moving_frames(3, SIZE, dtype="uint16" if deep else "uint8")
    source = write_clip(tmp_path / "in.mp4", frames, codec=codec, pixel_format=form, rotation=rotation)
    spec = probe(source)
    out = replace(
        plan_output(spec, tmp_path / "o.mkv", codec="ffv1-yuv"), rotation=spec.rotation, width=SIZE[0], height=SIZE[1]
    )
    assert planar(out.pixel_format) == planar(form)
    assert keeps_samples(out, spec)
    with open_footage(source) as footage, SegmentWriter(tmp_path / "segment", out, spec) as writer:
        for frame in footage.frames(samples=True):
            changed, region = edited(frame)
            writer.write(changed, region=region)
    outside = outside_of_planes(region, planes(source)[0], rotation=rotation, mirrored=False, fields=False)
    for own, made in zip(planes(source), planes(tmp_path / "segment"), strict=True):
        for before, after, where in zip(own, made, outside, strict=True):
            assert np.array_equal(before[where], after[where])
            assert 0.5 < where.mean() < 0.95
            assert (before[~where] != after[~where]).mean() > 0.5
    with open_footage(source) as footage, SegmentWriter(tmp_path / "plain", out, spec) as writer:
        for frame in footage.frames():
            writer.write(frame)
    differing = [
        (a != b).any()
        for x, y in zip(planes(source), planes(tmp_path / "plain"), strict=True)
        for a, b in zip(x, y, strict=True)
    ]
    assert any(differing)  # what conversion to RGB and back does to samples


def test_chroma_is_outside_where_all_its_luma_is() -> None:
    region = np.zeros((8, 8), np.float32)
    region[3, 5] = 1e-3
    luma, chroma = np.zeros((8, 8), np.uint8), np.zeros((4, 4), np.uint8)
    where = outside_of_planes(region, [luma, chroma, chroma], rotation=0, mirrored=False, fields=False)
    assert [np.argwhere(~each).tolist() for each in where] == [[[3, 5]], [[1, 2]], [[1, 2]]]
    fields = outside_of_planes(region, [luma, chroma], rotation=0, mirrored=False, fields=True)
    assert np.argwhere(~fields[1]).tolist() == [[0, 2], [1, 2]]  # either field's line may stand for it
    turned = outside_of_planes(region, [luma], rotation=90, mirrored=False, fields=False)
    assert np.argwhere(~turned[0]).tolist() == [[5, 4]]
    odd = outside_of_planes(np.ones((5, 7), np.float32), [np.zeros((3, 4))], rotation=0, mirrored=False, fields=False)
    assert not odd[0].any()
    assert odd[0].shape == (3, 4)


def test_samples_are_kept_only_where_they_fit(tmp_path: Path) -> None:
    source = probe(write_clip(tmp_path / "in.mp4", moving_frames(2, SIZE), colour={"range": "tv", "matrix": "bt709"}))

    def kept(name: str, codec: str | None = None, **changes: object) -> bool:
        return keeps_samples(replace(plan_output(source, tmp_path / name, codec=codec), **changes), source)  # type: ignore[arg-type]

    assert kept("o.mp4")
    assert kept("o.mkv", "hevc")
    assert not kept("o.mkv", "ffv1")
    assert not kept("o.%04d.png")
    assert not kept("o.mov", "prores")  # of 8 bits and 4:2:0
    assert not kept("o.mp4", rotation=90)
    assert not kept("o.mp4", colour=replace(source.colour, range="pc"))
    assert not kept("o.mp4", colour=replace(source.colour, matrix="bt2020nc"))
    out = plan_output(source, tmp_path / "o.mp4")
    assert not keeps_samples(out, replace(source, deinterlaced=True))
