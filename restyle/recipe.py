"""The recipe: what a person asks for, as a versioned, validated document that knows nothing of any particular footage.

A recipe is JSON (or YAML, with the ``yaml`` extra). The same recipe can be used on any number of clips, so it holds neither
the input's nor the output's path; pictures that it names are relative to the recipe's own folder.
"""

from __future__ import annotations

import difflib
import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from controls.prompts import split_object
from restyle.errors import OutputError, RecipeError, show_path, why
from restyle.files.document import check_plain, read_document
from restyle.files.writing import write_file
from restyle.renames import VERSION, use_new_names

__all__ = ["RECIPE_VERSION", "Control", "Layer", "PromptAt", "Recipe", "explain"]

RECIPE_VERSION = VERSION

FrameNumber = Annotated[int, Field(ge=0, lt=2**31)]
MOST_FINDINGS = 8  # in one line
MOST_OBJECTS, MOST_LAYERS, MOST_PROMPTS, MOST_FRAMES = 1_000, 1_000, 10_000, 100_000


class Control(BaseModel):
    """A kind of control map that the painter holds on to, and how much."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    kind: Annotated[str, Field(min_length=1)]
    """One of the kinds that ``restyle controls`` lists."""
    source: str | None = None
    """A folder of maps, or a pattern, used instead of finding them: as ``restyle controls`` writes them, edited or not."""
    strength: Annotated[float, Field(ge=0, le=2)] = 1.0
    start: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Part of the painting's steps from which it is held on to."""
    end: Annotated[float, Field(ge=0, le=1)] = 1.0
    model: str | None = None
    """The ControlNet: hub id, folder or file; ``None``: the one meant for this kind and the base model."""
    options: dict[str, Any] = Field(default_factory=dict)
    """Options of the detector that finds the maps."""

    @field_validator("options")
    @classmethod
    def _are_plain(cls, options: dict[str, Any]) -> dict[str, Any]:
        check_plain(options)
        return options

    @model_validator(mode="after")
    def _fits(self) -> Control:
        if not self.start < self.end:
            raise ValueError(f"a control's start lies before its end, got {self.start:g} and {self.end:g}")
        return self


class PromptAt(BaseModel):
    """Another prompt for one shot, or from one frame to the end of its shot."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    shot: FrameNumber | None = None
    frame: FrameNumber | None = None
    prompt: str | None = None
    """``None``: as it is anyway; so with the next."""
    negative_prompt: str | None = None

    @model_validator(mode="after")
    def _fits(self) -> PromptAt:
        if (self.shot is None) == (self.frame is None):
            raise ValueError("a prompt is for a shot or from a frame on: give one of both")
        return self


Effort = Literal["draft", "normal", "best"]

Blend = Literal[
    "normal", "multiply", "screen", "overlay", "soft-light", "darken", "lighten", "colour", "luminosity"
]  # fmt: skip


class Layer(BaseModel):
    """Treatment of one object. Layers are laid over the footage in the recipe's order; the last lies on top."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    object: Annotated[str, Field(min_length=1)]
    """Name of one of the recipe's objects, or ``"background"``: all that belongs to none of them."""
    mode: Literal["restyle", "keep", "replace", "remove", "cutout"] = "restyle"
    """Paint it; show the footage there, whatever lies below; put a colour or a picture (``source``) there; fill its
    place from the footage's other frames; or make the result transparent outside of it."""
    source: str | None = None
    """With ``replace``: ``"#rrggbb"``, or the path of a picture or a clip, scaled and cropped to fill the frame."""
    style: str | None = None
    """``None``: the recipe's own; so with the next seven."""
    strength: Annotated[float, Field(ge=0, le=1)] | None = None
    brush_size: Annotated[float, Field(ge=0.25, le=8)] | None = None
    prompt: str | None = None
    negative_prompt: str | None = None
    mix: Annotated[float, Field(ge=0, le=1)] | None = None
    keep_colour: bool | None = None
    seed: Annotated[int, Field(ge=0, lt=2**63)] | None = None
    feather: Annotated[float, Field(ge=0, le=200)] = 3.0
    """Pixels over which the matte's edge is softened."""
    grow: Annotated[float, Field(ge=-200, le=200)] = 0.0
    """Pixels by which the matte is grown or, below 0, shrunk."""
    invert: bool = False
    """Everywhere but on the object."""
    blend: Blend = "normal"
    """Blend mode, by which it is mixed with what lies below: see ``compositing.blend``."""

    @model_validator(mode="after")
    def _fits(self) -> Layer:
        if self.blend != "normal" and self.mode not in ("restyle", "replace"):
            raise ValueError(f"a layer whose mode is {self.mode!r} lays nothing over the footage that could be blended")
        if (self.mode == "replace") != (self.source is not None):
            raise ValueError("a layer has a source (a colour or a picture) if its mode is 'replace', and only then")
        return self


