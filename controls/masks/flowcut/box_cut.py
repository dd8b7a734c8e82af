"""An object cut out of the region that a prompt allows: GrabCut (Rother, Kolmogorov & Blake 2004), helped by motion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from controls.masks.flowcut.colour_models import ColourModel
from controls.masks.flowcut.components import drop_stray_components, fill_holes, keep_marks
from controls.masks.flowcut.min_cut import edge_weights, minimal_cut
from controls.masks.flowcut.params import Params
from controls.masks.flowcut.region import Box

__all__ = ["BoxCut", "extent_of"]


@dataclass(frozen=True, eq=False)
class BoxCut:
    """Evidence about a prompt's region before it is cut; all arrays are h x w."""

    picture: np.ndarray
    """CIELAB float32 h x w x 3."""
    allowed: np.ndarray
    """bool: where the object may be."""
    start: np.ndarray
    """bool: where it is if nothing else is known."""
    marks: np.ndarray
    """float32, of points: 1, -1, or 0."""
    patches: np.ndarray
    """float32: the same of the patches of like colour round them (``patches.connected_patch``)."""
    evidence: np.ndarray
    """float32, of motion segmentation."""
    position: np.ndarray | None
    """Log odds by the position in a box to whose sides the object nearly reaches; ``None`` without a box."""
    params: Params

    def matte(self) -> np.ndarray:
        """The object, float32 h x w: the best of cuts that begin with all of it, with what moves, and with rare colours."""
        params, allowed, evidence = self.params.seed, self.allowed, self.evidence
        ring = self.ring
        best = self._cut(self.start & allowed, ring)  # all of it may be the object
        inside = allowed & (evidence > params.foreground_evidence)
        if inside.sum() > params.least_share * allowed.sum():
            moving = self._cut(inside, ring | (evidence < params.background_evidence))
            best = max(moving, best, key=self._worth)
        elif self.position is not None and self._leak(best) >= params.leak_share:
            best = self._without_background(best)
        components = self.params.components
        tidy = fill_holes(drop_stray_components(best, evidence, components), evidence, components)
        return keep_marks(tidy, best, self.marks, self.patches)

    @property
    def ring(self) -> np.ndarray:
        """bool: where the object is not."""
        ring = ~self.allowed
        if not ring.any():  # the box is the whole picture: its border is all that can be something else
            ring = np.ones_like(self.allowed)
            ring[2:-2, 2:-2] = False
        return ring

    @property
    def _much_moves(self) -> float:
        """0 where nothing moves otherwise than its surroundings, 1 where much does."""
        motion = self.params.motion
        strength = np.percentile(np.maximum(self.evidence, 0)[self.allowed], 90)
        return float(np.clip((strength - motion.weak) / (motion.strong - motion.weak), 0, 1))

    def _without_background(self, leaking: np.ndarray) -> np.ndarray:
        """A cut where what is behind the object was taken in, too: it begins with the colours that are not found around the
        box."""
        ring, allowed = self.ring, self.allowed
        usualness = ColourModel(self.picture[ring], parts=12).log_likelihood(self.picture)
        rare, frequent = np.percentile(usualness[ring], (10, 40))
        inside = allowed & (usualness < rare)
        if inside.sum() >= 0.1 * allowed.sum():
            again = self._cut(inside, ring | (allowed & (usualness > frequent)))
            if self._leak(again) < 0.5 * self._leak(leaking) and again.sum() > 0.02 * allowed.sum():
                return again
        return leaking

    def _cut(self, inside: np.ndarray, others: np.ndarray) -> np.ndarray:
        """Colour models and min-cut, in turn, from a first guess of the object and of what it is not (bool)."""
        params = self.params
        edges, ring = edge_weights(self.picture), self.ring
        prior = np.float32(params.motion.weight) * self.evidence - np.float32(
            params.seed.still_penalty * self._much_moves
        )
        if self.position is not None:
            prior = prior + self.position
        there, absent = self.patches > 0, self.patches < 0
        # what a point shows may be rare in the object: it has models of its own, and is no one else's
        named = [ColourModel(self.picture[patch], parts=2) if patch.any() else None for patch in (there, absent)]
        prior = prior + np.float32(params.seed.patch_odds) * self.patches
        matte, bias = inside.astype(np.float32), 0.0
        for number in range(params.seed.rounds):
            own = _likeliest(self.picture, ColourModel(self.picture[inside & ~absent]), named[0])
            rest = _likeliest(self.picture, ColourModel(self.picture[others & ~there], parts=12), named[1])
            colour = np.clip(own - rest, -5, 5)
            before, matte = matte, self._settle(params.seed.colour_weight * colour + prior + bias, edges, matte)
            if self.position is not None and _slack(matte, self.allowed) > 0.35 and bias < 3:
                bias += 0.5  # the box says how large the object is (Lempitsky et al. 2009)
            elif number > 1 and np.abs(before - matte).mean() < 1e-3:
                break
            inside = (matte > 0.5) & self.allowed
            if inside.sum() < 6:
                inside = self.start & self.allowed
            others = ring | (self.allowed & ~inside)
        return matte

    def _settle(self, log_odds: np.ndarray, edges: np.ndarray, start: np.ndarray) -> np.ndarray:
        """The min-cut, with what is outside of the box, and what points say, decided."""
        log_odds = np.where(self.ring & (self.marks <= 0), -8, log_odds)
        log_odds = np.where(self.marks != 0, 20 * self.marks, log_odds).astype(np.float32)
        cut = self.params.cut
        return minimal_cut(-log_odds, edges, start=start, smooth=cut.prompt_smoothness, rounds=cut.prompt_rounds)

    def _leak(self, matte: np.ndarray) -> float:
        """Share of the box's sides at which the cut ends though the picture goes on without a step."""
        sides, border, seamless = self._borders(matte)
        return int((sides & border & seamless).sum()) / max(1, int(sides.sum()))

    def _worth(self, matte: np.ndarray) -> float:
        """Score a cut: its border lies on steps of the picture, and it parts what moves from what does not."""
        _, border, seamless = self._borders(matte)
        inside = (matte > 0.5) & self.allowed
        parted = np.where(inside, self.evidence, -self.evidence)[self.allowed].sum() / max(
            1e-6, np.abs(self.evidence[self.allowed]).sum()
        )
        weak = int((border & seamless).sum()) / max(1, int(border.sum()))
        return float(0.5 * self._much_moves * parted - weak - 2 * self._leak(matte)) if inside.any() else -np.inf

    def _borders(self, matte: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Between each pixel and the next, rightward and downward, bool arrays of one dimension: True where a side of the box
        is, where the cut's border is, and where the picture has no step."""
        inside = (matte > 0.5) & self.allowed
        planes = [
            (
                np.diff(self.allowed, axis=axis).ravel(),
                np.diff(inside, axis=axis).ravel(),
                (np.linalg.norm(np.diff(self.picture, axis=axis), axis=2) < self.params.seed.seamless_step).ravel(),
            )
            for axis in (0, 1)
        ]
        sides, border, seamless = (np.concatenate(both) for both in zip(*planes, strict=True))
        return sides, border, seamless


def _likeliest(picture: np.ndarray, model: ColourModel, named: ColourModel | None) -> np.ndarray:
    """float32 h x w: log likelihood by ``model``, or by the colours round the points if those are nearer."""
    likely = model.log_likelihood(picture)
    return likely if named is None else np.maximum(likely, named.log_likelihood(picture))


def extent_of(inside: np.ndarray) -> Box:
    """Left, top, right and bottom of where ``inside`` (bool h x w) is True, its last pixels included."""
    y, x = np.nonzero(inside)
    return float(x.min()), float(y.min()), float(x.max()), float(y.max())


def _slack(matte: np.ndarray, allowed: np.ndarray) -> float:
    """Measure how much narrower or lower than what is allowed the object is: 0 where it fills it."""
    if not (matte > 0.5).any():
        return 1.0
    a, b = extent_of(matte > 0.5), extent_of(allowed)
    return 1 - min((a[2] - a[0]) / max(1.0, b[2] - b[0]), (a[3] - a[1]) / max(1.0, b[3] - b[1]))
