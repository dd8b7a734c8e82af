"""The job folder: what is done, safe to kill at any instant.

Everything that a job makes is stored under a key that is the digest of all that decided it. A run asks for a key; what is
there is used, what is not is made. So there is no state to repair after a crash, and a changed recipe redoes exactly what the
change touches. A thing is made under ``work/`` and renamed into place when it is complete and on the disk.

::

    job.json            format of this folder
    lock                held (flock) by the process that works here
    recipe.json         the recipe of the last run
    plan.json           shots, keyframes and windows of the last run
    analysis/KEY.npz    what pass 1 found
    mattes/KEY/         of the objects, for all shots: NAME/NUMBER.png, facts.json
    maps/KEY/           one control map of one keyframe: map.npz
    paintings/KEY/      keyframes of one window: NUMBER.npz, carry.npz, facts.json
    windows/KEY/        one finished window: segment, rows.json
    report.html  report.json
    work/               unfinished things; emptied at every start
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from restyle.errors import JobError, JobLockedError, OutputError, show_path, why
from restyle.types import Carry

if TYPE_CHECKING:
    import numpy as np

    from controls.types import ControlMap

__all__ = [
    "JobStore",
    "digest",
    "load_carry",
    "load_map",
    "load_picture",
    "save_carry",
    "save_map",
    "save_picture",
]

FORMAT = 1
KINDS = ("analysis", "mattes", "plates", "maps", "paintings", "windows")


def digest(*parts: Any) -> str:
    """Digest (32 hexadecimal digits) of plain JSON values. Equal values give equal digests, on every machine."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


