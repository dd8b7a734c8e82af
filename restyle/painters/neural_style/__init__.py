"""The painter ``neural-style``: feed-forward style networks, the embedded default.

``painter``      the painter
``temporal``     each keyframe's painting held to the one before it
``networks``     the networks, over pictures and over regions of them
``scaling``      the size at which a picture is painted, and so the strokes'; ``canvas``: where a region of it lies
``multistyle``   the network of the built-in styles, run; ``graphs``: its graph, edited; ``sessions``: models in onnxruntime
``styles``       the built-in styles; ``choice``: those that ``--style`` names
``style_sheet``  all of them on one picture
"""
