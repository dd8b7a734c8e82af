"""Keyframes repainted by Stable Diffusion models, tied together in time.

::

    options.py    what a person asks for
    models.py     weights -> a diffusers pipeline; presets.py: known-good ones by name
    painter.py    the painter: pictures and words in, pictures out
    window.py     who is painted with whom: the rows of a window and what each looks at
    sampling.py   the denoising loop, over the library's own parts
    attention.py  self-attention across keyframes
    paths.py      the footage's motion on the grids of latents, tokens and noise
    noise.py      noise that moves with the footage and stays Gaussian
    latents.py    corrections of the predicted picture: shapes early, colours late
"""
