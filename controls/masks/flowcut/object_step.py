"""One object carried into the next frame."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from controls.masks.flowcut.colour_models import ColourModel
from controls.masks.flowcut.components import drop_unrelated_components
from controls.masks.flowcut.frame_walk import FrameContext
from controls.masks.flowcut.likelihood import colour_log_odds, logit, photometric_similarity
from controls.masks.flowcut.min_cut import edge_weights, minimal_cut
from controls.masks.flowcut.motion_segmentation import motion_evidence
from controls.masks.flowcut.object_motion import estimate_motion, next_region
from controls.masks.flowcut.params import Params
from controls.masks.flowcut.region import Region, sample_flow, warp_region
from controls.masks.flowcut.similarity import fit_similarity_in, inverse, similarity_flow, thinned
from controls.masks.flowcut.tracked_object import TrackedObject

__all__ = ["carry"]


def carry(tracked: TrackedObject, context: FrameContext, params: Params) -> TrackedObject:
    """The object in the next frame; ``context`` is not the first. One that has been missing for too long is not looked for."""
    if tracked.frames_missing > params.track.patience:
        return replace(tracked, frames_missing=tracked.frames_missing + 1)
    return _Step(tracked, context, params).carried()


class _Step:
    """One object's way into one frame. Arrays are h x w of ``region``, where it is looked for."""

    def __init__(self, tracked: TrackedObject, context: FrameContext, params: Params) -> None:
        assert context.previous is not None
        self._object, self._context, self._params = tracked, context, params
        self._previous, back = context.previous, context.motion_to_previous
        self._motion = estimate_motion(tracked, context.frame, context.motion_from_previous, params.track)
        self._region = region = next_region(tracked, self._motion)
        self._picture = context.frame.lab(region.grid)[region.slices]
        self._flow, self._confidence = sample_flow(back.flow, region), sample_flow(back.confidence, region)
        self._strays = self._find_strays()
        field = self._object_flow()
        self._appearance = self._pulled(tracked.appearance, field)
        self._amodal = self._pulled(tracked.amodal, field)
        self._expected = self._entering(field)

    def carried(self) -> TrackedObject:
        """The object in this frame."""
        params = self._params.track
        # what is around the object lies where the picture's own motion leads, and close to its edge, where that is mixed up
        # with the object's, where the motion farther off leads
        background, known = self._background(self._surrounding_flow())
        missing = self._object.frames_missing
        radius = params.search_radius
        wider = radius if not missing else min(3 * radius, radius + missing)
        foreground_similarity = photometric_similarity(self._picture, self._appearance, self._amodal, wider, params)
        background_similarity = np.maximum(
            photometric_similarity(self._picture, background, known, radius, params),
            photometric_similarity(self._picture, *self._background(self._flow), radius, params),
        )
        after = self._cut_out(self._log_odds(foreground_similarity, background_similarity))
        if not after.frames_missing:
            # what is new is the object's own only once it has moved with it
            certainty = foreground_similarity / (foreground_similarity + np.float32(params.likeness_floor))
            remembered = (1 - params.trust) * self._amodal + params.trust * certainty
            amodal = np.maximum(remembered, 0.3) * after.visible
            after = replace(after, amodal=np.maximum(amodal, self._amodal * (1 - after.visible) * params.memory))
        hidden = after.visible > 0.5
        corrected = self._object.corrected
        return replace(
            after,
            corrected=None if corrected is None else self._pulled(corrected, self._flow),
            background=np.where(hidden[:, :, None], background, self._picture),
            background_known=np.where(hidden, known * np.float32(params.memory), np.float32(1)),
        )

    def _log_odds(self, foreground_similarity: np.ndarray, background_similarity: np.ndarray) -> np.ndarray:
        """float32 in [-5, 5], for the object: by what is near in the last frame, colour, shape and motion."""
        params, strays = self._params.track, self._strays
        colour = colour_log_odds(self._object, self._picture)
        shape = logit(np.clip(cv2.GaussianBlur(self._expected, (0, 0), params.shape_sigma), 0.03, 0.9))
        floor = params.likeness_floor
        likely = (foreground_similarity + floor / (1 + np.exp(-colour - shape))) / (
            foreground_similarity + background_similarity + floor
        )
        odds = logit(np.clip(likely, 0.005, 0.995)) + params.colour_weight * colour + params.shape_weight * shape
        odds = self._with_motion(odds)
        around = np.ones((params.flow_blur, params.flow_blur), np.uint8)
        companions = params.companion_weight * np.minimum(cv2.dilate(strays, around), 0)
        odds = odds - params.stray_weight * self._confidence * (np.maximum(strays, 0) + companions)
        return np.clip(odds, -5, 5).astype(np.float32)

    def _with_motion(self, odds: np.ndarray) -> np.ndarray:
        """``odds`` with the evidence of motion segmentation."""
        region, motion = self._region, self._params.motion
        side = self._params.track.reach_side
        reach = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
        possible = cv2.dilate((self._amodal > 0.3).astype(np.uint8), reach) > 0
        middle = np.array([region.left + region.right, region.top + region.bottom]) / 2
        velocity = (self._motion[:, :2] @ middle + self._motion[:, 2] - middle) * self._context.step
        evidence = motion_evidence(self._context.run, self._context.number, region, possible, motion, velocity=velocity)
        strength = np.percentile(np.maximum(evidence, 0)[possible], 90) if possible.any() else 0.0
        much_moves = np.clip((strength - motion.weak) / (motion.strong - motion.weak), 0, 1)
        return odds + np.float32(motion.weight) * evidence - np.float32(self._params.track.still_penalty * much_moves)

    def _cut_out(self, log_odds: np.ndarray) -> TrackedObject:
        """Cut the object out, and remember what is new of it."""
        params, before = self._params, self._object
        visible = minimal_cut(
            -log_odds,
            edge_weights(self._picture),
            start=np.clip(log_odds + 0.5, 0, 1),
            smooth=params.cut.smoothness,
            rounds=params.cut.track_rounds,
        )
        visible = drop_unrelated_components(visible, self._amodal)
        inside = visible > 0.5
        area = float(inside.sum())
        least = max(12.0, 0.12 * before.usual_area)
        if not before.frames_missing:
            least = max(8.0, params.track.least_area * before.usual_area)
        is_visible = area > least
        if not is_visible:
            visible = np.zeros_like(visible)
            inside = visible > 0.5
        after = replace(
            before,
            region=self._region,
            appearance=np.where(inside[:, :, None], self._picture, self._appearance),
            amodal=np.maximum(visible, self._amodal * np.float32(params.track.memory if is_visible else 1.0)),
            visible=visible,
            log_odds=log_odds,
            usual_area=max(area, before.usual_area * 0.995) if is_visible else before.usual_area,
            motion=self._motion,
            age=before.age + 1,
            frames_missing=0 if is_visible else before.frames_missing + 1,
        )
        return _learn(after, self._picture) if is_visible and after.age % 4 == 0 else after

    def _pulled(self, values: np.ndarray, flow: np.ndarray) -> np.ndarray:
        """Values of the object's arrays from the frame before, along ``flow``."""
        return warp_region(values, self._object.region, self._region, flow)

    def _find_strays(self) -> np.ndarray:
        """float32 in [-1, 1]: above 0 where the picture moves as what is around the object does and not as the object does,
        below where it is the other way round; 0 where both move alike."""
        rest = (self._pulled(self._object.amodal, self._flow) < 0.1) * self._confidence
        y, x = np.nonzero(rest > 0.3)
        if len(x) < 50 or self._object.frames_missing:
            return np.zeros(self._region.shape, np.float32)
        y, x = thinned(y, x)
        surroundings = fit_similarity_in(self._region, y, x, self._flow, rest, scale=0.5)
        others = similarity_flow(surroundings, self._region)
        nearer = np.linalg.norm(self._flow - similarity_flow(inverse(self._motion), self._region), axis=2)
        nearer = nearer - np.linalg.norm(self._flow - others, axis=2)
        return np.clip(nearer, -1, 1).astype(np.float32)

    def _object_flow(self) -> np.ndarray:
        """float32 h x w x 2: where each pixel of the object was. Dense motion where the object is visible and both directions
        agree, smoothly passing over into its motion as a whole. At its edge, pixels that move as the surroundings do must not
        draw the object after them; inside, they may be a limb that stands still."""
        whole = similarity_flow(inverse(self._motion), self._region)
        if self._object.frames_missing:
            return whole
        off = self._flow - whole
        visible = self._pulled(self._object.visible, self._flow)
        weight = self._confidence * np.square(visible) * np.clip(0.3 - self._strays, 0.02, 1)
        weight *= np.exp(-np.square(off).sum(axis=2) / np.float32(2 * 6.0**2))
        near, mixed = cv2.GaussianBlur(weight, (0, 0), 2.0), cv2.GaussianBlur(off * weight[:, :, None], (0, 0), 2.0)
        wide, wide_mixed = cv2.GaussianBlur(near, (0, 0), 8.0), cv2.GaussianBlur(mixed, (0, 0), 8.0)
        total = near + np.float32(0.05) * wide + np.float32(0.002)
        return (whole + (mixed + np.float32(0.05) * wide_mixed) / total[:, :, None]).astype(np.float32)

    def _surrounding_flow(self) -> np.ndarray:
        """float32 h x w x 2: the motion of what is around the object, carried on under it."""
        covered = self._pulled(self._object.amodal, self._flow)
        weight = self._confidence * np.square(1 - np.minimum(covered, 1)) * np.clip(0.5 + self._strays, 0.02, 1)
        mixed = self._flow * weight[:, :, None]
        total, share = np.zeros_like(mixed), np.full_like(weight, 1e-6)
        for sigma, part in ((3.0, 1.0), (10.0, 0.05), (30.0, 0.002)):
            total += np.float32(part) * cv2.GaussianBlur(mixed, (0, 0), sigma)
            share += np.float32(part) * cv2.GaussianBlur(weight, (0, 0), sigma)
        return total / share[:, :, None]

    def _background(self, flow: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Everything but the object, moved by ``flow`` (CIELAB), and how surely that is known: the frame before, and under the
        object what is remembered there."""
        grid, tracked = self._region.grid, self._object
        colours = warp_region(self._previous.lab(grid), Region(0, 0, *grid, grid), self._region, flow)
        covered = self._pulled(tracked.visible, flow)
        remembered, known = self._pulled(tracked.background, flow), self._pulled(tracked.background_known, flow)
        colours = np.where((covered > 0.5)[:, :, None], remembered, colours)
        known = np.where(covered > 0.05, np.minimum(known, 1), np.float32(1))
        known[self._region.outside(flow)[2]] = 0
        return colours, known

    def _entering(self, flow: np.ndarray) -> np.ndarray:
        """float32: where the object is to be expected, the part included that comes into the picture at its border and is half
        expected to go on as it does inside."""
        x, y, outside = self._region.outside(flow)
        if not outside.any():
            return self._amodal
        before, (width, height) = self._object.region, self._region.grid
        x, y = np.clip(x, 0, width - 1) - before.left, np.clip(y, 0, height - 1) - before.top
        edge = cv2.remap(self._object.amodal, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0)
        return np.where(outside, 0.3 + 0.3 * edge, self._amodal).astype(np.float32)


def _learn(tracked: TrackedObject, picture: np.ndarray) -> TrackedObject:
    """The object with colour models of this frame."""
    visible = (tracked.visible > 0.5).astype(np.uint8)
    core = cv2.erode(visible, np.ones((3, 3), np.uint8)) > 0
    far = cv2.dilate(visible, np.ones((5, 5), np.uint8)) == 0
    own = (tracked.colours[0], ColourModel(picture[core])) if core.sum() > 30 else tracked.colours
    others = ColourModel(picture[far], parts=8) if far.sum() > 30 else tracked.surrounding_colours
    return replace(tracked, colours=own, surrounding_colours=others)
