"""Keyframes repainted by Stable Diffusion models, together, so that they are consistent in time.

::

    options.py          options, by the names that diffusers uses
    presets.py          distances from the footage, and ways of sampling
    painter.py          the painter; imports no torch
    beforehand.py       what small files tell of models before they are fetched
    model_files.py      options -> files of weights on this machine (see ``restyle.weights``)
    part_files.py       the files that are meant of LoRAs, IP-Adapters, trained words
    control_kinds.py    ControlNets, unions and T2I-Adapters, by their configurations
    runtime.py          from here on torch is imported: loaded models at work
    loading.py          files of weights -> a diffusers pipeline, on a device
    networks.py         base model and VAE of it, and the networks that take control maps
    adapters.py         LoRAs, IP-Adapters and trained words onto it
    models.py           the loaded models, and how they are used
    prompts.py          prompts of any length, with weights -> embeddings
    vocabulary.py       words that a text encoder does not know
    text_encoders.py    text encoders without their last layers, and with trained words
    coder.py            pictures <-> latents
    row_inputs.py       a paint request -> the rows of a window, and the carry to the next
    window.py           the rows of a window, and which of them attend to which
    sampling.py         the denoising loop, over the library's own parts
    denoiser.py         one call of the networks and the UNet, with guidance
    control_networks.py networks that look at control maps, at work
    time_steps.py       the time steps that are made
    limits.py           how many rows are computed at once, kept with the job
    attended.py         the rows that each attends to in one step
    attention.py        self-attention across keyframes
    correspondences.py  the footage's motion on the grids of latents, tokens and noise
    noise.py            noise that moves with the footage and stays Gaussian
    step_noise.py       the same for the noise that schedulers draw
    inversion.py        the noise that the footage's own picture comes from
    corrections.py      of what a step predicts: shapes early, pixels in between, colours late
    latents.py          the arithmetic of predictions and corrections
"""
