"""Planning: pass 1, and the windows of work that follow from it.

``analyse``    decodes once, small; finds cuts, motion and keyframes
``shots``      cuts and fades, and the shots between them
``keyframes``  the frames that are painted
``plan``       recipe and analysis -> windows
"""
