"""Weights: where they are on this machine, and how they get here. Imports neither torch nor diffusers."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from restyle.errors import MissingExtraError, MissingModelError, OutputError, RecipeError, show_path, why

__all__ = ["cached", "fetch", "find", "is_hub_id", "mark", "size_of"]

PICKLED = (".bin", ".ckpt", ".pt", ".pth", ".pkl")
CONFIGS = ("*.json", "*.txt", "*.model")
GIB = 1 << 30


def is_hub_id(source: str) -> bool:
    """Whether it can only be ``owner/name`` on the model hub."""
    parts = source.split("/")
    return len(parts) == 2 and all(parts) and not source.startswith((".", "~")) and not Path(source).exists()


def find(source: str, what: str, *, offline: bool, allow_pickle: bool = False, patterns: Sequence[str] = ()) -> Path:
    """A folder or file on this machine for a path or a hub id, fetched first if it has to be and may be.

    ``what``: in words, for messages. ``patterns``: the files of a hub id that are needed. Raises ``MissingModelError``,
    ``RecipeError`` (a pickled file that is not allowed), ``OutputError`` (no room for it).
    """
    path = Path(source).expanduser()
    if path.is_file():
        if path.suffix.lower() in PICKLED and not allow_pickle:
            raise RecipeError(
                f"{what} {show_path(path)} is pickled: whoever made it can run any program here. Take a .safetensors file, "
                "or trust it with --painter-option allow_pickle=true"
            )
        return path
    if path.is_dir():
        return path
    if not is_hub_id(source):
        raise MissingModelError(f"{what} {source!r} is no file or folder, nor an id on the model hub (owner/name)")
    here = cached(source, patterns)
    if here is not None:
        return here
    if offline:
        raise MissingModelError(
            f"{what} {source!r} is not on this machine, and --offline fetches nothing: run once without it, "
            f"or: hf download {source}"
        )
    return fetch(source, what, patterns=patterns)


def cached(hub_id: str, patterns: Sequence[str] = ()) -> Path | None:
    """The folder of a hub id's files, if they were fetched before. Raises ``MissingExtraError``."""
    hub = _hub()
    try:
        folder = Path(hub.snapshot_download(hub_id, local_files_only=True))
    except (OSError, ValueError):
        return None
    if any(folder.rglob("*.incomplete")):
        return None
    wanted = [pattern for pattern in patterns if not any(char in pattern for char in "*?[")]
    weights = [*folder.rglob("*.safetensors"), *folder.rglob("*.bin")]
    return folder if weights and all((folder / name).exists() for name in wanted) else None


def fetch(hub_id: str, what: str = "model", *, patterns: Sequence[str] = ()) -> Path:
    """Fetch a hub id's files into the hub's cache; goes on where an earlier try was cut off. Each file's size, and digest where
    the hub tells one, is checked by the hub's own library.

    Raises ``MissingModelError`` (no such id, no network, access refused), ``OutputError`` (no room), ``MissingExtraError``.
    """
    hub = _hub()
    with _told(hub_id, what):
        info = hub.HfApi().model_info(hub_id, files_metadata=True)
        names = _wanted([file.rfilename for file in info.siblings], patterns)
        if not any(name.endswith(".safetensors") for name in names):
            raise MissingModelError(f"{what} {hub_id!r} has no safetensors files on the model hub")
        sizes = {file.rfilename: file.size or 0 for file in info.siblings}
        place = Path(hub.constants.HF_HUB_CACHE)
        place.mkdir(parents=True, exist_ok=True)
        needed, free = sum(sizes[name] for name in names), shutil.disk_usage(place).free
        if needed > free:
            raise OutputError(
                f"{what} {hub_id!r} takes {needed / GIB:.1f} GiB, {show_path(place)} has {free / GIB:.1f} GiB left: "
                "free some, or set HF_HOME to another disk"
            )
        return Path(hub.snapshot_download(hub_id, allow_patterns=names))


def _wanted(names: Sequence[str], patterns: Sequence[str]) -> list[str]:
    """Of a repository's files: configurations, and one set of safetensors; half-precision ones where there are such."""
    from fnmatch import fnmatch

    if patterns:
        return [name for name in names if any(fnmatch(name, pattern) for pattern in patterns)]
    nested = any(name == "model_index.json" for name in names)
    configs = [name for name in names if any(fnmatch(name, pattern) for pattern in CONFIGS)]
    weights = [name for name in names if name.endswith(".safetensors") and ("/" in name or not nested)]
    weights = [name for name in weights if "safety_checker" not in name and "non_ema" not in name]
    half = [name for name in weights if ".fp16." in name]
    if half:
        twins = {name.replace(".fp16.", ".") for name in half}
        weights = [name for name in weights if name not in twins]
    return configs + weights


def size_of(folder: Path) -> int:
    """Bytes of all files in a folder, links followed."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def mark(path: Path) -> list[Any]:
    """What decides a model's weights, without reading all of them: names, sizes, and both ends of each file."""
    files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    kinds = (".safetensors", ".json", *PICKLED)
    return [
        [file.relative_to(path).as_posix() if path.is_dir() else file.name, file.stat().st_size, _ends(file)]
        for file in files
        if file.suffix.lower() in kinds
    ]


def _ends(file: Path, block: int = 1 << 18) -> str:
    found = hashlib.blake2b(digest_size=16)
    with open(file, "rb") as stream:
        found.update(stream.read(block))
        stream.seek(max(0, file.stat().st_size - block))
        found.update(stream.read(block))
    return found.hexdigest()


def _hub() -> Any:
    try:
        import huggingface_hub
    except ImportError:
        raise MissingExtraError("painter 'diffusion'", "diffusion") from None
    return huggingface_hub


@contextmanager
def _told(hub_id: str, what: str) -> Iterator[None]:
    """The hub's errors as one line of ours."""
    from huggingface_hub import errors

    try:
        yield
    except errors.GatedRepoError as error:
        raise MissingModelError(
            f"{what} {hub_id!r} is given only to people who accepted its terms: accept them on its page, then hf auth login"
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise MissingModelError(f"there is no {what} {hub_id!r} on the model hub, or it is private") from error
    except (MissingModelError, OutputError):
        raise
    except OSError as error:
        import errno

        if error.errno == errno.ENOSPC:
            raise OutputError(f"cannot fetch {what} {hub_id!r}: {why(error)}") from error
        raise MissingModelError(
            f"cannot fetch {what} {hub_id!r} ({why(error)}): try again, it goes on where it was; or give a local folder"
        ) from error
    except Exception as error:  # HTTP libraries have errors of their own
        if isinstance(error, (KeyboardInterrupt, MemoryError)):
            raise
        raise MissingModelError(
            f"cannot reach the model hub for {what} {hub_id!r} ({why(error)}): try again, it goes on where it was; "
            "or give a local folder"
        ) from error
