"""Maps as picture files, which can be looked at, edited by hand, and read back.

A map of frame 12 is ``000012.png`` in a folder of its own: what the ControlNet is shown, 8 bits a channel; depth as 16-bit
grey, if asked for. Joints stand beside it, in ``000012.json``.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from controls.errors import ControlError
from controls.maps.depth_maps import depth_map
from controls.maps.people import Person, draw_people
from controls.maps.pictures import as_picture
from controls.types import ControlMap
from interp.pixels.depth import from_unit, to_uint8
from interp.regular import require_regular

__all__ = ["MapFiles", "read_map", "read_maps", "write_map"]

LARGEST = 1 << 30  # bytes of a file

SUFFIXES = (".png", ".tif", ".tiff", ".jpg", ".jpeg", ".webp", ".bmp")
_FIELD = re.compile(r"%(0\d+)?d")
_NUMBER = re.compile(r"([0-9]+)(?=[^0-9]*$)")


def write_map(folder: str | os.PathLike[str], frame: int, control_map: ControlMap, *, bits: int = 8) -> Path:
    """Write one map into ``folder`` (made, if it is not there), over one that is there.

    ``bits``: 16 keeps depth's ``values`` (in [0, 1], near = 1) as 16-bit grey instead of the picture. Raises
    ``ControlError`` where that cannot be, and ``OSError`` where nothing can be written.
    """
    if bits not in (8, 16):
        raise ControlError(f"maps are written with 8 or 16 bits, got {bits}")
    if bits == 16 and (control_map.kind != "depth" or control_map.values is None):
        raise ControlError(f"only depth is kept with 16 bits; this map is {control_map.kind!r}")
    if bits == 16:
        assert control_map.values is not None
        pixels = from_unit(control_map.values, np.dtype(np.uint16))
    else:
        pixels = np.ascontiguousarray(control_map.picture[..., ::-1])
    done, data = cv2.imencode(".png", pixels)
    if not done:
        raise ControlError(f"the {control_map.kind} map of frame {frame} cannot be encoded as PNG")
    path = Path(folder) / f"{frame:06d}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    _put(path, data.tobytes())
    if "people" in control_map.facts:
        _put(path.with_suffix(".json"), json.dumps({"people": control_map.facts["people"]}).encode())
    return path


def _put(path: Path, data: bytes) -> None:
    """All of it or nothing: a map cut short by a full disk would be read back as it is."""
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(data)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


@dataclass(frozen=True)
class MapFiles:
    """Maps in files, by the number of their frame. ``load`` reads one, so all of a shot are never held at once."""

    kind: str
    files: dict[int, Path]

    @property
    def frames(self) -> list[int]:
        """Numbers of the frames that have one, ascending."""
        return sorted(self.files)

    def load(self, frame: int, size: tuple[int, int] | None = None) -> ControlMap:
        """The map of a frame. ``size``: the frame's width and height, which the map must have.

        Raises ``ControlError``: no map of that frame, another size, not a picture.
        """
        if frame not in self.files:
            frames = self.frames
            raise ControlError(
                f"there is no {self.kind} map of frame {frame}, but {len(frames)} of {frames[0]} to {frames[-1]}"
            )
        control_map = read_map(self.files[frame], self.kind)
        height, width = control_map.picture.shape[:2]
        if size is not None and size != (width, height):
            raise ControlError(
                f"the map {str(self.files[frame])!r} is {width}x{height}, but the footage is {size[0]}x{size[1]}; "
                "export it at the footage's size"
            )
        return control_map


def read_maps(source: str | os.PathLike[str], kind: str) -> MapFiles:
    """Find maps of ``kind``: a folder of pictures, or a pattern such as ``depth/frame.%04d.png``.

    The last number in a file's name is its frame's. Nothing is decoded yet. Raises ``ControlError``: no such folder, no
    pictures in it, a name without a number, two of one number.
    """
    path = Path(source)
    if path.is_dir():
        folder, wanted = path, None
    else:
        folder = path.parent
        fields = list(_FIELD.finditer(path.name))
        if len(fields) != 1:
            raise ControlError(
                f"there is no folder {str(source)!r}; maps are read from a folder, or by a pattern as map.%04d.png"
            )
        before, after = path.name[: fields[0].start()], path.name[fields[0].end() :]
        wanted = re.compile(re.escape(before) + r"([0-9]+)" + re.escape(after))
        if not folder.is_dir():
            raise ControlError(f"there is no folder {str(folder)!r}")
    files: dict[int, Path] = {}
    for file in sorted(folder.iterdir()):
        if file.name.startswith(".") or file.suffix.lower() not in SUFFIXES:
            continue
        number = wanted.fullmatch(file.name) if wanted else _NUMBER.search(file.stem)
        if number is None:
            if wanted:
                continue
            raise ControlError(f"{str(file)!r} has no number that says which frame it is for; name it as 000012.png")
        frame = int(number[1])
        if frame in files:
            raise ControlError(f"{str(files[frame])!r} and {file.name!r} are both of frame {frame}; keep one of them")
        files[frame] = file
    if not files:
        raise ControlError(f"no maps in {str(source)!r} ({', '.join(SUFFIXES)})")
    return MapFiles(kind, files)


def read_map(file: str | os.PathLike[str], kind: str) -> ControlMap:
    """Read one map. Grey or colour, 8 or 16 bits; depth gets its ``values`` back, and pose its joints, where those lie beside
    it and the picture is the one drawn from them (an edited one stays as it was edited, and has none).

    Raises ``ControlError``: missing, not a picture, joints that cannot be read.
    """
    path = Path(file)
    try:
        require_regular(path, largest=LARGEST)
        data = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise ControlError(f"cannot read the map {str(path)!r}: {(error.strerror or str(error)).lower()}") from error
    pixels = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if data.size else None
    if pixels is None or pixels.dtype not in (np.uint8, np.uint16):
        raise ControlError(f"the map {str(path)!r} is no picture of 8 or 16 bits")
    if pixels.ndim == 3:
        pixels = pixels[..., 0] if pixels.shape[2] < 3 else pixels[..., 2::-1]
    if kind == "depth":
        plane = pixels if pixels.ndim == 2 else pixels[..., 0]
        values = plane.astype(np.float32) / np.float32(np.iinfo(plane.dtype).max)
        if plane.dtype == np.uint16:
            return depth_map(values)
        return ControlMap(kind, as_picture(plane), values, {"black": 0.0, "white": 1.0})
    if pixels.dtype == np.uint16:
        pixels = to_uint8(pixels)
    picture = as_picture(pixels) if pixels.ndim == 2 else np.ascontiguousarray(pixels)
    return ControlMap(kind, picture, None, _joints(path, picture))


def _joints(path: Path, picture: np.ndarray) -> dict[str, object]:
    beside = path.with_suffix(".json")
    if not beside.is_file():
        return {}
    try:
        require_regular(beside, largest=LARGEST)
        people = json.loads(beside.read_bytes())["people"]
        drawn = draw_people([Person.of(person) for person in people], *picture.shape[1::-1])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ControlError(
            f"the joints in {str(beside)!r} cannot be read: {' '.join(str(error).split())[:120]}"
        ) from error
    return {"people": people} if np.array_equal(drawn, picture) else {}
