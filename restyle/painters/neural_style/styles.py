"""The built-in styles by name. Loads nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DEFAULT_STYLE", "STYLES", "Style"]


@dataclass(frozen=True)
class Style:
    """One of the styles that the embedded network was trained on; ``number`` is its place in the network."""

    name: str
    number: int
    description: str


STYLES = (
    Style("honey-wash", 0, "warm watercolour: honey light, pale blue shade"),
    Style("leaded-glass", 1, "yellow panes in thick black leading"),
    Style("charcoal-dusk", 2, "charcoal hatching with a breath of peach"),
    Style("electric-tangle", 3, "a near-abstract tangle of electric colour"),
    Style("crimson-poster", 4, "crimson shade against apricot and sky blue"),
    Style("autumn-oil", 5, "thick autumn oils, rust and slate"),
    Style("indigo-dots", 6, "deep indigo, scattered with dots"),
    Style("night-gouache", 7, "gouache at night: lamp yellow, black and cobalt"),
    Style("candy-sketch", 8, "magenta, teal and lemon over white paper"),
    Style("camellia", 9, "rose petals and white pebbles on dark slate"),
    Style("terracotta", 10, "burnt terracotta under low evening light"),
    Style("woodcut-gold", 11, "brown woodcut lines on gold and ivory"),
    Style("impressionist", 12, "loose dabs of lilac and straw yellow"),
    Style("pop-canvas", 13, "acid green, teal and brick on coarse canvas"),
    Style("winter-ink", 14, "ink on frost: pale blues, a hint of rose"),
    Style("cracked-porcelain", 15, "pastel porcelain with fine dark cracks"),
    Style("wax-crayon", 16, "slanting crayon strokes, blue and ochre"),
    Style("tapestry", 17, "woven brick red, orange and blue; near-abstract"),
    Style("sand-relief", 18, "carved sandstone in ochre and brown"),
    Style("starry-swirl", 19, "swirling blue and gold brushwork"),
    Style("lava", 20, "glowing red over black, embers of blue"),
    Style("paper-cut", 21, "flat cut paper: coral, sky blue and black"),
    Style("red-ink", 22, "heavy black brush, grey ground, splashes of red"),
    Style("old-master", 23, "soft dark landscape under a luminous sky"),
    Style("ukiyo-wave", 24, "navy and cream like a printed wave"),
    Style("mosaic", 25, "chips of slate, rust and gold"),
)

DEFAULT_STYLE = "starry-swirl"
