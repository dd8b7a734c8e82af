"""Facts of models on the hub that their small files tell, before weights are fetched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from restyle.errors import MissingModelError, RecipeError, RestyleError, why
from restyle.painters.diffusion.control_kinds import family_of_control
from restyle.painters.diffusion.options import Options
from restyle.weights.catalogue import FAMILIES, Family
from restyle.weights.finding import find_weights
from restyle.weights.hub import cached, is_hub_id, pinned
from restyle.weights.selection import Selection
from restyle.weights.trusted import check_index, read_table

__all__ = ["check_base", "check_controlnet"]

INDEX, UNET, CONFIG = "model_index.json", "unet/config.json", "config.json"


def check_base(source: str, selection: Selection, options: Options) -> Family | None:
    """Family of a base model that would have to be fetched; ``None`` where nothing has.

    Raises ``MissingModelError`` for one that this painter does not use, and as ``find_weights``.
    """
    if options.offline or not is_hub_id(source) or cached(*pinned(source, selection)) is not None:
        return None
    try:
        index = _small(source, "model", INDEX)
    except MissingModelError as error:
        if INDEX not in str(error):
            raise
        raise MissingModelError(f"{source!r} on the model hub is no diffusers model: it has no {INDEX}") from error
    check_index(index)
    table = read_table(index)
    if table.get("unet") != ["diffusers", "UNet2DConditionModel"]:
        kind = str(table.get("_class_name", "model of another kind"))
        raise MissingModelError(
            f"{source!r} on the model hub is a {kind:.60}: this painter takes {' and '.join(FAMILIES.values())}"
        )
    return family_of_control(_table(source, "model", UNET))


def check_controlnet(source: str, family: Family | None, options: Options) -> None:
    """Look at a ControlNet that would have to be fetched for a base model of ``family`` (``None``: of one not known yet).

    Raises ``RecipeError`` for one of another family, and as ``find_weights``.
    """
    if options.offline or family is None or not is_hub_id(source) or cached(*pinned(source)) is not None:
        return
    try:
        config = _table(source, "ControlNet", CONFIG)
    except MissingModelError as error:
        if CONFIG in str(error):  # one file, which tells nothing beforehand
            return
        raise
    if family_of_control(config) != family:
        raise RecipeError(
            f"ControlNet {source!r} is made for {FAMILIES[family_of_control(config)]}, the model {options.model!r} is "
            f"{FAMILIES[family]}: take one of the same family"
        )


def _small(source: str, kind: str, file: str) -> Path:
    """One small file, fetched."""
    return find_weights(source, kind, Selection([file]), offline=False) / file


def _table(source: str, kind: str, file: str) -> dict[str, Any]:
    """The table that a small file holds, fetched."""
    try:
        return read_table(_small(source, kind, file))
    except (OSError, ValueError) as error:
        if isinstance(error, RestyleError):
            raise
        raise MissingModelError(
            f"{file} of {kind} {source!r} on the model hub cannot be read ({why(error)})"
        ) from error
