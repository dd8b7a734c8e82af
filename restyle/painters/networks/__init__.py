"""Parts that all painters of large networks use.

::

    machine.py   the device, and how it is used; imports no torch
    devices.py   the devices of this computer, and the memory that is free on them
    memory.py    memory that runs out
    errors.py    errors of the libraries that load networks, in one line
    pictures.py  pictures of any size and depth <-> tensors
"""
