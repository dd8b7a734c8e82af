"""One object, carried from frame to frame: what it looks like, all of it and the part that is seen."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from controls.masks.flowcut.colour_models import Colours
from controls.masks.flowcut.min_cut import edge_weights, minimal_cut
from controls.masks.flowcut.moments import Moment
from controls.masks.flowcut.motion_segmentation import evidence
from controls.masks.flowcut.region import Scaled, Window, around, fit_similarity, flow_on, onto, pull, working_grid
from interp.types import Motion

__all__ = ["Layer", "begin", "fit_grid", "follow"]

REACH = 3  # working pixels round the carried place in which the same colours are looked for
NEAR = 1.8  # sigma of the weight by distance within it
ALIKE = 7.0  # CIELAB units within which colours are the same
MEMORY = 0.96  # what a frame leaves of the memory of parts that are not seen
DOUBT = 0.04  # likeness below which colour models decide
SMOOTH = 1.5  # cost of a border pixel in even places
EDGE = 1.5  # sigma, working pixels, of how well a shape is known
TRUST = 0.5  # how quickly what was added to an object counts as its own
COLOUR = 0.6  # weight of the colour models' log odds
SHAPE = 0.1  # weight of the shape's
STRAY = 1.0  # log odds against what moves with the surroundings
WITH = 0.5  # the same for what moves with the object, where all round it does, too: ...
MOVED, DOUBTED = 4.0, 0.5  # weight of what the frames near by tell; and where much moves otherwise, of what does not
WEAK, STRONG = 0.08, 0.28
ROOM = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (13, 13))
HALO = np.ones((21, 21), np.uint8)  # ... motion is blurred this far at its edge
ASTRAY, AGAIN = 0.5, 0.4  # misfit from which the object is searched for, and to which it counts as found again
LEAST = 0.03  # share of its usual area below which an object is not seen
PATIENCE = 48  # frames for which one that is not seen is looked for


@dataclass(frozen=True, eq=False)
class Layer:
    """An object in one frame, on ``window`` of its working grid; all arrays are h x w of it."""

    window: Window
    look: np.ndarray
    """CIELAB float32 h x w x 3: what the object looks like, also where something hides it."""
    whole: np.ndarray
    """float32 in [0, 1]: where the object is, seen or hidden."""
    seen: np.ndarray
    """float32 in [0, 1]: where it is seen."""
    claim: np.ndarray
    """float32: log odds for the object."""
    under: np.ndarray
    """CIELAB float32 h x w x 3: what it hides."""
    known: np.ndarray
    """float32 in [0, 1]: where ``under`` was seen once."""
    own: tuple[Colours, ...]
    """Its colours: as prompted, and as they are lately."""
    others: Colours
    """Colours round it."""
    area: float
    """How many pixels are seen as a rule."""
    drift: np.ndarray
    """float64 2 x 3: its last motion."""
    age: int = 0
    """Frames since the prompt."""
    missing: int = 0
    """Frames since it was last seen; 0: it is seen."""

    @property
    def gone(self) -> bool:
        """It has not been seen for so long that it is not looked for any more."""
        return self.missing > PATIENCE


def begin(frame: Scaled, window: Window, seen: np.ndarray) -> Layer:
    """The object as a prompt showed it: ``seen`` is float32 h x w of the window, at least one pixel of it above a half."""
    look = frame.lab(window.grid)[window.slices]
    inside = seen > 0.5
    outside = cv2.dilate(inside.astype(np.uint8), np.ones((3, 3), np.uint8)) == 0
    own = Colours(look[inside])
    others = Colours(look[outside] if outside.any() else look.reshape(-1, 3), parts=8)
    still = np.eye(2, 3)
    claim = np.where(inside, np.float32(4), np.float32(-4))
    known = (seen < 0.05).astype(np.float32)
    return Layer(window, look.copy(), seen, seen, claim, look, known, (own,), others, float(inside.sum()), still)


def follow(layer: Layer, moment: Moment) -> Layer:
    """The layer in the next frame; ``moment`` is not the first."""
    before, now, ahead, back = moment.before, moment.frame, moment.ahead, moment.back
    assert before is not None
    if layer.gone:
        return replace(layer, missing=layer.missing + 1)
    grid = layer.window.grid
    moved = _motion(layer, now, ahead)
    window = _next_window(layer, moved)
    along, sure = flow_on(back.flow, window), flow_on(back.confidence, window)
    strays = _strays(layer, window, moved, along, sure)
    field = _field(layer, window, moved, along, sure, strays)
    look, whole = pull(layer.look, layer.window, window, field), pull(layer.whole, layer.window, window, field)
    picture = now.lab(grid)[window.slices]

    # what is round the object lies where the picture's own motion leads, and close to its edge, where that is mixed up with
    # the object's, where the motion farther off leads
    beyond = _surroundings(layer, window, along, sure, strays)
    reach = REACH if not layer.missing else min(3 * REACH, REACH + layer.missing)
    for_it = _likeness(picture, look, whole, reach)
    under, known = _behind(layer, before, window, beyond)
    against = np.maximum(
        _likeness(picture, under, known, REACH), _likeness(picture, *_behind(layer, before, window, along), REACH)
    )
    colour = colour_odds(layer, picture)
    shape = _logit(np.clip(cv2.GaussianBlur(_entering(layer, window, field, whole), (0, 0), EDGE), 0.03, 0.9))
    likely = (for_it + DOUBT / (1 + np.exp(-colour - shape))) / (for_it + against + DOUBT)
    claim = _logit(np.clip(likely, 0.005, 0.995)) + COLOUR * colour + SHAPE * shape
    likely_here = cv2.dilate((whole > 0.3).astype(np.uint8), ROOM) > 0
    middle = np.array([window.left + window.right, window.top + window.bottom]) / 2
    drift = (moved[:, :2] @ middle + moved[:, 2] - middle) * moment.step
    told = evidence(moment.run, moment.number, window, likely_here, drift=drift)
    strength = np.percentile(np.maximum(told, 0)[likely_here], 90) if likely_here.any() else 0.0
    claim = claim + np.float32(MOVED) * told - np.float32(DOUBTED * np.clip((strength - WEAK) / (STRONG - WEAK), 0, 1))
    claim = np.clip(
        claim - STRAY * sure * (np.maximum(strays, 0) + WITH * np.minimum(cv2.dilate(strays, HALO), 0)), -5, 5
    ).astype(np.float32)
    found = settle(layer, window, picture, look, whole, claim, moved)
    if not found.missing:
        # what is new is the object's own only once it has moved with it
        sure_of = for_it / (for_it + np.float32(DOUBT))
        held = np.maximum((1 - TRUST) * whole + TRUST * sure_of, 0.3) * found.seen
        found = replace(found, whole=np.maximum(held, whole * (1 - found.seen) * MEMORY))
    hidden = found.seen > 0.5
    return replace(
        found,
        under=np.where(hidden[:, :, None], under, picture),
        known=np.where(hidden, known * np.float32(MEMORY), np.float32(1)),
    )


def fit_grid(layer: Layer, size: tuple[int, int]) -> Layer:
    """The layer on a finer or coarser grid if the object has become much smaller or larger. ``size``: the picture's."""
    y, x = np.nonzero(layer.whole > 0.5)
    if layer.missing or len(x) < 12:
        return layer
    old = layer.window
    a, b = size[0] / old.grid[0], size[1] / old.grid[1]
    box = tuple(float(edge) for edge in (
        (x.min() + old.left) * a, (y.min() + old.top) * b, (x.max() + 1 + old.left) * a, (y.max() + 1 + old.top) * b,
    ))  # fmt: skip
    grid = working_grid(size, box)  # type: ignore[arg-type]
    ratio = grid[0] / old.grid[0]
    if 0.7 < ratio < 1.4 or grid == old.grid:
        return layer
    small = (
        box[0] / size[0] * grid[0],
        box[1] / size[1] * grid[1],
        box[2] / size[0] * grid[0],
        box[3] / size[1] * grid[1],
    )
    window = around(small, 8, grid)
    drift = layer.drift.copy()
    drift[:, 2] *= ratio
    return replace(
        layer,
        window=window,
        look=onto(layer.look, old, window),
        whole=onto(layer.whole, old, window),
        seen=onto(layer.seen, old, window),
        claim=onto(layer.claim, old, window, outside=-5),
        under=onto(layer.under, old, window),
        known=onto(layer.known, old, window),
        area=layer.area * ratio**2,
        drift=drift,
    )


