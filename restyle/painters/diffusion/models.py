"""Weights -> a diffusers pipeline, on a device. Everything here imports torch."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from logging import CRITICAL
from pathlib import Path
from typing import Any

import torch

from controls.torchvision_guard import make_torchvision_importable
from interp.quiet import without_warnings
from restyle.errors import MissingModelError, PainterError, RecipeError, show_path, why
from restyle.files.writing import scratch
from restyle.painters.diffusion.hub import size_of
from restyle.painters.diffusion.options import LOOKS, SCHEDULES, ControlSpec, Options
from restyle.painters.diffusion.places import FAMILIES, Places, tensor_names
from restyle.painters.diffusion.presets import Family
from restyle.painters.diffusion.selection import variant_of
from restyle.painters.diffusion.trusted import check_index
from restyle.types import TextPrompt

__all__ = ["Machine", "Models", "choose_machine", "load_models"]

STEPS = 20
GUIDANCE: Mapping[Family, float] = {"sd15": 7.0, "sdxl": 6.0}
LONGEST: Mapping[Family, int] = {"sd15": 768, "sdxl": 1216}
ROOM = 1.35  # times the weights: what has to be free on a device to hold them and the work
TILES_FROM = 1536  # pixels of the long side from which the VAE works in tiles
WEIGHED = re.compile(r"\)\s*[0-9.]+|[\w)](\+\+|--|\+(?=\s|$)|-(?=\s|$))|\.(and|blend)\(")


@dataclass(frozen=True)
class Machine:
    """What is computed on, and how."""

    device: str
    dtype: str
    offload: bool
    tiles: bool

    @property
    def words(self) -> str:
        """For the log."""
        more = [text for on, text in ((self.offload, "weights moved in as needed"), (self.tiles, "VAE in tiles")) if on]
        return f"painting on {self.device} in {self.dtype}" + (f" ({', '.join(more)})" if more else "")


def choose_machine(options: Options, *, has: set[str], free: int | None, weights: int, longest: int) -> Machine:
    """Pure. ``has``: devices that are there; ``free``: bytes free on the GPU, ``None`` where that is not known; ``weights``:
    bytes of all files. Raises ``RecipeError`` for a device that is not there."""
    device = options.device or next(name for name in ("cuda", "mps", "cpu") if name in has)
    if device.partition(":")[0] not in has:
        raise RecipeError(f"there is no device {device!r} here; there are: {', '.join(sorted(has))}")
    dtype = options.dtype or ("float32" if device == "cpu" else "float16")
    short = device != "cpu" and free is not None and free < ROOM * weights
    offload = device != "cpu" and (short if options.offload is None else options.offload)
    return Machine(device, dtype, offload, tiles=longest >= TILES_FROM or (short and longest > 768))


@dataclass(frozen=True)
class Models:
    """What is loaded: a diffusers image-to-image pipeline, with ControlNets where there are any, and how it is used."""

    family: Family
    pipe: Any
    controls: tuple[ControlSpec, ...]
    """In the order of the pipeline's ControlNets; weights with the look's factor in."""
    device: torch.device
    dtype: torch.dtype
    inpainting: bool
    """The UNet takes 9 channels: latents, mask, masked picture."""
    steps: int
    guidance: float
    style: Any
    """A PIL picture, or ``None``."""
    latent_scale: int
    """Pixels of a latent's side."""
    longest: int
    """Long side at which is painted; 0: the footage's."""
    notes: tuple[str, ...] = ()
    """What a person should know of the parts that were loaded."""

    def encode(self, words: TextPrompt, *, guided: bool) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Embeddings, 2 x tokens x width with guidance (the negative prompt's first), else 1; and SDXL's pooled ones.

        Weights within prompts (``a (red)1.4 car``, ``fog--``) are compel's: https://github.com/damian0815/compel
        """
        if WEIGHED.search(words.prompt) or WEIGHED.search(words.negative_prompt):
            return self._weighed(words, guided)
        made = self.pipe.encode_prompt(
            words.prompt,
            device=self.device,
            num_images_per_prompt=1,
            do_classifier_free_guidance=guided,
            negative_prompt=words.negative_prompt or None,  # SDXL was trained with nothing as zeros, which "" is not
        )
        if self.family == "sdxl":
            embeds, negative, pooled, without = made
            if not guided:
                return embeds, pooled
            return torch.cat([negative, embeds]), torch.cat([without, pooled])
        embeds, negative = made
        return (torch.cat([negative, embeds]) if guided else embeds), None

    def _weighed(self, words: TextPrompt, guided: bool) -> tuple[torch.Tensor, torch.Tensor | None]:
        from compel import CompelForSD, CompelForSDXL

        xl = self.family == "sdxl"
        with without_warnings():
            made = (CompelForSDXL if xl else CompelForSD)(self.pipe)(
                words.prompt, negative_prompt=words.negative_prompt
            )
        # compel says "" where nothing is said; SDXL was trained with zeros
        heard = float(bool(words.negative_prompt) or not (xl and self.pipe.config.force_zeros_for_empty_prompt))
        embeds, negative = made.embeds.to(self.dtype), heard * made.negative_embeds.to(self.dtype)
        pooled = None
        if xl:
            pooled = made.pooled_embeds.to(self.dtype)
            if guided:
                pooled = torch.cat([heard * made.negative_pooled_embeds.to(self.dtype), pooled])
        return (torch.cat([negative, embeds]) if guided else embeds), pooled

    def to_latents(self, picture: torch.Tensor, generator: torch.Generator | None = None) -> torch.Tensor:
        """C x h x w of a 3 x H x W picture in [-1, 1]; drawn from the encoder's distribution, or its middle."""
        vae = self.pipe.vae
        spread = vae.encode(picture[None].to(self.device, vae.dtype)).latent_dist
        drawn = (spread.mode() if generator is None else spread.sample(generator)).to(self.dtype)[0]
        mean, width = self._spread(drawn)
        return (drawn - mean) * vae.config.scaling_factor / width

    def to_picture(self, latents: torch.Tensor) -> torch.Tensor:
        """3 x H x W in [0, 1], float32 on the CPU, of C x h x w."""
        vae = self.pipe.vae
        mean, width = self._spread(latents)
        latents = latents * width / vae.config.scaling_factor + mean
        picture = vae.decode(latents[None].to(vae.dtype), return_dict=False)[0][0]
        return (picture.float().cpu() * 0.5 + 0.5).clamp(0, 1)

    def _spread(self, like: torch.Tensor) -> tuple[Any, Any]:
        """Mean and width of latents, where the VAE's configuration tells them."""
        config = self.pipe.vae.config
        mean, width = getattr(config, "latents_mean", None), getattr(config, "latents_std", None)
        if mean is None or width is None:
            return 0.0, 1.0
        return torch.tensor(mean).view(-1, 1, 1).to(like), torch.tensor(width).view(-1, 1, 1).to(like)


def load_models(options: Options, places: Places, *, tell: Callable[[str], None] = lambda _: None) -> Models:
    """Load what ``places`` found. Raises ``MissingModelError``, ``RecipeError`` (parts that do not fit to each other)."""
    with without_warnings():  # the libraries warn of each other's changes, which is nothing to a person
        return _loaded(options, places, tell)


def _loaded(options: Options, places: Places, tell: Callable[[str], None]) -> Models:
    make_torchvision_importable()
    import diffusers
    import transformers

    for library in (diffusers, transformers):
        library.utils.logging.set_verbosity(CRITICAL)  # errors are told by what is raised
        library.utils.logging.disable_progress_bar()
    preset_schedule = options.schedule or places.schedule
    schedule = SCHEDULES[preset_schedule] if preset_schedule else None
    longest = LONGEST[places.family] if options.longest is None else options.longest
    weights = sum(size_of(path) for path in places.all)
    machine = choose_machine(options, has=_devices(), free=_free(), weights=weights, longest=longest)
    tell(machine.words)
    dtype = getattr(torch, machine.dtype)
    pipe = _assembled(options, places, dtype)
    pipe.set_progress_bar_config(disable=True)
    _set_schedule(pipe, schedule)
    notes = _add_loras(pipe, places)
    style = _add_style(pipe, options, places)
    if pipe.vae.config.force_upcast and dtype == torch.float16:
        pipe.vae.to(dtype=torch.float32)  # it overflows in half precision
    if machine.tiles:
        pipe.vae.enable_tiling()
    if machine.offload:
        pipe.enable_model_cpu_offload(device=machine.device)
    else:
        pipe.to(machine.device)
    factor = LOOKS[options.look].controls
    return Models(
        family=places.family,
        pipe=pipe,
        controls=tuple(
            ControlSpec(spec.kind, spec.model, spec.strength * factor, spec.start, spec.end) for spec in places.specs
        ),
        device=torch.device(machine.device),
        dtype=dtype,
        inpainting=pipe.unet.config.in_channels == 9,
        steps=options.steps or (schedule.steps if schedule else STEPS),
        guidance=_guidance(options, schedule, places.family),
        style=style,
        latent_scale=2 ** (len(pipe.vae.config.block_out_channels) - 1),
        longest=longest,
        notes=tuple(notes),
    )


def _guidance(options: Options, schedule: Any, family: Family) -> float:
    if options.guidance is not None:
        return options.guidance
    return schedule.guidance if schedule else GUIDANCE[family]


def _devices() -> set[str]:
    found = {"cpu"}
    if torch.cuda.is_available():
        found.add("cuda")
    if torch.backends.mps.is_available():
        found.add("mps")
    return found


def _free() -> int | None:
    return torch.cuda.mem_get_info()[0] if torch.cuda.is_available() else None


def _assembled(options: Options, places: Places, dtype: torch.dtype) -> Any:
    """The image-to-image pipeline of the base model, its ControlNets and its VAE."""
    from diffusers import (
        AutoencoderKL,
        ControlNetModel,
        DiffusionPipeline,
        StableDiffusionControlNetImg2ImgPipeline,
        StableDiffusionImg2ImgPipeline,
        StableDiffusionPipeline,
        StableDiffusionXLControlNetImg2ImgPipeline,
        StableDiffusionXLImg2ImgPipeline,
        StableDiffusionXLPipeline,
    )

    xl = places.family == "sdxl"
    safe: dict[str, Any] = {"torch_dtype": dtype, "use_safetensors": None if options.allow_pickle else True}
    alone = places.base.is_file() and places.config is None
    hint = "its configuration is looked for on the model hub: name one here, --painter-option config=FOLDER"
    with _told(f"model {options.model!r}", places.base, hint if alone else ""):
        if places.base.is_file():
            _check_config(places.config, options)
            kind = StableDiffusionXLPipeline if xl else StableDiffusionPipeline
            base = kind.from_single_file(
                str(places.base), torch_dtype=dtype, config=places.config, local_files_only=options.offline
            )
        else:
            base = DiffusionPipeline.from_pretrained(
                places.base,
                variant=places.variant(places.base, options),
                safety_checker=None,
                local_files_only=True,
                **safe,
            )
    parts = dict(base.components)
    parts.pop("safety_checker", None)
    if places.vae is not None:
        with _told(f"VAE {options.vae or places.vae.name!r}", places.vae):
            like = {"config": str(places.base), "subfolder": "vae"} if places.base.is_dir() else {}
            parts["vae"] = _network(AutoencoderKL, places.vae, options, like, **safe)
    nets = []
    for spec, place in zip(places.specs, places.controls, strict=True):
        with _told(f"ControlNet {spec.model!r}", place), _like_the_unet(parts["unet"], place, options) as like:
            nets.append(_network(ControlNetModel, place, options, like, **safe))
        _check_fits(nets[-1], parts["unet"], spec, options)
    if nets:
        parts["controlnet"] = nets[0] if len(nets) == 1 else nets
        made: Any = StableDiffusionXLControlNetImg2ImgPipeline if xl else StableDiffusionControlNetImg2ImgPipeline
    else:
        made = StableDiffusionXLImg2ImgPipeline if xl else StableDiffusionImg2ImgPipeline
    more: dict[str, Any] = {} if xl else {"safety_checker": None, "requires_safety_checker": False}
    if xl:  # what a checkpoint was trained with is no component
        told = ("requires_aesthetics_score", "force_zeros_for_empty_prompt")
        more = {name: base.config[name] for name in told if name in base.config}
    return made(**{name: part for name, part in parts.items() if name != "image_encoder" or part is not None}, **more)


def _check_config(config: str | None, options: Options) -> None:
    """Look at a configuration on the model hub before diffusers builds what it names. Raises ``RecipeError``, ``OSError``."""
    if config is None or Path(config).is_dir():
        return
    from huggingface_hub import hf_hub_download

    check_index(Path(hf_hub_download(config, "model_index.json", local_files_only=options.offline)))


def _network(kind: Any, place: Path, options: Options, like: Mapping[str, str], **safe: Any) -> Any:
    """A network of one file, configured ``like`` a folder's where that is known, or of a folder."""
    if place.is_file():
        dtype = safe["torch_dtype"]
        return kind.from_single_file(str(place), torch_dtype=dtype, local_files_only=options.offline, **like)
    return kind.from_pretrained(place, variant=variant_of(place), local_files_only=True, **safe)


@contextmanager
def _like_the_unet(unet: Any, place: Path, options: Options) -> Iterator[dict[str, str]]:
    """The configuration of a ControlNet of one file where the hub, which diffusers asks for it, is not to be asked: that of one
    made for this UNet."""
    if not (place.is_file() and options.offline):
        yield {}
        return
    from diffusers import ControlNetModel

    with torch.device("meta"):
        made = ControlNetModel.from_unet(unet, load_weights_from_unet=False)
    with scratch() as folder:
        made.save_config(folder)
        yield {"config": str(folder)}


def _check_fits(net: Any, unet: Any, spec: ControlSpec, options: Options) -> None:
    """Raises ``RecipeError`` for a ControlNet of another family."""
    mine, theirs = unet.config, net.config
    same = mine.cross_attention_dim == theirs.cross_attention_dim and (
        mine.addition_embed_type == theirs.addition_embed_type
    )
    if not same:
        raise RecipeError(
            f"ControlNet {spec.model!r} ({spec.kind}) is not made for the model {options.model!r}: it looks for "
            f"embeddings {theirs.cross_attention_dim} wide, the model has {mine.cross_attention_dim}. "
            "Take one of the same family (SD 1.5 or SDXL)"
        )


def _set_schedule(pipe: Any, schedule: Any) -> None:
    """The checkpoint's own scheduler, but for one whose steps cannot be counted before; or the few-step one."""
    import diffusers

    if schedule is not None:
        kind = getattr(diffusers, schedule.scheduler)
        pipe.scheduler = kind.from_config(pipe.scheduler.config, **schedule.settings)
    elif type(pipe.scheduler).__name__ == "PNDMScheduler":
        pipe.scheduler = diffusers.DPMSolverMultistepScheduler.from_config(pipe.scheduler.config)


def _add_loras(pipe: Any, places: Places) -> list[str]:
    """Notes on those of which not all was taken. Raises ``RecipeError``, ``MissingModelError``."""
    names: list[str] = []
    notes = []
    family = FAMILIES[places.family]
    for number, (spec, place) in enumerate(places.loras):
        name = f"lora{number}"
        safe = {"use_safetensors": True} if place.suffix == ".safetensors" else {}
        try:
            pipe.load_lora_weights(
                str(place.parent), weight_name=place.name, adapter_name=name, local_files_only=True, **safe
            )
        except (RuntimeError, ValueError, KeyError) as error:
            reason = "its layers have other sizes" if "size mismatch" in str(error) else why(error)
            raise RecipeError(
                f"LoRA {spec.source!r} does not fit to the model: {reason}. Take one made for {family}"
            ) from error
        except OSError as error:
            raise MissingModelError(f"LoRA {spec.source!r} cannot be loaded: {why(error)}") from error
        networks = (getattr(pipe, part, None) for part in ("unet", "text_encoder", "text_encoder_2"))
        used = sum(
            name in getattr(layer, "lora_A", ()) for network in networks if network for layer in network.modules()
        )
        there = _lora_layers(place)
        if not used or (there is not None and 2 * used < there):
            raise RecipeError(
                f"LoRA {spec.source!r} does not fit to the model: {used} of its {there or 'many'} layers are there. "
                f"Take one made for {family}"
            )
        if there is not None and used < there:
            notes.append(f"LoRA {spec.source!r} fits in part: the model has {used} of its {there} layers")
        names.append(name)
    if names:
        pipe.set_adapters(names, [spec.weight for spec, _ in places.loras])
    return notes


def _lora_layers(place: Path) -> int | None:
    """How many layers a LoRA changes, by its file; ``None`` where that is not known without running it."""
    if place.suffix != ".safetensors":
        return None
    names = tensor_names(place)
    return sum(name.endswith((".lora_A.weight", ".lora_down.weight", ".lora.down.weight")) for name in names) or None


def _add_style(pipe: Any, options: Options, places: Places) -> Any:
    """The IP-Adapter, and the picture whose style is taken."""
    if options.style is None or places.ip_adapter is None:
        return None
    from PIL import Image

    from restyle.painters.style_networks import read_style_picture

    folder, inner, file = places.ip_adapter
    with _told("IP-Adapter", folder):
        pipe.load_ip_adapter(str(folder), subfolder=inner, weight_name=file, local_files_only=True)
    pipe.set_ip_adapter_scale(options.style_weight)
    picture = read_style_picture(Path(options.style))
    return Image.fromarray((picture.clip(0, 1) * 255).round().astype("uint8"))


class _told:
    """The library's errors about files as one line of ours."""

    def __init__(self, what: str, place: Path, hint: str = "") -> None:
        self._what, self._place, self._hint = what, place, hint

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: BaseException | None, _: Any) -> None:
        if isinstance(
            error, (OSError, ValueError, RuntimeError, KeyError, AttributeError, TypeError)
        ) and not isinstance(error, (torch.OutOfMemoryError, PainterError)):
            hint = f"; {self._hint}" if self._hint else ""
            place = show_path(self._place)
            raise MissingModelError(f"{self._what} cannot be loaded from {place} ({why(error)}){hint}") from error
