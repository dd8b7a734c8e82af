"""Recipe files that are no recipes, no documents, or no files."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from pathlib import Path

__all__ = ["DOCUMENTS", "SPECIAL", "spoiled"]


def _laughs() -> bytes:
    """Nine levels of ten: a thousand million when it is written out."""
    lines = ["l0: &l0 [a, a, a, a, a, a, a, a, a, a]"]
    lines += [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, 10)]
    return "\n".join([*lines, "painter_options: {x: *l9}"]).encode()


SAM2 = b"masker: sam2\nobjects: ['a=box:1,1,9,9@0']\n"
DOCUMENTS: tuple[tuple[str, bytes | Callable[[], bytes]], ...] = (
    ("empty", b""),
    ("blank", b" \n\n"),
    ("null", b"null"),
    ("a number", b"17"),
    ("a list", b"[]"),
    ("a text", b'"mosaic"'),
    ("nested lists", lambda: b"[" * 100_000),
    ("nested lists, closed", lambda: b'{"painter_options": {"x": ' + b"[" * 5000 + b"]" * 5000 + b"}}"),
    ("nested tables", lambda: b'{"a":' * 20_000 + b"1" + b"}" * 20_000),
    ("5,000 digits", lambda: b'{"seed": ' + b"7" * 5000 + b"}"),
    ("5,000 digits in a list", lambda: b'{"keyframes": [' + b"7" * 5000 + b"]}"),
    ("5,000 digits in options", lambda: b'{"painter_options": {"hold": ' + b"7" * 5000 + b"}}"),
    ("a large exponent", b'{"strength": 1e99999}'),
    ("infinity", b'{"strength": Infinity, "seed": -Infinity}'),
    ("not a number", b'{"coverage": NaN, "quality": NaN}'),
    ("numbers of every notation", b"seed: 0x7fffffffffffffff\nquality: 0o777\nstrength: .inf\ncoverage: 1:30:00\n"),
    ("zero bytes", b'{"style": "a\\u0000b", "codec": "\\u0000"}'),
    ("lone surrogates", b'{"style": "\\ud800", "objects": ["\\udfff=people"]}'),
    ("keys twice", b'{"style": "mosaic", "style": 7}'),
    ("a comment", b'{"style": "mosaic" /* fine */}'),
    ("a mark of order", b"\xef\xbb\xbf" + b'{"painter": "identity"}'),
    ("16 bits", '{"painter": "identity"}'.encode("utf-16")),
    ("latin", '{"style": "f\u00e9e"}'.encode("latin-1")),
    ("bytes", bytes(range(256))),
    ("binary zeros", lambda: bytes(1 << 20)),
    ("an image", b"\x89PNG\r\n\x1a\n" + bytes(64)),
    ("20,000 objects", lambda: json.dumps({"objects": [f"o{n}=box:1,1,9,9@0" for n in range(20_000)]}).encode()),
    ("20,000 layers", lambda: json.dumps({"objects": ["a=people"], "layers": [{"object": "a"}] * 20_000}).encode()),
    ("20,000 prompts", lambda: json.dumps({"prompts": [{"frame": n, "prompt": "x"} for n in range(20_000)]}).encode()),
    ("20,000 controls", lambda: json.dumps({"controls": [{"kind": "canny"}] * 20_000}).encode()),
    ("20,000 pictures", lambda: json.dumps({"storyboard": {str(n): "x.png" for n in range(20_000)}}).encode()),
    ("20,000 unknown fields", lambda: json.dumps({f"x{n}": n for n in range(20_000)}).encode()),
    ("a million keyframes", lambda: json.dumps({"keyframes": list(range(1_000_000))}).encode()),
    ("a style of 20,000 parts", lambda: json.dumps({"style": ",".join(["mosaic:0.1"] * 20_000)}).encode()),
    ("a long range", lambda: json.dumps({"range": "9" * 6000 + ":" + "9" * 6000}).encode()),
    ("laughs", _laughs),
    ("an anchor within itself", b"painter_options: &a\n  x: *a\n"),
    ("a list within itself", b"keyframes: &a [0, *a]\n"),
    ("keys that are no text", b"painter_options: {1: 2, null: 3, 2020-01-01: 4}\n1: 2\n"),
    ("keys that are lists", b"? [a, b]\n: 1\n"),
    ("a date", b"style: 2020-01-01\nseed: 2020-01-01 10:00:00\n"),
    ("a set", b"keyframes: !!set {0, 3}\nobjects: !!set {a}\n"),
    ("binary", b"style: !!binary aGVsbG8=\nprompt: !!binary AAECAw==\n"),
    ("an object", b'painter_options: !!python/object/apply:os.system ["touch beside/made"]\n'),
    ("a name", b"style: !!python/name:os.system\n"),
    ("a module", b"style: !!python/module:this\n"),
    ("merged", b"a: &a {style: mosaic}\n<<: *a\n"),
    ("merged with a text", b"<<: mosaic\n"),
    ("two documents", b"style: mosaic\n---\nstyle: lava\n"),
    ("tabs", b"style:\n\t- mosaic\n"),
    ("an unknown tag", b"style: !mosaic 1\n"),
    ("truth in words", b"keep_colour: on\nversion: y\n"),
    ("a table of options that is none", b"filler_options: [1]\nmasker_options: x\npainter_options: 3\n"),
    ("options from elsewhere", SAM2 + b"masker_options: {model: evil.pt, config: evil.yaml}\n"),
    ("options from above", SAM2 + b"masker_options: {model: evil.pt, config: ../here/evil}\n"),
    ("a pickle", SAM2 + b"masker_options: {model: evil.pt, allow_pickle: true}\n"),
    ("a pickle to paint with", b"painter: diffusion\nprompt: x\npainter_options: {model: evil.pt}\n"),
    ("people", b'{"objects": ["all=people"], "masker": "flowcut"}'),
)  # fmt: skip


def _whole(path: Path) -> None:
    path.touch()
    os.truncate(path, 6 << 30)


def _no_rights(path: Path) -> None:
    path.write_text("{}")
    path.chmod(0)


SPECIAL: tuple[tuple[str, Callable[[Path], object]], ...] = (
    ("a pipe", os.mkfifo),
    ("a folder", Path.mkdir),
    ("missing", lambda path: None),
    ("a link to itself", lambda path: path.symlink_to(path.name)),
    ("a link to zeros without end", lambda path: path.symlink_to("/dev/zero")),
    ("a link to the terminal", lambda path: path.symlink_to("/dev/stdin")),
    ("a link to a process's memory", lambda path: path.symlink_to("/proc/self/mem")),
    ("6 GB of zeros", _whole),
    ("unreadable", _no_rights),
)


def spoiled(text: bytes, draw: random.Random) -> bytes:
    """A document with a few bytes changed, cut off, or said twice."""
    data = bytearray(text)
    for _ in range(draw.randint(1, 4)):
        at = draw.randrange(len(data) + 1)
        data[at : at + draw.randrange(3)] = draw.choice(
            (b"", b"{", b"}", b'"', b"\\", b":", b"\xff", b"\n", b"&a ", b"*a", data[:at])
        )
    return bytes(data)
