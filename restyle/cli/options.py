"""The options that several commands share, and how they become a recipe."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from restyle.cli.terminal import Terminal
from restyle.errors import RecipeError

if TYPE_CHECKING:
    from restyle.recipe import Recipe


def _stay_offline(wanted: bool) -> bool:
    """Libraries that ask the model hub by themselves are told, too; they look at this when they are first imported."""
    if wanted:
        os.environ["HF_HUB_OFFLINE"] = "1"
    return wanted


def named(text: str) -> Path:
    """A path as it was typed; an empty one would be the folder at hand, which nobody has named."""
    if not text:
        raise typer.BadParameter("an empty name")
    return Path(text)


def remember(ctx: typer.Context, source: Path | None) -> Path | None:
    """An argument that is the footage at work: what goes wrong with no file's name in it is told with this one."""
    if isinstance(ctx.obj, Terminal):
        ctx.obj.source = source
    return source


Source = Annotated[
    Path,
    typer.Argument(
        metavar="INPUT",
        parser=named,
        callback=remember,
        help="Footage: a video file, a GIF, a folder of pictures, or a pattern such as shot/frame.%04d.png.",
        show_default=False,
    ),
]
Output = Annotated[
    Path,
    typer.Option(
        "--output",
        "-o",
        metavar="OUTPUT",
        parser=named,
        help="The result: a video file (.mp4 .mov .mkv .webm .avi), a folder, or a pattern such as out/frame.%04d.png.",
        show_default=False,
    ),
]
Style = Annotated[
    str | None,
    typer.Option(
        "--style",
        "-s",
        metavar="NAME|PICTURE",
        help="A built-in style (see 'restyle styles'), a picture to take the style from, or a blend "
        "such as NAME:0.6,OTHER:0.4.",
    ),
]
Prompt = Annotated[
    str | None,
    typer.Option(metavar="TEXT", help="What the result is to show, for painters that read words."),
]
NegativePrompt = Annotated[
    str | None,
    typer.Option(metavar="TEXT", help="What it is not to show."),
]
PromptAt = Annotated[
    list[str] | None,
    typer.Option(
        metavar="PLACE=TEXT",
        help="Another prompt for one shot (shot:2=TEXT), or from one frame to the end of its shot (frame:48=TEXT). "
        "Can be given many times.",
        show_default=False,
    ),
]
Control = Annotated[
    list[str] | None,
    typer.Option(
        "--control",
        metavar="KINDS",
        help="Control maps that the painter holds on to: depth,softedge; or one with its fields (strength, start, end, "
        "model), depth:strength=0.8,end=0.6; or a folder of maps, depth=FOLDER. 'restyle controls' lists the kinds.",
        show_default=False,
    ),
]
PainterOption = Annotated[
    list[str] | None,
    typer.Option(
        "--painter-option",
        metavar="NAME=VALUE",
        help="An option of the painter, such as hold=0.5; VALUE is read as JSON where it is some. Can be given many times.",
        show_default=False,
    ),
]
Strength = Annotated[
    float | None,
    typer.Option(metavar="0..1", help="0 leaves the footage as it is, 1 is the painting."),
]
KeepColour = Annotated[
    bool | None,
    typer.Option(
        "--keep-colour/--no-keep-colour",
        "--keep-color/--no-keep-color",
        help="Paint light and dark only; hue and saturation stay the footage's.",
    ),
]
Painter = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="What paints the keyframes: neural-style, diffusion, identity."),
]
Fill = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="What makes the frames between: along-motion, hold, rife, hybrid."),
]
FillOption = Annotated[
    list[str] | None,
    typer.Option(
        "--fill-option",
        metavar="NAME=VALUE",
        help="An option of what makes the frames between, such as detail=0.95. Can be given many times.",
        show_default=False,
    ),
]
Deinterlace = Annotated[
    bool | None,
    typer.Option(
        "--deinterlace/--no-deinterlace",
        help="Make whole pictures of the two fields of interlaced footage's frames, one for each frame (FFmpeg's bwdif).",
    ),
]
Seed = Annotated[
    int | None,
    typer.Option(metavar="N", help="Seed of painters that draw random numbers."),
]
Keyframes = Annotated[
    str | None,
    typer.Option(
        metavar="auto|every:N|LIST",
        help="Which frames are painted: chosen by how much of each its neighbours explain, every Nth, or a list "
        "such as 0,24,48.",
    ),
]
KeyframeImage = Annotated[
    list[str] | None,
    typer.Option(metavar="FRAME=PICTURE", help="A keyframe painted by hand, used as it is. Again for each one."),
]
Object = Annotated[
    list[str] | None,
    typer.Option(
        "--object",
        metavar="NAME=PROMPT",
        help="Mark an object; it alone is restyled. PROMPT is point:X,Y@FRAME, not:X,Y@FRAME, box:L,T,R,B@FRAME, "
        "text:WORDS@FRAME, matte:FILE@FRAME, mattes:FOLDER (or clip) or people. Pixels count from the top left corner. "
        "Can be given many times.",
        show_default=False,
    ),
]
Layer = Annotated[
    list[str] | None,
    typer.Option(
        "--layer",
        metavar="NAME[:FIELD=VALUE,...]",
        help="What is done to an object, or to the background; the last lies on top. Fields: mode (restyle, keep, "
        "replace, remove, cutout), source, style, strength, keep-colour, seed, feather, grow, invert, blend. "
        "Can be given many times.",
        show_default=False,
    ),
]
Masker = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Who follows the objects: sam2, flowcut (needs no weights), or auto, which is sam2 if its weights are there.",
    ),
]
MaskerOption = Annotated[
    list[str] | None,
    typer.Option(
        "--masker-option",
        metavar="NAME=VALUE",
        help="An option of who follows the objects, such as model=FILE, or of who finds them by their names. Can be given "
        "many times.",
        show_default=False,
    ),
]
Cuts = Annotated[
    str | None,
    typer.Option(metavar="auto|none|LIST", help="Where shots begin: found, nowhere, or at frames such as 96,240."),
]
Coverage = Annotated[
    float | None,
    typer.Option(
        metavar="0..1",
        help="How much of the frame midway between two keyframes their paintings must serve: more means more keyframes.",
    ),
]
MaxGap = Annotated[
    int | None,
    typer.Option(metavar="N", help="The most frames from one keyframe to the next."),
]
Span = Annotated[
    str | None,
    typer.Option(
        "--range",
        metavar="IN:OUT",
        help="Only a part, OUT not included: frames (24:96, 24:, :96) or times (00:00:01:00-00:00:04:00). "
        "Sound is cut to match.",
    ),
]
Fps = Annotated[
    str | None,
    typer.Option(
        "--fps",
        "--rate",
        metavar="RATE",
        help="Frames a second of a sequence of pictures, which carries no rate: 24, 23.976, 30000/1001.",
    ),
]
RecipeFile = Annotated[
    Path | None,
    typer.Option(
        "--recipe",
        metavar="FILE",
        parser=named,
        help="Read all of this from a recipe in JSON or YAML; options given here come before it.",
    ),
]
Overwrite = Annotated[
    bool,
    typer.Option("--overwrite", help="Replace the result if it is there already."),
]
Codec = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="h264, hevc, vp9, av1, prores, ffv1, mjpeg; for pictures png, jpeg, tiff, webp, exr. "
        "By default what the result's extension means.",
    ),
]
Quality = Annotated[
    int | None,
    typer.Option(metavar="0..100", help="80 is about visually lossless."),
]
Offline = Annotated[
    bool,
    typer.Option("--offline", callback=_stay_offline, help="Fetch nothing from anywhere, whatever the painter."),
]
AsJson = Annotated[
    bool,
    typer.Option(
        "--json", help="One JSON document on standard output, and nothing else there; messages go to standard error."
    ),
]
Verbose = Annotated[
    bool,
    typer.Option("--verbose", "-v", help="Say more; show the traceback if it fails."),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors and what was asked for.")]


def recipe_of(recipe: Path | None, **given: Any) -> Recipe:
    """A recipe of the file's fields and, before them, of the options that were really given (not ``None``).

    Raises ``RecipeError``, ``MissingExtraError``.
    """
    from restyle.recipe import (
        Recipe,
        parse_controls,
        parse_keyframes,
        parse_layer,
        parse_options,
        parse_prompt_at,
        parse_storyboard,
    )

    fields = Recipe.read(recipe) if recipe is not None else {}
    options = {name: value for name, value in given.items() if value not in (None, [])}
    if "keyframes" in options:
        options["keyframes"] = parse_keyframes(options["keyframes"])
    if "storyboard" in options:
        options["storyboard"] = parse_storyboard(options["storyboard"])
    if "layers" in options:
        options["layers"] = [parse_layer(text) for text in options["layers"]]
    if "controls" in options:
        options["controls"] = [control for text in options["controls"] for control in parse_controls(text)]
    if "prompts" in options:
        options["prompts"] = [parse_prompt_at(text) for text in options["prompts"]]
    for part, example in (("painter", "hold=0.5"), ("fill", "detail=0.95"), ("masker", "edge=4")):
        if (name := f"{part}_options") in options:
            options[name] = fields.get(name, {}) | parse_options(options[name], f"--{part}-option", example)
    if "cuts" in options:
        options["cuts"] = _cuts(options["cuts"])
    return Recipe.build("the options", **fields | options)


def rate_of(fps: str | None) -> Fraction | None:
    """``--fps``: a number or a fraction; 23.976 means 24000/1001. Raises ``RecipeError``."""
    from restyle.retiming.clock import parse_rate

    return None if fps is None else parse_rate(fps, "--fps")


def _cuts(text: str) -> str | tuple[int, ...]:
    if text in ("auto", "none"):
        return text
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise RecipeError(f"--cuts is 'auto', 'none' or a list such as 96,240; got {text!r}") from None
