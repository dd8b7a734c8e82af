"""Rows that each row attends to in one step, by the options and by what is known of the motion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from restyle.painters.diffusion.correspondences import Correspondences
from restyle.painters.diffusion.denoiser import Step
from restyle.painters.diffusion.options import Options
from restyle.painters.diffusion.window import Rows, disoccluded_of, sources_of, trajectories_of

__all__ = ["Attended"]


@dataclass(frozen=True)
class Attended:
    """Rows that each row attends to (see ``attention.AttentionCall``)."""

    sources: Mapping[int, tuple[int, ...]]
    trajectories: Mapping[int, tuple[int, ...]]
    disoccluded: Mapping[int, tuple[int, int]]

    @classmethod
    def of(cls, options: Options, rows: Rows, motion: Correspondences | None, step: Step) -> Attended:
        """Of a step. ``motion``: between the rows; ``None``: none is known."""
        mode = options.attention
        trajectories, disoccluded = {}, {}
        if motion is not None and step.progress < options.trajectories_until:
            trajectories = {
                row: known
                for row, others in trajectories_of(mode, rows, neighbours=options.neighbours).items()
                if (known := tuple(other for other in others if motion.known(row, other)))
            }
        if motion is not None and options.disoccluded:
            disoccluded = {row: pair for row, pair in disoccluded_of(mode, rows).items() if motion.known(*pair)}
        return cls(sources_of(mode, rows), trajectories, disoccluded)

    def by(self, rows: Sequence[int]) -> set[int]:
        """All that some of these rows attend to."""
        others = (
            (*self.sources[row], *self.trajectories.get(row, ()), *self.disoccluded.get(row, ())[:1]) for row in rows
        )
        return {other for each in others for other in each}
