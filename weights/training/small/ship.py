"""Write a trained small model as it is shipped: half precision, safetensors, the hub's layout.

    python weights/training/small/ship.py FOLDER weights/small/restyle_small/model

``FOLDER`` is that of ``train.py``. Its checkpoints are taken where a stage has not ended yet.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path
from typing import Any

import torch
from torch import nn

sys.path[:0] = [str(Path(__file__).resolve().parents[3]), str(Path(__file__).resolve().parent)]

from models import make_autoencoder, make_controlnet, make_scheduler, make_text_encoder, make_tokenizer, make_unet


def averaged(folder: Path, stage: str, *parts: nn.Module) -> int:
    """Put the moving average of a stage's checkpoint into its parts; give its number of steps."""
    kept = torch.load(folder / f"{stage}.pt", weights_only=True)
    weights = [weight for part in parts for weight in part.parameters() if weight.requires_grad]
    with torch.no_grad():
        for weight, average in zip(weights, kept["averaged"], strict=True):
            weight.copy_(average)
    return int(kept["step"])


def ship(folder: Path, target: Path) -> dict[str, int]:
    """Write the model; give the steps of each stage."""
    from diffusers import StableDiffusionPipeline  # after ``models``, which lets it be imported

    vae, unet, tokenizer = make_autoencoder(), make_unet(), make_tokenizer()
    text, net = make_text_encoder(tokenizer), make_controlnet(unet)
    steps = {"autoencoder": averaged(folder, "autoencoder", vae), "unet": averaged(folder, "unet", unet, text)}
    if (folder / "controlnet.pt").exists():
        steps["controlnet"] = averaged(folder, "controlnet", net)
    if (folder / "together.pt").exists():
        steps["together"] = averaged(folder, "together", net, unet, text)
    vae.register_to_config(scaling_factor=type(vae).from_pretrained(folder / "model" / "vae").config.scaling_factor)
    pipe: Any = StableDiffusionPipeline(
        vae=vae,
        text_encoder=text,
        tokenizer=tokenizer,
        unet=unet,
        scheduler=make_scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    if target.exists():
        shutil.rmtree(target)
    pipe.to(torch.float16)
    pipe.save_pretrained(target)
    if "controlnet" in steps:
        net.half().save_pretrained(target / "controlnet")
    for file in target.rglob("*.safetensors"):
        file.chmod(0o644)  # the library writes them for their owner alone
    return steps


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("target", type=Path)
    args = parser.parse_args()
    print(ship(args.folder, args.target))
    print(f"{sum(file.stat().st_size for file in args.target.rglob('*') if file.is_file()) / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
