"""Painters: keyframes, or all frames, repainted in a new look. One painter a file or folder.

``base``            what every painter is, and what it is asked for
``identity``        paints nothing
``neural_style/``   feed-forward style networks, the embedded default
``diffusion/``      diffusion models with control maps and prompts
``edit/``           models that edit pictures as they are told
``video/``          models of video, which make every frame
``networks/``       what painters that run large networks have in common
``style_pictures``  pictures as styles, for all of them
"""

from interp.parts import PartTable

__all__ = ["PAINTERS"]

PAINTERS = PartTable(
    "painter",
    "restyle.painters",
    {
        "diffusion": "restyle.painters.diffusion.painter:DiffusionPainter",
        "edit": "restyle.painters.edit.painter:EditPainter",
        "identity": "restyle.painters.identity:IdentityPainter",
        "neural-style": "restyle.painters.neural_style.painter:NeuralStylePainter",
        "video": "restyle.painters.video.painter:VideoPainter",
    },
    extras=dict.fromkeys(
        ("torch", "diffusers", "transformers", "accelerate", "peft", "compel", "ftfy", "huggingface_hub"), "diffusion"
    ),
)
