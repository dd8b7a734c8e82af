"""Values that nobody means, for fields of every type."""

from __future__ import annotations

import random
from typing import Any

__all__ = ["NUMBERS", "ODD", "PATHS", "TEXTS", "odd_value"]

TEXTS: tuple[str, ...] = (
    "",
    " ",
    "\0",
    "a\0b",
    "\ud800",
    "\udcff\udcfe",
    "\n",
    "\r\n\x1b[31mred\x1b[0m",
    "x" * 5000,
    "動" * 90,
    "%s%n%d",
    "{0.__class__}",
    "${HOME}",
    "$(touch beside/made)",
    "`touch beside/made`",
    "<script>alert(1)</script>",
    "../../etc/passwd",
    "-o",
    "--overwrite",
    "null",
    "nan",
    "\u202egpj.elif",
)
PATHS: tuple[str, ...] = (
    ".",
    "..",
    "/",
    "~",
    "/dev/zero",
    "/dev/full",
    "/dev/stdin",
    "/dev/fd/0",
    "/proc/self/mem",
    "pipe",
    "pipe:0",
    "file:clip.mp4",
    "http://127.0.0.1:9/x.png",
    "concat:clip.mp4|clip.mp4",
    "subfile,,start,0,end,9,,:clip.mp4",
    "beside/letter.txt",
    "beside",
    "clip.mp4",
    "loop",
    "missing.png",
    "missing/%04d.png",
    "%99999999d.png",
    "evil.pt",
    "evil.yaml",
    "evil.npz",
    "big.bin",
    "../" * 40 + "etc/passwd",
    "a/" * 3000 + "b",
)
NUMBERS: tuple[Any, ...] = (
    0,
    -1,
    1,
    2**31,
    2**63 - 1,
    2**63,
    2**64,
    10**400,
    -(10**30),
    0.5,
    -0.0,
    1e308,
    5e-324,
    float("inf"),
    float("-inf"),
    float("nan"),
    True,
)
ODD: tuple[Any, ...] = (
    None,
    [],
    {},
    [None],
    [[]],
    [1, "a"],
    {"a": {"b": [1]}},
    {"": ""},
    {"_target_": "shutil.copyfile", "src": "beside/letter.txt", "dst": "beside/made"},
    [[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]],
)


def odd_value(draw: random.Random) -> Any:
    """Any of them."""
    return draw.choice(draw.choice((TEXTS, PATHS, NUMBERS, ODD)))
