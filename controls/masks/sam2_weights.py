"""SAM 2's network with its weights: from a local file, or by hub id. Nothing is fetched at import."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from controls.errors import ControlError
from interp.errors import MissingPackageError, MissingWeightsError
from interp.regular import require_regular

__all__ = ["DEFAULT", "build_network", "find_checkpoint"]

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


def find_checkpoint(model: str, *, config: str | None, allow_pickle: bool, offline: bool) -> tuple[Path, str]:
    """The checkpoint's file and the configuration that belongs to it.

    ``model``: a hub id (``facebook/sam2.1-hiera-small`` ...), or a local file in safetensors or pickled. ``config``: where it
    cannot be told from the file's name, the package's configuration, such as ``configs/sam2.1/sam2.1_hiera_t.yaml``.

    Raises ``MissingWeightsError`` (no such file; not in the hub's cache and ``offline``; cannot be fetched) and
    ``ControlError`` (a pickled file without ``allow_pickle``; a size that cannot be told).
    """
    if config is not None and config not in CONFIGS.values():
        raise ControlError(
            f"config is one of the package's own, {', '.join(CONFIGS.values())}; got {config!r}"
        )  # whoever reads a configuration builds whatever objects it names
    if model in HUB:
        name = HUB[model]
        _check_pickle(Path(name), model, allow_pickle)
        return _from_hub(model, name, offline), config or CONFIGS[Path(name).stem]
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


def build_network(checkpoint: Path, config: str, *, image_size: int | None, device: str) -> Any:
    """The network, with its weights, in evaluation mode on ``device``: the package's ``SAM2VideoPredictor``.

    Raises ``MissingPackageError``, and ``ControlError`` where the file is none of this configuration's checkpoints.
    """
    if find_spec("torch") is None:
        raise MissingPackageError("masker 'sam2'", "torch", "sam2")
    try:
        from sam2.build_sam import build_sam2_video_predictor
    except ModuleNotFoundError as error:
        missing = (error.name or "sam2").partition(".")[0]
        raise MissingPackageError("masker 'sam2'", missing, "sam2") from error
    overrides = [] if image_size is None else [f"++model.image_size={image_size}"]
    network = build_sam2_video_predictor(config, None, device="cpu", hydra_overrides_extra=overrides)
    try:
        network.load_state_dict(_read(checkpoint))
    except (RuntimeError, OSError, KeyError, TypeError, ValueError, AttributeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ControlError(f"{str(checkpoint)!r} is no checkpoint of {config}: {reason}") from error
    return network.to(device).eval()


def _read(checkpoint: Path) -> dict[str, Any]:
    if checkpoint.suffix.lower() in PICKLES:
        import pickle

        import torch

        try:
            held = torch.load(checkpoint, map_location="cpu", weights_only=True)  # tensors only, no code
        except pickle.UnpicklingError as error:
            raise ValueError(f"it holds more than weights ({error})") from error
        return dict(held.get("model", held))
    try:
        from safetensors.torch import load_file
    except ModuleNotFoundError as error:
        raise MissingPackageError("masker 'sam2'", "safetensors", "sam2") from error
    from safetensors import SafetensorError

    try:
        return load_file(checkpoint)
    except SafetensorError as error:
        raise ValueError(f"it is not in safetensors format ({error})") from error


def _check_pickle(path: Path, model: str, allow_pickle: bool) -> None:
    if path.suffix.lower() in PICKLES and not allow_pickle:
        raise ControlError(
            f"{model!r} is published as a pickled file ({path.name}), which is not opened unasked; "
            "say allow_pickle (only its tensors are read), or name a safetensors file"
        )


def _from_hub(repository: str, name: str, offline: bool) -> Path:
    fetch = f"hf download {repository} {name}"
    try:
        from huggingface_hub import hf_hub_download
    except ModuleNotFoundError as error:
        raise MissingPackageError(f"fetching {repository}", "huggingface_hub", "sam2") from error
    try:
        return Path(hf_hub_download(repository, name, local_files_only=offline))
    except Exception as error:  # the hub's errors, its client's, the network's: no common base
        if offline:
            why = "are not in the hub's cache, and nothing may be fetched (offline)"
        else:
            why = f"cannot be fetched ({type(error).__name__}: {' '.join(str(error).split())[:120]})"
        raise MissingWeightsError(f"SAM 2's weights ({repository}: {name}) {why}; get them with: {fetch}") from error
