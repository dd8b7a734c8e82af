from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scenes import texture

from restyle.errors import RecipeError, UnknownPartError
from restyle.painters.neural_style.choice import parse_style
from restyle.painters.neural_style.style_sheet import style_sheet
from restyle.painters.neural_style.styles import DEFAULT_STYLE, STYLES


def test_every_style_of_the_network_has_one_good_name() -> None:
    assert [style.number for style in STYLES] == list(range(26))
    assert len({style.name for style in STYLES}) == len({style.description for style in STYLES}) == 26
    assert all(style.name == style.name.lower().strip() and " " not in style.name for style in STYLES)
    assert DEFAULT_STYLE in {style.name for style in STYLES}


def test_a_name_and_nothing() -> None:
    assert parse_style("lava").weights[20] == 1
    assert parse_style(None) == parse_style(DEFAULT_STYLE)


def test_a_blend_adds_up_to_one() -> None:
    weights = parse_style("mosaic:3, lava").weights
    assert weights[25] == pytest.approx(0.75)
    assert sum(weights) == pytest.approx(1)
    assert parse_style("lava:1,lava:1").weights[20] == pytest.approx(1)


@pytest.mark.parametrize("name", ["moasic", "mosaic,lavva", "Mosaic"])
def test_an_unknown_style_names_the_nearest(name: str) -> None:
    with pytest.raises(UnknownPartError, match=r"unknown style .*did you mean '(mosaic|lava)'.*There are: honey-wash"):
        parse_style(name)


@pytest.mark.parametrize("weight", ["0", "-1", "inf", "nan"])
def test_a_weight_is_a_positive_number(weight: str) -> None:
    with pytest.raises(RecipeError, match="positive number"):
        parse_style(f"mosaic:{weight},lava:1")


@pytest.mark.parametrize("text", ["", " ", ",", "mosaic,", ":0.5"])
def test_no_name_at_all_is_told(text: str) -> None:
    with pytest.raises(RecipeError, match="names no style"):
        parse_style(text)


@pytest.mark.parametrize("text", ["x" * 5000, "x" * 5000 + ".png", "nul\0.png", "some/folder"])
def test_a_name_that_no_file_has_is_told_in_one_line(text: str) -> None:
    with pytest.raises(RecipeError) as caught:
        parse_style(text)
    assert "\n" not in str(caught.value)


def test_a_picture_with_any_name(tmp_path) -> None:
    for name in ("a b.png", "-x.png", "50%, or:1.png", "ü\n.png"):
        Image.fromarray(texture(20, 30)).save(tmp_path / name)
        choice = parse_style(str(tmp_path / name))
        assert choice.pictures == ((tmp_path / name, 1.0),)


def test_pictures_blend_and_do_not_mix_with_names(tmp_path) -> None:
    for name in ("a.png", "b.png"):
        Image.fromarray(texture(20, 30)).save(tmp_path / name)
    choice = parse_style(f"{tmp_path}/a.png:3,{tmp_path}/b.png:1")
    assert [weight for _, weight in choice.pictures] == [0.75, 0.25]
    with pytest.raises(RecipeError, match="blend names, or pictures"):
        parse_style(f"{tmp_path}/a.png:1,lava:1")


@pytest.mark.parametrize(
    ("content", "says"), [(None, "is not there"), (b"", "cannot be read"), (b"hello", "cannot be read")]
)
def test_a_bad_style_picture_is_named(tmp_path, content: bytes | None, says: str) -> None:
    path = tmp_path / "look.png"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(RecipeError, match=says) as caught:
        parse_style(str(path))
    assert "look.png" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_truncated_style_picture_is_refused_before_work_begins(tmp_path) -> None:
    Image.fromarray(texture(64, 64)).save(tmp_path / "whole.png")
    data = (tmp_path / "whole.png").read_bytes()
    (tmp_path / "half.png").write_bytes(data[: len(data) // 2])
    with pytest.raises(RecipeError, match=r"half\.png"):
        parse_style(str(tmp_path / "half.png"))


def test_an_animation_is_no_style_picture(tmp_path) -> None:
    frames = [Image.fromarray(texture(20, 30)), Image.fromarray(255 - texture(20, 30))]
    for name in ("a.gif", "a.webp", "a.png"):
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:])
        with pytest.raises(RecipeError, match=rf"{name}.* 2 pictures, one is needed"):
            parse_style(str(tmp_path / name))


def test_a_sheet_shows_every_style_differently() -> None:
    sheet = style_sheet(texture(48, 64), tile=64, columns=4, names=["lava", "mosaic", "winter-ink"])
    assert sheet.dtype == np.uint8
    tiles = [sheet[4:52, 4 + column * 68 : 68 + column * 68] for column in range(4)]
    assert all(np.abs(a.astype(int) - b).mean() > 8 for n, a in enumerate(tiles) for b in tiles[:n])


def test_naming_styles_loads_nothing_heavy() -> None:
    code = "import sys, restyle.painters.neural_style.styles; "
    code += "print([m for m in ('cv2', 'onnxruntime', 'av', 'torch') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_the_page_of_styles_shows_what_there_is() -> None:
    docs = Path(__file__).parents[4] / "docs"
    listed = re.findall(r"^\| `([\w-]+)` \| (.+) \|$", (docs / "styles.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert listed == [(style.name, style.description) for style in STYLES]
    assert (docs / "styles.jpg").stat().st_size < 600_000
