"""Transfer curves: code values to linear light, and back. 1 is diffuse white.

Footage tagged as PQ (SMPTE ST 2084) or HLG (ARIB STD-B67) has its own curve; all other is taken as sRGB's (IEC 61966-2-1),
which is close to what displays do with bt709. White is that of ITU-R BT.2408: 203 cd/m2 in PQ, and 75 % of HLG's signal,
whose light is the scene's.
"""

from __future__ import annotations

import numpy as np

__all__ = ["HDR", "encoded", "linear"]

HDR = {"smpte2084": "PQ", "arib-std-b67": "HLG"}
"""Tags whose curves are not sRGB's, and what people call them."""

_M1, _M2, _C1, _C2, _C3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
_PQ_WHITE = 203 / 10_000
_A, _B, _C = 0.17883277, 0.28466892, 0.55991073
_HLG_WHITE = float((np.exp((0.75 - _C) / _A) + _B) / 12)


def linear(code: np.ndarray, transfer: str | None = None) -> np.ndarray:
    """Convert code values in [0, 1] to light. ``transfer``: the footage's tag (``ColourTags.transfer``)."""
    if transfer == "smpte2084":
        root = np.power(code, 1 / _M2)
        return np.power(np.maximum(root - _C1, 0) / (_C2 - _C3 * root), 1 / _M1) / _PQ_WHITE
    if transfer == "arib-std-b67":
        light = np.where(code <= 0.5, code * code / 3, (np.exp((np.maximum(code, 0.5) - _C) / _A) + _B) / 12)
        return light / _HLG_WHITE
    return np.where(code <= 0.04045, code / 12.92, np.power((code + 0.055) / 1.055, 2.4))


def encoded(light: np.ndarray, transfer: str | None = None) -> np.ndarray:
    """Convert light to code values: the inverse of ``linear``; what code values cannot hold is clipped."""
    if transfer == "smpte2084":
        power = np.power(np.clip(light * _PQ_WHITE, 0, 1), _M1)
        return np.power((_C1 + _C2 * power) / (1 + _C3 * power), _M2)
    if transfer == "arib-std-b67":
        scene = np.clip(light * _HLG_WHITE, 0, 1)
        return np.where(scene <= 1 / 12, np.sqrt(3 * scene), _A * np.log(np.maximum(12 * scene - _B, 1e-9)) + _C)
    light = np.clip(light, 0, 1)
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * np.power(np.maximum(light, 1e-9), 1 / 2.4) - 0.055)
