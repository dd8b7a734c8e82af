"""The painter ``neural-style``: feed-forward style networks, the embedded default.

``painter``      the painter
``temporal``     each keyframe's painting held to the one before it
``networks``     the networks, at any picture size, and over regions of a picture (``regions``: where they lie)
``multistyle``   the network of the built-in styles, run; ``graphs``: its graph, edited; ``sessions``: models in onnxruntime
``styles``       the built-in styles; ``choice``: those that ``--style`` names
``style_sheet``  all of them on one picture
"""
