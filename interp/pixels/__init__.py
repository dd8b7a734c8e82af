"""Pixels: what has nothing to do with motion or pictures' content, each conversion once for all three packages.

``depth``   white, 8 bits and back, shares of white and back
``sizes``   the sizes at which pictures are looked at, and pictures brought to them
``boxes``   rectangles in a picture

Pictures are H x W x 3 RGB, planes H x W; both uint8, uint16 or float32 with 1 = white.
"""
