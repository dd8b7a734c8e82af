"""SAM 2's weights: a folder, as the hub has them for transformers, or a file of the package ``sam2``. Reads none of them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from controls.errors import ControlError
from controls.types import PublishedWeights
from interp.errors import MissingPackageError, MissingWeightsError
from interp.regular import require_regular

__all__ = ["DEFAULT", "FILES", "HUB", "PICKLES", "Checkpoint", "check_weights", "find_checkpoint", "published_weights"]

DEFAULT = "sam2"
HUB = {
    "sam2-tiny": "facebook/sam2.1-hiera-tiny",
    "sam2": "facebook/sam2.1-hiera-small",
    "sam2-base-plus": "facebook/sam2.1-hiera-base-plus",
    "sam2-large": "facebook/sam2.1-hiera-large",
}
"""Name -> id on the model hub."""
FILES = ("config.json", "model.safetensors")
"""What is needed of a hub id, and in a folder."""
KIND = "sam2_video"  # what transformers' configurations call it

CONFIGS = {  # checkpoint's name, as published -> the package's configuration of that size
    f"{generation}_hiera_{size}": f"configs/{folder}/{generation}_hiera_{letter}.yaml"
    for generation, folder in (("sam2", "sam2"), ("sam2.1", "sam2.1"))
    for size, letter in (("tiny", "t"), ("small", "s"), ("base_plus", "b+"), ("large", "l"))
}
LARGEST = 16 << 30  # bytes of a checkpoint
HUB_ID = re.compile(r"\w[\w.-]{0,99}/\w[\w.-]{0,99}")
PICKLES = (".pt", ".pth", ".bin", ".ckpt")


@dataclass(frozen=True)
class Checkpoint:
    """Weights on this machine."""

    path: Path
    """A folder that transformers loads, or a file that the package ``sam2`` does."""
    config: str | None = None
    """The package's configuration that belongs to a file; ``None``: it is a folder."""


def published_weights(options: Mapping[str, Any]) -> PublishedWeights | None:
    """Meaning of the option ``model`` on the model hub: a name of ``HUB``, by default ``DEFAULT``, or an id there.

    ``None`` where it is a file or a folder on this machine. Raises ``ControlError`` (a ``config`` for one of them)."""
    model = options.get("model")
    if model is not None and not isinstance(model, str):
        return None
    repository = HUB[DEFAULT] if model is None else HUB.get(model, model)
    if not HUB_ID.fullmatch(repository) or repository.lower().endswith((".safetensors", *PICKLES)):
        return None
    if model is not None and Path(model).exists():
        return None
    _check_config(options.get("config"), repository)
    name = next((name for name, known in HUB.items() if known == repository), None)
    return PublishedWeights(repository, FILES, "model", name)


def find_checkpoint(model: str | None, *, config: str | None, allow_pickle: bool) -> Checkpoint:
    """The weights that the options name.

    ``model``: a folder with a ``config.json`` and a ``model.safetensors``, or a file of the package's, safetensors or pickled.
    ``config``: where it cannot be told from a file's name, the package's configuration, such as
    ``configs/sam2.1/sam2.1_hiera_t.yaml``.

    Raises ``MissingWeightsError`` (nothing there, or not all), ``MissingPackageError`` (a file, without the package), and
    ``ControlError`` (a folder of another network, a pickled file without ``allow_pickle``, a size that cannot be told).
    """
    _check_config(config)
    if model is None:
        raise MissingWeightsError(f"SAM 2's weights are not here: restyle models pull {DEFAULT}")
    if not isinstance(model, str):
        raise ControlError(f"model is a folder, a file, an id on the hub or one of {', '.join(HUB)}; got {model!r:.60}")
    path = Path(model).expanduser()
    try:
        if path.is_dir():
            return _folder(path, model, config)
        if not path.exists():
            raise MissingWeightsError(
                f"SAM 2's weights: there is no file or folder {model!r}, nor is it an id on the hub or one of {', '.join(HUB)}"
            )
        return _file(path, model, config, allow_pickle=allow_pickle)
    except OSError as error:
        raise MissingWeightsError(f"SAM 2's weights {model!r} cannot be used: {error}") from error


def check_weights(options: Mapping[str, Any]) -> None:
    """Check that a masker's ``options`` name weights that can be used. Raises as ``find_checkpoint``."""
    find_checkpoint(
        options.get("model"), config=options.get("config"), allow_pickle=bool(options.get("allow_pickle", False))
    )


def _check_config(config: str | None, folder: str | None = None) -> None:
    """Raise ``ControlError`` for a configuration that is none of the package's, or one beside a ``folder`` or a hub id."""
    if config is None:
        return
    if config not in CONFIGS.values():  # whoever reads a configuration builds whatever objects it names
        raise ControlError(f"config is one of the package's own, {', '.join(CONFIGS.values())}; got {config!r}")
    if folder is not None:
        raise ControlError(f"config belongs to a file of the package sam2; {folder!r} has a configuration of its own")


def _folder(path: Path, model: str, config: str | None) -> Checkpoint:
    _check_config(config, model)
    for name in FILES:
        if not (path / name).exists():
            raise MissingWeightsError(f"SAM 2's weights: the folder {model!r} has no {name}")
        require_regular(path / name, largest=LARGEST)
    try:
        kind = json.loads((path / FILES[0]).read_text(encoding="utf-8")).get("model_type")
    except (ValueError, AttributeError, RecursionError) as error:
        raise ControlError(f"SAM 2's weights: {FILES[0]} in {model!r} cannot be read ({error})") from error
    if kind != KIND:
        raise ControlError(f"the folder {model!r} holds a network of the kind {kind!r:.60}, not SAM 2 ({KIND!r})")
    return Checkpoint(path)


def _file(path: Path, model: str, config: str | None, *, allow_pickle: bool) -> Checkpoint:
    if path.suffix.lower() in PICKLES and not allow_pickle:
        raise ControlError(
            f"{model!r} is a pickled file, which is not opened unasked: name the folder of a hub id, such as {HUB[DEFAULT]}, "
            "or a safetensors file; or say allow_pickle (only its tensors are read)"
        )
    require_regular(path, largest=LARGEST)
    known = config or CONFIGS.get(path.stem)
    if known is None and path.name == FILES[1]:
        raise ControlError(f"{model!r} belongs to a folder that transformers loads: name the folder")
    if known is None:
        raise ControlError(
            f"which size of SAM 2 {model!r} is cannot be told from its name; "
            f"name its configuration, such as config={CONFIGS['sam2.1_hiera_small']!r}"
        )
    if find_spec("sam2") is None:
        raise MissingPackageError(f"SAM 2 from the file {model!r}", "sam2", "sam2-package")
    return Checkpoint(path, known)
