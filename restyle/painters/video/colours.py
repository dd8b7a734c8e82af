"""Colours held from window to window.

A model of video gives back even what it keeps a little otherwise, and each window begins where the one before ended: without
this, colours drift along a shot. The frames that two windows share show by how much, so that it can be taken back.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

__all__ = ["hold_colours"]

STEADY = 0.02  # spread of a channel, of 1, below which it is no measure of contrast
MOST = 1.25  # times that contrast is changed at most, either way


def hold_colours(made: np.ndarray, known: Mapping[int, np.ndarray]) -> np.ndarray:
    """Move each channel's mean and spread by what they differ in the ``known`` frames.

    ``made``: float32 n x h x w x 3 in [0, 1]; ``known``: place -> uint8 h x w x 3, as the window before painted it. Gives
    float32 n x h x w x 3 in [0, 1]; where nothing is known, ``made`` itself.
    """
    if not known:
        return made
    places = sorted(known)
    wanted = np.stack([known[place] for place in places]).astype(np.float32) / 255
    found = made[places]
    axes = (0, 1, 2)
    spread, wanted_spread = found.std(axis=axes), wanted.std(axis=axes)
    times = np.where(spread > STEADY, wanted_spread / np.maximum(spread, STEADY), 1.0).clip(1 / MOST, MOST)
    moved: np.ndarray = (made - found.mean(axis=axes)) * times + wanted.mean(axis=axes)
    return moved.astype(np.float32).clip(0, 1)
