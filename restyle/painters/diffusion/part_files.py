"""The files that are meant of what stands beside the base model: IP-Adapters, trained words. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from restyle.errors import MissingModelError, RecipeError, show_path
from restyle.painters.networks.loras import one_file
from restyle.painters.networks.specs import EmbeddingSpec, StyleSpec
from restyle.weights.catalogue import IP_ADAPTERS, Family
from restyle.weights.digests import fingerprint
from restyle.weights.finding import Wanted
from restyle.weights.folders import loaded_files
from restyle.weights.pickles import PICKLED
from restyle.weights.selection import Selection
from restyle.weights.trusted import check_folder

__all__ = ["StyleFiles", "check_encoders", "embedding_file", "style_files", "style_wanted"]

ENCODER = "image_encoder"


@dataclass(frozen=True)
class StyleFiles:
    """An IP-Adapter on this machine, and the picture that it is to show."""

    spec: StyleSpec
    folder: Path
    file: str
    """Within the folder."""
    encoder: str
    """Folder of the image encoder, within the folder."""
    allow_pickle: bool

    @property
    def encoder_files(self) -> list[Path]:
        """All that is loaded of the image encoder."""
        return loaded_files(self.folder / self.encoder, allow_pickle=self.allow_pickle)

    @property
    def files(self) -> list[Path]:
        """Everything that is loaded."""
        return [self.folder / self.file, *self.encoder_files]

    def identity(self) -> list[Any]:
        """Weight and fingerprint: plain JSON."""
        return [self.spec.weight, fingerprint(self.folder, self.files)]


def embedding_file(spec: EmbeddingSpec, path: Path, *, allow_pickle: bool) -> Path:
    """The one file that is meant. Raises ``MissingModelError`` (none), ``RecipeError`` (several)."""
    kinds = (".safetensors", *(PICKLED if allow_pickle else ()))
    return one_file("embedding", spec.source, spec.file, path, kinds)


def style_wanted(spec: StyleSpec, family: Family, *, allow_pickle: bool) -> Wanted:
    """The IP-Adapter that is asked for, or its family's."""
    known = IP_ADAPTERS[family]
    source = spec.source or known.hub_id
    if spec.file is not None:
        encoder = spec.encoder or (PurePosixPath(spec.file).parent / ENCODER).as_posix()
        files = (f"{encoder}/config.json", spec.file, f"{encoder}/model.safetensors")
        return Wanted(source, "IP-Adapter", Selection(files), allow_pickle)
    if spec.source is None:
        return Wanted(source, "IP-Adapter", Selection(known.files), allow_pickle, f"ip-adapter-{family}")
    return Wanted(source, "IP-Adapter", allow_pickle=allow_pickle)


def style_files(spec: StyleSpec, family: Family, folder: Path, *, allow_pickle: bool) -> StyleFiles:
    """The file that is meant of an IP-Adapter's folder, and its encoder. Raises ``MissingModelError``."""
    known = IP_ADAPTERS[family]
    file = spec.file or f"{known.folder}/{known.file}"
    if spec.file is None and spec.source is not None:
        files = sorted(path for path in folder.rglob("*ip-adapter*.safetensors")) if folder.is_dir() else []
        if not files:
            raise MissingModelError(f"IP-Adapter: {show_path(folder)} has no file *ip-adapter*.safetensors")
        best = next((path for path in files if path.name == known.file), files[0])
        file = best.relative_to(folder).as_posix()
    inner = spec.encoder or (PurePosixPath(file).parent / ENCODER).as_posix()
    encoder = folder / inner
    check_folder(encoder)
    ready = (encoder / "config.json").is_file() and bool([*encoder.glob("*.safetensors")])
    if not ready and not (allow_pickle and [*encoder.glob("*.bin")]):
        raise MissingModelError(
            f"IP-Adapter: {show_path(encoder)} has no image encoder (config.json and a .safetensors file)"
        )
    return StyleFiles(spec, folder, file, inner, allow_pickle)


def check_encoders(styles: list[StyleFiles]) -> None:
    """Raises ``RecipeError`` where IP-Adapters see by different image encoders: a model holds one."""
    seen = [fingerprint(style.folder / style.encoder, style.encoder_files) for style in styles]
    for style, encoder in zip(styles, seen, strict=True):
        if encoder != seen[0]:
            raise RecipeError(
                f"the IP-Adapter of {style.spec.picture!r} ({style.file}) sees by another image encoder than that of "
                f"{styles[0].spec.picture!r} ({styles[0].file}): take those of one encoder (field encoder)"
            )
