"""Files elsewhere: addresses such as ``s3://bucket/day1/clip.mov``, and what is done with them, by fsspec.

https://filesystem-spec.readthedocs.io. Which of its file systems are there, and how each is signed in to, is fsspec's own
affair: packages, environment and configuration files. Nothing is asked of any network until somebody names an address.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

from restyle.errors import MissingExtraError, RecipeError, RestyleError, show_path, why

__all__ = [
    "RemoteChangedError",
    "RemoteError",
    "RemoteFile",
    "RemoteMissingError",
    "Url",
    "fetch",
    "files_below",
    "look_up",
    "matching",
    "names_in",
    "place_of",
    "read_bytes",
    "remove",
    "require_usable",
    "send",
    "send_bytes",
]

_SCHEME = re.compile(r"([a-z][a-z0-9+.:-]+)://", re.IGNORECASE)
_WRAPPERS = frozenset(
    (
        *("asynclocal", "blockcache", "cached", "dask", "data", "dir", "filecache", "generic", "jlab", "jupyter"),
        *("libarchive", "local", "reference", "simplecache", "tar", "zip"),
        *("async_wrapper", "asyncwrapper", "dvc", "git", "pyscript"),
    )
)
"""File systems that lead to others, or to this machine's files: an address in a manifest must not."""
_AT_ONCE = frozenset(["abfs", "abfss", "adl", "az", "gcs", "gs", "memory", "oci", "oss", "s3", "s3a"])
"""Stores in which an object appears when all of it is there; elsewhere files get their names when they are whole."""
_IDENTITIES = (
    "ETag",
    "etag",
    "md5",
    "content_hash",
    "LastModified",
    "last_modified",
    "mtime",
    "modify",
    "updated",
    "created",
)
_TIMES = ("LastModified", "last_modified", "mtime", "modify", "updated")
_LOST = re.compile(
    r"connect|endpoint|timeout|timed ?out|gaierror|unreachable|getaddrinfo|name or service", re.IGNORECASE
)
_PACKAGES = {
    "abfs": "adlfs",
    "az": "adlfs",
    "gcs": "gcsfs",
    "gs": "gcsfs",
    "http": "aiohttp",
    "https": "aiohttp",
    "s3": "s3fs",
    "s3a": "s3fs",
    "sftp": "paramiko",
    "smb": "smbprotocol",
    "ssh": "paramiko",
}
_FULL = (errno.ENOSPC, errno.EDQUOT)
BLOCK = 16 << 20  # bytes between two looks at whether the work was cancelled
TRIES = 5  # to read a file that is replaced at this moment
TOGETHER = 32  # files that are sent or fetched at once

Report = Callable[[str], None]
"""Called with what is being done, again and again; may raise to stop it."""


class RemoteError(OSError):
    """Something elsewhere could not be done; ``str(error)`` is the reason in a few words, without the address."""


class RemoteMissingError(RemoteError):
    """Nothing is there."""


class RemoteChangedError(RemoteError):
    """It is not as it was described."""


class Url(PurePosixPath):
    """Address of a file or a folder elsewhere, taken apart and put together as paths are; never opened as one."""

    def __str__(self) -> str:
        text = super().__str__()
        first = self.parts[0] if self.parts else ""
        return text if not first.endswith(":") else f"{first}//{text[len(first) :].lstrip('/')}"

    @property
    def scheme(self) -> str:
        """Name of the kind of file system: ``s3``."""
        return self.parts[0].removesuffix(":").lower()

    @property
    def inner(self) -> tuple[str, ...]:
        """The parts behind the scheme."""
        return self.parts[1:]


def place_of(text: str | os.PathLike[str]) -> Path | Url:
    """Make a path, or an address, of what somebody wrote. ``file://`` addresses are paths.

    Raises ``RecipeError`` for an address that holds a password, leads through another, or names nothing.
    """
    if isinstance(text, Url):
        return text
    text = os.fspath(text)
    match = _SCHEME.match(text)
    if match is None:
        return Path(text)
    if match[1].lower() == "file":
        return Path(text[match.end() :])
    url = Url(text)
    if "::" in text or match[1].lower() in _WRAPPERS:
        raise RecipeError(f"{show_path(text)} leads through another file system: name the file where it lies")
    if not url.inner or ".." in url.parts or any(not part.isprintable() for part in url.parts):
        raise RecipeError(f"{show_path(text)} is no address of a file or folder: such as s3://bucket/day1/clip.mov")
    if re.search(r":[^/@]*@", text[match.end() :].split("/")[0]):
        raise RecipeError(
            f"{match[1]}:// addresses are written into logs and records, so none may hold a password: put it into fsspec's "
            "configuration (https://filesystem-spec.readthedocs.io/en/latest/features.html#configuration)"
        )
    return url


