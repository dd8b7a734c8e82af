"""Structure in moving parts: a smear where something moves is seen, wherever else the picture is right."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from scenes import texture

from interp.structure import edges_of
from restyle.quality.moving_structure import (
    LEAST_LOSS,
    LOST,
    BlockLoss,
    StructureLoss,
    moving_blocks,
    worst_moments,
)
from restyle.quality.streaming import Measurer, Row

WIDTH, HEIGHT, SIDE = 320, 180, 60


def frame(number: int, *, smeared: bool = False, spoilt: bool = False) -> np.ndarray:
    """A textured square that goes right over a textured ground. ``smeared``: it has lost its texture and its rim; ``spoilt``:
    so has a corner of the ground, where nothing moves."""
    picture = texture(HEIGHT, WIDTH, 1).copy()
    left = 30 + 6 * number
    picture[60 : 60 + SIDE, left : left + SIDE] = texture(SIDE, SIDE, 2)
    if smeared:
        part = picture[50 : 70 + SIDE, left - 10 : left + SIDE + 10]
        part[:] = cv2.GaussianBlur(part, (0, 0), 12)
    if spoilt:
        picture[120:180, 250:320] = cv2.GaussianBlur(picture[120:180, 250:320], (0, 0), 12)
    return picture


def measured(count: int = 6, **spoil: bool) -> list[Row]:
    """Rows of a result whose first frame is painted; every frame's painting is the footage itself."""
    measurer = Measurer(long_range=False)
    rows = []
    for number in range(count):
        source = frame(number)
        output = frame(number, **spoil) if number else source
        rows.append(measurer.push(source, output, number, shot_start=not number, painted=not number))
    return rows


def total(rows: list[Row]) -> StructureLoss:
    loss = StructureLoss()
    for row in rows:
        loss.add(row.moving_blocks or 0, [value for _, _, value in row.block_losses or ()])
    return loss


def test_what_is_right_loses_nothing() -> None:
    loss = total(measured())
    assert loss.blocks > 50
    assert loss.lost == 0
    assert loss.worst is not None
    assert loss.worst < 0.3


def test_a_smeared_thing_is_lost_and_found_where_it_is() -> None:
    rows = measured(smeared=True)
    loss = total(rows)
    assert loss.lost is not None and loss.lost > 0.3  # noqa: PT018
    assert loss.worst is not None and loss.worst > LOST  # noqa: PT018
    block = WIDTH / 24
    for row in rows[1:]:
        for down, across, value in row.block_losses or ():
            if value > LOST:
                left = 30 + 6 * row.frame
                assert left - 40 < (across + 0.5) * block < left + SIDE + 40
                assert 30 < (down + 0.5) * block < 90 + SIDE


def test_what_stands_still_does_not_count() -> None:
    assert total(measured(spoilt=True)).lost == 0


def test_a_painting_of_the_very_frame_is_the_better_judge() -> None:
    """A look that smears moving things in every painting loses nothing by being shown."""
    measurer = Measurer(long_range=False)
    rows = []
    for number in range(5):
        look = frame(number, smeared=True)
        rows.append(measurer.push(frame(number), look, number, shot_start=not number, painting=look))
    assert total(rows).lost == 0


def test_outside_of_the_restyled_region_nothing_counts() -> None:
    region = np.zeros((HEIGHT, WIDTH), np.float32)
    region[:, WIDTH // 2 :] = 1
    measurer = Measurer(long_range=False)
    for number in range(3):
        output = frame(number, smeared=bool(number))
        row = measurer.push(frame(number), output, number, shot_start=not number, painted=not number, region=region)
    assert row.block_losses == ()


def test_blocks_without_edges_do_not_move() -> None:
    flow = np.full((HEIGHT, WIDTH, 2), 3, np.float32)
    flat = edges_of(np.zeros((HEIGHT, WIDTH), np.float32))
    assert not moving_blocks(flow, flat).any()
    assert moving_blocks(flow, flat + 1).all()
    assert not moving_blocks(flow * 0.01, flat + 1).any()


def test_the_worst_twentieth_is_a_mean_over_what_lost_most() -> None:
    loss = StructureLoss()
    assert (loss.lost, loss.worst) == (None, None)
    loss.add(100, [0.8, 0.4])
    assert loss.lost == pytest.approx(0.02)
    assert loss.worst == pytest.approx((0.8 + 0.4 + 3 * LEAST_LOSS / 2) / 5)


def test_worst_moments_are_of_different_moments() -> None:
    blocks = [BlockLoss(5, 3, 3, 0.9), BlockLoss(6, 3, 4, 0.8), BlockLoss(40, 3, 3, 0.5), BlockLoss(5, 9, 9, 0.4)]
    assert worst_moments(blocks, 10) == [blocks[0], blocks[2], blocks[3]]
    assert worst_moments(blocks, 1) == [blocks[0]]


def test_a_row_comes_back_from_its_plain_values() -> None:
    row = measured(3, smeared=True)[-1]
    assert row.block_losses
    assert Row.from_json(row.to_json()).block_losses == row.block_losses
    assert Row.from_json(row.to_json()).moving_blocks == row.moving_blocks


@pytest.mark.parametrize("size", [(1, 1), (7, 300), (40, 24)])
def test_small_pictures_are_measured_too(size: tuple[int, int]) -> None:
    measurer = Measurer(long_range=False)
    picture = texture(*size[::-1], 4)
    for number in range(3):
        row = measurer.push(picture, picture, number, shot_start=not number, painted=not number)
    assert not row.moving_blocks
