"""Measuring frame by frame: the same figures as the measures themselves, wherever it is cut up."""

from __future__ import annotations

import numpy as np
import pytest
from clips import as_depth, moving_frames, texture

from restyle.quality import measures
from restyle.quality.motion import KnownMotion, agreed_motion, estimate_flow, occlusion
from restyle.quality.streaming import Measurer, Row, measuring_size


def clip(n: int = 8, *, noise: float = 0.03, dtype: str = "uint8") -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Moving source, and a result that boils: fresh noise in every frame."""
    rng = np.random.default_rng(1)
    sources = moving_frames(n, (96, 64), shift=(1, 1))
    results = [
        as_depth(np.clip(s / 255 * 0.7 + 0.1 + noise * rng.standard_normal(s.shape), 0, 1), dtype) for s in sources
    ]
    return [as_depth(s / 255, dtype) for s in sources], results


def rows_of(sources: list[np.ndarray], results: list[np.ndarray], **options: object) -> list[Row]:
    measurer = Measurer(**options)  # type: ignore[arg-type]
    return [measurer.push(s, r, n, shot_start=n == 0) for n, (s, r) in enumerate(zip(sources, results, strict=True))]


def judged_along(here: np.ndarray, there: np.ndarray) -> tuple[KnownMotion, np.ndarray]:
    forward, backward = (estimate_flow(*pair, preset="ultrafast") for pair in ((here, there), (there, here)))
    visible = ~occlusion(forward, backward)
    return agreed_motion(measures.luma8(here), measures.luma8(there), forward, visible), visible


def test_rows_are_what_the_measures_say() -> None:
    sources, results = clip()
    rows = rows_of(sources, results, t_of=True, edges=True)
    near, visible = judged_along(sources[2], sources[3])
    assert rows[3].warp_error == measures.warp_error(results[2], results[3], near.flow, near.known)
    assert rows[3].source_warp_error == measures.warp_error(sources[2], sources[3], near.flow, near.known)
    assert rows[3].visible == pytest.approx(visible.mean())
    assert rows[3].judged == pytest.approx(near.known.mean())
    far, _ = judged_along(sources[0], sources[3])
    assert rows[3].long_range == measures.warp_error(results[0], results[3], far.flow, far.known)
    assert rows[3].sharpness == pytest.approx(measures.sharpness(results[3]))
    assert rows[3].structure == pytest.approx(measures.structure(sources[3], results[3]))
    assert rows[3].edge_f1 == measures.edge_f1(sources[3], results[3])
    assert rows[3].t_of is not None
    assert rows[3].flicker is None or rows[3].flicker >= 0


def test_boiling_shows_as_twice_the_noise_over_the_floor() -> None:
    rows = rows_of(*clip(noise=0.03))
    for row in rows[1:]:
        assert row.warp_error is not None
        assert row.source_warp_error is not None
        assert row.warp_error > 2 * 0.03**2 * 0.5  # bilinear warping takes some of the noise
        assert row.warp_error > 3 * row.source_warp_error


def test_true_motion_is_what_is_judged_along() -> None:
    """Noise that is fixed to the picture moves with nothing: along the true motion it boils, along none it would be still."""
    sources, _ = clip(3)
    noise = 0.05 * np.random.default_rng(2).standard_normal(sources[0].shape)
    results = [as_depth(np.clip(source / 255 * 0.7 + 0.1 + noise, 0, 1), "uint8") for source in sources]
    shape = sources[0].shape[:2]
    errors = []
    for shift in (1, 0):
        measurer = Measurer()
        measurer.push(sources[0], results[0], 0, shot_start=True)
        motion = KnownMotion(np.full((*shape, 2), shift, np.float32), np.ones(shape, bool))
        row = measurer.push(sources[1], results[1], 1, motion=motion, painting=sources[1])
        assert (row.judged, row.painted_warp_error) == (1, None), "the frame before had no painting"
        assert row.source_warp_error is not None
        errors.append(row.source_warp_error)
    assert errors[0] < 0.2 * errors[1]


def test_nothing_is_compared_across_a_cut() -> None:
    sources = moving_frames(6, (96, 64), cuts=(3,))
    measurer = Measurer()
    rows = [measurer.push(s, s, n, shot_start=n in (0, 3)) for n, s in enumerate(sources)]
    for first in (rows[0], rows[3]):
        assert first.warp_error is first.long_range is first.flicker is first.visible is None
    assert rows[4].warp_error is not None
    assert rows[4].warp_error < 1e-3
    assert rows[4].long_range == rows[4].warp_error, "the shot's second frame: one pair"
    assert rows[5].long_range is not None
    assert rows[5].long_range != rows[5].warp_error


def test_a_window_measured_alone_and_joined_at_its_border() -> None:
    """The window before measures the pair across the border."""
    sources, results = clip()
    whole = rows_of(sources, results, long_range=False)
    rows = rows_of(sources[:5], results[:5], long_range=False)  # 4 is the border
    after = Measurer(long_range=False)
    rest = [after.push(sources[n], results[n], n, shot_start=n == 4) for n in range(4, 8)]
    assert rest[0].warp_error is None
    assert [*rows[:4], rest[0].joined(rows[4]), *rest[1:]] == whole
    with pytest.raises(ValueError, match="one frame"):
        rest[0].joined(rows[2])


def test_without_the_shots_first_frame_the_long_range_is_unknown() -> None:
    sources, results = clip(3)
    measurer = Measurer()
    rows = [measurer.push(s, r, n) for n, (s, r) in enumerate(zip(sources, results, strict=True))]
    assert rows[2].warp_error is not None
    assert rows[2].long_range is None


@pytest.mark.parametrize("dtype", ["uint16", "float32"])
def test_every_depth_measures_alike(dtype: str) -> None:
    eight, other = rows_of(*clip(4)), rows_of(*clip(4, dtype=dtype))
    for a, b in zip(eight, other, strict=True):
        for name in ("warp_error", "source_warp_error", "long_range", "sharpness", "structure"):
            x, y = getattr(a, name), getattr(b, name)
            assert x == y if x is None else x == pytest.approx(y, rel=0.05, abs=2e-4)


def test_a_result_of_another_size_is_measured_at_the_sources() -> None:
    sources, results = clip(3)
    larger = [np.ascontiguousarray(np.repeat(np.repeat(r, 2, 0), 2, 1)) for r in results]
    assert rows_of(sources, larger) == rows_of(sources, results)


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (1, 900), (13, 11)])
def test_tiny_and_odd_pictures(size: tuple[int, int]) -> None:
    picture = as_depth(np.tile(texture(30, 30), (1, 30, 1))[: size[0], : size[1]], "uint8")
    rows = rows_of([picture] * 3, [picture] * 3)
    assert rows[2].warp_error == pytest.approx(0, abs=1e-6)


def test_measuring_size() -> None:
    assert measuring_size(1920, 1080) == (320, 180)
    assert measuring_size(100, 50) == (100, 50)
    assert measuring_size(9000, 3) == (320, 1)
    assert measuring_size(1920, 1080, None) == (1920, 1080)


def test_rows_as_json_and_back() -> None:
    row = rows_of(*clip(3))[2]
    plain = row.to_json()
    assert Row.from_json(plain).to_json() == plain
    assert plain["warp_error"] == pytest.approx(row.warp_error, rel=1e-5)
