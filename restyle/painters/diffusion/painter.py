"""The painter ``diffusion``: keyframes of a window repainted together."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import cv2
import numpy as np

from restyle.errors import MissingExtraError
from restyle.painters.base import PaintRequest
from restyle.painters.diffusion.options import Options
from restyle.painters.diffusion.places import Places, find_places
from restyle.types import Carry, TextPrompt
from restyle.versions import parts_of

if TYPE_CHECKING:
    import torch

    from restyle.painters.diffusion.models import Models
    from restyle.painters.diffusion.paths import Paths
    from restyle.painters.diffusion.sampling import RowInput, Sampler
    from restyle.painters.diffusion.window import Rows

__all__ = ["DiffusionPainter"]

NEEDS = ("torch", "diffusers", "transformers", "huggingface_hub", "safetensors")
METHOD = 4  # number of this way of painting; a new one makes old paintings stale
ELSEWHERE = ("batch", "device", "offload", "offline", "allow_pickle", "variant", "config")  # decide no picture
PAINTED = 0.02  # of a matte, from which a latent is painted


class DiffusionPainter:
    """Repaints keyframes by a Stable Diffusion model (1.5 or XL), with ControlNets, LoRAs and a style picture.

    ``options``: the fields of ``Options``. Weights are looked for when something is to be painted, or when the job has to know
    which they are; they are loaded when the first window is painted.

    Pictures of every depth are painted in 8-bit-like [0, 1] values at the model's own size (``longest``), and brought back to
    the footage's size and dtype. Float pictures are taken as display-referred and clipped. A window hands to the next the
    latents of the anchor's painting and of its last keyframe's, that keyframe's noise, and the anchor's words.

    Raises ``RecipeError`` and ``MissingExtraError`` when it is built; ``MissingModelError``, ``RecipeError``, ``PainterError``
    when it paints.
    """

    name = "diffusion"
    cost = 400.0
    inpaints = True
    Options = Options

    def __init__(self, **options: Any) -> None:
        missing = [name for name in NEEDS if find_spec(name) is None]
        if missing:
            raise MissingExtraError(f"painter {self.name!r}", "diffusion")
        self.options = Options(**options)
        self._sampler: Sampler | None = None
        self._models: Models | None = None

    @property
    def controls(self) -> tuple[str, ...]:
        """Kinds of control maps that it wants to see."""
        return self.options.kinds

    @property
    def chain(self) -> Literal["keys", "ends"]:
        """On what of the windows before a window depends: in modes in which keyframes decide those after, on all of them."""
        return "keys" if self.options.attention in ("anchor-previous", "joint") else "ends"

    @cached_property
    def places(self) -> Places:
        """Where the weights are."""
        return find_places(self.options)

    @property
    def identity(self) -> Mapping[str, Any]:
        chosen = {name: value for name, value in asdict(self.options).items() if name not in ELSEWHERE}
        style = None
        if self.options.style is not None:
            from restyle.painters.style_networks import read_style_picture

            style = _digest(read_style_picture(Path(self.options.style)))
        packages = {name: parts_of(name) for name in ("torch", "diffusers", "transformers")}
        plain = {"method": METHOD, "options": chosen | {"style": style}, "packages": packages}
        return json.loads(json.dumps(plain)) | {"weights": self.places.identity()}

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know of the weights that were loaded."""
        return self._models.notes if self._models is not None else ()

    def close(self) -> None:
        if self._models is None:
            return
        import gc

        import torch

        self._sampler = self._models = None
        gc.collect()  # networks and the hooks on them point at each other
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    # Painting

    def paint(self, request: PaintRequest, carry: Carry | None) -> tuple[list[np.ndarray], Carry]:
        import torch

        with torch.no_grad():
            return self._painted(request, carry)

    def _painted(self, request: PaintRequest, carry: Carry | None) -> tuple[list[np.ndarray], Carry]:
        models, sampler = self._ready(request)
        height, width = request.pictures[0].shape[:2]
        size = _painted_size(width, height, models.longest)
        rides = carry is not None and "anchor" in carry.arrays
        first = 1 if rides else 0
        count = len(request.frames) + first
        rows = _rows(count, {place + first for place in request.fixed}, rides)
        paths = self._paths(request, first, (size[0] // models.latent_scale, size[1] // models.latent_scale))
        noise = self._noise(request, carry, rows, paths, size)
        inputs: list[RowInput] = []
        if rides:
            assert carry is not None
            inputs.append(self._riding(carry))
        for place in range(len(request.frames)):
            request.tick(f"encoding frame {request.frames[place]}")
            inputs.append(self._row(request, place, carry, size, noise[place]))
        said = f"painting frames {request.frames[0]} to {request.frames[-1]}"
        made = sampler.paint(rows, inputs, paths, lambda text: request.tick(f"{said}, {text}"))
        latents = {row: made.get(row, inputs[row].clean) for row in range(count)}
        paintings = []
        for place, picture in enumerate(request.pictures):
            if place in request.fixed:
                paintings.append(request.fixed[place].copy())
                continue
            request.tick(f"decoding frame {request.frames[place]}")
            paintings.append(_restored(models.to_picture(latents[place + first]).numpy(), picture))
        return paintings, self._carry(request, carry, rows, latents, noise[-1])

    def _ready(self, request: PaintRequest) -> tuple[Models, Sampler]:
        from restyle.painters.diffusion.attention import tie
        from restyle.painters.diffusion.models import load_models
        from restyle.painters.diffusion.sampling import Sampler

        if self._models is None or self._sampler is None:
            request.tick("loading the model")
            self._models = load_models(self.options, self.places, tell=request.tick)
            loom = tie(self._models.pipe.unet, layers=self.options.layers)
            self._sampler = Sampler(self._models, loom, self.options, tell=request.tick)
        return self._models, self._sampler

    def _paths(self, request: PaintRequest, first: int, grid: tuple[int, int]) -> Paths:
        from restyle.painters.diffusion.paths import Paths

        positions = {place + first: position for place, position in enumerate(request.positions)}
        return Paths(request.tracker, positions, grid)

    # Rows

    def _row(
        self, request: PaintRequest, place: int, carry: Carry | None, size: tuple[int, int], noise: np.ndarray
    ) -> RowInput:
        """A keyframe of the window: what is known of it, on the device."""
        import torch

        from restyle.painters.diffusion.noise import coarse
        from restyle.painters.diffusion.sampling import RowInput

        models, given = self._models, request.fixed.get(place)
        assert models is not None
        words = request.prompts[place] if request.prompts else TextPrompt()
        moved = self.options.move_noise
        # one seed for all, where noise moves: what the encoder draws must not make keyframes differ
        generator = torch.Generator("cpu").manual_seed(self._seed(request, carry) if moved else request.seeds[place])
        drift = torch.from_numpy(coarse(noise)).to(models.device, models.dtype)
        if given is not None:
            if place == 0 and carry is not None and carry.facts.get("frame") == request.frames[0]:
                clean = self._stored(carry, "last")
            else:
                clean = models.to_latents(_seen(given, size))
            return RowInput(clean, drift, words)
        picture = _seen(request.pictures[place], size)
        from_noise = models.inpainting and bool(request.mattes) and self.options.strength >= 1
        clean = models.to_latents(
            picture, None if from_noise else generator
        )  # diffusers draws nothing for what it does not use
        own = torch.randn((1, *clean.shape), generator=generator)[0].to(models.device, models.dtype)
        inpaint = self._inpaint(request, place, picture, size, generator)
        maps = tuple(
            torch.from_numpy(_resized(request.controls[spec.kind][place], size))
            .permute(2, 0, 1)
            .to(models.device, models.dtype)
            / 255
            for spec in models.controls
        )
        return RowInput(
            clean, drift if moved else own, words, maps, None if moved else generator, noise if moved else None, inpaint
        )

    def _inpaint(
        self,
        request: PaintRequest,
        place: int,
        picture: torch.Tensor,
        size: tuple[int, int],
        generator: torch.Generator,
    ) -> Any:
        """What lies round the matte, where one is given that leaves something out."""
        import torch

        from restyle.painters.diffusion.sampling import Inpaint

        models = self._models
        assert models is not None
        if not request.mattes or (request.mattes[place] > PAINTED).all():
            return None
        scale = models.latent_scale
        matte = np.ascontiguousarray(request.mattes[place])
        wide = cv2.resize(matte, size, interpolation=cv2.INTER_LINEAR) > PAINTED
        small = wide.reshape(size[1] // scale, scale, size[0] // scale, scale).any(axis=(1, 3))
        mask = torch.from_numpy(small[None].astype(np.float32)).to(models.device, models.dtype)
        hole = torch.from_numpy(wide.astype(np.float32))[None]
        masked = models.to_latents(picture * (1 - hole), generator) if models.inpainting else torch.zeros(0)
        return Inpaint(mask, masked)

    def _riding(self, carry: Carry) -> RowInput:
        """The shot's anchor, which is not among the window's keyframes."""
        import torch

        from restyle.painters.diffusion.sampling import RowInput

        models = self._models
        assert models is not None
        clean = self._stored(carry, "anchor")
        generator = torch.Generator("cpu").manual_seed(int(carry.facts["seed"]))
        noise = torch.randn(tuple(clean.shape), generator=generator).to(models.device, models.dtype)
        return RowInput(clean, noise, TextPrompt(*carry.facts["words"]))

    def _stored(self, carry: Carry, name: str) -> torch.Tensor:
        import torch

        assert self._models is not None
        return torch.from_numpy(carry.arrays[name]).to(self._models.device, self._models.dtype)

    @staticmethod
    def _seed(request: PaintRequest, carry: Carry | None) -> int:
        """The shot's: its anchor's."""
        return int(carry.facts["seed"]) if carry is not None and "seed" in carry.facts else request.seeds[0]

    # What one window hands to the next

    def _noise(
        self, request: PaintRequest, carry: Carry | None, rows: Rows, paths: Paths, size: tuple[int, int]
    ) -> list[np.ndarray]:
        """Every keyframe's noise, on the fine grid: the window's first's, moved; of what that does not show, its last's."""
        from restyle.painters.diffusion.noise import FINE, lands_on, noise_between, refine, warp_noise
        from restyle.painters.diffusion.paths import SEEN

        models = self._models
        assert models is not None
        width, height = size[0] // models.latent_scale, size[1] // models.latent_scale
        if carry is not None and carry.facts.get("frame") == request.frames[0]:
            base = carry.arrays["noise"]
        else:
            base = refine(self._own_noise(request.seeds[0], size), request.seeds[0])  # of a shot's first keyframe
        if len(request.frames) == 1:
            return [base]

        def way(place: int, there: int) -> tuple[np.ndarray, np.ndarray]:
            flow, sure = paths.on(rows.first + place, there, width * FINE, height * FINE)
            return flow, sure > SEEN

        end = way(len(request.frames) - 1, rows.first)
        last = warp_noise(base, *end, request.seeds[-1])
        new = ~lands_on(np.ones(last.shape[1:], bool), *end)
        between = [
            noise_between((base, *way(place, rows.first)), (last, *way(place, rows.last)), new, request.seeds[place])
            for place in range(1, len(request.frames) - 1)
        ]
        return [base, *between, last]

    def _own_noise(self, seed: int, size: tuple[int, int]) -> np.ndarray:
        """The noise that diffusers would draw for a keyframe of that seed: after the encoder's."""
        import torch

        models = self._models
        assert models is not None
        shape = (
            1,
            models.pipe.unet.config.out_channels,
            size[1] // models.latent_scale,
            size[0] // models.latent_scale,
        )
        generator = torch.Generator("cpu").manual_seed(seed)
        torch.randn(shape, generator=generator)
        return torch.randn(shape, generator=generator)[0].numpy()

    def _carry(
        self, request: PaintRequest, carry: Carry | None, rows: Rows, latents: Mapping[int, Any], noise: np.ndarray
    ) -> Carry:
        def kept(row: int) -> np.ndarray:
            return np.ascontiguousarray(latents[row].float().cpu().numpy())

        words = request.prompts[0] if request.prompts else TextPrompt()
        facts = {"words": [words.prompt, words.negative_prompt], "seed": self._seed(request, carry)}
        if rows.rides:
            assert carry is not None
            facts["words"] = list(carry.facts["words"])
        return Carry(
            {"anchor": kept(rows.anchor), "last": kept(rows.last), "noise": noise},
            facts | {"frame": request.frames[-1]},
        )


def _rows(count: int, given: set[int], rides: bool) -> Rows:
    from restyle.painters.diffusion.window import Rows

    return Rows(count, frozenset(given | ({0} if rides else set())), rides)


def _painted_size(width: int, height: int, longest: int) -> tuple[int, int]:
    """Width and height at which is painted: multiples of 8, the long side ``longest`` (0: the picture's own)."""
    scale = longest / max(width, height) if longest else 1.0
    return max(8, round(width * scale / 8) * 8), max(8, round(height * scale / 8) * 8)


def _resized(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """H x W x 3 in that size, without a shift."""
    if picture.shape[1::-1] == size:
        return np.ascontiguousarray(picture)
    smaller = size[0] < picture.shape[1]
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC)


def _seen(picture: np.ndarray, size: tuple[int, int]) -> torch.Tensor:
    """3 x H x W in [-1, 1]."""
    import torch

    values = picture.astype(np.float32)
    if picture.dtype != np.float32:
        values /= np.float32(np.iinfo(picture.dtype).max)
    values = _resized(np.nan_to_num(values, nan=0.0).clip(0, 1), size).clip(0, 1)
    return torch.from_numpy(values * 2 - 1).permute(2, 0, 1).contiguous()


def _restored(painting: np.ndarray, like: np.ndarray) -> np.ndarray:
    """3 x H x W in [0, 1] -> H x W x 3 of the picture's size and dtype."""
    made = _resized(np.ascontiguousarray(painting.transpose(1, 2, 0)), like.shape[1::-1]).clip(0, 1)
    if like.dtype == np.float32:
        return np.ascontiguousarray(made)
    white = float(np.iinfo(like.dtype).max)
    return np.rint(made * white).astype(like.dtype)


def _digest(picture: np.ndarray) -> str:
    from hashlib import blake2b

    return blake2b(np.ascontiguousarray(picture).tobytes(), digest_size=16).hexdigest()
