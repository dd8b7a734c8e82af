"""Groups of clips that share one look: an anchor, painted before all else, that every shot of them takes over.

The anchor is a keyframe of the first clip in the group's order that can be painted. It depends on no other clip, so it does not
matter in which order they end; and it is kept under a key of the group's name and the look, so that later runs, with other
clips beside, take the same one. Who paints over it sets the look: it counts by its content.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from restyle.batch.entries import Entry
from restyle.batch.fingerprint import Fingerprints
from restyle.batch.records import BatchFolder
from restyle.job.keys import digest
from restyle.recipe import Recipe

__all__ = ["Group", "Groups"]


@dataclass
class Group:
    """A group of clips, and its anchor."""

    name: str
    folder: Path
    """Of its anchor."""
    ready: bool
    """The anchor is there."""
    making: bool = False
    """A task paints it at this moment."""
    waiting: list[Entry] = field(default_factory=list)
    """Clips that wait for it, in order."""

    def joined(self, entry: Entry) -> Entry:
        """Give an entry that takes over the group's look."""
        return replace(entry, recipe=entry.recipe.model_copy(update={"anchor": str(self.folder)}))


class Groups:
    """The groups of a batch. Methods raise what ``Fingerprints.of`` raises."""

    def __init__(self, folder: BatchFolder, fingerprints: Fingerprints) -> None:
        self._folder = folder
        self._fingerprints = fingerprints
        self._groups: dict[Path, Group] = {}

    def of(self, entry: Entry) -> Group | None:
        """Find the group of an entry; ``None`` if it has none, or its recipe names an anchor already."""
        name, recipe = entry.clip.match, entry.recipe
        if name is None or recipe.anchor is not None:
            return None
        look = Recipe(
            painter=recipe.painter, painter_options=recipe.painter_options, style=recipe.style, seed=recipe.seed
        )
        styles = [[layer.style, layer.seed] for layer in recipe.layers if layer.mode == "restyle"]
        path = self._folder.path / "anchors" / digest(name, self._fingerprints.of(look), styles)
        if path not in self._groups:
            self._groups[path] = Group(name, path, ready=path.is_dir())  # it appears whole, or not at all
        return self._groups[path]
