"""A shot walked by SAM 2: prompted frames first, then forward and backward from each object's first one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from controls.masks.binding import bind
from controls.masks.sam2.network import Features, Network, ObjectMemory
from controls.types import Box, Matte, Pictures, Point, Prompt

__all__ = ["PromptsByFrame", "backward", "condition", "forward"]

LEAST_CHANGED = 0.01
"""Share of a matte from which on what the prompts change in it is fed into the memory: a rim of a pixel is not."""
HELD = 8  # pictures held while a shot is read backward

PromptsByFrame = dict[str, dict[int, list[Prompt]]]
"""Object's name -> frame -> its prompts there."""


def condition(
    network: Network, pictures: Pictures, prompts: PromptsByFrame, *, mended: bool = False
) -> dict[str, ObjectMemory]:
    """Segment every object's prompted frames. Corrections are made on what was followed to their frame.

    ``mended``: where the network does not obey its prompts, what it remembers of the frame is the matte as they say it is.
    """
    memories: dict[str, ObjectMemory] = {name: ObjectMemory() for name in prompts}
    later: dict[str, set[int]] = {}
    for name, frames in prompts.items():
        full = sorted(f for f, own in frames.items() if any(isinstance(p, Box | Matte) for p in own))
        positive = sorted(f for f, own in frames.items() if any(isinstance(p, Point) and p.positive for p in own))
        first = set(full) or {positive[0]}
        later[name] = set(frames) - first
        for frame in sorted(first):
            picture = next(iter(pictures.read(frame, frame + 1)))
            features = network.encode(picture, frame)
            network.prompt(memories[name], features, frames[frame])
            _check(network, memories[name], name, frame)
            if mended:
                _mend(network, memories[name], features, frames[frame], picture)
    for name, corrections in later.items():
        for reverse in (False, True):
            start = min(memories[name].prompted)
            wanted = {frame for frame in corrections if (frame < start) == reverse}
            if not wanted:
                continue
            memory = memories[name].restarted()
            end = min(wanted) if reverse else max(wanted)
            for frame, picture in _in_order(pictures, start, end):
                features = network.encode(picture, frame)
                network.follow(memory, features, reverse=reverse)
                if frame in wanted:
                    network.prompt(memory, features, prompts[name][frame])
                    if mended:
                        _mend(network, memory, features, prompts[name][frame], picture)
            memories[name] = memory.restarted()
    return memories


def _check(network: Network, memory: ObjectMemory, name: str, frame: int) -> None:
    if not bool((memory.prompted[frame]["pred_masks"] > 0).any()):
        raise ValueError(f"object {name!r}, frame {frame}: the prompt marks nothing; move it, or draw a box or a matte")


def _mend(
    network: Network, memory: ObjectMemory, features: Features, prompts: Sequence[Prompt], picture: np.ndarray
) -> None:
    """Have the network remember a prompted frame as the prompts say it is, if it broke them."""
    found = (network.logits(memory, features) > 0).astype(np.float32)
    obedient = bind(found, prompts, lambda: picture)
    changed, area = np.count_nonzero(found != obedient), np.count_nonzero(found)
    if (obedient > 0.5).any() and changed > LEAST_CHANGED * area:
        network.prompt(memory, features, [Matte(obedient)])


def forward(
    network: Network, pictures: Pictures, memories: dict[str, ObjectMemory], *, everything: bool = False
) -> Iterator[tuple[int, dict[str, np.ndarray]]]:
    """Yield frames from each object's first prompt to the end; with ``everything`` from the shot's first frame on, with
    nothing found."""
    starts = {name: min(memory.prompted) for name, memory in memories.items()}
    ahead = {name: memory.restarted() for name, memory in memories.items()}
    first = 0 if everything else min(starts.values())
    for frame, picture in _in_order(pictures, first, len(pictures) - 1):
        logits = {}
        if frame >= min(starts.values()):
            features = network.encode(picture, frame)
            for name, memory in ahead.items():
                if frame >= starts[name]:
                    network.follow(memory, features, reverse=False)
                    logits[name] = network.logits(memory, features)
        yield frame, logits


def backward(
    network: Network, pictures: Pictures, memories: dict[str, ObjectMemory]
) -> Iterator[tuple[int, dict[str, np.ndarray]]]:
    """Yield frames from the one before each object's first prompt back to the shot's start."""
    starts = {name: min(memory.prompted) for name, memory in memories.items()}
    back = {name: memory.restarted() for name, memory in memories.items()}
    first = max(starts.values()) - 1
    if first < 0:
        return
    for frame, picture in _in_order(pictures, first, 0):
        features = network.encode(picture, frame)
        logits = {}
        for name, memory in back.items():
            if frame < starts[name]:
                network.follow(memory, features, reverse=True)
                logits[name] = network.logits(memory, features)
        yield frame, logits


def _in_order(pictures: Pictures, first: int, last: int) -> Iterator[tuple[int, np.ndarray]]:
    """Frames ``first`` to ``last``, both included, ascending or descending; backward a few are held at a time."""
    if last >= first:
        yield from zip(range(first, last + 1), pictures.read(first, last + 1), strict=True)
        return
    for high in range(first, last - 1, -HELD):
        low = max(last, high - HELD + 1)
        held = list(pictures.read(low, high + 1))
        for frame in range(high, low - 1, -1):
            yield frame, held[frame - low]
