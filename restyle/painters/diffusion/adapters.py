"""IP-Adapters and trained words -> onto the networks of a pipeline."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any

import torch
from PIL import Image
from safetensors.torch import load_file

from interp.pixels.depth import to_uint8
from restyle.errors import RecipeError
from restyle.painters.diffusion.model_files import ModelFiles
from restyle.painters.networks.errors import loading
from restyle.painters.style_pictures import read_style_picture
from restyle.weights.catalogue import FAMILIES

__all__ = ["add_styles", "add_words"]

ENCODERS = (("clip_l", "text_encoders_0"), ("clip_g", "text_encoders_1"))
"""Names of SDXL's two text encoders in files of trained words."""
UNNAMED = ("emb_params", *ENCODERS[0], *ENCODERS[1])  # names that are no words


def add_styles(pipe: Any, files: ModelFiles) -> tuple[Any, ...]:
    """The IP-Adapters, with their image encoder. Gives the pictures that they are to show, as PIL's."""
    if not files.styles:
        return ()
    places = [PurePosixPath(style.file) for style in files.styles]
    with loading("IP-Adapter", files.styles[0].folder):
        pipe.load_ip_adapter(
            [str(style.folder) for style in files.styles],
            subfolder=[place.parent.as_posix() for place in places],
            weight_name=[place.name for place in places],
            image_encoder_folder=f"./{files.styles[0].encoder}",  # with a slash it is not looked for in the subfolder
            local_files_only=True,
        )
    pipe.set_ip_adapter_scale([style.spec.weight for style in files.styles])
    return tuple(Image.fromarray(to_uint8(read_style_picture(Path(style.spec.picture)))) for style in files.styles)


def add_words(pipe: Any, files: ModelFiles) -> None:
    """Words that were trained, to the tokenizers and text encoders (textual inversion, Gal et al. 2022).

    Raises ``RecipeError``, ``MissingModelError``.
    """
    encoders = [(pipe.tokenizer, pipe.text_encoder)]
    if files.family == "sdxl":
        encoders.append((pipe.tokenizer_2, pipe.text_encoder_2))
    for spec, path in files.embeddings:
        with loading(f"embedding {spec.source!r}", path):
            vectors = _read_vectors(path)
        token = spec.token or next((name for name in vectors if name not in UNNAMED), path.stem)
        parts = list(vectors.values())
        if len(encoders) == 2:
            parts = [vectors[name] for names in ENCODERS for name in names if name in vectors]
        widths = [encoder.get_input_embeddings().weight.shape[-1] for _, encoder in encoders]
        found = [part.shape[-1] if hasattr(part, "shape") else None for part in parts]
        if found != widths:
            raise RecipeError(
                f"embedding {spec.source!r} does not fit to the model: it has vectors of {found} numbers, the text encoders "
                f"{widths}. Take one made for {FAMILIES[files.family]}"
            )
        for (tokenizer, encoder), part in zip(encoders, parts, strict=True):
            if token in tokenizer.get_vocab():
                raise RecipeError(
                    f"embedding {spec.source!r}: there is a word {token!r} already; name another, as its field token"
                )
            pipe.load_textual_inversion({token: part}, token=token, text_encoder=encoder, tokenizer=tokenizer)


def _read_vectors(path: Path) -> dict[str, Any]:
    """Name -> vectors, count x width or width."""
    if path.suffix == ".safetensors":
        return dict(load_file(path))
    table = torch.load(path, map_location="cpu", weights_only=True)
    if "string_to_param" in table:  # as A1111 keeps them
        return {str(table.get("name") or path.stem): table["string_to_param"]["*"]}
    return dict(table)