class Recipe(BaseModel):
    """Description of how footage is to be restyled. Frozen; every field has a default, so ``Recipe(style="oil")`` is complete.

    Raises ``pydantic.ValidationError`` when built by hand from wrong values; ``Recipe.build`` and ``Recipe.load`` turn that
    into a one-line ``RecipeError``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, use_attribute_docstrings=True)

    # A field's docstring is its description. The first paragraph is the help of its option on the command line, unless the
    # field holds many values and the option gives one.
    version: Literal[2] = 2
    """Version of this format."""
    style: str | None = None
    """A built-in style (see 'restyle styles'), a picture to take the style from, or a blend such as NAME:0.6,OTHER:0.4.

    ``None``: the painter's default.
    """
    strength: Annotated[float, Field(ge=0, le=1)] | None = None
    """How strongly the painter stylises: 0 is next to the footage, in the painter's own hand, 1 all of the style.

    ``neural-style``: a blend of the style's code with a neutral one; ``None``: 1. ``diffusion``: its denoising strength;
    ``None``: its preset's.
    """
    brush_size: Annotated[float, Field(ge=0.25, le=8)] | None = None
    """Size of brush strokes relative to the picture's height, for painters that have it: 2 is twice as large, 0.5 half.

    1 is the strokes of a picture of 720 lines, so that 720p and 4K look alike. ``None``: 1, but footage of fewer lines is
    painted at its own size.
    """
    prompt: str | None = None
    """Prompt: what the result is to show, for painters that read prompts."""
    negative_prompt: str | None = None
    """Negative prompt: what it is not to show."""
    prompts: Annotated[tuple[PromptAt, ...], Field(max_length=MOST_PROMPTS)] = ()
    """Other prompts for some shots, or from some frames to the end of their shots; the last that fits counts."""
    controls: Annotated[tuple[Control, ...], Field(max_length=100)] = ()
    """Control maps that the painter holds on to."""
    painter: str = "neural-style"
    """Painter of the keyframes: neural-style, diffusion, edit, video, identity."""
    painter_options: dict[str, Any] = Field(default_factory=dict)
    """Options of the painter, by name."""
    filler: str = "along-motion"
    """Filler, which makes the frames between the keyframes: along-motion, hold, rife, hybrid."""
    filler_options: dict[str, Any] = Field(default_factory=dict)
    """Options of the filler, by name."""
    mix: Annotated[float, Field(ge=0, le=1)] = 1.0
    """Cross-fade of footage and painting: 0 is the footage, 1 the painting."""
    keep_colour: bool = False
    """Paint light and dark only; hue and saturation stay the footage's."""
    anchor: str | None = None
    """A folder with a painted keyframe of other footage, whose look this footage takes over: 'restyle batch' keeps some.

    ``footage.png``, and ``painting-0.png`` and on, one for each look: see ``job.anchors``.
    """
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    """Seed of painters that draw random numbers."""
    keyframes: Literal["auto"] | Annotated[str, Field(pattern=r"^every:[1-9][0-9]*$")] | tuple[FrameNumber, ...] = (
        "auto"
    )
    """Frames that are painted: chosen by how much of each its neighbours explain, every Nth, or a list.

    ``"auto"`` (by coverage), ``"every:N"``, or the frame numbers themselves.
    """
    effort: Effort = "normal"
    """How much is painted: draft (quick, for looking), normal, or best (what moves keeps its shape, whatever it takes)."""
    coverage: Annotated[float, Field(gt=0, lt=1)] = 0.9
    """How much of the frame midway between two keyframes their paintings must serve: more means more keyframes.

    With ``keyframes="auto"``.
    """
    max_gap: Annotated[int, Field(ge=1, le=1000)] = 24
    """The most frames from one keyframe to the next.

    With ``keyframes="auto"``.
    """
    storyboard: Annotated[dict[FrameNumber, str], Field(max_length=MOST_FRAMES)] = Field(default_factory=dict)
    """Keyframes painted by hand, used as they are: frame number -> the picture's path."""
    cuts: Literal["auto", "none"] | tuple[FrameNumber, ...] = "auto"
    """Frames at which shots begin: found, none, or a list."""
    deinterlace: bool = False
    """Make whole pictures of the two fields of interlaced footage's frames, one for each frame (FFmpeg's bwdif)."""
    objects: Annotated[tuple[str, ...], Field(max_length=MOST_OBJECTS)] = ()
    """Prompts that mark objects, ``"car=box:10,20,60,40@0"``: see ``controls.prompts``. With objects and without layers, the
    objects alone are restyled."""
    masker: str = "auto"
    """Masker, which follows the objects through their shots: sam2, flowcut (needs no weights), or auto, which is sam2 if its
    weights are there."""
    masker_options: dict[str, Any] = Field(default_factory=dict)
    """Options of the masker, or of the grounding that finds objects by their names."""
    layers: Annotated[tuple[Layer, ...], Field(max_length=MOST_LAYERS)] = ()
    """Treatment of objects, or of the background; the last lies on top. None: the whole picture is restyled."""
    range: str | None = None
    """Only a part, OUT not included: frames (24:96, 24:, :96) or times (00:00:01:00-00:00:04:00). Sound is cut to match.

    ``None``: all of it.
    """
    codec: str | None = None
    """Codec of the result: h264, hevc, vp9, av1, prores, ffv1, ffv1-yuv, mjpeg; for pictures png, jpeg, tiff, webp, exr. By
    default what the result's extension means."""
    quality: Annotated[int, Field(ge=0, le=100)] | None = None
    """Quality of lossy codecs: 80 is about visually lossless.

    ``None``: 80.
    """

    @model_validator(mode="before")
    @classmethod
    def _is_plain(cls, fields: Any) -> Any:
        check_plain(fields, strict=False)
        return use_new_names(fields) if isinstance(fields, dict) else fields

    @field_validator("painter_options", "filler_options", "masker_options")
    @classmethod
    def _are_plain(cls, options: dict[str, Any]) -> dict[str, Any]:
        check_plain(options)
        return options

    @field_validator("keyframes", "cuts")
    @classmethod
    def _in_order(cls, value: Any) -> Any:
        if isinstance(value, tuple):
            if len(value) > MOST_FRAMES:
                raise ValueError(f"at most {MOST_FRAMES} frames can be listed, got {len(value)}")
            return tuple(sorted(set(value)))
        return value

    @field_validator("objects")
    @classmethod
    def _are_marks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for text in value:
            split_object(text)
        return value

    @model_validator(mode="after")
    def _layers_know_their_objects(self) -> Recipe:
        known = [*self.object_names, "background"]
        if "background" in self.object_names:
            raise ValueError("no object can be named background: that is all that belongs to no object")
        for layer in self.layers:
            if layer.object not in known:
                raise ValueError(
                    f"a layer names the object {layer.object!r}, which is not marked; there are: {', '.join(known)}"
                )
        return self

    @property
    def object_names(self) -> list[str]:
        """Names of the objects, in the order in which they are first marked."""
        return list(dict.fromkeys(split_object(text).name for text in self.objects))

    @property
    def key_step(self) -> int | None:
        """N of ``every:N``."""
        if isinstance(self.keyframes, str) and self.keyframes.startswith("every:"):
            return int(self.keyframes.removeprefix("every:"))
        return None

    @classmethod
    def build(cls, source: str = "the recipe", /, **fields: Any) -> Recipe:
        """Make a recipe from loose values. Raises ``RecipeError``, one line that names every wrong field."""
        version = fields.get("version", RECIPE_VERSION)
        if isinstance(version, int) and version > RECIPE_VERSION:
            raise RecipeError(
                f"{source} has version {version}, this restyle reads up to {RECIPE_VERSION}: install a newer restyle"
            )
        try:
            return cls.model_validate(fields)
        except ValidationError as error:
            raise RecipeError(f"{source}: {explain(error)}") from None

    @classmethod
    def read(cls, path: str | Path) -> dict[str, Any]:
        """The fields that a recipe file sets, validated, with its pictures' paths made absolute.

        Raises ``RecipeError`` (missing, not JSON or YAML, unknown key, future version, pickled files that it wants trusted),
        ``MissingExtraError`` for YAML without PyYAML.
        """
        path = Path(path)
        fields = read_document(path, "recipe")
        if unknown := [name for name in fields if not isinstance(name, str)]:
            raise RecipeError(f"recipe {show_path(path)}: unknown key {unknown[0]!r}")
        try:
            fields = use_new_names(fields, f"recipe {show_path(path)}")
        except ValueError as error:
            raise RecipeError(f"recipe {show_path(path)}: {error}") from None
        return cls.read_fields(fields, f"recipe {show_path(path)}", path.resolve().parent)

    @classmethod
    def read_fields(cls, fields: dict[str, Any], source: str, folder: Path) -> dict[str, Any]:
        """The fields that a part of a document sets, validated, with its pictures' paths taken from ``folder``.

        Raises ``RecipeError``, whose line begins with ``source``.
        """
        recipe = cls.build(source, **fields)
        _check_trust(recipe, source)
        fields = dict(fields)
        if recipe.storyboard:
            fields["storyboard"] = {number: str(folder / picture) for number, picture in recipe.storyboard.items()}
        if recipe.style and _is_file(folder / recipe.style):
            fields["style"] = str(folder / recipe.style)
        if recipe.anchor:
            fields["anchor"] = str(folder / recipe.anchor)
        if recipe.objects:
            fields["objects"] = [_beside(text, folder) for text in recipe.objects]
        for layer in fields.get("layers", []):
            for name in ("style", "source"):
                if layer.get(name) and _is_file(folder / layer[name]):
                    layer[name] = str(folder / layer[name])
        for control in fields.get("controls", []):
            if control.get("source"):
                control["source"] = str(folder / control["source"])
        return fields

    @classmethod
    def load(cls, path: str | Path) -> Recipe:
        """Read a recipe file. Raises as ``Recipe.read``."""
        return cls.build(f"recipe {show_path(path)}", **cls.read(path))

    def save(self, path: str | Path) -> None:
        """Write the recipe as JSON, in one step; a file of that name is replaced. Raises ``OutputError``."""
        try:
            write_file(Path(path), self.to_text().encode())
        except OSError as error:
            raise OutputError(f"cannot write the recipe {show_path(path)}: {why(error)}") from error

    def to_text(self) -> str:
        """The recipe as JSON, every field named."""
        return json.dumps(self.model_dump(mode="json"), indent=2) + "\n"


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # no name that a file can have
        return False


