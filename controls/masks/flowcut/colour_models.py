"""Mixtures of Gaussians over colour, for an object and for what is around it."""

from __future__ import annotations

import cv2
import numpy as np

from interp.pixels.depth import to_unit

__all__ = ["ColourModel", "lab"]

NOISE = 2.5  # smallest standard deviation of a component, CIELAB units: grain and compression


def lab(picture: np.ndarray) -> np.ndarray:
    """CIELAB float32 H x W x 3 (L in [0, 100]) of an RGB picture: uint8, uint16 or float32 (display-referred, 1 = white)."""
    unit = np.clip(to_unit(picture), 0, 1)
    return cv2.cvtColor(unit, cv2.COLOR_RGB2LAB)


class ColourModel:
    """A mixture fitted to weighted samples: split along the widest principal axis (Orchard & Bouman, "Color quantization of
    images", 1991), then expectation maximisation. No random numbers: the same samples give the same model."""

    def __init__(
        self, samples: np.ndarray, weights: np.ndarray | None = None, *, parts: int = 6, rounds: int = 4
    ) -> None:
        """``samples``: float32 n x 3, at least one (more columns where more than colour tells); ``weights``: float32 n."""
        if len(samples) > 6000:
            chosen = np.linspace(0, len(samples) - 1, 6000).astype(np.intp)
            samples, weights = samples[chosen], None if weights is None else weights[chosen]
        samples = samples.astype(np.float64)
        weights = np.ones(len(samples)) if weights is None else weights.astype(np.float64) + 1e-9
        share = _split(samples, weights, parts)
        for _ in range(rounds):
            self._fit(samples, share * weights[:, None])
            logs = self._logs(samples)
            share = np.exp(logs - logs.max(axis=1, keepdims=True))
            share /= share.sum(axis=1, keepdims=True)
        self._fit(samples, share * weights[:, None])

    def _fit(self, samples: np.ndarray, share: np.ndarray) -> None:
        mass = share.sum(axis=0) + 1e-9
        self._means = (share.T @ samples) / mass[:, None]
        roots, offsets = [], []
        for part, mean in enumerate(self._means):
            away = samples - mean
            spread = (away * share[:, part : part + 1]).T @ away / mass[part] + np.eye(samples.shape[1]) * NOISE**2
            root = np.linalg.inv(np.linalg.cholesky(spread))
            roots.append(root)
            offsets.append(np.log(mass[part] / mass.sum()) + np.log(np.abs(np.diag(root))).sum())
        self._roots, self._offsets = np.stack(roots), np.array(offsets)

    def _logs(self, samples: np.ndarray) -> np.ndarray:
        logs = np.empty((len(samples), len(self._means)), samples.dtype)
        for part in range(len(self._means)):
            away = (samples - self._means[part].astype(samples.dtype)) @ self._roots[part].T.astype(samples.dtype)
            logs[:, part] = self._offsets[part] - 0.5 * np.einsum("ij,ij->i", away, away)
        return logs

    def log_likelihood(self, picture: np.ndarray) -> np.ndarray:
        """float32 H x W: log density, up to a constant, of every pixel of a float32 H x W x 3 picture (CIELAB; or of as many
        columns as the samples had)."""
        logs = self._logs(picture.reshape(-1, picture.shape[2]).astype(np.float32))
        top = logs.max(axis=1)
        total = top + np.log(np.exp(logs - top[:, None]).sum(axis=1))
        return np.ascontiguousarray(total.reshape(picture.shape[:2]), dtype=np.float32)


def _split(samples: np.ndarray, weights: np.ndarray, parts: int) -> np.ndarray:
    """n x parts of 0 and 1: samples split again and again where they are spread widest."""
    member = np.zeros(len(samples), np.intp)
    spreads: dict[int, tuple[float, np.ndarray]] = {}
    count = 1
    spreads[0] = _widest(samples, weights)
    while count < parts:
        which = max(spreads, key=lambda part: spreads[part][0])
        width, side = spreads[which]
        if width <= 1e-6:
            break
        chosen = np.flatnonzero(member == which)
        member[chosen[side]] = count
        for part in (which, count):
            inside = member == part
            spreads[part] = _widest(samples[inside], weights[inside])
        count += 1
    return np.eye(count)[member]


def _widest(samples: np.ndarray, weights: np.ndarray) -> tuple[float, np.ndarray]:
    """Weighted variance along the principal axis, and True for the samples that lie beyond the mean on it."""
    mean = np.average(samples, axis=0, weights=weights)
    away = samples - mean
    values, axes = np.linalg.eigh((away * weights[:, None]).T @ away)
    side = away @ axes[:, -1] > 0
    return (float(values[-1]) if side.any() and not side.all() else 0.0), side
