"""Train the small diffusion model on painted pairs: autoencoder, UNet with text encoder, ControlNet, and the last two together.

    torchrun --nproc-per-node 2 weights/training/small/train.py SET FOLDER [--steps-autoencoder N] [--steps-unet N] ...

Each process computes its share of a step's pairs. Everything depends on the
seed and on the numbers of steps and processes. A checkpoint is kept every few minutes; begun again, the training goes on from
there. ``FOLDER/log.csv`` holds the figures, ``FOLDER/model`` the model in the hub's layout.
"""

from __future__ import annotations

import argparse
import os
import sys
from datetime import timedelta
from pathlib import Path

import torch
import torch.distributed as dist

sys.path[:0] = [str(Path(__file__).resolve().parents[3]), str(Path(__file__).resolve().parent)]

from autoencoder import encode, train_autoencoder
from controlnet import train_controlnet
from loop import processes
from pictures import PaintedPairs
from unet import train_unet


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--steps-autoencoder", type=int, default=5000)
    parser.add_argument("--steps-unet", type=int, default=5000)
    parser.add_argument("--steps-controlnet", type=int, default=1000)
    parser.add_argument("--steps-together", type=int, default=6000)
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    pairs = PaintedPairs(args.set)
    if "WORLD_SIZE" in os.environ:
        dist.init_process_group("gloo", timeout=timedelta(hours=6))
    torch.set_num_threads(max(1, (os.cpu_count() or 1) // processes()))
    vae = train_autoencoder(pairs, args.folder, args.steps_autoencoder)
    latents = encode(pairs, vae, args.folder)
    unet, text, tokenizer = train_unet(latents, pairs, args.folder, args.steps_unet)
    train_controlnet(latents, pairs, unet, text, tokenizer, args.folder, args.steps_controlnet, args.steps_together)


if __name__ == "__main__":
    main()
