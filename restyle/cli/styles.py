"""``restyle styles``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from interp.pixels.depth import to_uint8
from restyle.cli.options import Overwrite, command, parse_path
from restyle.cli.recipe_options import recipe_options
from restyle.cli.terminal import Terminal
from restyle.errors import RecipeError, show_path
from restyle.footage import open_footage
from restyle.painters.neural_style.style_sheet import style_sheet
from restyle.painters.neural_style.styles import STYLES
from restyle.quality.contact_sheet import check_sheet, save_sheet
from restyle.recipe import Recipe

__all__ = ["styles"]

Picture = Annotated[
    Path | None,
    typer.Option(
        "--sheet",
        metavar="PICTURE",
        parser=parse_path,
        help="Paint every style on this picture (or a clip's first frame), on one sheet.",
        show_default=False,
    ),
]
Sheet = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o", metavar="SHEET", parser=parse_path, help="The sheet: .png or .jpg.", show_default=False
    ),
]


@command
@recipe_options(only=("strength", "brush_size"), file=False)
def styles(
    terminal: Terminal, recipe: Recipe, sheet: Picture = None, output: Sheet = None, overwrite: Overwrite = False
) -> None:
    """List the built-in styles; with --sheet, paint all of them on one picture.

    Example: restyle styles --sheet still.png -o styles.jpg
    """
    if (sheet is None) != (output is None):
        raise RecipeError("--sheet PICTURE and -o SHEET go together: restyle styles --sheet still.png -o styles.jpg")
    listed = [{"name": style.name, "description": style.description} for style in STYLES]
    document: dict[str, Any] = {"styles": listed}
    if sheet is not None and output is not None:
        check_sheet(output, overwrite=overwrite, inputs=[sheet])
        with open_footage(sheet) as footage:
            picture = next(footage.frames(0, 1)).picture
        terminal.say(f"restyle: painting {len(listed)} styles")
        made = style_sheet(to_uint8(picture), strength=recipe.strength, brush_size=recipe.brush_size)
        save_sheet(output, made, overwrite=overwrite)
        document["sheet"] = output
    if terminal.as_json:
        terminal.document(document)
    elif output is not None:
        terminal.line(f"{show_path(output)}: {len(listed)} styles")
    else:
        terminal.facts((style["name"], style["description"]) for style in listed)
