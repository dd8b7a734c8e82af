"""Painters: keyframes repainted in a new look. One painter a file or folder."""

from interp.parts import PartTable

__all__ = ["PAINTERS"]

PAINTERS = PartTable(
    "painter",
    "restyle.painters",
    {
        "diffusion": "restyle.painters.diffusion.painter:DiffusionPainter",
        "identity": "restyle.painters.identity:IdentityPainter",
        "neural-style": "restyle.painters.neural_style:NeuralStylePainter",
    },
    extras=dict.fromkeys(
        ("torch", "diffusers", "transformers", "accelerate", "peft", "compel", "huggingface_hub"), "diffusion"
    ),
)
