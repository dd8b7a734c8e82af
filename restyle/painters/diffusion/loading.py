"""Files of weights -> a diffusers pipeline, on a device."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from logging import CRITICAL
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers
from huggingface_hub import hf_hub_download
from PIL import Image

from controls.torchvision_guard import make_torchvision_importable
from interp.pixels.depth import to_uint8
from interp.quiet import without_warnings
from restyle.errors import MissingModelError, RecipeError, show_path, why
from restyle.files.writing import scratch
from restyle.painters.diffusion.coder import PictureCoder
from restyle.painters.diffusion.machine import choose_machine
from restyle.painters.diffusion.model_files import ModelFiles
from restyle.painters.diffusion.models import Models
from restyle.painters.diffusion.options import PRESETS, SCHEDULES, ControlSpec, Options, Schedule
from restyle.painters.diffusion.prompts import PromptEncoder
from restyle.painters.style_pictures import read_style_picture
from restyle.weights.catalogue import FAMILIES, Family
from restyle.weights.digests import size_of
from restyle.weights.selection import variant_of
from restyle.weights.tensors import tensor_names
from restyle.weights.trusted import check_index

__all__ = ["load_models"]

STEPS = 20
GUIDANCE_SCALE: Mapping[Family, float] = {"sd15": 7.0, "sdxl": 6.0}
RESOLUTION: Mapping[Family, int] = {"sd15": 768, "sdxl": 1216}


def load_models(options: Options, files: ModelFiles, *, tell: Callable[[str], None] = lambda _: None) -> Models:
    """Load what was found. Raises ``MissingModelError``, ``RecipeError`` (parts that do not fit to each other)."""
    with without_warnings():  # the libraries warn of each other's changes, which is nothing to a person
        return _load(options, files, tell)


def _load(options: Options, files: ModelFiles, tell: Callable[[str], None]) -> Models:
    make_torchvision_importable()  # before any class of diffusers is asked for
    for library in (diffusers, transformers):
        library.utils.logging.set_verbosity(CRITICAL)  # errors are told by what is raised
        library.utils.logging.disable_progress_bar()
    schedule_name = options.schedule or files.schedule
    schedule = SCHEDULES[schedule_name] if schedule_name else None
    steps, schedule_steps = _steps(options, schedule)
    resolution = files.resolution or RESOLUTION[files.family]
    if options.resolution is not None:
        resolution = options.resolution
    weights = sum(size_of(path) for path in files.all)
    machine = choose_machine(options, devices=_devices(), free=_free, weights=weights, resolution=resolution)
    tell(machine.description)
    dtype = getattr(torch, machine.dtype)
    pipe = _assemble(options, files, dtype)
    pipe.set_progress_bar_config(disable=True)
    _set_schedule(pipe, schedule)
    notes = _add_loras(pipe, files)
    style = _add_style(pipe, options, files)
    if pipe.vae.config.force_upcast and dtype == torch.float16:
        pipe.vae.to(dtype=torch.float32)  # it overflows in half precision
    if machine.tiles:
        pipe.vae.enable_tiling()
    if machine.offload:
        pipe.enable_model_cpu_offload(device=machine.device)
    else:
        pipe.to(machine.device)
    factor = PRESETS[options.preset].controls
    return Models(
        family=files.family,
        pipe=pipe,
        coder=PictureCoder(
            pipe.vae,
            name=f"VAE {options.vae or files.vae.name!r}" if files.vae is not None else f"the VAE of {options.model!r}",
            family=files.family,
            device=torch.device(machine.device),
            dtype=dtype,
        ),
        prompts=PromptEncoder(
            pipe, files.family, weighting=options.weighting, device=torch.device(machine.device), dtype=dtype
        ),
        controls=tuple(
            ControlSpec(spec.kind, spec.model, spec.strength * factor, spec.start, spec.end)
            for spec in files.control_specs
        ),
        device=torch.device(machine.device),
        dtype=dtype,
        inpainting=pipe.unet.config.in_channels == 9,
        steps=steps,
        schedule_steps=schedule_steps,
        eta=schedule.eta_of(steps) if schedule else 0.0,
        guidance_scale=_guidance_scale(options, schedule, files.family),
        style=style,
        latent_scale=2 ** (len(pipe.vae.config.block_out_channels) - 1),
        resolution=resolution,
        loading_notes=tuple(notes),
    )


def _steps(options: Options, schedule: Schedule | None) -> tuple[int, int]:
    """Steps that are made, and those of the whole schedule."""
    strength = options.denoising_strength
    whole = options.schedule_steps or (schedule.steps if schedule else None)
    if options.steps is None and whole is not None:
        return max(1, round(whole * strength)), whole
    steps = options.steps or STEPS
    return steps, max(steps, round(steps / strength)) if strength else steps


def _guidance_scale(options: Options, schedule: Schedule | None, family: Family) -> float:
    if options.guidance_scale is not None:
        return options.guidance_scale
    return schedule.guidance_scale if schedule else GUIDANCE_SCALE[family]


def _devices() -> set[str]:
    devices = {"cpu"}
    if torch.cuda.is_available():
        devices |= {"cuda", *(f"cuda:{number}" for number in range(torch.cuda.device_count()))}
    if torch.backends.mps.is_available():
        devices.add("mps")
    return devices


def _free(device: str) -> int | None:
    """Bytes free on a GPU. MPS shares its memory with the rest of the computer, and tells how much of it is well used."""
    if device.startswith("cuda"):
        return int(torch.cuda.mem_get_info(device)[0])
    if device == "mps":
        return max(0, torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory())
    return None


def _assemble(options: Options, files: ModelFiles, dtype: torch.dtype) -> Any:
    """The image-to-image pipeline of the base model, its ControlNets and its VAE."""
    xl = files.family == "sdxl"
    safe: dict[str, Any] = {"torch_dtype": dtype, "use_safetensors": None if options.allow_pickle else True}
    base = _load_base(options, files, safe)
    parts = dict(base.components)
    parts.pop("safety_checker", None)
    if files.vae is not None:
        with _loading(f"VAE {options.vae or files.vae.name!r}", files.vae):
            like = {"config": str(files.base), "subfolder": "vae"} if files.base.is_dir() else {}
            parts["vae"] = _network(diffusers.AutoencoderKL, files.vae, options, like, **safe)
    nets = []
    for spec, path in zip(files.control_specs, files.controlnets, strict=True):
        with _loading(f"ControlNet {spec.model!r}", path), _like_the_unet(parts["unet"], path, options) as like:
            nets.append(_network(diffusers.ControlNetModel, path, options, like, **safe))
        _check_fits(nets[-1], parts["unet"], spec, options)
    if nets:
        parts["controlnet"] = nets[0] if len(nets) == 1 else nets
    name = f"StableDiffusion{'XL' * xl}{'ControlNet' * bool(nets)}Img2ImgPipeline"
    more: dict[str, Any] = {} if xl else {"safety_checker": None, "requires_safety_checker": False}
    if xl:  # what a checkpoint was trained with is no component
        trained = ("requires_aesthetics_score", "force_zeros_for_empty_prompt")
        more = {name: base.config[name] for name in trained if name in base.config}
    parts = {name: part for name, part in parts.items() if name != "image_encoder" or part is not None}
    return getattr(diffusers, name)(**parts, **more)


def _load_base(options: Options, files: ModelFiles, safe: Mapping[str, Any]) -> Any:
    """The base model's own pipeline, of a folder or of one file."""
    alone = files.base.is_file() and files.config is None
    hint = "its configuration is looked for on the model hub: name one here, --painter-option config=FOLDER"
    with _loading(f"model {options.model!r}", files.base, hint if alone else ""):
        if files.base.is_file():
            _check_config(files.config, options)
            pipeline: Any = (
                diffusers.StableDiffusionXLPipeline if files.family == "sdxl" else diffusers.StableDiffusionPipeline
            )
            return pipeline.from_single_file(
                str(files.base),
                torch_dtype=safe["torch_dtype"],
                config=files.config,
                local_files_only=options.offline,
            )
        return diffusers.DiffusionPipeline.from_pretrained(
            files.base,
            variant=files.variant(files.base, options),
            safety_checker=None,
            local_files_only=True,
            **safe,
        )


