"""The job folder: finished work, safe to kill at any instant.

Everything that a job makes is stored under a key that is the digest of all that decided it. A run asks for a key; what is
there is used, what is not is made. So there is no state to repair after a crash, and a changed recipe redoes exactly what the
change touches. A thing is made under ``work/`` and renamed into place when it is complete and on the disk. With it lies a list
of its files and their digests: what is missing, cut off or altered counts as not finished, and is made again.

::

    job.json            format of this folder, and that it is one
    lock                held (flock) by the process that works here
    recipe.json         the recipe of the last run
    plan.json           shots, keyframes and windows of the last run
    result.json         what came out of it, if it came to its end
    analysis/KEY/       what pass 1 found
    mattes/KEY/         of the objects, for all shots: NAME/NUMBER.png, facts.json
    maps/KEY/           one control map of one keyframe: map.npz
    paintings/KEY/      keyframes of one window: NUMBER.npz, carry.npz, facts.json
    windows/KEY/        one finished window: segment, rows.json, what the report shows of it
    settings/KEY/       how much a painter computes at once on this machine: value.json
    pictures/KEY/       pictures of the report: preview clip, poster, worst moments
    report.html  report.json
    work/               unfinished things; emptied at every start

A folder is taken for a job's only if ``job.json`` or ``lock`` says so. In it, only things named by a key, and ``result.json``,
are ever removed, and no link is followed.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING

import numpy as np

from controls.types import ControlMap
from interp.regular import require_regular
from restyle.errors import JobError, JobLockedError, OutputError, RestyleError, show_path, why
from restyle.files.owned import LIST_NAME, OwnFiles
from restyle.files.remote import Url
from restyle.files.writing import LOCK_MARK, LockHeld, discard, finalise, lock_file, sign_lock, write_file
from restyle.types import Carry

if TYPE_CHECKING:
    import numpy as np

    from controls.types import ControlMap

__all__ = [
    "FORMAT",
    "KEPT",
    "KEY",
    "KINDS",
    "JobStore",
    "begin_folder",
    "damaged",
    "format_in",
    "load_carry",
    "load_map",
    "load_picture",
    "save_carry",
    "save_map",
    "save_picture",
]

FORMAT = 2
KINDS = ("analysis", "mattes", "plates", "maps", "paintings", "windows")
KEPT = ("pictures", "settings")  # of the report, of painters: they stay when what else is finished is given up
_MARK = json.dumps({"made_by": "restyle", "format": FORMAT}) + "\n"
KEY = re.compile(r"[0-9a-f]{32}")
_WORK = re.compile(r"[a-z]+-[0-9a-f]{32}-\w+")


class JobStore:
    """One job folder, locked while this object is open. Use as a context manager.

    ``unchanged`` is called before anything is finished, and raises if what it was made from is no longer the same.
    ``shared``: the folder of a job that others work on as well, each on a window of its own. Then it is locked, together with
    those others, only in a ``held`` block, and within one alone anything is done in it.

    Raises ``JobLockedError`` while another process works in the folder, ``JobError`` if it is not a job folder or of a
    future format, ``OutputError`` if it cannot be written.
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        fresh: bool = False,
        shared: bool = False,
        unchanged: Callable[[], None] = lambda: None,
    ) -> None:
        self.folder = Path(folder)
        self.place: Path | Url = self.folder
        """The job folder as a person knows it: where it is kept, if ``folder`` is a copy."""
        self.damaged: list[str] = []
        """Kinds of the things that were found damaged, one entry each, and will be made again."""
        self._lock: int | None = None
        self._fresh = fresh
        self._shared = shared
        self._unchanged = unchanged
        self._intact: set[tuple[str, str]] = set()

    def __enter__(self) -> JobStore:
        shown = show_path(self.folder)
        if self._shared:
            with self.held():
                if _format_of(self.folder) != FORMAT:
                    raise JobError(f"{shown} is no job folder that was begun: it went away, or is not seen from here")
            return self
        try:
            if os.path.lexists(self.folder) and not self.folder.is_dir():
                raise JobError(f"job folder {shown} is a file; choose another with --job")
            self.folder.mkdir(parents=True, exist_ok=True)
            if not _is_job(self.folder):
                raise JobError(f"{shown} holds other things than a job; choose an empty folder with --job")
            self._take_lock()
            old = self._check_format()
            for kind in (*KINDS, *KEPT, "work"):
                self._make_subfolder(self.folder / kind)
            for kind in (*KINDS, *KEPT) if self._fresh or old else ():
                self._remove(kind, KEY)
            self._remove("work", _WORK)
        except OSError as error:
            self.close()
            raise OutputError(f"cannot write the job folder {shown}: {why(error)}") from error
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the folder back."""
        if self._lock is not None:
            with suppress(OSError):
                self._remove("work", _WORK)
            os.close(self._lock)
            self._lock = None

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold a shared folder, together with others. Raises ``JobLockedError`` while somebody has it for himself alone."""
        try:
            handle = lock_file(self.folder / "lock", shared=True)
        except LockHeld as busy:
            raise self._busy(busy) from None
        except OSError as error:
            raise OutputError(f"cannot use the job folder {show_path(self.folder)}: {why(error)}") from error
        try:
            yield
        finally:
            os.close(handle)

    def _busy(self, busy: LockHeld) -> JobLockedError:
        return JobLockedError(
            f"{busy.owner} works in the job folder {show_path(self.place)}: "
            "wait for it, or choose another folder with --job"
        )

    def _take_lock(self) -> None:
        path = self.folder / "lock"
        with suppress(FileNotFoundError):
            state = path.lstat()
            if not stat.S_ISDIR(state.st_mode) and (not stat.S_ISREG(state.st_mode) or state.st_nlink > 1):
                path.unlink()  # the name alone: what it leads to is somebody else's
        try:
            self._lock = lock_file(path)
        except LockHeld as busy:
            raise self._busy(busy) from None
        sign_lock(self._lock)

    def _check_format(self) -> bool:
        """Tell whether the folder has an older format, of no more use; mark a new folder. Raises ``JobError``."""
        format_number = _format_of(self.folder)
        if format_number is not None and format_number > FORMAT:
            raise JobError(
                f"{show_path(self.folder)} has format {format_number}, this restyle writes {FORMAT}: use another --job"
            )
        if format_number != FORMAT:
            JobStore.put_text(self, "job.json", _MARK)
        return format_number is not None and format_number < FORMAT

    def _make_subfolder(self, folder: Path) -> None:
        if folder.is_symlink():
            folder.unlink()
        elif folder.exists() and not folder.is_dir():
            raise JobError(f"{show_path(folder)} is in the way of the job's own folder: move it away")
        folder.mkdir(exist_ok=True)

    def _remove(self, kind: str, names: re.Pattern[str], keep: Collection[str] = ()) -> None:
        for entry in list(os.scandir(self.folder / kind)):
            if names.fullmatch(entry.name) and entry.name not in keep:
                discard(Path(entry.path))

    # Finished things

    def path(self, kind: str, key: str) -> Path:
        """Name the folder of a finished thing, there or not."""
        return self.folder / kind / key

    def has(self, kind: str, key: str) -> bool:
        """Tell whether a thing is finished and whole. What is damaged is thrown away, and noted in ``damaged``.

        Its files are read once for that, the first time in a run. Raises ``OutputError`` if it cannot be thrown away.
        """
        folder = self.path(kind, key)
        if not os.path.lexists(folder):
            return False
        if (kind, key) in self._intact:
            return True
        own = None if folder.is_symlink() else OwnFiles.read(folder)
        if own is not None and own.command == f"{kind}/{key}" and own.intact(folder):
            self._intact.add((kind, key))
            return True
        self._throw_away(kind, key)
        return False

    def lists(self, kind: str, key: str) -> bool:
        """Tell whether a thing is finished; what lies elsewhere may turn out to be damaged when it is fetched."""
        return self.has(kind, key)

    def still_has(self, kind: str, key: str) -> bool:
        """Tell the same as ``has``, with its files read once more."""
        self._intact.discard((kind, key))
        return self.has(kind, key)

    def _throw_away(self, kind: str, key: str) -> None:
        folder = self.path(kind, key)
        self._intact.discard((kind, key))
        self.damaged.append(kind)
        discard(folder)
        if os.path.lexists(folder):
            raise OutputError(f"{show_path(folder)} in the job folder is damaged and cannot be removed: remove it")

    @contextmanager
    def reading(self, kind: str, key: str) -> Iterator[Path]:
        """Give a finished thing's folder, to read from. Raises ``JobError`` if that fails; the next run then makes it anew."""
        try:
            yield self.path(kind, key)
        except (MemoryError, RestyleError):
            raise
        except Exception as error:
            self._throw_away(kind, key)
            raise damaged(self.path(kind, key)) from error

    @contextmanager
    def making(self, kind: str, key: str) -> Iterator[Path]:
        """Give a folder to make something in; leaving the block without an exception finishes it, in one step.

        Raises ``OutputError`` if the disk is full or the folder cannot be written, and what ``unchanged`` raises.
        """
        try:
            folder = self.folder / "work" / f"{kind}-{key}-{token_hex(8)}"
            folder.mkdir()
            try:
                yield folder
                self._unchanged()
                (folder / LIST_NAME).write_text(OwnFiles.of_folder(folder, f"{kind}/{key}").to_text())
                self._finish(folder, kind, key)
            finally:
                discard(folder)
        except OSError as error:
            raise OutputError(f"cannot write the job folder {show_path(self.place)}: {why(error)}") from error

    def _finish(self, folder: Path, kind: str, key: str) -> None:
        final = self.path(kind, key)
        if not self._shared:
            discard(final)
        try:
            finalise(folder, final)
        except OSError:
            if not self._shared:
                raise
            if not self.still_has(
                kind, key
            ):  # else another worker was quicker, with the same: a key says what is in it
                finalise(folder, final)
        self._intact.add((kind, key))

    def put_text(self, name: str, text: str) -> None:
        """Write one small file at the folder's top, in one step."""
        try:
            write_file(self.folder / name, text.encode())
        except OSError as error:
            raise OutputError(f"cannot write {show_path(self.folder / name)}: {why(error)}") from error

    def drop_text(self, name: str) -> None:
        """Remove a small file of ours at the folder's top, if it is there."""
        try:
            (self.folder / name).unlink(missing_ok=True)
        except OSError as error:
            raise OutputError(f"cannot remove {show_path(self.folder / name)}: {why(error)}") from error

    def publish(self, *names: str) -> None:
        """Keep small files that were written at the folder's top where the job folder is kept. Raises ``OutputError``."""

    def prune(self, keep: Mapping[str, Collection[str]]) -> None:
        """Delete finished things that no longer belong to the job: every key not in ``keep[kind]``."""
        for kind, keys in keep.items():
            self._remove(kind, KEY, keys)

    def clear(self) -> None:
        """Delete all finished things: the report and what else lies at the top stays, and a later run makes them anew."""
        self.prune(dict.fromkeys(KINDS, ()))
        self._intact.clear()

    def notes(self) -> list[str]:
        """Tell a person what was damaged and was made again. One line, or none."""
        if not self.damaged:
            return []
        counts = ", ".join(f"{self.damaged.count(kind)} of {kind}" for kind in dict.fromkeys(self.damaged))
        return [f"finished things in the job folder were damaged and were made again: {counts}"]


