"""Keyframes repainted by models that edit pictures as they are told, through diffusers' own pipelines.

::

    options.py      options
    painter.py      the painter; imports no torch
    model_files.py  options -> the model's family, and its files on this machine (see ``restyle.weights``)
    families/       one adapter a family of models: what it can, and how its pipeline is called
    runtime.py      from here on torch is imported: a paint request -> paintings
    loading.py      files of weights -> pipelines on a device
    memory.py       memory that runs out, step by step
    keyframes.py    what each keyframe is painted from: anchor, neighbour, matte, maps
    sizes.py        the size that is painted at
"""