def settle(
    layer: Layer, window: Window, picture: np.ndarray, look: np.ndarray, whole: np.ndarray, claim: np.ndarray,
    moved: np.ndarray,
) -> Layer:  # fmt: skip
    """Cut the object out by its ``claim``, and remember what is new."""
    seen = minimal_cut(-claim, edge_weights(picture), start=np.clip(claim + 0.5, 0, 1), smooth=SMOOTH)
    seen = _together(seen, whole)
    inside = seen > 0.5
    area = float(inside.sum())
    found = area > max(8.0, LEAST * layer.area) if not layer.missing else area > max(12.0, 0.12 * layer.area)
    if not found:
        seen = np.zeros_like(seen)
        inside = seen > 0.5
    remembered = whole * np.float32(1.0 if not found else MEMORY)
    new = Layer(
        window,
        np.where(inside[:, :, None], picture, look),
        np.maximum(seen, remembered),
        seen,
        claim,
        layer.under,
        layer.known,
        layer.own,
        layer.others,
        max(area, layer.area * 0.995) if found else layer.area,
        moved,
        layer.age + 1,
        0 if found else layer.missing + 1,
    )
    return _learn(new, picture) if found and new.age % 4 == 0 else new


def colour_odds(layer: Layer, picture: np.ndarray) -> np.ndarray:
    """float32 h x w in [-3, 3]: log odds for the object by colour alone."""
    own = layer.own[0].log_likelihood(picture)
    for more in layer.own[1:]:
        own = np.maximum(own, more.log_likelihood(picture))
    return np.clip(own - layer.others.log_likelihood(picture), -3, 3)