@dataclass(frozen=True)
class RemoteFile:
    """A file elsewhere, as its file system describes it, or a folder."""

    url: Url
    size: int | None
    """Bytes; ``None`` if it is not told."""
    identity: str
    """What is another when the content is: an ETag, or what else the file system has."""
    is_folder: bool = False
    changed: float = 0.0
    """Time of its last change, seconds since 1970; 0 if it is not told."""


def require_usable(url: Url, *, offline: bool = False) -> None:
    """Check, without asking any network, that an address can be used. Raises ``MissingExtraError``, ``RecipeError``."""
    if offline:
        raise RecipeError(f"{show_path(url)} is elsewhere, and --offline fetches nothing: name a copy on this machine")
    _opened(url)


def _opened(url: Url) -> tuple[Any, str]:
    """The file system of an address, and the address as it takes it."""
    try:
        import fsspec
    except ImportError:
        raise MissingExtraError(f"{url.scheme}://", "remote") from None
    known = set(fsspec.available_protocols()) - _WRAPPERS - {"file"}
    if url.scheme not in known:
        raise RecipeError(f"there is no file system {url.scheme}://; fsspec knows {', '.join(sorted(known))}")
    try:
        system, path = fsspec.url_to_fs(str(url), use_listings_cache=False)
    except ImportError as error:
        package = _PACKAGES.get(url.scheme)
        if package is None:
            raise RecipeError(f"{url.scheme}:// needs a package that is not installed: {why(error)}") from error
        raise MissingExtraError(f"{url.scheme}://", "remote", package) from None
    except Exception as error:
        raise RecipeError(f"{show_path(url)} cannot be used: {_reason(error)}") from error
    return system, path


@contextmanager
def _told() -> Iterator[None]:
    """Turn what file systems raise into ``RemoteError``. A full disk, here or there, stays what it is."""
    try:
        yield
    except (RestyleError, RemoteError):
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _FULL:
            raise
        if isinstance(error, FileNotFoundError):
            raise RemoteMissingError("it is not there") from error
        raise RemoteError(_reason(error)) from error


def _reason(error: Exception) -> str:
    """The reason in an error of whatever file system: each has its own classes, which are not to be imported here."""
    kinds = " ".join(kind.__name__ for kind in type(error).__mro__)
    if isinstance(error, PermissionError) or "Credential" in kinds:
        return "access is denied: check what you are signed in with"
    if isinstance(error, (ConnectionError, TimeoutError)) or _LOST.search(kinds) or _LOST.search(str(error)):
        return f"its server cannot be reached ({why(error)})"
    return why(error)


# Looking


def look_up(url: Url) -> RemoteFile | None:
    """Describe what lies at an address; ``None`` if nothing does. Raises ``RemoteError``."""
    system, path = _opened(url)
    with _told():
        try:
            return _described(url, system.info(path), system)
        except FileNotFoundError:
            return None


def names_in(folder: Url) -> list[RemoteFile]:
    """Describe what lies in a folder, by name. Raises ``RemoteError``."""
    system, path = _opened(folder)
    with _told():
        found = {}
        for info in system.ls(path, detail=True):
            name = PurePosixPath(str(info["name"]).rstrip("/")).name
            if _is_plain(name) and str(info["name"]).rstrip("/") != path.rstrip(
                "/"
            ):  # a mark of an empty folder has its name
                found[name] = _described(folder / name, info, system)
    return [found[name] for name in sorted(found)]


def files_below(folder: Url) -> dict[str, RemoteFile]:
    """Describe all files below a folder: path within it -> file. Empty if it is not there. Raises ``RemoteError``."""
    system, path = _opened(folder)
    with _told():
        try:
            listed = system.find(path, detail=True)
        except FileNotFoundError:
            return {}
        found = {}
        for name, info in listed.items():
            inside = PurePosixPath(str(name)).relative_to(path)
            if all(map(_is_plain, inside.parts)) and inside.parts:
                found[str(inside)] = _described(folder / inside, info, system)
    return found


def matching(pattern: Url) -> list[RemoteFile]:
    """Describe what matches a pattern such as ``s3://bucket/day*/**/*.mov``, by name. Raises ``RemoteError``."""
    system, path = _opened(pattern)
    base = next((number for number, part in enumerate(pattern.parts) if "*" in part or "[" in part), len(pattern.parts))
    start = Url(*pattern.parts[:base])
    with _told():
        root = _opened(start)[1]
        found = []
        for name, info in system.glob(path, detail=True).items():
            inside = PurePosixPath(str(name)).relative_to(root)
            if all(map(_is_plain, inside.parts)):
                found.append(_described(start / inside, info, system))
    return sorted(found, key=lambda file: str(file.url))


def _is_plain(name: str) -> bool:
    return name not in ("", ".", "..") and name.isprintable() and "/" not in name


