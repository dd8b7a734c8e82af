"""What is done to sound media, and what is passed off as some."""

from __future__ import annotations

import os
import random
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

__all__ = ["FILE_MUTATIONS", "FOLDER_MUTATIONS", "IMPOSTORS"]

HEADER = 512
ATOMS = (
    *(
        b"moov",
        b"mdat",
        b"stsz",
        b"stts",
        b"stco",
        b"stsc",
        b"tkhd",
        b"mdhd",
        b"stsd",
        b"ctts",
        b"elst",
        b"trun",
        b"moof",
    ),
    *(b"avcC", b"hvcC", b"LIST", b"movi", b"idx1", b"strh", b"strf", b"avih"),
    *(b"\x1aE\xdf\xa3", b"\x18S\x80g", b"\x1fC\xb6u", b"\x16T\xaek", b"\x00\x00\x01\xb3"),
    *(b"IHDR", b"acTL", b"fcTL", b"fdAT", b"IDAT", b"GIF8", b"FRAME", b"YUV4"),
)

Mutation = Callable[[Path, random.Random], Path | None]


def _edited(change: Callable[[bytearray, random.Random], object]) -> Mutation:
    """A mutation of a file's bytes."""

    def mutation(path: Path, draw: random.Random) -> None:
        data = bytearray(path.read_bytes())
        change(data, draw)
        path.write_bytes(data)

    return mutation


def _cut(data: bytearray, draw: random.Random) -> None:
    del data[draw.randrange(len(data)) :]


def _half(data: bytearray, _: random.Random) -> None:
    del data[len(data) // 2 :]


def _end(data: bytearray, draw: random.Random) -> None:
    del data[-draw.randint(1, 400) :]


def _header(data: bytearray, draw: random.Random) -> None:
    for _ in range(draw.randint(1, 12)):
        data[draw.randrange(min(HEADER, len(data)))] = draw.randrange(256)


def _anywhere(data: bytearray, draw: random.Random) -> None:
    for _ in range(draw.randint(1, 40)):
        data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)


def _atom(data: bytearray, draw: random.Random) -> None:
    """The numbers right before or behind one of the container's own names."""
    places = [at for name in ATOMS for at in _all(data, name)]
    at = draw.choice(places) if places else draw.randrange(len(data))
    start = max(0, at + draw.choice((-4, 4, 8, 12, 16, 20)))
    number = draw.choice((0, 1, 7, 8, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, draw.getrandbits(32)))
    data[start : start + 4] = number.to_bytes(4, draw.choice(("big", "little")))


def _all(data: bytearray, name: bytes) -> list[int]:
    found, at = [], data.find(name)
    while at >= 0:
        found.append(at)
        at = data.find(name, at + 1)
    return found


