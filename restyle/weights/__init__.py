"""Weights of every model: where they lie on this machine, how they get here, and whether they may be read.

::

    catalogue.py    models that are known by name, with their ids and licences
    known.py        each of those, and whether it is here
    finding.py      a file, a folder or a hub id -> where it lies on this machine
    hub.py          the model hub: what it has, its cache here, and its errors in one line
    fetching.py     files from the hub into its cache, whole and checked
    selection.py    the files of a model that are needed, by their names
    folders.py      models in folders: what one lacks, which of its files are loaded, how much memory they take
    pickles.py      files that may run a program when they are read
    trusted.py      checks of what a model's folder holds
    digests.py      fingerprints of weights, without reading all of them
    tensors.py      the head of a safetensors file
    parts.py        weights of detectors, maskers and grounding, which take local ones only
"""
