"""Keyframes repainted by Stable Diffusion models, together, so that they are consistent in time.

::

    options.py          options, by the names that diffusers uses
    painter.py          the painter; imports no torch
    beforehand.py       what small files tell of models before they are fetched
    model_files.py      options -> files of weights on this machine (see ``restyle.weights``)
    part_files.py       the files that are meant of LoRAs and IP-Adapters
    runtime.py          from here on torch is imported: loaded models at work
    loading.py          files of weights -> a diffusers pipeline, on a device
    networks.py         base model, VAE and ControlNets of it
    adapters.py         LoRAs and IP-Adapters onto it
    models.py           the loaded models, and how they are used
    prompts.py          prompts of any length, with weights -> embeddings
    coder.py            pictures <-> latents
    row_inputs.py       a paint request -> the rows of a window, and the carry to the next
    window.py           the rows of a window, and which of them attend to which
    sampling.py         the denoising loop, over the library's own parts
    denoiser.py         one call of ControlNets and UNet, with guidance
    attention.py        self-attention across keyframes
    correspondences.py  the footage's motion on the grids of latents, tokens and noise
    noise.py            noise that moves with the footage and stays Gaussian
    step_noise.py       the same for the noise that schedulers draw
    inversion.py        the noise that the footage's own picture comes from
    corrections.py      of what a step predicts: shapes early, pixels in between, colours late
    latents.py          the arithmetic of predictions and corrections
"""