def _described(url: Url, info: dict[str, Any], system: Any) -> RemoteFile:
    size = info.get("size")
    marks = [f"{name}={info[name]}" for name in _IDENTITIES if info.get(name) is not None]
    if marks and marks[0].lower().startswith("etag"):
        marks = marks[:1]  # of the content; times are those of a copying
    identity = " ".join(marks) or (str(system.ukey(info["name"])) if info.get("type") != "directory" else "")
    size = None if size is None else int(size)
    return RemoteFile(url, size, identity, info.get("type") == "directory", _time_in(info))


def _time_in(info: dict[str, Any]) -> float:
    told = next((info[name] for name in _TIMES if info.get(name) is not None), 0.0)
    with suppress(ValueError, TypeError, AttributeError):
        told = datetime.fromisoformat(told) if isinstance(told, str) else told
        return float(told if isinstance(told, (int, float)) else told.timestamp())
    return 0.0


# Fetching and sending


def read_bytes(url: Url, *, largest: int) -> bytes | None:
    """Read a small file; ``None`` if there is none. Raises ``RemoteError``, also for a file that is larger."""
    system, path = _opened(url)
    for _ in range(TRIES):
        with _told():
            try:
                with system.open(path, "rb") as file:
                    data = bytes(file.read(largest + 1))
            except FileNotFoundError:
                return None
            except OSError as error:
                if error.errno != errno.EBUSY:  # s3fs: it was replaced between being looked at and being read
                    raise
                continue
        if len(data) > largest:
            raise RemoteError("it is larger than such a file can be")
        return data
    raise RemoteChangedError("it is replaced again and again")


def fetch(files: Sequence[RemoteFile], targets: Sequence[Path], report: Report = lambda doing: None) -> None:
    """Copy files to paths on this machine, whose folders are there. ``report`` may raise.

    Raises ``RemoteError``, also for one that is no longer as it was described; ``OSError`` for a full disk.
    """
    small: list[tuple[RemoteFile, Path]] = []
    for file, target in zip(files, targets, strict=True):
        if file.size is None or file.size > BLOCK:
            _fetch_large(file, target, report)
        else:
            small.append((file, target))
    for start in range(0, len(small), TOGETHER):
        some = small[start : start + TOGETHER]
        report(f"fetching {some[0][0].url.name}")
        system, _ = _opened(some[0][0].url)
        with _told():
            system.get([_opened(file.url)[1] for file, _ in some], [str(target) for _, target in some])
        for file, target in some:
            _require_whole(file, target)


def _fetch_large(file: RemoteFile, target: Path, report: Report) -> None:
    system, path = _opened(file.url)
    with _told(), system.open(path, "rb", block_size=BLOCK, cache_type="none") as source, open(target, "xb") as copy:
        while True:
            report(f"fetching {file.url.name}")
            block = source.read(BLOCK)
            if not block:
                break
            copy.write(block)
    _require_whole(file, target)


def _require_whole(file: RemoteFile, target: Path) -> None:
    if file.size is not None and target.stat().st_size != file.size:
        raise RemoteChangedError(f"{file.url.name} changed while it was fetched, or was cut off: try again")


def send(paths: Sequence[Path], urls: Sequence[Url], report: Report = lambda doing: None) -> None:
    """Copy files of this machine to addresses; each appears there when it is whole. Raises ``RemoteError``, and what ``report``
    raises."""
    for start in range(0, len(paths), TOGETHER):
        report(f"sending {paths[start].name}")
        system, _ = _opened(urls[start])
        with _told():
            _put(system, paths[start : start + TOGETHER], urls[start : start + TOGETHER])


def _put(system: Any, paths: Sequence[Path], urls: Sequence[Url]) -> None:
    finals = [_opened(url)[1] for url in urls]
    if urls[0].scheme in _AT_ONCE:
        system.put(list(map(str, paths)), finals)
        return
    for folder in {str(PurePosixPath(final).parent) for final in finals}:
        system.makedirs(folder, exist_ok=True)
    parts = [f"{PurePosixPath(final).parent}/.restyle-{secrets.token_hex(8)}.part" for final in finals]
    try:
        system.put(list(map(str, paths)), parts)
        for part, final in zip(parts, finals, strict=True):
            if system.exists(final):  # where a renaming replaces nothing
                system.rm_file(final)
            system.mv(part, final)
    except BaseException:
        for part in parts:
            with suppress(Exception):
                system.rm_file(part)
        raise


def send_bytes(url: Url, data: bytes) -> None:
    """Write a small file, whole or not at all. Raises ``RemoteError``."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        send([Path(file.name)], [url])


def remove(urls: Iterable[Url]) -> None:
    """Remove files; what is not there matters not. Raises ``RemoteError``."""
    waiting = list(urls)
    for start in range(0, len(waiting), TOGETHER):
        some = waiting[start : start + TOGETHER]
        system, _ = _opened(some[0])
        paths = [_opened(url)[1] for url in some]
        with _told():
            try:
                system.rm(paths)
            except FileNotFoundError:
                for path in paths:
                    with suppress(FileNotFoundError):
                        system.rm_file(path)
