"""Everything that tunes the masker flowcut, in one place.

Lengths are in pixels of the working grid, colour differences in CIELAB units, and log odds are natural, unless said otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["ComponentParams", "CutParams", "MotionParams", "Params", "SeedParams", "TrackParams", "WalkParams"]


@dataclass(frozen=True, kw_only=True)
class WalkParams:
    """Amount of a shot that is held at a time (``frame_walk``)."""

    held_bytes: int = 96 << 20
    """Bytes of whole pictures held at a time."""
    longest_run: int = 36
    """Frames that are visited before the next are read."""
    margin: int = 12
    """Frames around the current one that can be looked at."""
    nearby: int = 3
    """Frames over which flow alone tells things apart."""
    small_side: int = 640
    """Long side, in pixels, of the small pictures that are kept of the frames around."""


@dataclass(frozen=True, kw_only=True)
class MotionParams:
    """Motion segmentation (``motion_segmentation``)."""

    prompt_offsets: tuple[int, ...] = (1, 2, 3, 5, 8, 12)
    """Frames before and after that are compared for a prompt; at most ``WalkParams.margin``."""
    track_offsets: tuple[int, ...] = (3, 8)
    """And while an object is followed."""
    colour_scale: float = 8.0
    """Colour difference at which two colours are half alike."""
    side_share: float = 0.35
    """Of the object's width and height: how far around it each side's own motion is measured."""
    distinct_motion: float = 0.5
    """Pixels of motion from which something moves otherwise than the surroundings."""
    limb_share: float = 0.6
    """Share of the object's own motion by which its parts may differ while it is followed."""
    part_share: float = 1.3
    """The same where it is prompted, and its motion is only estimated."""
    moving_evidence: float = 0.1
    """Evidence from which something is said to move otherwise."""
    own_misfit_share: float = 0.75
    """Share of its own hypothesis' misfit that is held against a prompted object."""
    weight: float = 4.0
    """Of the evidence, in log odds."""
    weak: float = 0.08
    """Evidence, as a 90th percentile, up to which nothing moves otherwise ..."""
    strong: float = 0.28
    """... and from which much does: then what does not is less likely the object's."""


@dataclass(frozen=True, kw_only=True)
class CutParams:
    """The min-cut (``min_cut``)."""

    smoothness: float = 1.5
    """Cost of a border pixel in even places."""
    prompt_smoothness: float = 3.0
    """The same where a box or points are cut out first."""
    track_rounds: int = 60
    """Primal-dual steps while an object is followed, from a good first guess."""
    prompt_rounds: int = 120
    """The same at a prompt."""


@dataclass(frozen=True, kw_only=True)
class ComponentParams:
    """Connected components and holes of a cut (``components``)."""

    far_share: float = 0.04
    """Of the object's length: a component farther off, and not moving with it, is something else of its colours."""
    large_share: float = 0.3
    """Of the largest component: one of this size may be what a post parts from the rest."""
    certain_evidence: float = 0.1
    """Evidence by motion that settles where a component belongs."""
    small_hole_share: float = 0.02
    """Of the object's area: holes up to this size are the object's unless motion speaks against it ..."""
    against_evidence: float = -0.02
    """... by less than this."""


@dataclass(frozen=True, kw_only=True)
class SeedParams:
    """An object's first matte, from prompts (``seed``, ``box_cut``)."""

    first_side: float = 256.0
    """Long side of the picture on which an object is first looked for around a point."""
    rounds: int = 8
    """Turns of colour models and min-cut, at most."""
    foreground_evidence: float = 0.12
    """Evidence by motion from which a pixel begins as the object's ..."""
    background_evidence: float = -0.04
    """... or, below this, as another's ..."""
    least_share: float = 0.04
    """... if at least this share of the box has such evidence."""
    colour_weight: float = 0.5
    """Of the colour models' log odds."""
    still_penalty: float = 0.8
    """Log odds against what does not move, where much does."""
    leak_share: float = 0.1
    """Share of a box's sides from which a cut is said to leak."""
    seamless_step: float = 6.0
    """Colour difference below which the picture goes on without a step."""
    point_radius: float = 0.008
    """Radius of the disc that a point marks, of the picture's long side."""
    patch_radius: float = 0.04
    """How far the patch of like colour round a point may reach, of the same."""
    patch_odds: float = 4.0
    """Log odds for what lies in a positive point's patch, and against it in a negative one's."""


@dataclass(frozen=True, kw_only=True)
class TrackParams:
    """An object carried from frame to frame (``object_motion``, ``object_step``)."""

    search_radius: int = 3
    """Pixels around the carried position in which the same colours are looked for."""
    search_sigma: float = 1.8
    """Sigma of the weight by distance within it."""
    colour_scale: float = 7.0
    """Colour difference within which colours are the same."""
    memory: float = 0.96
    """What a frame leaves of the memory of hidden parts."""
    likeness_floor: float = 0.04
    """Photometric similarity below which colour models decide."""
    shape_sigma: float = 1.5
    """How well a shape's edge is known."""
    trust: float = 0.5
    """How quickly what was added to an object counts as its own."""
    colour_weight: float = 0.6
    """Of the colour models' log odds."""
    shape_weight: float = 0.1
    """Of the shape's."""
    stray_weight: float = 1.0
    """Log odds against what moves with the surroundings ..."""
    companion_weight: float = 0.5
    """... and the same for what moves with the object, where all around it does, too."""
    still_penalty: float = 0.5
    """Log odds against what does not move, where much does."""
    reach_side: int = 13
    """Diameter of the ellipse by which a shape is widened to where the object may be."""
    flow_blur: int = 21
    """Side of the square over which motion is blurred at the object's edge."""
    lost_misfit: float = 0.5
    """Misfit from which the object is searched for ..."""
    found_misfit: float = 0.4
    """... and up to which it counts as found again."""
    least_area: float = 0.03
    """Share of its usual area below which an object is not seen."""
    patience: int = 48
    """Frames for which an object that is not seen is looked for."""


@dataclass(frozen=True, kw_only=True)
class Params:
    """All of them. ``edge`` is the one that a person sets."""

    edge: float = 6.0
    """How far, in pixels of a picture 1000 pixels wide, a matte's edge may be moved to the picture's own; 0 leaves it hard."""
    working_side: float = 200.0
    """Side, on the working grid, of a square as large as the object's rectangle, at most."""
    walk: WalkParams = field(default_factory=WalkParams)
    motion: MotionParams = field(default_factory=MotionParams)
    cut: CutParams = field(default_factory=CutParams)
    components: ComponentParams = field(default_factory=ComponentParams)
    seed: SeedParams = field(default_factory=SeedParams)
    track: TrackParams = field(default_factory=TrackParams)

    def __post_init__(self) -> None:
        if not 0 <= self.edge <= 50:
            raise ValueError(f"edge is from 0 to 50 pixels, got {self.edge:g}")
        if max(*self.motion.prompt_offsets, *self.motion.track_offsets) > self.walk.margin:
            raise ValueError(f"motion is compared over at most {self.walk.margin} frames, got {self.motion}")
