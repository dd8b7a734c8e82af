"""Compositing: how the looks' pictures and the footage become one picture.

``layers``     a recipe's layers: which looks have to be painted, and the pictures put together
``blend``      cross-fades, colour, blend modes, softened edges, and pictures laid over each other in linear light
``backdrops``  what ``replace`` layers show
``crop``       the part of each frame that has to be painted, which follows the objects
"""
