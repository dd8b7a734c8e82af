"""A detector's packages, and its weights in a local folder. Imports nothing heavy."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from types import ModuleType

from controls.errors import ControlError
from controls.maps.base import DetectorTraits
from controls.torchvision_guard import make_torchvision_importable
from interp.errors import MissingPackageError, MissingWeightsError
from interp.quiet import without_warnings
from interp.regular import require_regular

__all__ = ["vendor", "weights_folder"]

LARGEST = 16 << 30  # bytes of a file


def vendor(module: str, traits: DetectorTraits) -> ModuleType:
    """Import a package that ``traits`` names. Its warnings about others' deprecations are not for our users.

    Raises ``MissingPackageError`` with the line that installs it; ``ControlError`` where it is there but cannot be imported.
    """
    make_torchvision_importable()
    try:
        with without_warnings():
            return import_module(module)
    except ModuleNotFoundError as error:
        missing = (error.name or module).partition(".")[0]
        raise MissingPackageError(f"control map {traits.name!r}", missing, traits.extra or "controls") from error
    except (ImportError, OSError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ControlError(f"control map {traits.name!r}: the package {module} cannot be imported: {reason}") from error


def weights_folder(traits: DetectorTraits, weights: str | None) -> Path:
    """The local folder ``weights``, which holds all of ``traits.weights.files``.

    Raises ``MissingWeightsError``: which file, where it was looked for, and what fetches it.
    """
    assert traits.weights is not None
    name, fetch = traits.name, traits.weights.fetch
    if weights is None:
        raise MissingWeightsError(
            f"weights of {name!r} are not here: get them with: {fetch} --local-dir FOLDER, and name that folder as weights"
        )
    folder = Path(weights).expanduser()
    if not folder.is_dir():
        raise MissingWeightsError(f"weights of {name!r}: there is no folder {weights!r}")
    for file in traits.weights.files:
        if not (folder / file).is_file():
            raise MissingWeightsError(
                f"weights of {name!r}: there is no file {file!r} in the folder {weights!r}; "
                f"get it with: {fetch} --local-dir {weights}"
            )
        try:
            require_regular(folder / file, largest=LARGEST)
        except OSError as error:
            raise MissingWeightsError(f"weights of {name!r}: {str(folder / file)!r}: {error}") from error
    return folder
