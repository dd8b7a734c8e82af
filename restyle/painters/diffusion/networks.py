"""Files of weights -> the networks of a diffusers pipeline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import diffusers
import torch
from huggingface_hub import hf_hub_download

from restyle.errors import RecipeError
from restyle.files.writing import scratch
from restyle.painters.diffusion.control_kinds import T2I_ADAPTER, UNION, network_class, union_type
from restyle.painters.diffusion.control_networks import ControlNetwork
from restyle.painters.diffusion.model_files import ModelFiles
from restyle.painters.diffusion.options import Options
from restyle.painters.networks.errors import loading
from restyle.painters.networks.specs import ControlSpec
from restyle.weights.folders import variant_of
from restyle.weights.trusted import check_index

__all__ = ["assemble", "load_controls"]


def assemble(options: Options, files: ModelFiles, dtype: torch.dtype) -> Any:
    """The image-to-image pipeline of the base model and its VAE."""
    xl = files.family == "sdxl"
    safe = _safe(options, dtype)
    replaced = {}
    if files.vae is not None:
        with loading(f"VAE {options.vae or files.vae.name!r}", files.vae):
            like = {"config": str(files.base), "subfolder": "vae"} if files.base.is_dir() else {}
            replaced["vae"] = _network(diffusers.AutoencoderKL, files.vae, options, like, **safe)
    base = _load_base(options, files, safe, replaced)
    parts = dict(base.components)
    parts.pop("safety_checker", None)
    name = f"StableDiffusion{'XL' * xl}Img2ImgPipeline"
    more: dict[str, Any] = {} if xl else {"safety_checker": None, "requires_safety_checker": False}
    if xl:  # what a checkpoint was trained with is no component
        trained = ("requires_aesthetics_score", "force_zeros_for_empty_prompt")
        more = {name: base.config[name] for name in trained if name in base.config}
    parts = {name: part for name, part in parts.items() if name != "image_encoder" or part is not None}
    return getattr(diffusers, name)(**parts, **more)


def load_controls(unet: Any, options: Options, files: ModelFiles, dtype: torch.dtype) -> tuple[ControlNetwork, ...]:
    """The networks that take control maps, a union of several once."""
    networks: list[ControlNetwork] = []
    unions: dict[Path, int] = {}
    for number, (spec, path) in enumerate(zip(files.control_specs, files.controlnets, strict=True)):
        kind = network_class(path)
        types = (union_type(spec.kind) or 0,) if kind == UNION else ()
        if path in unions:
            known = networks[unions[path]]
            networks[unions[path]] = replace(known, controls=(*known.controls, number), types=(*known.types, *types))
            continue
        with loading(f"ControlNet {spec.model!r}", path), _like_the_unet(unet, path, options) as like:
            net = _network(getattr(diffusers, kind), path, options, like, **_safe(options, dtype))
        _check_fits(net, kind, unet, spec, options)
        if kind == UNION:
            unions[path] = len(networks)
        networks.append(ControlNetwork(net, kind, (number,), types))
    return tuple(networks)


def _safe(options: Options, dtype: torch.dtype) -> dict[str, Any]:
    return {"torch_dtype": dtype, "use_safetensors": None if options.allow_pickle else True}


def _load_base(options: Options, files: ModelFiles, safe: Mapping[str, Any], replaced: Mapping[str, Any]) -> Any:
    """The base model's own pipeline, of a folder or of one file; with parts that are ``replaced``, and none that are unused."""
    parts = dict.fromkeys(files.selection.unused) | dict(replaced)
    alone = files.base.is_file() and files.config is None
    hint = "its configuration is looked for on the model hub: name one here, --painter-option config=FOLDER"
    with loading(f"model {options.model!r}", files.base, hint if alone else ""):
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
                **parts,
            )
        return diffusers.DiffusionPipeline.from_pretrained(
            files.base,
            variant=variant_of(files.base, files.selection),
            local_files_only=True,
            **safe,
            **parts,
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


def _check_fits(net: Any, kind: str, unet: Any, spec: ControlSpec, options: Options) -> None:
    """Raises ``RecipeError`` for a network of another family."""
    mine, theirs = unet.config, net.config
    if kind == T2I_ADAPTER:
        widths, wanted = tuple(theirs.channels), tuple(mine.block_out_channels)
        xl = theirs.adapter_type == "full_adapter_xl", mine.addition_embed_type == "text_time"
        if widths[: len(wanted)] != wanted or xl[0] != xl[1]:
            raise RecipeError(
                f"T2I-Adapter {spec.model!r} ({spec.kind}) is not made for the model {options.model!r}. "
                "Take one of the same family (SD 1.5 or SDXL)"
            )
        return
    same = mine.cross_attention_dim == theirs.cross_attention_dim and (
        mine.addition_embed_type == theirs.addition_embed_type
    )
    if not same:
        raise RecipeError(
            f"ControlNet {spec.model!r} ({spec.kind}) is not made for the model {options.model!r}: it looks for "
            f"embeddings {theirs.cross_attention_dim} wide, the model has {mine.cross_attention_dim}. "
            "Take one of the same family (SD 1.5 or SDXL)"
        )
