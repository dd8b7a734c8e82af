"""Motion between frames, and pictures along it. Speaks numpy arrays; imports neither of the other packages.

``flow/``         motion between two pictures (flow estimators)
``warp``          warping, composing and checking flow
``tracks``        motion over many frames, composed from neighbour to neighbour
``propagate/``    paintings propagated along the footage's motion (fillers)
``interpolate/``  new frames between two (interpolators); ``rife/`` is their network
``plates``        what lies behind something that is taken out of the picture
``pixels/``       depth, sizes and boxes of pictures
``types``         what all of these agree on: ``Motion``, ``Gap``, ``Propagated`` and the protocols of the parts

``options``, ``quiet``, ``regular`` and ``oiio`` hold what parts of all three packages need: checking options, silencing
libraries, opening files that a person names.
"""
