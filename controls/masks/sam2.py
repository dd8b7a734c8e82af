"""Objects followed by SAM 2, on the package ``sam2`` (``pip install 'restyle[sam2]'``)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from controls.masks.sam2_memory import Network, Past
from controls.masks.sam2_weights import build_network, check_weights, find_checkpoint, published_weights
from controls.masks.spill import MatteSpill
from controls.prompts import check_kinds, check_prompts
from controls.types import Box, Masked, MaskerTraits, Matte, Pictures, Point, Prompt, Prompted

__all__ = ["Sam2Masker"]

SOFT = 4.0  # logits on each side of the border over which a matte passes from 0 to 1
BACKWARD = 8  # pictures held while a shot is read backward

Asked = dict[str, dict[int, list[Prompt]]]


class Sam2Masker:
    """Follows points, boxes (with or without points) and drawn mattes.

    ``model``: a checkpoint's file (safetensors, or pickled with ``allow_pickle``: even then only tensors are read).
    ``config``: the package's configuration, where a file's name does not tell it. ``device``: ``cpu``, ``cuda`` ...; by default
    CUDA if there is one. ``dtype``: ``float32``, or ``bfloat16`` for speed on a GPU. ``image_size``: the side of the square
    the network looks at, 1024 as it was trained; a smaller one is faster and coarser. ``holes``: largest hole that is closed,
    in pixels a fourth of that side.

    Raises, when built, ``controls.errors.ControlError`` (a ``ValueError``): missing package or weights, a pickled file
    without permission. The network is loaded when the first shot is followed.
    """

    name = "sam2"
    traits = MaskerTraits(
        title="SAM 2",
        prompts=frozenset({Point, Box, Matte}),
        packages=("torch", "sam2"),
        extra="sam2",
        published_weights=published_weights,
        check_weights=check_weights,
    )

    def __init__(
        self, *, model: str | None = None, config: str | None = None, allow_pickle: bool = False,
        device: str | None = None, dtype: str = "float32", image_size: int | None = None,
        holes: int = 8,
    ) -> None:  # fmt: skip
        if dtype not in ("float32", "bfloat16"):
            raise ValueError(f"dtype is float32 or bfloat16, got {dtype!r}")
        if image_size is not None and (image_size < 128 or image_size % 32):
            raise ValueError(f"image_size is a multiple of 32 from 128 on, got {image_size}")
        if holes < 0:
            raise ValueError(f"holes is 0 or more, got {holes}")
        self._checkpoint, self._config = find_checkpoint(model, config=config, allow_pickle=allow_pickle)
        self._device, self._dtype, self._image_size, self._holes = device, dtype, image_size, holes
        self._built: Any = None

    def follow(self, pictures: Pictures, prompts: Sequence[Prompted]) -> Iterator[Masked]:
        """Yield every frame of the shot once, ascending.

        Each object is followed from the first frame it is prompted on to the shot's end, and from there back to the start;
        all its prompts are in memory both times. Points alone, where the object is prompted by a box or a matte on another
        frame or by points on an earlier one, correct what was followed to their frame. Mattes are soft within a few logits of
        the border and exactly 0 or 1 elsewhere; objects may overlap. An object that the network says is absent is in
        ``lost``.

        Raises ``ValueError``, one line for a person: see ``controls.prompts.check_prompts``; another kind of prompt; two
        boxes, or a matte and a box, for one object on one frame; a prompt that marks nothing.
        """
        check_kinds(self.name, self.traits, prompts)
        check_prompts(prompts, pictures.size, len(pictures))
        asked = _by_frame(prompts)
        for name, frames in asked.items():
            for frame, on_frame in frames.items():
                if sum(isinstance(prompt, Box | Matte) for prompt in on_frame) > 1:
                    raise ValueError(
                        f"object {name!r}, frame {frame}: one box or one matte for a frame, and points with it"
                    )
        return self._follow(pictures, asked)

    def logits(self, pictures: Pictures, prompts: Sequence[Prompted]) -> Iterator[tuple[int, dict[str, np.ndarray]]]:
        """As ``follow``, but yields (frame, object's name -> float32 H x W logits), in the order in which they are found:
        from the first prompts backward, then forward from there; a frame may come once for each direction."""
        asked = _by_frame(prompts)
        network = self._network(len(pictures))
        pasts = _condition(network, pictures, asked)
        yield from _backward(network, pictures, pasts)
        yield from _forward(network, pictures, pasts)

    def _follow(self, pictures: Pictures, asked: Asked) -> Iterator[Masked]:
        network = self._network(len(pictures))
        pasts = _condition(network, pictures, asked)
        with MatteSpill() as spill:
            for frame, found in _backward(network, pictures, pasts):
                for name, logits in found.items():
                    spill.put(name, frame, None, _matte(logits))
            width, height = pictures.size
            for frame, found in _forward(network, pictures, pasts, everything=True):
                mattes, lost = {}, set()
                for name in asked:
                    kept = spill.take(name, frame)
                    matte = (
                        _matte(found[name])
                        if name in found
                        else kept[1]
                        if kept
                        else np.zeros((height, width), np.float32)
                    )
                    mattes[name] = matte
                    if not (matte > 0.5).any():
                        lost.add(name)
                        mattes[name] = np.zeros_like(matte)
                yield Masked(frame, mattes, frozenset(lost))

    def _network(self, frames: int) -> Network:
        if self._built is None:
            device = self._device
            if device is None:
                from importlib.util import find_spec

                if find_spec("torch") is not None:
                    import torch

                    device = "cuda" if torch.cuda.is_available() else "cpu"
            self._built = build_network(
                self._checkpoint, self._config, image_size=self._image_size, device=device or "cpu"
            )
        return Network(self._built, frames=frames, holes=self._holes, dtype=self._dtype)


def _by_frame(prompts: Sequence[Prompted]) -> Asked:
    asked: Asked = {}
    for prompted in prompts:
        asked.setdefault(prompted.name, {}).setdefault(prompted.frame, []).append(prompted.prompt)
    return asked


def _matte(logits: np.ndarray) -> np.ndarray:
    return np.clip(0.5 + logits / np.float32(2 * SOFT), 0, 1).astype(np.float32)


def _condition(network: Network, pictures: Pictures, asked: Asked) -> dict[str, Past]:
    """Every object's prompted frames. Corrections are made on what was followed to their frame."""
    pasts: dict[str, Past] = {name: Past() for name in asked}
    later: dict[str, set[int]] = {}
    for name, frames in asked.items():
        full = sorted(frame for frame, given in frames.items() if any(isinstance(one, Box | Matte) for one in given))
        positive = sorted(
            frame for frame, given in frames.items() if any(isinstance(one, Point) and one.positive for one in given)
        )
        own = set(full) or {positive[0]}
        later[name] = set(frames) - own
        for frame in sorted(own):
            picture = next(iter(pictures.read(frame, frame + 1)))
            network.prompt(pasts[name], network.see(picture, frame), frames[frame])
            _check(network, pasts[name], name, frame)
    for name, corrections in later.items():
        for reverse in (False, True):
            start = min(pasts[name].prompted)
            wanted = {frame for frame in corrections if (frame < start) == reverse}
            if not wanted:
                continue
            past = pasts[name].afresh()
            end = min(wanted) if reverse else max(wanted)
            for frame, picture in _in_order(pictures, start, end):
                seen = network.see(picture, frame)
                network.follow(past, seen, reverse=reverse)
                if frame in wanted:
                    network.prompt(past, seen, asked[name][frame])
            pasts[name] = past.afresh()
    return pasts


def _check(network: Network, past: Past, name: str, frame: int) -> None:
    if not bool((past.prompted[frame]["pred_masks"] > 0).any()):
        raise ValueError(f"object {name!r}, frame {frame}: the prompt marks nothing; move it, or draw a box or a matte")


def _forward(
    network: Network, pictures: Pictures, pasts: dict[str, Past], *, everything: bool = False
) -> Iterator[tuple[int, dict[str, np.ndarray]]]:
    """From each object's first prompt to the end; with ``everything`` from the shot's first frame on, with nothing found."""
    starts = {name: min(past.prompted) for name, past in pasts.items()}
    ahead = {name: past.afresh() for name, past in pasts.items()}
    first = 0 if everything else min(starts.values())
    for frame, picture in _in_order(pictures, first, len(pictures) - 1):
        found = {}
        if frame >= min(starts.values()):
            seen = network.see(picture, frame)
            for name, past in ahead.items():
                if frame >= starts[name]:
                    network.follow(past, seen, reverse=False)
                    found[name] = network.logits(past, seen)
        yield frame, found


def _backward(
    network: Network, pictures: Pictures, pasts: dict[str, Past]
) -> Iterator[tuple[int, dict[str, np.ndarray]]]:
    """From the frame before each object's first prompt back to the shot's start."""
    starts = {name: min(past.prompted) for name, past in pasts.items()}
    back = {name: past.afresh() for name, past in pasts.items()}
    first = max(starts.values()) - 1
    if first < 0:
        return
    for frame, picture in _in_order(pictures, first, 0):
        seen = network.see(picture, frame)
        found = {}
        for name, past in back.items():
            if frame < starts[name]:
                network.follow(past, seen, reverse=True)
                found[name] = network.logits(past, seen)
        yield frame, found


def _in_order(pictures: Pictures, first: int, last: int) -> Iterator[tuple[int, np.ndarray]]:
    """Frames ``first`` to ``last``, both included, ascending or descending; backward a few are held at a time."""
    if last >= first:
        yield from zip(range(first, last + 1), pictures.read(first, last + 1), strict=True)
        return
    for high in range(first, last - 1, -BACKWARD):
        low = max(last, high - BACKWARD + 1)
        held = list(pictures.read(low, high + 1))
        for frame in range(high, low - 1, -1):
            yield frame, held[frame - low]
