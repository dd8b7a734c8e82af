"""The studio: a page on this machine for choosing looks, marking objects, rendering and comparing.

It has no logic of its own: what it shows comes from the public API, and what is done on it ends in a recipe file and a job
folder, which ``restyle run`` takes as well. Needs the extra ``restyle[studio]``.
"""
