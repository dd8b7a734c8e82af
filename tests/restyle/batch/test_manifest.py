"""Manifests, and what is wrong with some."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest

from restyle.batch.manifest import read_manifest
from restyle.errors import RecipeError, RestyleError

CSV = """\
clip,output,style,strength,keep_colour,objects,storyboard,keyframes,match,fps
a.mp4,one/x.mp4,lava,0.5,true,"car=box:1,2,30,40@0; dog=point:3,4@2",0=first.png;24=second.png,"0,24",beach,
shot/f.%04d.png,,,,,,,every:5,,30000/1001
b.mov,,,,,"[""car=matte:m.png@0""]",,,,
"""


def test_csv_has_a_row_a_clip(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(b"\xef\xbb\xbf" + CSV.encode())
    first, sequence, last = read_manifest(path)
    assert first.source == tmp_path / "a.mp4"
    assert (first.output, first.match, first.rate) == ("one/x.mp4", "beach", None)
    assert dict(first.fields) == {
        "style": "lava",
        "strength": "0.5",
        "keep_colour": "true",
        "objects": ["car=box:1,2,30,40@0", "dog=point:3,4@2"],
        "storyboard": {0: str(tmp_path / "first.png"), 24: str(tmp_path / "second.png")},
        "keyframes": [0, 24],
    }
    assert (sequence.stem, str(sequence.folder), sequence.rate) == ("shot", "shot", Fraction(30000, 1001))
    assert sequence.fields == {"keyframes": "every:5"}
    assert last.fields == {"objects": [f"car=matte:{tmp_path}/m.png@0"]}


@pytest.mark.parametrize("suffix", [".json", ".yaml"])
def test_json_and_yaml_have_fields_for_all(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"list{suffix}"
    clips = [{"clip": "day1/a.mp4", "strength": 0.5}, {"clip": "/far/b.mp4", "style": "lava"}]
    path.write_text(json.dumps({"recipe": {"style": "mosaic"}, "clips": clips}))
    near, far = read_manifest(path)
    assert (near.source, str(near.folder), near.stem) == (tmp_path / "day1/a.mp4", "day1", "a")
    assert near.fields == {"style": "mosaic", "strength": 0.5}
    assert (far.source, str(far.folder)) == (Path("/far/b.mp4"), ".")
    assert far.fields == {"style": "lava"}


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("m.csv", "clip,stlye\na.mp4,lava\n", "clip 1: unknown column 'stlye', did you mean 'style'?"),
        (
            "m.csv",
            "clip,colour of sky\na.mp4,blue\n",
            "unknown column 'colour of sky'; there are clip, output, match, fps",
        ),
        ("m.csv", "clip\n", "lists no clips"),
        ("m.csv", "", "lists no clips"),
        ("m.csv", "output\nx.mp4\n", "clip 1: no clip is named"),
        ("m.csv", "clip,clip\na,b\n", "a column is there twice"),
        ("m.csv", "clip,style\na.mp4,lava,more\n", "line 2: more cells than columns"),
        ("m.csv", 'clip\n"a.mp4\n', "is not valid CSV"),
        ("m.csv", "clip\n\0\n", "is not valid CSV"),
        ("m.csv", "clip,strength\na.mp4,7\n", "clip 1: strength: input should be less than or equal to 1"),
        ("m.csv", "clip,objects\na.mp4,car\n", "clip 1: .*car"),
        ("m.csv", "clip,layers\na.mp4,[{]\n", "line 2: layers is not valid JSON"),
        ("m.csv", "clip,storyboard\na.mp4,first.png\n", "storyboard is FRAME=PICTURE"),
        ("m.csv", "clip,fps\na.mp4,fast\n", "fps is frames a second"),
        ("m.json", "[]", "holds a list, not a table"),
        ("m.json", '{"clips": [1]}', "clips is a list of tables"),
        ("m.json", '{"clip": []}', "unknown key 'clip'; there are clips and recipe"),
        ("m.json", '{"clips": []}', "lists no clips"),
        ("m.json", '{"clips": [{"clip": 5}]}', "clip 1: clip is text, got 5"),
        (
            "m.json",
            '{"clips": [{"clip": "a.mp4", "painter_options": {"allow_pickle": true}}]}',
            "asks to trust pickled files",
        ),
    ],
)
def test_what_is_wrong_is_one_line_with_the_file(tmp_path: Path, name: str, text: str, says: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(RecipeError, match=says) as raised:
        read_manifest(path)
    assert str(path) in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_manifest_that_is_not_there_is_told(tmp_path: Path) -> None:
    for name in ("m.csv", "m.json"):
        with pytest.raises(RestyleError, match=rf"cannot read manifest '.*{name}': no such file"):
            read_manifest(tmp_path / name)
