"""The recipe's fields as options, for every command that takes some: made from the fields, and from the table below."""

from __future__ import annotations

import functools
import inspect
import types
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import typer

from restyle.cli.options import make_parameter, parse_path, set_signature
from restyle.cli.parsing import (
    parse_controls,
    parse_cuts,
    parse_keyframes,
    parse_layers,
    parse_options,
    parse_prompts,
    parse_storyboard,
)
from restyle.cli.terminal import Terminal
from restyle.errors import RecipeError
from restyle.recipe import Recipe
from restyle.renames import RENAMED_FIELDS

__all__ = ["OPTIONS", "build_recipe", "recipe_options"]


@dataclass(frozen=True)
class RecipeOption:
    """Spelling of one field as an option. Its type and help are the field's, its default is the recipe's."""

    panel: str
    """Heading that it stands under in the help of a command with many options."""
    metavar: str | None
    """How the value is shown; ``None``: a switch."""
    name: str | None = None
    """``--prompt-at``; ``None``: the field's name."""
    also: str | None = None
    """Another spelling of it."""
    help: str = ""
    """Of the option; where the field holds many values, of one of them. Without it the first paragraph of the field's
    description."""
    example: str = ""
    """Added to the help."""
    parse: Callable[[Any], Any] | None = None
    """Makes the field's value of what is typed (of a list of texts where the option can be given many times)."""


def _part_option(panel: str, part: str, help: str, example: str) -> RecipeOption:
    name = f"--{part}-option"
    return RecipeOption(panel, "NAME=VALUE", name, help=help, parse=lambda items: parse_options(items, name, example))


OPTIONS: Mapping[str, RecipeOption] = {
    "style": RecipeOption("Look", "NAME|PICTURE", also="-s"),
    "strength": RecipeOption("Look", "0..1"),
    "brush_size": RecipeOption("Look", "0.25..8"),
    "prompt": RecipeOption("Look", "TEXT"),
    "negative_prompt": RecipeOption("Look", "TEXT"),
    "prompts": RecipeOption(
        "Look",
        "SCOPE=TEXT",
        "--prompt-at",
        help="Another prompt for one shot (shot:2=TEXT), or from one frame to the end of its shot (frame:48=TEXT).",
        parse=parse_prompts,
    ),
    "controls": RecipeOption(
        "Look",
        "KINDS",
        "--control",
        help="Control maps that the painter holds on to: depth,softedge; or one with its fields (strength, start, end, "
        "model), depth:strength=0.8,end=0.6; or a folder of maps, depth=FOLDER. 'restyle controls' lists the kinds.",
        parse=parse_controls,
    ),
    "mix": RecipeOption("Look", "0..1"),
    "keep_colour": RecipeOption("Look", None, also="--keep-color/--no-keep-color"),
    "painter": RecipeOption("Look", "NAME"),
    "painter_options": _part_option(
        "Look",
        "painter",
        "An option of the painter, such as hold=0.5; VALUE is read as JSON where it is some.",
        "hold=0.5",
    ),
    "filler": RecipeOption("Look", "NAME"),
    "filler_options": _part_option("Look", "filler", "An option of the filler, such as detail=0.95.", "detail=0.95"),
    "anchor": RecipeOption("Look", "DIR"),
    "seed": RecipeOption("Look", "N"),
    "keyframes": RecipeOption("Keyframes", "auto|every:N|LIST", example="such as 0,24,48", parse=parse_keyframes),
    "storyboard": RecipeOption(
        "Keyframes",
        "FRAME=PICTURE",
        "--keyframe-image",
        help="A keyframe painted by hand, used as it is.",
        parse=parse_storyboard,
    ),
    "effort": RecipeOption("Keyframes", "draft|normal|best"),
    "coverage": RecipeOption("Keyframes", "0..1"),
    "max_gap": RecipeOption("Keyframes", "N"),
    "cuts": RecipeOption("Footage", "auto|none|LIST", example="such as 96,240", parse=parse_cuts),
    "deinterlace": RecipeOption("Footage", None),
    "range": RecipeOption("Footage", "IN:OUT"),
    "objects": RecipeOption(
        "Objects",
        "NAME=PROMPT",
        "--object",
        help="Mark an object; it alone is restyled. PROMPT is point:X,Y@FRAME, not:X,Y@FRAME, box:L,T,R,B@FRAME, "
        "text:WORDS@FRAME, matte:FILE@FRAME, mattes:FOLDER (or clip) or people. Pixels count from the top left corner.",
    ),
    "layers": RecipeOption(
        "Objects",
        "NAME[:FIELD=VALUE,...]",
        "--layer",
        help="Treatment of an object, or of the background; the last lies on top. Fields: mode (restyle, keep, replace, "
        "remove, cutout), source, style, strength, brush-size, mix, keep-colour, seed, feather, grow, invert, blend.",
        parse=parse_layers,
    ),
    "masker": RecipeOption("Objects", "NAME"),
    "masker_options": _part_option(
        "Objects",
        "masker",
        "An option of the masker, such as model=FILE, or of the grounding that finds objects by their names.",
        "edge=4",
    ),
    "codec": RecipeOption("Result", "NAME"),
    "quality": RecipeOption("Result", "0..100"),
}
"""The recipe's fields in the order of the help."""

