"""Finding a detector's weights and packages: on the hub, in its cache, or in a local folder. Nothing is fetched at import."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from controls.errors import ControlError
from controls.maps.base import KindFacts
from interp.errors import InterpError, MissingPackageError, MissingWeightsError
from interp.quiet import without_warnings
from interp.regular import require_regular

__all__ = ["Presence", "find_weights", "presence", "vendor"]

LARGEST = 16 << 30  # bytes of a file


@dataclass(frozen=True)
class Presence:
    """What of a detector's needs is there, and the lines that get the rest."""

    packages: bool
    weights: bool
    remedies: tuple[str, ...]
    """Commands for a shell, in order; empty where all is there."""

    @property
    def ready(self) -> bool:
        """Whether it runs, with no network."""
        return self.packages and self.weights


def presence(facts: KindFacts, weights: str | None = None) -> Presence:
    """Look, without a network and without importing anything heavy, for what a detector needs.

    ``weights``: a local folder or a hub id, where it is not the detector's own.
    """
    packages = all(find_spec(package) is not None for package in facts.packages)
    remedies = [] if packages else [f"pip install 'restyle[{facts.extra}]'"]
    there = True
    if facts.weights is not None:
        try:
            find_weights(facts, weights or facts.weights.repository, offline=True)
        except InterpError:
            there = False
            remedies.append(facts.weights.fetch)
    return Presence(packages, there, tuple(remedies))


def vendor(module: str, facts: KindFacts) -> ModuleType:
    """Import a package that ``facts`` names. Its warnings about others' deprecations are not for our users.

    Raises ``MissingPackageError`` with the line that installs it; ``ControlError`` where it is there but cannot be imported.
    """
    from controls.torchvision_guard import make_torchvision_importable

    make_torchvision_importable()
    try:
        with without_warnings():
            return import_module(module)
    except ModuleNotFoundError as error:
        missing = (error.name or module).partition(".")[0]
        raise MissingPackageError(f"control map {facts.name!r}", missing, facts.extra or "controls") from error
    except (ImportError, OSError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ControlError(f"control map {facts.name!r}: the package {module} cannot be imported: {reason}") from error


def find_weights(facts: KindFacts, weights: str, *, revision: str | None = None, offline: bool = False) -> Path:
    """The local folder that holds all of ``facts.weights.files``.

    ``weights``: a folder, or a hub id; then the files are taken from the hub's cache, or fetched unless ``offline``. Raises
    ``MissingWeightsError`` that says which file, where it was looked for, and what fetches it.
    """
    assert facts.weights is not None
    files = facts.weights.files
    folder = Path(weights).expanduser()
    if folder.is_dir():
        for file in files:
            if not (folder / file).is_file():
                raise MissingWeightsError(
                    f"weights of {facts.name!r}: there is no file {file!r} in the folder {weights!r}; "
                    f"get it with: {facts.weights.fetch} --local-dir {weights}"
                )
            try:
                require_regular(folder / file, largest=LARGEST)
            except OSError as error:
                raise MissingWeightsError(f"weights of {facts.name!r}: {str(folder / file)!r}: {error}") from error
        return folder
    if weights.startswith(("/", ".", "~")) or weights.count("/") != 1 or "\\" in weights:
        raise MissingWeightsError(f"weights of {facts.name!r}: there is no folder {weights!r}, and it is no hub id")
    fetch = f"hf download {weights} {' '.join(files)}"
    if find_spec("huggingface_hub") is None:
        extra = facts.extra or "controls"
        raise MissingWeightsError(
            f"weights of {facts.name!r} are looked for on the hub with huggingface_hub, which is not installed: "
            f"pip install 'restyle[{extra}]', or name a local folder"
        )
    found = [_from_hub(facts, weights, file, revision, offline, fetch) for file in files]
    root = found[0]
    for _ in Path(files[0]).parts:
        root = root.parent
    return root


def _from_hub(facts: KindFacts, repository: str, file: str, revision: str | None, offline: bool, fetch: str) -> Path:
    from huggingface_hub import hf_hub_download

    try:
        return Path(hf_hub_download(repository, file, revision=revision, local_files_only=offline))
    except Exception as error:  # the hub's errors, its client's, the network's: no common base
        if offline:
            why = "are not in the hub's cache, and nothing may be fetched (offline)"
        else:
            why = f"cannot be fetched ({type(error).__name__}: {' '.join(str(error).split())[:120]})"
        raise MissingWeightsError(
            f"weights of {facts.name!r} ({repository}: {file}) {why}; get them with: {fetch}"
        ) from error
