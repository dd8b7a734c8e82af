"""The painter ``video``: all frames of a window made together, by models of video.

``options``   what can be asked for
``painter``   the painter, without torch
``film``      a window's frames as a model is given them
``faces``     faces of the footage, close up
``families``  adapters, one a family of models: how its pipeline of diffusers is called
``colours``   colours held from window to window
``runtime``   the painter at work
"""
