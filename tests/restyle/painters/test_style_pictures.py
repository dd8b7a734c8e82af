from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image
from scenes import texture

from restyle.footage import write_picture
from restyle.footage.colour import to_depth
from restyle.painters.style_pictures import read_style_picture


@pytest.mark.parametrize(
    "kind", ["grey16.png", "rgb16.tif", "jpeg.png", "alpha.webp", "turned.jpg", "light.exr", "one.gif"]
)
def test_a_style_picture_of_any_depth_is_what_it_shows(tmp_path, kind: str) -> None:
    picture, path = texture(40, 30), tmp_path / kind
    wanted, near = picture, 0
    if kind == "grey16.png":
        cv2.imwrite(str(path), picture[..., 0].astype(np.uint16) * 257)  # Pillow clips all of it to white
        wanted = np.dstack([picture[..., 0]] * 3)
    elif kind == "light.exr":
        write_picture(path, to_depth(picture, "float32"))
    elif kind == "rgb16.tif":
        write_picture(path, picture.astype(np.uint16) * 257)
    elif kind == "jpeg.png":
        Image.fromarray(picture).save(path, "jpeg", quality=100, subsampling=0)
        near = 4
    elif kind == "alpha.webp":
        clear = np.where(np.arange(picture.shape[1]) < 10, 0, 255)[None].repeat(picture.shape[0], 0).astype(np.uint8)
        Image.fromarray(np.dstack([picture, clear])).save(path, lossless=True, exact=True)
        wanted = np.where(clear[..., None] == 0, np.uint8(255), picture)
    elif kind == "turned.jpg":
        exif = Image.Exif()
        exif[0x0112] = 6
        Image.fromarray(np.ascontiguousarray(np.rot90(picture))).save(path, exif=exif, quality=100, subsampling=0)
        near = 4
    else:
        picture = picture[..., :1].repeat(3, 2)
        Image.fromarray(picture[..., 0]).save(path)
        wanted = picture
    assert np.abs(read_style_picture(path) * 255 - wanted).max() <= near + 0.01
