"""Maskers: objects followed through a shot from a person's prompts. One masker a file; it says what it takes and needs."""

from interp.parts import PartTable

__all__ = ["MASKERS"]

MASKERS = PartTable(
    "masker",
    "restyle.maskers",
    {
        "flowcut": "controls.masks.flowcut.masker:FlowCutMasker",
        "matte-folder": "controls.masks.matte_folder:MatteFolderMasker",
        "people": "controls.masks.people:PeopleMasker",
        "sam2": "controls.masks.sam2.masker:Sam2Masker",
    },
    extras={"torch": "sam2", "sam2": "sam2"},
)
