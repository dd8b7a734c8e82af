"""Keyframes repainted by models that edit pictures as they are told, through diffusers' own pipelines.

::

    options.py      options
    painter.py      the painter; imports no torch
    model_files.py  the models that it knows, and their files
    families/       one adapter a family of models: what it can, and how its pipeline is called
    runtime.py      from here on torch is imported: a paint request -> paintings
    controlnets.py  ControlNets beside a pipeline
    keyframes.py    what each keyframe is painted from: anchor, neighbour, matte, maps
    sizes.py        the size that is painted at
"""
