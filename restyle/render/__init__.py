"""Rendering: runs a plan, one window at a time, through bounded queues. Knows no model, no codec and no file.

``engine``     window after window
``reading``    frames read ahead, with the motion between them
``window``     one window: painted, propagated, composited
``alone``      places of in-betweens painted by themselves, to be looked at
``protocols``  what the engine works with, and the seams where others plug in
``contracts``  checks of what anybody's parts give back
``stream``     bounded prefetch and write-behind
"""
