"""Likelihood that a pixel is the object's: by what is near it in the last frame, and by colour models."""

from __future__ import annotations

import cv2
import numpy as np

from controls.masks.flowcut.params import TrackParams
from controls.masks.flowcut.tracked_object import TrackedObject

__all__ = ["colour_log_odds", "logit", "photometric_similarity"]


def logit(likely: np.ndarray) -> np.ndarray:
    """Log odds of a probability."""
    return np.log(likely / (1 - likely))


def colour_log_odds(tracked: TrackedObject, picture: np.ndarray) -> np.ndarray:
    """float32 h x w in [-3, 3]: log odds for the object by colour alone. ``picture``: CIELAB float32 h x w x 3."""
    own = tracked.colours[0].log_likelihood(picture)
    for model in tracked.colours[1:]:
        own = np.maximum(own, model.log_likelihood(picture))
    return np.clip(own - tracked.surrounding_colours.log_likelihood(picture), -3, 3)


def photometric_similarity(
    picture: np.ndarray, appearance: np.ndarray, weight: np.ndarray, radius: int, params: TrackParams
) -> np.ndarray:
    """float32 h x w in [0, 1]: share of ``appearance`` (CIELAB float32 h x w x 3, weighed by float32 h x w) within ``radius``
    of each pixel that looks like ``picture`` there; patches of 3 x 3 are compared, as in non-local means (Buades, Coll & Morel
    2005)."""
    height, width = weight.shape
    edge = (radius, radius, radius, radius)
    appearance = cv2.copyMakeBorder(appearance, *edge, cv2.BORDER_REPLICATE)
    weight = cv2.copyMakeBorder(weight, *edge, cv2.BORDER_CONSTANT, value=0)
    total = np.zeros((height, width), np.float32)
    sigma = params.search_sigma * max(1.0, radius / params.search_radius)
    sums = np.full((1, 3), -0.5 / params.colour_scale**2, np.float32)
    every = 0.0
    step = 1 if radius <= params.search_radius + 1 else 2
    for dy in range(-radius, radius + 1, step):
        for dx in range(-radius, radius + 1, step):
            share = float(np.exp(-(dx * dx + dy * dy) / (2 * sigma * sigma)))
            every += share
            rows, columns = slice(radius + dy, radius + dy + height), slice(radius + dx, radius + dx + width)
            off = cv2.subtract(picture, appearance[rows, columns])
            similarity = cv2.exp(cv2.blur(cv2.transform(cv2.multiply(off, off), sums), (3, 3)))
            total += cv2.multiply(similarity, weight[rows, columns], scale=share).reshape(total.shape)
    return total / np.float32(every)