def damaged(path: Path) -> JobError:
    """Make the error of a finished thing that was whole when it was first looked at, and is not any more."""
    return JobError(
        f"{show_path(path)} in the job folder was damaged meanwhile: run the same command again, it is made anew"
    )


def _format_of(folder: Path) -> int | None:
    """Read the format from ``job.json``; ``None`` if it has none."""
    path = folder / "job.json"
    try:
        if path.is_symlink():
            return None
        require_regular(path, largest=10_000)
        return format_in(path.read_bytes())
    except OSError:
        return None


def format_in(data: bytes) -> int | None:
    """Read the format in the content of a ``job.json``; ``None`` if it has none."""
    try:
        format_number = json.loads(data)["format"]
        return format_number if type(format_number) is int else None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def begin_folder(folder: Path) -> None:
    """Make an empty job folder. Raises ``OSError``."""
    folder.mkdir()
    for kind in (*KINDS, *KEPT, "work"):
        (folder / kind).mkdir()
    (folder / "job.json").write_text(_MARK)


def _is_job(folder: Path) -> bool:
    """Tell whether a folder is marked as a job's, or empty; also one whose making was killed. Raises ``OSError``."""
    if _format_of(folder) is not None:
        return True
    lock = folder / "lock"
    try:
        handle = os.open(lock, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            if os.read(handle, len(LOCK_MARK)) == LOCK_MARK.encode():
                return True
        finally:
            os.close(handle)
    except OSError:
        pass
    # Between making the folder and marking it there may be an empty lock.
    return all(item.name == "lock" and not item.is_dir() and not item.lstat().st_size for item in folder.iterdir())


def save_picture(path: Path, picture: np.ndarray) -> Path:
    """Store a painting as it is, in an ``.npz`` that is not compressed: a painting is all texture, so a PNG saves an eighth of
    the room and takes ten times the time. The archive's checksum tells damage. ``path`` comes without its suffix."""
    path = path.with_suffix(".npz")
    with open(path, "wb") as file:
        np.savez(file, picture=picture)
    return path


def load_picture(path: Path) -> np.ndarray:
    """Read what ``save_picture`` wrote; ``path`` comes without its suffix. Raises what numpy raises for a damaged file."""
    with open(path.with_suffix(".npz"), "rb") as file, np.load(file, allow_pickle=False) as stored:
        return stored["picture"]


def save_carry(path: Path, carry: Carry) -> None:
    """Store a carry as ``.npz``."""
    facts = np.frombuffer(json.dumps(dict(carry.facts)).encode(), np.uint8)
    with open(path, "wb") as file:
        np.savez_compressed(file, allow_pickle=False, __facts__=facts, **carry.arrays)


def load_carry(path: Path) -> Carry:
    """Read what ``save_carry`` wrote. Raises what numpy raises for a damaged file."""
    with np.load(path, allow_pickle=False) as stored:
        facts = json.loads(stored["__facts__"].tobytes())
        return Carry({name: stored[name] for name in stored.files if name != "__facts__"}, facts)


def save_map(path: Path, control_map: ControlMap) -> None:
    """Store a control map at its full precision, as ``.npz``; ``path`` comes without its suffix."""
    arrays = {"picture": control_map.picture} | ({} if control_map.values is None else {"values": control_map.values})
    with open(path.with_suffix(".npz"), "wb") as file:
        np.savez(file, facts=np.array(json.dumps(dict(control_map.facts))), kind=np.array(control_map.kind), **arrays)  # type: ignore[arg-type]


def load_map(path: Path) -> ControlMap:
    """Read what ``save_map`` wrote. Raises what numpy raises for a damaged file."""
    with np.load(path.with_suffix(".npz"), allow_pickle=False) as stored:
        values = stored.get("values")
        return ControlMap(str(stored["kind"]), stored["picture"], values, json.loads(str(stored["facts"])))
