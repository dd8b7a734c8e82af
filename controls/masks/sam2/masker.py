"""Objects followed by SAM 2 (``pip install 'restyle[sam2]'``)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from controls.masks.sam2.weights import check_weights, find_checkpoint, published_weights
from controls.masks.spill import MatteSpill
from controls.prompts import check_kinds, check_prompts
from controls.torchvision_guard import make_torchvision_importable
from controls.types import Box, Masked, MaskerTraits, Matte, Pictures, Point, Prompted
from interp.errors import MissingPackageError

if TYPE_CHECKING:
    from controls.masks.sam2.following import PromptsByFrame
    from controls.masks.sam2.network import Network

__all__ = ["Sam2Masker"]

SOFT = 4.0  # logits on each side of the border over which a matte passes from 0 to 1


class Sam2Masker:
    """Follows points, boxes (with or without points) and drawn mattes.

    ``model``: a folder with a ``config.json`` and a ``model.safetensors``, as the hub has them, which transformers loads; or a
    checkpoint's file, which the makers' package ``sam2`` does (safetensors, or pickled with ``allow_pickle``: even then only
    tensors are read). ``config``: the package's configuration, where a file's name does not tell it. ``device``: ``cpu``,
    ``cuda`` ...; by default CUDA if there is one. ``dtype``: ``float32``, or ``bfloat16`` for speed on a GPU. ``image_size``:
    the side of the square the network looks at, 1024 as it was trained; a smaller one is faster and coarser. ``holes``: largest
    hole that is closed, in pixels a fourth of that side.

    Raises, when built, ``controls.errors.ControlError`` (a ``ValueError``): missing package or weights, a pickled file
    without permission. The network is loaded when the first shot is followed.
    """

    name = "sam2"
    traits = MaskerTraits(
        title="SAM 2",
        prompts=frozenset({Point, Box, Matte}),
        packages=("torch", "transformers"),
        extra="sam2",
        published_weights=published_weights,
        check_weights=check_weights,
        weights_option="model",
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
        self._checkpoint = find_checkpoint(model, config=config, allow_pickle=allow_pickle)
        self._device, self._dtype, self._image_size, self._holes = device, dtype, image_size, holes
        self._model: Any = None

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
        by_frame = _by_frame(prompts)
        for name, frames in by_frame.items():
            for frame, on_frame in frames.items():
                if sum(isinstance(prompt, Box | Matte) for prompt in on_frame) > 1:
                    raise ValueError(
                        f"object {name!r}, frame {frame}: one box or one matte for a frame, and points with it"
                    )
        return self._follow(pictures, by_frame)

    def logits(self, pictures: Pictures, prompts: Sequence[Prompted]) -> Iterator[tuple[int, dict[str, np.ndarray]]]:
        """Yield (frame, object's name -> float32 H x W logits), in the order in which they are found: from the first prompts
        backward, then forward from there; a frame may come once for each direction. Else as ``follow``."""
        following, network = self._load(len(pictures))
        memories = following.condition(network, pictures, _by_frame(prompts))
        yield from following.backward(network, pictures, memories)
        yield from following.forward(network, pictures, memories)

    def _follow(self, pictures: Pictures, prompts: PromptsByFrame) -> Iterator[Masked]:
        following, network = self._load(len(pictures))
        memories = following.condition(network, pictures, prompts, mended=True)
        with MatteSpill() as spill:
            for frame, logits in following.backward(network, pictures, memories):
                for name, values in logits.items():
                    spill.put(name, frame, None, _matte(values))
            width, height = pictures.size
            for frame, logits in following.forward(network, pictures, memories, everything=True):
                mattes, lost = {}, set()
                for name in prompts:
                    carried_back = spill.take(name, frame)
                    if name in logits:
                        matte = _matte(logits[name])
                    else:
                        matte = carried_back[1] if carried_back else np.zeros((height, width), np.float32)
                    mattes[name] = matte
                    if not (matte > 0.5).any():
                        lost.add(name)
                        mattes[name] = np.zeros_like(matte)
                yield Masked(frame, mattes, frozenset(lost))

    def _load(self, frames: int) -> tuple[ModuleType, Network]:
        """The module that walks a shot, and the network for one of so many frames. Raises ``MissingPackageError``."""
        way: Any
        try:  # torch and what carries the network, which are here only where somebody follows with them
            make_torchvision_importable()
            from controls.masks.sam2 import following

            if self._checkpoint.config is None:
                from controls.masks.sam2 import transformers_network as way

                network = way.TransformersNetwork
            else:
                from controls.masks.sam2 import package_network as way

                network = way.PackageNetwork
        except ModuleNotFoundError as error:
            missing = (error.name or "torch").partition(".")[0]
            raise MissingPackageError("masker 'sam2'", missing, "sam2") from error
        if self._model is None:
            self._model = way.load_model(self._checkpoint, image_size=self._image_size, device=self._device)
        return following, network(self._model, frames=frames, holes=self._holes, dtype=self._dtype)


def _by_frame(prompts: Sequence[Prompted]) -> PromptsByFrame:
    by_frame: PromptsByFrame = {}
    for prompted in prompts:
        by_frame.setdefault(prompted.name, {}).setdefault(prompted.frame, []).append(prompted.prompt)
    return by_frame


def _matte(logits: np.ndarray) -> np.ndarray:
    return np.clip(0.5 + logits / np.float32(2 * SOFT), 0, 1).astype(np.float32)
