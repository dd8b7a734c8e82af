"""Mattes read back from clips, one an object."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack

import numpy as np

from controls.errors import ControlError
from controls.prompts import check_kinds
from controls.types import Masked, MaskerTraits, MatteClip, Pictures, Prompted
from restyle.errors import show_path
from restyle.footage import open_footage, timing
from restyle.types import Frame

__all__ = ["MatteClipMasker"]


class MatteClipMasker:
    """The masker of ``MatteClip`` prompts: mattes out of one clip an object, its alpha, or its brightness if it has none."""

    name = "matte-clip"
    traits = MaskerTraits(title="mattes in a clip", prompts=frozenset({MatteClip}))

    def follow(self, pictures: Pictures, prompts: Sequence[Prompted]) -> Iterator[Masked]:
        """Yield every frame's mattes, ascending. Never says that an object is lost.

        Raises ``ControlError`` for a clip of another size or length, and ``FootageError`` if one cannot be read.
        """
        check_kinds(self.name, self.traits, prompts)
        with ExitStack() as stack:
            flows: dict[str, Iterator[Frame]] = {}
            for prompted in prompts:
                prompt = prompted.prompt
                assert isinstance(prompt, MatteClip)
                clip, stop = stack.enter_context(open_footage(prompt.path)), prompt.first + len(pictures)
                stamps = timing(prompt.path)
                own, size, shown = (clip.spec.width, clip.spec.height), pictures.size, show_path(prompt.path)
                if own != size:
                    raise ControlError(f"the mattes {shown} are {own[0]}x{own[1]}, the picture {size[0]}x{size[1]}")
                count = stop if prompt.count is None else prompt.count
                if len(stamps) != count:
                    raise ControlError(f"{shown} holds {len(stamps)} mattes, {count} are needed: one a frame")
                flows[prompted.name] = clip.frames(prompt.first, stop, pts=stamps)
            for number in range(len(pictures)):
                yield Masked(number, {name: _matte(next(flow)) for name, flow in flows.items()})


def _matte(frame: Frame) -> np.ndarray:
    values = frame.picture.mean(axis=2) if frame.alpha is None else frame.alpha
    whole = {"uint8": 255, "uint16": 65535}.get(str(frame.picture.dtype), 1)
    return np.ascontiguousarray((values / np.float32(whole)).clip(0, 1), dtype=np.float32)