def _zeros(data: bytearray, draw: random.Random) -> None:
    length = draw.choice((64, 1000, len(data) // 4))
    at = draw.randrange(len(data))
    data[at : at + length] = bytes(len(data[at : at + length]))


def _zero_end(data: bytearray, _: random.Random) -> None:
    """As a download that was broken off leaves it."""
    half = len(data) // 2
    data[half:] = bytes(len(data) - half)


def _spliced(data: bytearray, draw: random.Random) -> None:
    at, start = draw.randrange(len(data)), draw.randrange(len(data))
    data[at:at] = data[start : start + draw.randint(1, 3000)]


def _taken_out(data: bytearray, draw: random.Random) -> None:
    at = draw.randrange(len(data))
    del data[at : at + draw.randint(1, 3000)]


def _twice(data: bytearray, _: random.Random) -> None:
    data += bytes(data)


def _noise(data: bytearray, draw: random.Random) -> None:
    data += draw.randbytes(3000)


def _renamed(path: Path, draw: random.Random) -> Path:
    suffix = draw.choice(
        (".mp4", ".mov", ".mkv", ".webm", ".gif", ".avi", ".ts", ".png", ".jpg", ".exr", ".wav", ".txt", "", ".m3u8")
    )
    return path.rename(path.with_name(f"clip{suffix}"))


FILE_MUTATIONS: dict[str, Mutation] = {
    "cut short": _edited(_cut),
    "cut in half": _edited(_half),
    "its end cut off": _edited(_end),
    "its header changed": _edited(_header),
    "bits flipped anywhere": _edited(_anywhere),
    "a size or count changed": _edited(_atom),
    "another size or count changed": _edited(_atom),
    "zeros": _edited(_zeros),
    "its end is zeros": _edited(_zero_end),
    "spliced": _edited(_spliced),
    "a piece taken out": _edited(_taken_out),
    "twice": _edited(_twice),
    "noise behind it": _edited(_noise),
    "another extension": _renamed,
}


def _on_one(change: Callable[[bytearray, random.Random], object]) -> Callable[[Path, Path, random.Random], object]:
    """A mutation of one picture of a sequence."""
    return lambda folder, _here, draw: _edited(change)(draw.choice(sorted(folder.iterdir())), draw)


def _one(folder: Path, draw: random.Random) -> Path:
    return draw.choice(sorted(folder.iterdir())[1:-1])


def _gone(folder: Path, _here: Path, draw: random.Random) -> None:
    _one(folder, draw).unlink()


def _last_gone(folder: Path, _here: Path, draw: random.Random) -> None:
    for path in sorted(folder.iterdir())[-draw.randint(1, 3) :]:
        path.unlink()


def _emptied(folder: Path, _here: Path, draw: random.Random) -> None:
    os.truncate(_one(folder, draw), 0)


def _other_size(folder: Path, _here: Path, draw: random.Random) -> None:
    import cv2
    import numpy as np

    path = _one(folder, draw)
    done, data = cv2.imencode(path.suffix, np.zeros((32, 80, 3), np.float32 if path.suffix == ".exr" else np.uint8))
    assert done
    path.write_bytes(data.tobytes())


def _folder(folder: Path, _here: Path, draw: random.Random) -> None:
    path = _one(folder, draw)
    path.unlink()
    path.mkdir()


def _pipe(folder: Path, _here: Path, draw: random.Random) -> None:
    path = _one(folder, draw)
    path.unlink()
    os.mkfifo(path)


def _loop(folder: Path, _here: Path, draw: random.Random) -> None:
    path = _one(folder, draw)
    path.unlink()
    path.symlink_to(path.name)


def _text(folder: Path, here: Path, draw: random.Random) -> None:
    path = _one(folder, draw)
    path.unlink()
    path.symlink_to(here / "beside" / "letter.txt")


def _zeros_for_ever(folder: Path, _here: Path, draw: random.Random) -> None:
    path = _one(folder, draw)
    path.unlink()
    path.symlink_to("/dev/zero")


def _two(folder: Path, _here: Path, _draw: random.Random) -> None:
    for number, path in enumerate(sorted(folder.iterdir())[:3]):
        path.rename(folder / f"g.{number:04d}{path.suffix}")


def _misnamed(folder: Path, _here: Path, draw: random.Random) -> None:
    """One kind's bytes under another's name, all through."""
    suffix = draw.choice((".png", ".jpg", ".tif", ".webp", ".exr"))
    for path in sorted(folder.iterdir()):
        path.rename(path.with_suffix(suffix))


FOLDER_MUTATIONS: dict[str, Callable[[Path, Path, random.Random], object]] = {
    "a picture cut short": _on_one(_cut),
    "a picture's end cut off": _on_one(_end),
    "a picture's header changed": _on_one(_header),
    "bits of a picture flipped": _on_one(_anywhere),
    "a size in a picture changed": _on_one(_atom),
    "zeros in a picture": _on_one(_zeros),
    "a picture spliced": _on_one(_spliced),
    "a picture missing": _gone,
    "its last pictures missing": _last_gone,
    "a picture emptied": _emptied,
    "a picture of another size": _other_size,
    "a folder for a picture": _folder,
    "a pipe for a picture": _pipe,
    "a picture that links to itself": _loop,
    "a text for a picture": _text,
    "zeros without end for a picture": _zeros_for_ever,
    "two sequences": _two,
    "another extension": _misnamed,
}


def _zip() -> bytes:
    made = BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("clip.mp4", b"no clip")
    return made.getvalue()


def _bomb(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds next to nothing."""
    import struct
    import zlib

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


CONCAT = b"ffconcat version 1.0\nfile 'beside/clip.mp4'\nfile '/etc/passwd'\n"
PLAYLIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nbeside/letter.txt\n#EXTINF:1,\nhttp://127.0.0.1:9/x.ts\n#EXT-X-ENDLIST\n"
MANIFEST = b'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period><AdaptationSet/></Period></MPD>'
SESSION = b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=video 9 RTP/AVP 96\na=rtpmap:96 H264/90000\n"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><image href="beside/letter.txt"/></svg>'
WAVE = b"RIFF\x24\x10\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x80\x3e\0\0\2\0\x10\0data\0\x10\0\0" + bytes(4096)
IMPOSTORS: tuple[tuple[str, str, bytes], ...] = (
    *((f"a list of files ({suffix})", suffix, CONCAT) for suffix in (".mp4", ".mov", ".ffconcat", ".txt", ".mkv")),
    *((f"a playlist ({suffix})", suffix, PLAYLIST) for suffix in (".m3u8", ".mp4", ".ts", ".webm")),
    ("a manifest", ".mpd", MANIFEST),
    ("a session", ".sdp", SESSION),
    ("a session", ".mp4", SESSION),
    ("a drawing", ".svg", SVG),
    ("a drawing", ".png", SVG),
    ("a text", ".mp4", b"hello\n" * 500),
    ("nothing", ".mp4", b""),
    ("nothing", ".png", b""),
    ("zeros", ".mkv", bytes(5000)),
    ("an archive", ".mov", _zip()),
    ("a program", ".avi", b"\x7fELF" + bytes(range(256)) * 8),
    ("a document", ".mp4", b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\n"),
    ("a page", ".webm", b"<!doctype html><title>404</title>" * 50),
    ("a huge claim", ".png", _bomb(30_000, 30_000)),
    ("a larger claim", ".png", _bomb(100_000, 100_000)),
    ("no width", ".png", _bomb(0, 0)),
    ("the largest claim", ".png", _bomb(0x7FFFFFFF, 0x7FFFFFFF)),
    ("sound alone", ".wav", WAVE),
)  # fmt: skip