def _check_config(config: str | None, options: Options) -> None:
    """Look at a configuration on the model hub before diffusers builds what it names. Raises ``RecipeError``, ``OSError``."""
    if config is None or Path(config).is_dir():
        return
    check_index(Path(hf_hub_download(config, "model_index.json", local_files_only=options.offline)))


def _network(network: Any, path: Path, options: Options, like: Mapping[str, str], **safe: Any) -> Any:
    """A network of one file, configured ``like`` a folder's where that is known, or of a folder."""
    if path.is_file():
        dtype = safe["torch_dtype"]
        return network.from_single_file(str(path), torch_dtype=dtype, local_files_only=options.offline, **like)
    return network.from_pretrained(path, variant=variant_of(path), local_files_only=True, **safe)


@contextmanager
def _like_the_unet(unet: Any, path: Path, options: Options) -> Iterator[dict[str, str]]:
    """The configuration of a ControlNet of one file where the hub, which diffusers asks for it, is not to be asked: that of one
    made for this UNet."""
    if not (path.is_file() and options.offline):
        yield {}
        return
    with torch.device("meta"):
        net = diffusers.ControlNetModel.from_unet(unet, load_weights_from_unet=False)
    with scratch() as folder:
        net.save_config(folder)
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


def _set_schedule(pipe: Any, schedule: Schedule | None) -> None:
    """The checkpoint's own scheduler, but for one whose steps cannot be counted before; or the few-step one."""
    if schedule is not None:
        scheduler = getattr(diffusers, schedule.scheduler)
        pipe.scheduler = scheduler.from_config(pipe.scheduler.config, **schedule.settings)
    elif type(pipe.scheduler).__name__ == "PNDMScheduler":
        pipe.scheduler = diffusers.DPMSolverMultistepScheduler.from_config(pipe.scheduler.config)