RecipeFile = Annotated[
    Path | None,
    typer.Option(
        "--recipe",
        metavar="FILE",
        parser=parse_path,
        help="Read all of this from a recipe in JSON or YAML; options given here come before it.",
    ),
]


def recipe_options(
    *, only: Sequence[str] = (), without: Collection[str] = (), file: bool = True
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Decorator: options for the recipe's fields stand in the place of the function's parameter ``recipe``.

    ``only``: for these; by default for all, under headings. ``file``: there is ``--recipe``, too.
    """
    fields = [name for name in only or OPTIONS if name not in without]

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(function)
        def call(terminal: Terminal, **values: Any) -> None:
            options = {name: values.pop(name) for name in fields}
            old_options = {name: values.pop(name) for name in RENAMED_FIELDS if name in values}
            _use_new_names(options, old_options, terminal)
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always", FutureWarning)
                recipe = build_recipe(values.pop("recipe_file", None), options)
            for warning in caught:
                if warning.category is FutureWarning:  # a renamed field of the recipe file
                    terminal.say(f"restyle: note: {warning.message}")
            function(terminal, recipe=recipe, **values)

        signature: list[inspect.Parameter] = []
        for own in inspect.signature(function, eval_str=True).parameters.values():
            signature += _parameters(fields, file=file, panels=not only) if own.name == "recipe" else [own]
        set_signature(call, signature)
        return call

    return decorate


def build_recipe(file: Path | None, options: Mapping[str, Any]) -> Recipe:
    """Make a recipe of a file's fields and, before them, of the options that are set (neither ``None`` nor an empty list).

    Raises ``RecipeError``, ``MissingExtraError``.
    """
    fields = Recipe.read(file) if file is not None else {}
    for name, value in options.items():
        if not _is_set(value):
            continue
        parse = OPTIONS[name].parse
        parsed = value if parse is None else parse(value)
        fields[name] = fields.get(name, {}) | parsed if name.endswith("_options") else parsed
    return Recipe.build("the options", **fields)


def _is_set(value: Any) -> bool:
    return value is not None and value != []


def _use_new_names(options: dict[str, Any], old_options: Mapping[str, Any], terminal: Terminal) -> None:
    """Move what was said with options' old spellings to the new ones, and say so. Raises ``RecipeError`` for both at once."""
    for name, value in old_options.items():
        if _is_set(value):
            new = RENAMED_FIELDS[name]
            if _is_set(options[new]):
                raise RecipeError(f"{_flag(name)} is the old name of {_flag(new)}: give {_flag(new)} alone")
            terminal.say(f"restyle: note: {_flag(name)} is called {_flag(new)} now")
            options[new] = value


def _parameters(fields: Collection[str], *, file: bool, panels: bool) -> Iterator[inspect.Parameter]:
    for name in fields:
        yield _parameter(name, name, panel=OPTIONS[name].panel if panels else None)
    if file:
        yield make_parameter("recipe_file", RecipeFile, default=None)
    for old, new in RENAMED_FIELDS.items():
        if new in fields:
            yield _parameter(new, old, hidden=True)


def _parameter(field: str, name: str, *, panel: str | None = None, hidden: bool = False) -> inspect.Parameter:
    """The option of a field. ``name``: the field's own, or its old one."""
    option = OPTIONS[field]
    kind = _value_type(Recipe.model_fields[field].annotation)
    text = option.help or (Recipe.model_fields[field].description or "").partition("\n\n")[0]
    if option.example:
        text = f"{text.removesuffix('.')} {option.example}."
    if kind == list[str]:
        text += " Can be given many times."
    spelling = _flag(name)
    if option.metavar is None:
        spelling = f"{spelling}/--no-{spelling.removeprefix('--')}"
    also = [option.also] if option.also and not hidden else []
    info = typer.Option(
        spelling, *also, metavar=option.metavar, help=" ".join(text.split()), rich_help_panel=panel, hidden=hidden
    )
    return make_parameter(name, Annotated[kind | None, info], default=None)


def _flag(field: str) -> str:
    """``filler_options`` -> ``--filler-option``; old names of fields are taken, too."""
    option = OPTIONS.get(field)
    if option is not None and option.name is not None:
        return option.name
    return "--" + field.replace("_options", "_option").replace("_", "-")


def _value_type(annotation: Any) -> Any:
    """The type that one option takes: of a field that holds one value its own, of one that holds many a list of texts."""
    branches = get_args(annotation) if get_origin(annotation) in (Union, types.UnionType) else (annotation,)
    bare = [get_args(branch)[0] if get_origin(branch) is Annotated else branch for branch in branches]
    kinds = {get_origin(branch) or branch for branch in bare} - {type(None)}
    if kinds <= {tuple, dict}:
        return list[str]
    return kinds.pop() if len(kinds) == 1 and Literal not in kinds else str
