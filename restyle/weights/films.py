"""Models of video that are known by name. Imports nothing heavy.

Ids and licences are those of the models' own pages, as they were in 2025 and 2026; so is what is fetched of Wan's, other sizes
are reckoned. Nothing was run on these weights.
"""

from __future__ import annotations

from collections.abc import Mapping

from restyle.weights.pipelines import KnownPipeline

__all__ = ["FILMS"]

FILMS: Mapping[str, KnownPipeline] = {
    "animate-14b": KnownPipeline(
        "Wan-AI/Wan2.2-Animate-14B-Diffusers",
        "animate",
        "Apache-2.0",
        "Wan 2.2 Animate 14B, the person in a picture",
        48,
        35,
        sees=True,
        more=34,
    ),
    "animatediff": KnownPipeline(
        "stable-diffusion-v1-5/stable-diffusion-v1-5",
        "animatediff",
        "CreativeML Open RAIL-M",
        "Stable Diffusion 1.5 with AnimateDiff",
        3,
        2,
    ),
    "ltx": KnownPipeline(
        "Lightricks/LTX-Video-0.9.5", "ltx", "OpenRAIL-M", "LTX-Video 2B, all frames of a window", 15, 9
    ),
    "ltx-2": KnownPipeline("Lightricks/LTX-2", "ltx-2", "LTX-2 Community", "LTX-2 19B, all frames of a window", 68, 38),
    "lucy-edit": KnownPipeline(
        "decart-ai/Lucy-Edit-Dev",
        "lucy-edit",
        "Lucy Edit Dev non-commercial",
        "Lucy Edit 5B, told what to change",
        23,
        11,
    ),
    "svd-xt": KnownPipeline(
        "stabilityai/stable-video-diffusion-img2vid-xt",
        "svd",
        "Stability AI Community",
        "Stable Video Diffusion, on from a painted frame",
        5,
        3,
        sees=True,
    ),
    "vace-1.3b": KnownPipeline(
        "Wan-AI/Wan2.1-VACE-1.3B-diffusers",
        "vace",
        "Apache-2.0",
        "Wan 2.1 VACE 1.3B, all frames of a window",
        15,
        11,
        more=4,
    ),
    "vace-14b": KnownPipeline(
        "Wan-AI/Wan2.1-VACE-14B-diffusers",
        "vace",
        "Apache-2.0",
        "Wan 2.1 VACE 14B, all frames of a window",
        47,
        35,
        more=34,
    ),
}
