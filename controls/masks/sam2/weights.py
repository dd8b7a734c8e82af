"""SAM 2's weights: a local file, and those that its makers publish on the model hub. Reads none of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from controls.errors import ControlError
from controls.types import PublishedWeights
from interp.errors import MissingWeightsError
from interp.regular import require_regular

__all__ = ["DEFAULT", "PICKLES", "check_weights", "find_checkpoint", "published_weights"]

DEFAULT = "facebook/sam2.1-hiera-small"

CONFIGS = {  # checkpoint's name, as published -> the package's configuration of that size
    f"{generation}_hiera_{size}": f"configs/{folder}/{generation}_hiera_{letter}.yaml"
    for generation, folder in (("sam2", "sam2"), ("sam2.1", "sam2.1"))
    for size, letter in (("tiny", "t"), ("small", "s"), ("base_plus", "b+"), ("large", "l"))
}
HUB = {
    f"facebook/{generation}-hiera-{size.replace('_', '-')}": f"{generation}_hiera_{size}.pt"
    for generation in ("sam2", "sam2.1")
    for size in ("tiny", "small", "base_plus", "large")
}
LARGEST = 16 << 30  # bytes of a checkpoint
PICKLES = (".pt", ".pth", ".bin", ".ckpt")


def published_weights(options: Mapping[str, Any]) -> PublishedWeights | None:
    """The checkpoint of a hub id, by default ``DEFAULT``'s; ``None`` where the option ``model`` is none of the known ones.

    Raises ``ControlError`` (a pickled file without ``allow_pickle``; a configuration that is none of the package's own).
    """
    _check_config(options.get("config"))
    model = options.get("model", DEFAULT)
    if not isinstance(model, str) or model not in HUB:
        return None
    _check_pickle(Path(HUB[model]), model, options.get("allow_pickle", False) is True)
    return PublishedWeights(model, HUB[model], "model")


def find_checkpoint(model: str | None, *, config: str | None, allow_pickle: bool) -> tuple[Path, str]:
    """The checkpoint's file and the configuration that belongs to it.

    ``model``: a local file in safetensors or pickled. ``config``: where it cannot be told from the file's name, the package's
    configuration, such as ``configs/sam2.1/sam2.1_hiera_t.yaml``.

    Raises ``MissingWeightsError`` (no such file) and ``ControlError`` (a pickled file without ``allow_pickle``; a size that
    cannot be told).
    """
    _check_config(config)
    if model is None:
        raise MissingWeightsError(
            f"SAM 2's weights are not here: get them with: hf download {DEFAULT} {HUB[DEFAULT]}, and name the file as model"
        )
    path = Path(model).expanduser()
    if not path.is_file():
        raise MissingWeightsError(
            f"SAM 2's weights: there is no file {model!r}, and it is none of the hub ids {', '.join(HUB)}"
        )
    _check_pickle(path, model, allow_pickle)
    try:
        require_regular(path, largest=LARGEST)
    except OSError as error:
        raise MissingWeightsError(f"SAM 2's weights {model!r} cannot be used: {error}") from error
    known = config or CONFIGS.get(path.stem)
    if known is None:
        raise ControlError(
            f"which size of SAM 2 {model!r} is cannot be told from its name; "
            f"name its configuration, such as config={CONFIGS['sam2.1_hiera_small']!r}"
        )
    return path, known


def check_weights(options: Mapping[str, Any]) -> None:
    """Check that a masker's ``options`` name a checkpoint that can be used. Raises as ``find_checkpoint``."""
    find_checkpoint(
        options.get("model"), config=options.get("config"), allow_pickle=bool(options.get("allow_pickle", False))
    )


def _check_pickle(path: Path, model: str, allow_pickle: bool) -> None:
    if path.suffix.lower() in PICKLES and not allow_pickle:
        raise ControlError(
            f"{model!r} is published as a pickled file ({path.name}), which is not opened unasked; "
            "say allow_pickle (only its tensors are read), or name a safetensors file"
        )


def _check_config(config: str | None) -> None:
    if config is not None and config not in CONFIGS.values():
        raise ControlError(
            f"config is one of the package's own, {', '.join(CONFIGS.values())}; got {config!r}"
        )  # whoever reads a configuration builds whatever objects it names
