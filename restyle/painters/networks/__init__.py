"""Parts that all painters of large networks use.

::

    machine.py   the device, and how it is used; imports no torch
    devices.py   the devices of this computer, and the memory that is free on them
    memory.py    memory that runs out
    errors.py    errors of the libraries that load networks, in one line
    specs.py     parts beside a model, as a person names them
    loras.py     LoRAs: the files that are meant, and these on a pipeline's networks
    work.py      memory that is computed with, reckoned from networks' configurations
    sizes.py     the size that is painted at
    choices.py   checks of options
    pictures.py  pictures of any size and depth <-> tensors

Of those that use whole pipelines of diffusers::

    pipeline_files.py  options -> the model's family, and its files on this machine; imports no torch
    pipelines.py       files of weights -> pipelines on a device
    painter.py         the painter round them
    fitting.py         memory that runs out: what is given up, step by step
"""
