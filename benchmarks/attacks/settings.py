"""The jobs that are killed and damaged: between them they store everything that a job folder can hold."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from attacks.footage import write_video

__all__ = ["SETTINGS", "Setting", "write_source"]

SOURCE = "clip.mp4"
QUICK = ("--painter", "edges")
CUP = ("--object", "cup=box:32,16,52,34@0", "--masker", "flowcut", "--cuts", "none")


@dataclass(frozen=True)
class Setting:
    """One command on ``clip.mp4``. ``output``: what it makes, a file or a folder."""

    name: str
    command: str
    output: str
    options: tuple[str, ...]
    written: str = ""
    """What stands behind ``-o``, if not ``output``."""

    @property
    def words(self) -> list[str]:
        return [self.command, SOURCE, "-o", self.written or self.output, *self.options, "--json", "-q"]

    @property
    def job(self) -> str | None:
        """The job folder, where the command keeps one."""
        return f"{self.output}.restyle" if self.command == "run" else None


RUNS = (
    Setting("plain", "run", "out.mp4", ("--painter", "identity", "--keyframes", "every:4")),
    Setting("chained", "run", "out.mp4", (*QUICK, "--keyframes", "every:3", "--no-report")),
    Setting("networks", "run", "out.mkv", ("--style", "mosaic", "--keyframes", "every:8", "--no-report")),
    Setting("maps", "run", "out.mov", (*QUICK, "--control", "canny,lineart", "--keyframes", "every:5")),
    Setting("pictures", "run", "out", (*QUICK, "--keyframes", "every:6"), "out/f.%04d.png"),
    Setting("folder", "run", "out", ("--painter", "identity", "--codec", "tiff", "--no-report"), "out"),
    Setting("object", "run", "out.mkv", (*CUP, *QUICK, "--keyframes", "every:6", "--codec", "ffv1", "--no-report")),
    Setting("removed", "run", "out.mkv", (*CUP, "--painter", "identity", "--layer", "cup:mode=remove", "--codec", "ffv1")),
    Setting("cut out", "run", "out.webm", (*CUP, "--painter", "identity", "--layer", "cup:mode=cutout", "--no-report")),
)  # fmt: skip
OTHERS = (
    Setting("retimed", "retime", "out.mp4", ("--fps", "50")),
    Setting("matted", "matte", "mattes", CUP),
    Setting("mapped", "controls", "maps", ("--kinds", "canny,flow")),
    Setting("previewed", "preview", "sheet.png", QUICK),
)
SETTINGS = {setting.name: setting for setting in (*RUNS, *OTHERS)}


def write_source(folder: Path) -> Path:
    """The footage of all settings: 24 frames in two shots, with sound."""
    return write_video(folder / SOURCE, count=24, cut=12, audio="aac")