def _learn(layer: Layer, picture: np.ndarray) -> Layer:
    sure = cv2.erode((layer.seen > 0.5).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    far = cv2.dilate((layer.seen > 0.5).astype(np.uint8), np.ones((5, 5), np.uint8)) == 0
    own = (layer.own[0], Colours(picture[sure])) if sure.sum() > 30 else layer.own
    return replace(layer, own=own, others=Colours(picture[far], parts=8) if far.sum() > 30 else layer.others)


def _logit(likely: np.ndarray) -> np.ndarray:
    return np.log(likely / (1 - likely))


def _motion(layer: Layer, now: Scaled, ahead: Motion) -> np.ndarray:
    """float64 2 x 3: how the object moves as a whole. What the flow of its visible part says (as a turn, zoom and shift, or
    as a shift alone) and that it goes on as before are tried on the new picture, for flow is misled where something begins to
    hide the object; the best is then shifted to fit best."""
    h, w = layer.window.shape
    middle = np.array([layer.window.left + w / 2, layer.window.top + h / 2])
    usual = layer.drift[:, :2] @ middle + layer.drift[:, 2] - middle
    tries = [_shift(usual)]
    if layer.missing:
        found = _searched(layer, now, tries[0])
        return found if _misfit(layer, now, found) < AGAIN else tries[0]
    sure = flow_on(ahead.confidence, layer.window) * layer.seen * cv2.erode(layer.seen, np.ones((3, 3), np.uint8))
    y, x = np.nonzero(sure > 0.05)
    if len(x) >= 6:
        if len(x) > 3000:
            chosen = np.linspace(0, len(x) - 1, 3000).astype(np.intp)
            y, x = y[chosen], x[chosen]
        flow = flow_on(ahead.flow, layer.window)[y, x]
        places = np.stack([x + layer.window.left, y + layer.window.top], -1)
        tries.append(_shift(np.median(flow, axis=0)))
        if layer.seen.sum() > 0.85 * layer.whole.sum():  # a part would seem to shrink when its end is hidden
            tries.append(fit_similarity(places, flow, sure[y, x]))
    fits = [_misfit(layer, now, one) + float(np.abs(one[:, :2] - np.eye(2)).sum()) / 2 for one in tries]
    best = int(np.argmin(fits))
    found, least = tries[best], fits[best]
    if least > ASTRAY:  # it has leapt, or turned round: flow does not say so
        leap = _searched(layer, now, found)
        fit = _misfit(layer, now, leap)
        if fit < 0.7 * least:
            found, least = leap, fit
    for step in (2.0, 1.0, 0.5):
        for dx, dy in ((step, 0), (-step, 0), (0, step), (0, -step)):
            other = found + np.array([[0, 0, dx], [0, 0, dy]])
            fit = _misfit(layer, now, other)
            if fit < least - 0.002 * step:
                found, least = other, fit
    return found


def _searched(layer: Layer, now: Scaled, moved: np.ndarray) -> np.ndarray:
    """A shift beside ``moved`` that fits best, by its colours alone: the object is looked for within its own size of where it
    should be, and farther the longer it has been missing."""
    y, x = np.nonzero(layer.whole > 0.5)
    if len(x) < 12:
        return moved
    top, bottom, left, right = y.min(), y.max() + 1, x.min(), x.max() + 1
    look, weight = layer.look[top:bottom, left:right], layer.whole[top:bottom, left:right]
    middle = np.array([(left + right) / 2 + layer.window.left, (top + bottom) / 2 + layer.window.top])
    reach = 8 + 1.2 * max(bottom - top, right - left) * (1 + min(layer.missing, 12) / 8)
    centre = moved[:, :2] @ middle + moved[:, 2]
    wide, tall = layer.window.grid
    half = np.array([right - left, bottom - top]) / 2
    low, high = np.floor(centre - half - reach).astype(int), np.ceil(centre + half + reach).astype(int)
    low, high = np.maximum(low, 0), np.minimum(high, (wide, tall))
    if (high - low < (right - left, bottom - top)).any():
        return moved
    there = now.lab(layer.window.grid)[low[1] : high[1], low[0] : high[0]]
    mask = np.repeat(np.square(weight)[:, :, None], 3, axis=2).astype(np.float32)
    off = cv2.matchTemplate(np.ascontiguousarray(there), np.ascontiguousarray(look), cv2.TM_SQDIFF, mask=mask)
    row, column = np.unravel_index(int(np.argmin(off)), off.shape)
    start = np.array([left + layer.window.left, top + layer.window.top])
    return _shift(low + np.array([column, row]) - start)


def _shift(by: np.ndarray) -> np.ndarray:
    return np.hstack([np.eye(2), np.reshape(by, (2, 1)).astype(np.float64)])


def _misfit(layer: Layer, now: Scaled, moved: np.ndarray) -> float:
    """How badly the object, moved so, looks like the new picture: 0 to 1; what hides it counts the same everywhere."""
    x, y = layer.window.places()
    weight = layer.whole
    if weight.size > 20000:
        x, y, weight = x[::2, ::2], y[::2, ::2], weight[::2, ::2]
    a = moved.astype(np.float32)
    there = cv2.remap(
        now.lab(layer.window.grid), a[0, 0] * x + a[0, 1] * y + a[0, 2], a[1, 0] * x + a[1, 1] * y + a[1, 2],
        cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=(-99, 0, 0),
    )  # fmt: skip
    look = layer.look if there.shape == layer.look.shape else layer.look[::2, ::2]
    away = np.square(there - look).sum(axis=2)
    return float((weight * (away / (away + np.float32(4 * ALIKE**2)))).sum() / max(float(weight.sum()), 1e-6))


def _entering(layer: Layer, window: Window, field: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Where the object is to be expected: ``whole``, and what comes into the picture at its border is half expected to go on as
    it does inside."""
    x, y = window.places()
    width, height = window.grid
    x, y = x + field[:, :, 0], y + field[:, :, 1]
    beyond = (x < 0) | (y < 0) | (x > width - 1) | (y > height - 1)
    if not beyond.any():
        return whole
    x, y = np.clip(x, 0, width - 1) - layer.window.left, np.clip(y, 0, height - 1) - layer.window.top
    edge = cv2.remap(layer.whole, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0)
    return np.where(beyond, 0.3 + 0.3 * edge, whole).astype(np.float32)


def _strays(layer: Layer, window: Window, moved: np.ndarray, along: np.ndarray, sure: np.ndarray) -> np.ndarray:
    """float32 h x w in [-1, 1]: above 0 where the picture moves as what is round the object does and not as the object does,
    below where it is the other way round; 0 where both move alike. ``along``, ``sure``: the picture's motion back."""
    rest = (pull(layer.whole, layer.window, window, along) < 0.1) * sure
    y, x = np.nonzero(rest > 0.3)
    if len(x) < 50 or layer.missing:
        return np.zeros(window.shape, np.float32)
    if len(x) > 3000:
        chosen = np.linspace(0, len(x) - 1, 3000).astype(np.intp)
        y, x = y[chosen], x[chosen]
    places = np.stack([x + window.left, y + window.top], -1)
    others = _whole_motion(fit_similarity(places, along[y, x], rest[y, x], scale=0.5), window)
    nearer = np.linalg.norm(along - _whole_motion(_reverse(moved), window), axis=2) - np.linalg.norm(
        along - others, axis=2
    )
    return np.clip(nearer, -1, 1).astype(np.float32)


def _reverse(moved: np.ndarray) -> np.ndarray:
    turn = np.linalg.inv(moved[:, :2])
    return np.hstack([turn, -(turn @ moved[:, 2:])])


def _whole_motion(moved: np.ndarray, window: Window) -> np.ndarray:
    """The flow of a motion as a whole (2 x 3) on the window's pixels, float32 h x w x 2."""
    x, y = window.places()
    a = moved.astype(np.float32)
    return np.stack([a[0, 0] * x + a[0, 1] * y + a[0, 2] - x, a[1, 0] * x + a[1, 1] * y + a[1, 2] - y], -1)


def _next_window(layer: Layer, moved: np.ndarray) -> Window:
    y, x = np.nonzero(layer.whole > 0.2)
    if not len(x):
        return layer.window
    corners = np.array([[a, b] for a in (x.min(), x.max()) for b in (y.min(), y.max())], np.float64)
    corners = (corners + np.array([layer.window.left, layer.window.top])) @ moved[:, :2].T + moved[:, 2]
    low, high = corners.min(axis=0), corners.max(axis=0)
    pad = 14 + 0.12 * float(max(high - low)) + 2 * min(layer.missing, 12)
    return around((low[0], low[1], high[0], high[1]), pad, layer.window.grid)


def _field(
    layer: Layer, window: Window, moved: np.ndarray, along: np.ndarray, sure: np.ndarray, strays: np.ndarray
) -> np.ndarray:
    """float32 h x w x 2 on the new window: where each place of the object was. Dense motion where the object is seen and both
    directions agree, smoothly passing over into its motion as a whole. At its edge, pixels that move as the surroundings do
    must not draw the object after them; inside, they may be a limb that stands still."""
    whole = _whole_motion(_reverse(moved), window)
    if layer.missing:
        return whole
    away = along - whole
    sure = sure * np.square(pull(layer.seen, layer.window, window, along)) * np.clip(0.3 - strays, 0.02, 1)
    sure *= np.exp(-np.square(away).sum(axis=2) / np.float32(2 * 6.0**2))
    near, mixed = cv2.GaussianBlur(sure, (0, 0), 2.0), cv2.GaussianBlur(away * sure[:, :, None], (0, 0), 2.0)
    wide, wide_mixed = cv2.GaussianBlur(near, (0, 0), 8.0), cv2.GaussianBlur(mixed, (0, 0), 8.0)
    weight = near + np.float32(0.05) * wide + np.float32(0.002)
    return (whole + (mixed + np.float32(0.05) * wide_mixed) / weight[:, :, None]).astype(np.float32)


def _surroundings(layer: Layer, window: Window, along: np.ndarray, sure: np.ndarray, strays: np.ndarray) -> np.ndarray:
    """float32 h x w x 2: the motion of what is round the object, carried on under it."""
    covered = pull(layer.whole, layer.window, window, along)
    weight = sure * np.square(1 - np.minimum(covered, 1)) * np.clip(0.5 + strays, 0.02, 1)
    mixed, near = along * weight[:, :, None], weight
    total, share = np.zeros_like(mixed), np.full_like(weight, 1e-6)
    for sigma, part in ((3.0, 1.0), (10.0, 0.05), (30.0, 0.002)):
        total += np.float32(part) * cv2.GaussianBlur(mixed, (0, 0), sigma)
        share += np.float32(part) * cv2.GaussianBlur(near, (0, 0), sigma)
    return total / share[:, :, None]


def _behind(layer: Layer, before: Scaled, window: Window, field: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What is not the object, moved by ``field``, and how surely that is known: the frame before, and under the object what is
    remembered there."""
    grid = window.grid
    look = pull(before.lab(grid), Window(0, 0, *grid, grid), window, field)
    covered = pull(layer.seen, layer.window, window, field)
    under, known = pull(layer.under, layer.window, window, field), pull(layer.known, layer.window, window, field)
    look = np.where((covered > 0.5)[:, :, None], under, look)
    known = np.where(covered > 0.05, np.minimum(known, 1), np.float32(1))
    x, y = window.places()
    x, y = x + field[:, :, 0], y + field[:, :, 1]
    known[(x < 0) | (y < 0) | (x > grid[0] - 1) | (y > grid[1] - 1)] = 0
    return look, known


def _likeness(picture: np.ndarray, layer: np.ndarray, weight: np.ndarray, reach: int) -> np.ndarray:
    """float32 h x w in [0, 1]: how much of ``layer``, near each place, looks like ``picture`` there; patches of 3 x 3 are
    compared, as in non-local means (Buades, Coll & Morel 2005)."""
    height, width = weight.shape
    edge = (reach, reach, reach, reach)
    layer = cv2.copyMakeBorder(layer, *edge, cv2.BORDER_REPLICATE)
    weight = cv2.copyMakeBorder(weight, *edge, cv2.BORDER_CONSTANT, value=0)
    total = np.zeros((height, width), np.float32)
    near = NEAR * max(1.0, reach / REACH)
    sums = np.full((1, 3), -0.5 / ALIKE**2, np.float32)
    every = 0.0
    step = 1 if reach <= REACH + 1 else 2
    for dy in range(-reach, reach + 1, step):
        for dx in range(-reach, reach + 1, step):
            share = float(np.exp(-(dx * dx + dy * dy) / (2 * near * near)))
            every += share
            rows, columns = slice(reach + dy, reach + dy + height), slice(reach + dx, reach + dx + width)
            away = cv2.subtract(picture, layer[rows, columns])
            alike = cv2.exp(cv2.blur(cv2.transform(cv2.multiply(away, away), sums), (3, 3)))
            total += cv2.multiply(alike, weight[rows, columns], scale=share).reshape(total.shape)
    return total / np.float32(every)


def _together(seen: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Without the islands that have nothing to do with where the object should be, and without specks."""
    inside = (seen > 0.5).astype(np.uint8)
    count, labels, facts, _ = cv2.connectedComponentsWithStats(inside, connectivity=8)
    if count <= 2:
        return seen
    largest = facts[1:, cv2.CC_STAT_AREA].max()
    overlap = np.bincount(labels.ravel(), (whole > 0.3).ravel(), minlength=count)
    keep = np.zeros(count, np.float32)
    for label in range(1, count):
        area = facts[label, cv2.CC_STAT_AREA]
        keep[label] = overlap[label] >= 0.3 * area and area >= max(3, 0.002 * largest)
    return seen * keep[labels]
