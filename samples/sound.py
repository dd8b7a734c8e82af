"""The harbour's sound, made of numpy alone: surf, wind, gulls, a bell, and a few soft notes under it."""

from __future__ import annotations

import numpy as np

RATE = 48000
"""Samples a second."""


def _noise(rng: np.random.Generator, n: int, low: float, high: float, slope: float = 1.0) -> np.ndarray:
    """Noise between two frequencies (Hz), falling by ``1 / f ** slope``, at unit deviation."""
    f = np.fft.rfftfreq(n, 1 / RATE)
    shape = 1 / np.maximum(f, 20.0) ** slope / (1 + (low / np.maximum(f, 1e-3)) ** 4) / (1 + (f / high) ** 4)
    out = np.fft.irfft(np.fft.rfft(rng.normal(size=n)) * shape, n)
    return out / out.std()


def _note(n: int, at: float, pitch: float, length: float = 2.6) -> np.ndarray:
    """A plucked string: partials that die the sooner the higher they are."""
    t = np.arange(n) / RATE - at
    on = t >= 0
    out = np.zeros(n)
    for k in range(1, 7):
        fade = np.exp(-np.maximum(t, 0) * (1.1 + 0.9 * k) * 2.2 / length)
        out += on * fade * np.sin(2 * np.pi * pitch * k * (1 + 0.0003 * k * k) * t) / k**1.6
    return out * np.clip(t / 0.006, 0, 1)


def _gull(n: int, at: float, pitch: float) -> np.ndarray:
    """Three falling cries."""
    out = np.zeros(n)
    for i in range(3):
        t = np.arange(n) / RATE - at - 0.34 * i
        on = (t >= 0) & (t < 0.28)
        u = np.clip(t / 0.28, 0, 1)
        phase = 2 * np.pi * np.cumsum(pitch * (1.25 - 0.4 * u) * on) / RATE
        out += on * np.sin(np.pi * u) ** 0.7 * (np.sin(phase) + 0.5 * np.sin(2 * phase) + 0.25 * np.sin(3 * phase))
    return out


def compose(seconds: float, cut: float) -> np.ndarray:
    """The whole track: float32 2 x n in [-1, 1] at ``RATE``. ``cut`` (seconds) is where the second shot begins."""
    n = round(seconds * RATE)
    rng, t = np.random.default_rng(7), np.arange(n) / RATE
    sea = np.clip((t - cut) / 0.05 + 0.5, 0, 1)
    track = np.zeros((2, n))
    for side in range(2):
        swell = 0.55 + 0.45 * np.sin(2 * np.pi * t / 3.7 + 0.5 * side) ** 2
        lap = _noise(rng, n, 180, 2400, 0.7) * swell
        surf = _noise(rng, n, 90, 5200, 0.45) * (0.6 + 0.4 * np.sin(2 * np.pi * t / 2.9 + 1 + 0.4 * side))
        wind = _noise(rng, n, 60, 480, 1.2) * (0.7 + 0.3 * np.sin(2 * np.pi * t / 5.1 + side))
        track[side] = 0.030 * lap * (1 - 0.4 * sea) + 0.034 * surf * sea + 0.030 * wind * (0.7 + 0.6 * sea)
    notes = [(0.15, 293.66), (0.55, 440.0), (0.95, 369.99), (1.55, 587.33), (2.15, 493.88), (2.6, 440.0)]
    notes += [(cut, 196.0), (cut + 0.02, 392.0), (cut + 0.5, 587.33), (cut + 0.95, 493.88), (cut + 1.5, 739.99)]
    for i, (at, pitch) in enumerate(notes):
        pan = 0.5 + 0.22 * np.sin(2.4 * i)
        tone = 0.085 * (_note(n, at, pitch) + 0.4 * _note(n, at + 0.008, pitch / 2))
        track += np.array([[np.sqrt(1 - pan)], [np.sqrt(pan)]]) * tone
    for at, pitch, pan, gain in ((0.7, 1150.0, 0.3, 0.016), (1.9, 1320.0, 0.7, 0.009), (cut + 0.8, 1210.0, 0.6, 0.018)):
        track += np.array([[1 - pan], [pan]]) * gain * _gull(n, at, pitch)
    echo = np.zeros_like(track)
    for delay, gain in ((0.113, 0.30), (0.197, 0.22), (0.311, 0.15)):
        d = int(delay * RATE)
        echo[:, d:] += gain * track[::-1, :-d]
    track = track + 0.5 * echo
    track *= np.clip(t / 0.15, 0, 1) * np.clip((seconds - t) / 0.35, 0, 1)
    return (track * min(1.0, 0.7 / np.abs(track).max())).astype(np.float32)
