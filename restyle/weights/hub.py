"""The model hub: its library, what it has of a model, its cache on this machine, and its errors in one line.

Files lie where the hub's own library looks for them (``HF_HOME``), so that other programs find them, too.
"""

from __future__ import annotations

import errno
import re
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from restyle.errors import MissingExtraError, MissingModelError, OutputError, RestyleError, show_path, why
from restyle.weights.folders import lacking
from restyle.weights.selection import ALL, INDEX, Selection, select_files
from restyle.weights.trusted import check_index, read_table

__all__ = [
    "ALL",
    "HubFile",
    "Offer",
    "cache_folder",
    "cached",
    "fetch_first",
    "hub_errors",
    "hub_library",
    "is_hub_id",
    "look_up",
    "pinned",
    "pull_line",
    "snapshot",
    "unwritable",
]

REVISION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")  # of those that are looked for in the cache


@dataclass(frozen=True)
class HubFile:
    """One file of a repository on the hub."""

    name: str
    size: int
    """Bytes."""
    digest: str
    """SHA-256 of a large file, git's SHA-1 of a small one: also what the hub's cache calls it."""

    @property
    def part(self) -> str:
        """Name of an unfinished copy of it in the cache."""
        return f"{self.digest}.part"


@dataclass(frozen=True)
class Offer:
    """Files that would be fetched of a repository."""

    hub_id: str
    kind: str
    """Kind of model, in words."""
    commit: str
    files: tuple[HubFile, ...]
    licence: str | None
    """As its page tells it."""
    revision: str | None = None
    """Branch, tag or commit that was asked for; ``None``: the main branch."""

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)

    @property
    def missing(self) -> int:
        """Bytes that are not on this machine."""
        blobs = cache_folder(self.hub_id) / "blobs"
        return self.size - sum(_cached_bytes(blobs, file) for file in self.files)


def hub_library(part: str = "painter 'diffusion'", extra: str = "diffusion") -> Any:
    """The hub's own library. Raises ``MissingExtraError``: ``part`` needs it, and ``extra`` installs it."""
    try:
        import huggingface_hub
        import huggingface_hub.constants
        import huggingface_hub.utils
    except ImportError:
        raise MissingExtraError(part, extra) from None
    return huggingface_hub


def is_hub_id(source: str) -> bool:
    """Whether it can only be ``owner/name`` on the model hub, or ``owner/name@revision``."""
    parts = source.split("/")
    return len(parts) == 2 and all(parts) and not source.startswith((".", "~")) and not Path(source).exists()


def pinned(source: str, selection: Selection = ALL) -> tuple[str, Selection]:
    """The hub id and the selection that ``owner/name`` or ``owner/name@revision`` asks for."""
    hub_id, at, revision = source.partition("@")
    return hub_id, replace(selection, revision=revision) if at else selection


def pull_line(hub_id: str, selection: Selection = ALL) -> str:
    """The command that fetches it."""
    files, revision = selection.files, selection.revision
    if revision is not None:
        return shlex.join(["hf", "download", hub_id, *files, "--revision", revision])
    return shlex.join(["restyle", "models", "pull", hub_id, *(word for file in files for word in ("--file", file))])


def cache_folder(hub_id: str) -> Path:
    """The folder of a repository in the hub's cache. Raises ``MissingExtraError``."""
    return Path(hub_library().constants.HF_HUB_CACHE) / f"models--{hub_id.replace('/', '--')}"


def snapshot(hub_id: str, revision: str | None = None) -> Path | None:
    """The folder of a hub id in the hub's cache, whole or not. Raises ``MissingExtraError``."""
    cache = cache_folder(hub_id)
    if revision is not None and not REVISION.fullmatch(revision):
        return None
    try:
        commit = (cache / "refs" / (revision or "main")).read_text().strip()
    except OSError:
        if revision is None:
            return None
        commit = revision
    folder = cache / "snapshots" / commit
    return folder if folder.is_dir() else None


def cached(hub_id: str, selection: Selection = ALL, *, allow_pickle: bool = False) -> Path | None:
    """The folder of a hub id's files in the hub's cache, if all that is needed is there; whoever put it there.

    Raises ``MissingExtraError``.
    """
    folder = snapshot(hub_id, selection.revision)
    whole = folder is not None and lacking(folder, selection, allow_pickle=allow_pickle) is None
    return folder if whole else None


