"""The network, generation 4.25: five blocks from coarse to fine, each correcting flow and mask of the one before.

Written from the architecture as published (https://github.com/hzwer/Practical-RIFE); its parameters bear the published
names, so that published weights load. Blocks see the picture at 1/16 to full size. It is for inference: no teacher, no losses.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

__all__ = ["SCALES", "IFNet", "backward_warp"]

SCALES = (16, 8, 4, 2, 1)
WIDTHS = (192, 128, 96, 64, 32)
FEATURES = 4  # channels of the encoder's features, of each frame
CARRIED = 8  # channels of the state that one block hands to the next
SLOPE = 0.2


def backward_warp(picture: torch.Tensor, flow: torch.Tensor) -> torch.Tensor:
    """``picture`` (N x C x H x W) sampled at ``x + flow(x)``, flow N x 2 x H x W in pixels; beyond the border, the border."""
    height, width = picture.shape[2:]
    x = torch.arange(width, dtype=flow.dtype, device=flow.device)[None, None, :] + flow[:, 0]
    y = torch.arange(height, dtype=flow.dtype, device=flow.device)[None, :, None] + flow[:, 1]
    coordinates = torch.stack([x * (2 / (width - 1)) - 1, y * (2 / (height - 1)) - 1], dim=3)
    return F.grid_sample(picture, coordinates, mode="bilinear", padding_mode="border", align_corners=True)


class Encoder(nn.Module):
    """A frame's features, at its own size."""

    def __init__(self) -> None:
        super().__init__()
        self.cnn0 = nn.Conv2d(3, 16, 3, 2, 1)
        self.cnn1 = nn.Conv2d(16, 16, 3, 1, 1)
        self.cnn2 = nn.Conv2d(16, 16, 3, 1, 1)
        self.cnn3 = nn.ConvTranspose2d(16, FEATURES, 4, 2, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer in (self.cnn0, self.cnn1, self.cnn2):
            x = F.leaky_relu(layer(x), SLOPE)
        return self.cnn3(x)


class Residual(nn.Module):
    """A convolution whose share in the result is learnt."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, 1, 1)
        self.beta = nn.Parameter(torch.ones(1, width, 1, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.leaky_relu(self.conv(x) * self.beta + x, SLOPE)


class Block(nn.Module):
    """Sees frames, features and flow at one scale; gives a change of the flow, a mask, and the state for the next block."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.conv0 = nn.Sequential(_strided(channels, width // 2), _strided(width // 2, width))
        self.convblock = nn.Sequential(*(Residual(width) for _ in range(8)))
        self.lastconv = nn.Sequential(nn.ConvTranspose2d(width, 4 * (5 + CARRIED), 4, 2, 1), nn.PixelShuffle(2))

    def forward(
        self, x: torch.Tensor, flow: torch.Tensor | None, scale: float
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        x = _resized(x, 1 / scale)
        if flow is not None:
            x = torch.cat([x, _resized(flow, 1 / scale) / scale], 1)
        out = _resized(self.lastconv(self.convblock(self.conv0(x))), scale)
        return out[:, :4] * scale, out[:, 4:5], out[:, 5:]


class IFNet(nn.Module):
    """Two frames and a time -> the picture between."""

    def __init__(self) -> None:
        super().__init__()
        first = 2 * 3 + 2 * FEATURES + 1  # both frames, both features, time
        later = first + 1 + CARRIED + 4  # and mask, the blocks' state, flow
        self.block0 = Block(first, WIDTHS[0])
        self.block1, self.block2, self.block3, self.block4 = (Block(later, width) for width in WIDTHS[1:])
        self.encode = Encoder()

    def forward(self, a: torch.Tensor, b: torch.Tensor, time: float, zoom: float = 1.0) -> torch.Tensor:
        """``a``, ``b``: N x 3 x H x W in [0, 1], sides a multiple of 64 / ``zoom``. ``zoom``: 0.5 and below estimate motion on
        a smaller picture, for frames above 2K. The picture at ``time``, of the same shape."""
        now = torch.full_like(a[:, :1], time)
        inputs = [a, b, self.encode(a), self.encode(b), now]
        flow, mask, state = self.block0(torch.cat(inputs, 1), None, SCALES[0] / zoom)
        blocks = (self.block1, self.block2, self.block3, self.block4)
        for block, scale in zip(blocks, SCALES[1:], strict=True):
            warped = [
                backward_warp(picture, flow[:, 2 * side : 2 * side + 2])
                for picture, side in ((a, 0), (b, 1), (inputs[2], 0), (inputs[3], 1))
            ]
            change, mask, state = block(torch.cat([*warped, now, mask, state], 1), flow, scale / zoom)
            flow = flow + change
        share = torch.sigmoid(mask)
        return backward_warp(a, flow[:, :2]) * share + backward_warp(b, flow[:, 2:4]) * (1 - share)


def _strided(channels: int, width: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(channels, width, 3, 2, 1), nn.LeakyReLU(SLOPE))


def _resized(x: torch.Tensor, scale: float) -> torch.Tensor:
    return F.interpolate(x, scale_factor=scale, mode="bilinear", align_corners=False)