def _check_trust(recipe: Recipe, source: str) -> None:
    """Raises ``RecipeError`` where a file wants others trusted: that is for the person at work to say."""
    parts = {"painter": recipe.painter_options, "filler": recipe.filler_options, "masker": recipe.masker_options}
    for part, options in parts.items():
        if options.get("allow_pickle"):
            raise RecipeError(
                f"{source} asks to trust pickled files, which no recipe can: leave it out of {part}_options, and say "
                f"--{part}-option allow_pickle=true if you know where the files come from"
            )


def _beside(text: str, folder: Path) -> str:
    """An object's prompt with the file that it names taken from ``folder``."""
    mark = split_object(text)
    if mark.kind == "matte":
        return f"{mark.name}=matte:{folder / mark.value}@{mark.frame}"
    return f"{mark.name}=mattes:{folder / mark.value}" if mark.kind == "mattes" else text


def explain(error: ValidationError) -> str:
    """Give pydantic's findings in one line, each field once (a union reports every branch)."""
    findings: dict[str, str] = {}
    items = error.errors(include_url=False)
    for item in items:
        if len(findings) == MOST_FINDINGS:
            break
        field = str(item["loc"][0]) if item["loc"] else "recipe"
        if item["type"] == "extra_forbidden":
            field = str(item["loc"][-1])[:80]
            near = difflib.get_close_matches(field, [*Recipe.model_fields, *Layer.model_fields], n=1)
            findings[field] = f"unknown key {field!r}" + (f", did you mean {near[0]!r}?" if near else "")
        elif field in ("keyframes", "cuts"):
            forms = "'auto', 'every:N'" if field == "keyframes" else "'auto', 'none'"
            findings[field] = f"{field} is {forms} or a list of frame numbers, got {_shown(item['input'])}"
        elif item["type"] == "value_error":  # our own words, which tell what was given
            findings[field] = item["msg"].removeprefix("Value error, ")
        else:
            match item["loc"]:
                case (_, int(number), str(inner)):  # a layer's field, a control's
                    field = f"{field}[{number}].{inner[:80]}"
            findings[field] = f"{field}: {item['msg'][0].lower()}{item['msg'][1:]}, got {_shown(item['input'])}"
    texts = [text if len(text) <= 400 else f"{text[:400]}..." for text in findings.values()]
    return "; ".join(texts) + ("; and more" if len(items) > MOST_FINDINGS else "")


def _shown(value: Any) -> str:
    """A value as it may stand in a message."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:60]}... ({len(text)} characters)"