def _add_loras(pipe: Any, files: ModelFiles) -> list[str]:
    """Notes on those of which not all was taken. Raises ``RecipeError``, ``MissingModelError``."""
    names: list[str] = []
    notes = []
    family = FAMILIES[files.family]
    for number, (spec, path) in enumerate(files.loras):
        name = f"lora{number}"
        safe = {"use_safetensors": True} if path.suffix == ".safetensors" else {}
        try:
            pipe.load_lora_weights(
                str(path.parent), weight_name=path.name, adapter_name=name, local_files_only=True, **safe
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
        layers = _lora_layers(path)
        if not used or (layers is not None and 2 * used < layers):
            raise RecipeError(
                f"LoRA {spec.source!r} does not fit to the model: {used} of its {layers or 'many'} layers are there. "
                f"Take one made for {family}"
            )
        if layers is not None and used < layers:
            notes.append(f"LoRA {spec.source!r} fits in part: the model has {used} of its {layers} layers")
        names.append(name)
    if names:
        pipe.set_adapters(names, [spec.weight for spec, _ in files.loras])
    return notes


def _lora_layers(path: Path) -> int | None:
    """Number of layers that a LoRA changes, by its file; ``None`` where that is not known without running it."""
    if path.suffix != ".safetensors":
        return None
    names = tensor_names(path)
    return sum(name.endswith((".lora_A.weight", ".lora_down.weight", ".lora.down.weight")) for name in names) or None


def _add_style(pipe: Any, options: Options, files: ModelFiles) -> Any:
    """The IP-Adapter, and the picture whose style is taken."""
    if options.style is None or files.ip_adapter is None:
        return None
    folder, inner, file = files.ip_adapter
    with _loading("IP-Adapter", folder):
        pipe.load_ip_adapter(str(folder), subfolder=inner, weight_name=file, local_files_only=True)
    pipe.set_ip_adapter_scale(options.style_weight)
    picture = read_style_picture(Path(options.style))
    return Image.fromarray(to_uint8(picture))


@contextmanager
def _loading(part: str, path: Path, hint: str = "") -> Iterator[None]:
    """The libraries' errors about files as one line of ours."""
    try:
        yield
    except torch.OutOfMemoryError:
        raise
    except (OSError, ValueError, RuntimeError, KeyError, AttributeError, TypeError) as error:
        more = f"; {hint}" if hint else ""
        raise MissingModelError(f"{part} cannot be loaded from {show_path(path)} ({why(error)}){more}") from error
