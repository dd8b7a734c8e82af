"""Doing one task, in whatever process."""

from __future__ import annotations

import errno
import json
import os
import resource
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from restyle.batch.content import Content, footage_state, result_content
from restyle.batch.tasks import Outcome, Task
from restyle.errors import Cancelled, RestyleError
from restyle.footage import files_of
from restyle.job.job import Job
from restyle.progress import ProgressCallback
from restyle.recipe import Recipe
from restyle.registry import options_of
from restyle.unforeseen import describe

__all__ = ["bytes_in", "perform", "result_files"]

FULL = (errno.ENOSPC, errno.EDQUOT)


def perform(task: Task, progress: ProgressCallback | None = None, cancel: threading.Event | None = None) -> Outcome:
    """Do a task; every error becomes a line in its outcome. Raises nothing."""
    try:
        return (_paint_anchor if task.kind == "anchor" else _restyle)(task, progress, cancel)
    except Cancelled:
        return Outcome(task.name, "stopped")
    except RestyleError as error:
        return _failed(task, error, type(error).__name__, error.exit_code, str(error))
    except Exception as error:
        name, code, line = describe(error, Path(task.source))
        return _failed(task, error, name, code, line)


def _failed(task: Task, error: BaseException, name: str, code: int, line: str) -> Outcome:
    return Outcome(task.name, "failed", line, name, code, disk_full=_is_full(error))


def _is_full(error: BaseException | None) -> bool:
    """Tell whether an error, or one that it came from, says that the disk is full."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in FULL:
            return True
        error = error.__cause__ or error.__context__
    return False


def _restyle(task: Task, progress: ProgressCallback | None, cancel: threading.Event | None) -> Outcome:
    _forget_peak()
    cpu = time.process_time()
    source, output = Path(task.source), Path(task.output)
    recipe = _recipe_of(task)
    before = footage_state(source, task.rate, recipe.deinterlace)
    job = Job(
        source,
        output,
        recipe,
        folder=task.folder,
        overwrite=task.overwrite,
        report=task.report,
        offline=task.offline,
        rate=task.rate,
        progress=progress,
        cancel=cancel,
    )
    result = job.run()
    files = result_files(output)
    facts: dict[str, Any] = {
        **result.to_json(),
        "width": job.spec.width,
        "height": job.spec.height,
        "rendered": result.frames - result.reused,
        "cpu_seconds": time.process_time() - cpu,
        "peak": _peak(),
        "job_bytes": bytes_in(Path(task.folder)),
        "output_bytes": sum(file.stat().st_size for file in files),
    }
    return Outcome(
        task.name, "done", footage=Content(before, result.footage), result=result_content(files), facts=facts
    )


def _paint_anchor(task: Task, progress: ProgressCallback | None, cancel: threading.Event | None) -> Outcome:
    job = Job(
        task.source,
        recipe=_recipe_of(task),
        folder=task.folder,
        offline=task.offline,
        rate=task.rate,
        progress=progress,
        cancel=cancel,
    )
    job.paint_anchor(task.output)
    return Outcome(task.name, "done")


def _recipe_of(task: Task) -> Recipe:
    recipe = Recipe.build("the recipe", **json.loads(task.recipe))
    return _with_threads(recipe, task.threads) if task.threads else recipe


def result_files(output: Path) -> list[Path]:
    """List the files of a result: a video, or the pictures of a pattern. Raises ``FootageError`` if there are none."""
    return files_of(output)


def bytes_in(folder: Path) -> int:
    """Count the bytes of a folder's files; what goes away meanwhile counts nothing."""
    total = 0
    for here, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += os.lstat(os.path.join(here, name)).st_size
    return total


def _with_threads(recipe: Recipe, threads: int) -> Recipe:
    if "threads" in recipe.painter_options or "threads" not in options_of("painter", recipe.painter):
        return recipe
    return recipe.model_copy(update={"painter_options": {**recipe.painter_options, "threads": threads}})


def _forget_peak() -> None:
    """Let the process's peak of memory begin anew, where the system can (Linux)."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _peak() -> int:
    """Peak of the process's memory in bytes."""
    with suppress(OSError, IndexError, ValueError):
        status = Path("/proc/self/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
