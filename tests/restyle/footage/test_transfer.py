from __future__ import annotations

import numpy as np
import pytest

from restyle.compositing.blend import over
from restyle.footage.transfer import encoded, linear

TAGS = [None, "bt709", "smpte2084", "arib-std-b67"]


@pytest.mark.parametrize("transfer", TAGS)
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_there_and_back_to_the_code(transfer: str | None, dtype: str) -> None:
    codes = np.arange(np.iinfo(dtype).max + 1, dtype=dtype)
    light = linear(codes / codes[-1], transfer)
    assert (np.diff(light) >= 0).all()
    assert np.array_equal(np.rint(encoded(light, transfer) * codes[-1]).astype(dtype), codes)


def test_white_and_the_standards_own_points() -> None:
    assert linear(np.float64(0.58068888), "smpte2084") == pytest.approx(
        1, rel=1e-4
    )  # 203 cd/m2, BT.2408's table 1: 58 %
    assert linear(np.float64(0.5080784), "smpte2084") == pytest.approx(100 / 203, rel=1e-4)
    assert linear(np.float64(1), "smpte2084") == pytest.approx(10_000 / 203)
    assert linear(np.float64(0.75), "arib-std-b67") == pytest.approx(1)
    assert linear(np.float64(1), "arib-std-b67") / linear(np.float64(0.5), "arib-std-b67") == pytest.approx(
        12, rel=1e-6
    )
    assert linear(np.float64(0.5)) == pytest.approx(0.21404, rel=1e-4)


@pytest.mark.parametrize("transfer", ["smpte2084", "arib-std-b67"])
def test_edges_mix_light_by_the_footages_curve(transfer: str) -> None:
    base, top = (np.full((1, 1, 3), value, np.uint16) for value in (10_000, 50_000))
    made = over(base, top, np.full((1, 1), 0.25, np.float32), transfer)[0, 0, 0] / 65535
    light = 0.75 * linear(np.float64(10_000 / 65535), transfer) + 0.25 * linear(np.float64(50_000 / 65535), transfer)
    assert made == pytest.approx(float(encoded(light, transfer)), abs=2e-5)
    assert abs(int(over(base, top, np.full((1, 1), 0.25, np.float32))[0, 0, 0]) - made * 65535) > 500