def look_up(hub_id: str, kind: str = "model", selection: Selection = ALL) -> Offer:
    """Ask the hub what it has; fetches nothing yet but a model's ``model_index.json``, which names its parts.

    Raises ``MissingModelError`` (no such id, no network, access refused, nothing that can be used), ``RecipeError`` (a file has
    to be named; a part that no library of ours has), ``MissingExtraError``.
    """
    hub = hub_library()
    with hub_errors(hub_id, kind):
        info = hub.HfApi().model_info(hub_id, revision=selection.revision, files_metadata=True, timeout=30)
        siblings = {file.rfilename: file for file in info.siblings or ()}
        index = None
        if INDEX in siblings and not selection.files:
            path = Path(hub.hf_hub_download(hub_id, INDEX, revision=info.sha))
            check_index(path)
            index = read_table(path)
        wanted = []
        for name in select_files(hub_id, list(siblings), selection, index):
            file = siblings[name]
            wanted.append(HubFile(name, file.size or 0, file.lfs.sha256 if file.lfs else file.blob_id))
        return Offer(hub_id, kind, info.sha, tuple(wanted), _licence(info), selection.revision)


def fetch_first(hub_id: str, names: Sequence[str], kind: str = "model", revision: str | None = None) -> Path | None:
    """The first of these small files that a repository has, fetched; ``None``: it has none. Raises as ``look_up``."""
    hub = hub_library()
    with hub_errors(hub_id, kind):
        info = hub.HfApi().model_info(hub_id, revision=revision, timeout=30)
        have = {file.rfilename for file in info.siblings or ()}
        name = next((name for name in names if name in have), None)
        return None if name is None else Path(hub.hf_hub_download(hub_id, name, revision=revision))


def _licence(info: Any) -> str | None:
    card = info.card_data.to_dict() if info.card_data is not None else {}
    licence = card.get("license")
    if licence == "other":
        licence = card.get("license_name") or licence
    return " ".join(licence) if isinstance(licence, list) else licence


def _cached_bytes(blobs: Path, file: HubFile) -> int:
    """Bytes of a file that are on this machine."""
    if (blobs / file.digest).is_file():
        return file.size
    part = blobs / file.part
    return min(part.stat().st_size, file.size) if part.is_file() else 0


@contextmanager
def hub_errors(hub_id: str, kind: str) -> Iterator[None]:
    """The hub's errors, its client's and the network's, as one line of ours: ``MissingModelError``, ``OutputError``."""
    from huggingface_hub import errors

    again = "try again, it goes on where it was; or give a local folder"
    try:
        yield
    except RestyleError:
        raise
    except errors.GatedRepoError as error:
        raise MissingModelError(
            f"{kind} {hub_id!r} is given only to people who accepted its terms: accept them on its page, then hf auth login"
        ) from error
    except errors.HfHubHTTPError as error:
        response = error.response
        if response.status_code in (401, 404):  # the hub tells people that it does not know no more than this
            raise MissingModelError(
                f"there is no {kind} {hub_id!r} on the model hub, or it is private (then hf auth login)"
            ) from error
        answer = f"the hub answers {response.status_code} {response.reason_phrase}"
        raise MissingModelError(f"cannot fetch {kind} {hub_id!r} ({answer}): {again}") from error
    except OSError as error:
        if error.filename is not None or error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO):  # of this machine
            raise unwritable(f"{kind} {hub_id!r}", error, cache_folder(hub_id)) from error
        raise MissingModelError(f"cannot fetch {kind} {hub_id!r} ({why(error)}): {again}") from error
    except MemoryError:
        raise
    except Exception as error:  # HTTP libraries have errors of their own
        raise MissingModelError(f"cannot reach the model hub for {kind} {hub_id!r} ({why(error)}): {again}") from error


def unwritable(names: str, error: OSError, folder: Path) -> OutputError:
    """The error for a cache that does not take what is fetched."""
    return OutputError(
        f"cannot keep {names} in {show_path(error.filename or folder)}: {why(error)}; HF_HOME says where else"
    )
