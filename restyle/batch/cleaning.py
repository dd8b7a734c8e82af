"""Room on the disk: what finished jobs keep for later changes is given up, the longest unused first.

Results, reports and records stay. A job whose paintings and windows are gone is done still; changed, it starts from nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from restyle.errors import JobLockedError
from restyle.files.cache import give_up_copies
from restyle.files.remote import RemoteFile, Url, files_below, look_up
from restyle.footage.staging import reading_remote
from restyle.job.remote_store import open_store
from restyle.job.store import KINDS
from restyle.job.worker import bytes_in

__all__ = ["CacheBudget", "FinishedJob", "clear_job", "finished_jobs"]


@dataclass(frozen=True)
class FinishedJob:
    """A job folder whose last run came to its end, and that holds something to be given up."""

    folder: Path | Url
    used: float
    """Time of its last run, seconds since 1970."""
    bytes: int
    """Of what can be given up."""


def finished_jobs(root: Path | Url) -> list[FinishedJob]:
    """Find the finished jobs in a folder, or that it is, here or elsewhere, the longest unused first. Links are not followed.

    Raises ``FootageError``: it is elsewhere, and cannot be read."""
    if isinstance(root, Url):
        with reading_remote(root):
            jobs = _among(root, files_below(root))
    else:
        jobs = [job for folder in _job_folders(root) if (job := _finished(folder)) is not None]
    return sorted(jobs, key=lambda job: (job.used, str(job.folder)))


def _among(root: Url, files: Mapping[str, RemoteFile]) -> list[FinishedJob]:
    """Find them by one list of all files: path within ``root`` -> file."""
    used = {
        PurePosixPath(name).parent: file.changed
        for name, file in files.items()
        if file.url.name == "result.json" and str(PurePosixPath(name).with_name("job.json")) in files
    }
    sizes = dict.fromkeys(used, 0)
    for name, file in files.items():
        path = PurePosixPath(name)
        folder = next((folder for folder in path.parents if folder in used), None)
        if folder is not None and path.relative_to(folder).parts[0] in KINDS:
            sizes[folder] += file.size or 0
    return [FinishedJob(root / folder, used[folder], size) for folder, size in sizes.items() if size]


def _job_folders(root: Path) -> Iterator[Path]:
    for here, folders, files in os.walk(root):
        if "job.json" in files and "lock" in files:
            folders.clear()
            yield Path(here)


def _finished(folder: Path) -> FinishedJob | None:
    """Look at a job folder; ``None`` if it is not finished, or nothing can be given up."""
    try:
        if not (folder / "result.json").is_file():
            return None
        used = (folder / "lock").stat().st_mtime
    except OSError:
        return None
    size = sum(bytes_in(folder / kind) for kind in KINDS)
    return FinishedJob(folder, used, size) if size else None


def clear_job(job: FinishedJob) -> int:
    """Give up what a finished job keeps; gives how many bytes that were, 0 if somebody works in it at this moment.

    Raises ``JobError``, ``OutputError``, ``FootageError``.
    """
    try:
        if isinstance(job.folder, Url):
            with open_store(job.folder) as store:
                if look_up(job.folder / "result.json") is None:
                    return 0  # another run began it anew meanwhile
                store.clear()
            return job.bytes - sum(left.bytes for left in finished_jobs(job.folder))
        before = os.stat(job.folder / "lock")
        with open_store(job.folder) as store:
            if not (job.folder / "result.json").is_file():
                return 0
            store.clear()
            os.utime(job.folder / "lock", ns=(before.st_atime_ns, before.st_mtime_ns))  # cleaning is no use of it
    except JobLockedError:
        return 0
    return job.bytes - sum(bytes_in(job.folder / kind) for kind in KINDS)


class CacheBudget:
    """Bytes that the finished jobs in a folder, here or elsewhere, may keep together. ``None``: as many as they like."""

    def __init__(self, root: Path | Url, most: int | None) -> None:
        self._root = root
        self._most = most
        self._jobs = {} if most is None else {job.folder: job for job in finished_jobs(root)}
        self._copies = True  # there may be some that nobody needs

    def add(self, folder: Path | Url) -> int:
        """Count a job that has just finished, and give up what is too much; gives the bytes."""
        self._copies = True
        if self._most is None:
            return 0
        self._jobs |= {job.folder: job for job in finished_jobs(folder)}
        freed = 0
        total = sum(job.bytes for job in self._jobs.values())
        for job in sorted(self._jobs.values(), key=lambda job: (job.used, str(job.folder))):
            if total <= self._most:
                break
            freed += clear_job(job)
            total -= job.bytes
            del self._jobs[job.folder]
        return freed

    def make_room(self) -> int:
        """Give up what all finished jobs keep: the disk is full. Gives the bytes.

        Of jobs elsewhere these are the copies here, also of those that are not finished: not twice before another is."""
        if isinstance(self._root, Url):
            freed, self._copies = give_up_copies() if self._copies else 0, False
            return freed
        self._jobs.clear()
        return sum(clear_job(job) for job in finished_jobs(self._root))