class JobStore:
    """One job folder, locked while this object is open. Use as a context manager.

    Raises ``JobLockedError`` while another process works in the folder, ``JobError`` if it is not a job folder or of a
    future format, ``OutputError`` if it cannot be written.
    """

    def __init__(self, folder: str | Path, *, fresh: bool = False) -> None:
        self.folder = Path(folder)
        self._lock: IO[str] | None = None
        self._fresh = fresh

    def __enter__(self) -> JobStore:
        if self.folder.exists() and not self.folder.is_dir():
            raise JobError(f"job folder {show_path(self.folder)} is a file; choose another with --job")
        strange = self.folder.is_dir() and any(self.folder.iterdir()) and not (self.folder / "job.json").exists()
        if strange and not (self.folder / "lock").exists():
            raise JobError(f"{show_path(self.folder)} holds other things than a job; choose an empty folder with --job")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock = self._take_lock()
            self._check_format()
            for kind in KINDS:
                if self._fresh:
                    shutil.rmtree(self.folder / kind, ignore_errors=True)
                (self.folder / kind).mkdir(exist_ok=True)
            shutil.rmtree(self.folder / "work", ignore_errors=True)
            (self.folder / "work").mkdir(exist_ok=True)
        except OSError as error:
            self.close()
            raise OutputError(f"cannot write the job folder {show_path(self.folder)}: {why(error)}") from error
        except JobError:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the folder back."""
        if self._lock is not None:
            with suppress(OSError):
                shutil.rmtree(self.folder / "work", ignore_errors=True)
            self._lock.close()
            self._lock = None

    def _take_lock(self) -> IO[str]:
        import fcntl

        lock = open(self.folder / "lock", "a+", encoding="utf-8")  # noqa: SIM115 (held until close)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            owner = lock.read().strip() or "unknown"
            lock.close()
            raise JobLockedError(
                f"another process ({owner}) works in the job folder {show_path(self.folder)}: "
                "wait for it, or choose another folder with --job"
            ) from None
        lock.seek(0)
        lock.truncate()
        lock.write(f"process {os.getpid()}\n")
        lock.flush()
        return lock

    def _check_format(self) -> None:
        path = self.folder / "job.json"
        if not path.exists():
            self.put_text("job.json", json.dumps({"format": FORMAT}) + "\n")
            return
        try:
            found = json.loads(path.read_text())["format"]
        except (OSError, ValueError, KeyError, TypeError):
            raise JobError(f"{show_path(path)} is damaged: delete the job folder, or use --fresh in another") from None
        if found != FORMAT:
            raise JobError(
                f"{show_path(self.folder)} has format {found}, this restyle writes {FORMAT}: use another --job"
            )

    # Finished things

    def path(self, kind: str, key: str) -> Path:
        """Where a finished thing lies, or would lie."""
        return self.folder / kind / key

    def has(self, kind: str, key: str) -> bool:
        """Whether it is finished."""
        return self.path(kind, key).exists()

    @contextmanager
    def making(self, kind: str, key: str) -> Iterator[Path]:
        """A folder to make something in; leaving the block without an exception finishes it, in one step.

        Raises ``OutputError`` if the disk is full or the folder cannot be written.
        """
        place = self.folder / "work" / f"{kind}-{key}"
        try:
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir(parents=True)
            try:
                yield place
                for made in sorted(place.rglob("*")):
                    _sync(made)
                _sync(place)
                final = self.path(kind, key)
                if final.exists():
                    shutil.rmtree(final)
                os.rename(place, final)
                _sync(final.parent)
            except BaseException:
                shutil.rmtree(place, ignore_errors=True)
                raise
        except OSError as error:
            raise OutputError(f"cannot write the job folder {show_path(self.folder)}: {why(error)}") from error

    def put_text(self, name: str, text: str) -> None:
        """Write one small file at the folder's top, in one step."""
        part = self.folder / f".{name}.part"
        try:
            part.write_text(text, encoding="utf-8")
            _sync(part)
            os.replace(part, self.folder / name)
            _sync(self.folder)
        except OSError as error:
            raise OutputError(f"cannot write the job folder {show_path(self.folder)}: {why(error)}") from error

    def prune(self, keep: Mapping[str, set[str]]) -> None:
        """Delete finished things that no longer belong to the job: every key not in ``keep[kind]``."""
        for kind, keys in keep.items():
            for item in (self.folder / kind).iterdir():
                if item.name not in keys:
                    shutil.rmtree(item, ignore_errors=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def save_picture(path: Path, picture: np.ndarray) -> Path:
    """Store a painting as it is, in an ``.npz`` that is not compressed: a painting is all texture, so a PNG saves an eighth of
    the room and takes ten times the time. The archive's checksum tells damage. ``path`` comes without its suffix."""
    import numpy as np

    path = path.with_suffix(".npz")
    with open(path, "wb") as file:
        np.savez(file, picture=picture)
    return path


def load_picture(path: Path) -> np.ndarray:
    """Read what ``save_picture`` wrote; ``path`` comes without its suffix. Raises ``JobError`` if it is damaged."""
    from zipfile import BadZipFile

    import numpy as np

    try:
        with open(path.with_suffix(".npz"), "rb") as file, np.load(file, allow_pickle=False) as stored:
            return stored["picture"]
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise JobError(
            f"{show_path(path)} in the job folder is damaged ({why(error)}): run again with --fresh"
        ) from error


def save_carry(path: Path, carry: Carry) -> None:
    """Store a carry as ``.npz``."""
    import numpy as np

    facts = np.frombuffer(json.dumps(dict(carry.facts)).encode(), np.uint8)
    with open(path, "wb") as file:
        np.savez_compressed(file, allow_pickle=False, __facts__=facts, **carry.arrays)


def load_carry(path: Path) -> Carry:
    """Read what ``save_carry`` wrote. Raises ``JobError`` if it is damaged."""
    import numpy as np

    try:
        with np.load(path, allow_pickle=False) as stored:
            facts = json.loads(stored["__facts__"].tobytes())
            return Carry({name: stored[name] for name in stored.files if name != "__facts__"}, facts)
    except (OSError, ValueError, KeyError) as error:
        raise JobError(
            f"{show_path(path)} in the job folder is damaged ({why(error)}): run again with --fresh"
        ) from error


def save_map(path: Path, made: ControlMap) -> None:
    """Store a control map at its full precision, as ``.npz``; ``path`` comes without its suffix."""
    import numpy as np

    arrays = {"picture": made.picture} | ({} if made.values is None else {"values": made.values})
    with open(path.with_suffix(".npz"), "wb") as file:
        np.savez(file, facts=np.array(json.dumps(dict(made.facts))), kind=np.array(made.kind), **arrays)  # type: ignore[arg-type]


def load_map(path: Path) -> ControlMap:
    """Read what ``save_map`` wrote. Raises ``JobError`` if it is damaged."""
    from zipfile import BadZipFile

    import numpy as np

    from controls.types import ControlMap

    try:
        with np.load(path.with_suffix(".npz"), allow_pickle=False) as stored:
            values = stored.get("values")
            return ControlMap(str(stored["kind"]), stored["picture"], values, json.loads(str(stored["facts"])))
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise JobError(
            f"{show_path(path)} in the job folder is damaged ({why(error)}): run again with --fresh"
        ) from error
