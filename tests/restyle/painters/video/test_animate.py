"""Wan Animate: faces close up, on from known frames as the model goes on from its own, in the place of what mattes cover."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image
from scenes import texture

pytestmark = pytest.mark.filterwarnings("ignore")  # the library's own, on its own calls

torch = pytest.importorskip("torch")
diffusers = pytest.importorskip("diffusers")
pytest.importorskip("ftfy")
pytest.importorskip("mediapipe")

from controls.faces import FaceFinder  # noqa: E402
from restyle.errors import MissingExtraError, RecipeError  # noqa: E402
from restyle.painters.base import EveryFrame, PaintRequest  # noqa: E402
from restyle.painters.video import model_files  # noqa: E402
from restyle.painters.video.faces import close_ups  # noqa: E402
from restyle.painters.video.families.animate import PROMPT  # noqa: E402
from restyle.painters.video.painter import VideoPainter  # noqa: E402
from restyle.types import TextPrompt  # noqa: E402

from ..diffusion.conftest import picture  # noqa: E402
from .conftest import film_request  # noqa: E402

SIZE = (64, 48)
POSE = {"controls": [{"kind": "pose"}]}
Tiny = Callable[[str], str]


def pictures(count: int) -> tuple[np.ndarray, ...]:
    return tuple(picture(number, SIZE) for number in range(count))


def request(frames: tuple[np.ndarray, ...], **more: Any) -> PaintRequest:
    maps = tuple(255 - picture(number, frames[0].shape[1::-1]) for number in range(len(frames)))
    return film_request(frames, controls={"pose": maps}, **more)


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    from skimage import data

    return cv2.resize(data.astronaut(), (256, 256), interpolation=cv2.INTER_AREA)


@pytest.fixture
def style(tmp_path: Path) -> str:
    Image.fromarray(picture(9, (40, 60))).save(tmp_path / "who.png")
    return str(tmp_path / "who.png")


@pytest.fixture
def painter(tiny: Tiny, style: str) -> VideoPainter:
    return VideoPainter(
        model=tiny("animate"), steps=2, resolution=0, frames=5, overlap=1, device="cpu", style=style, **POSE
    )


def test_a_face_is_cut_out_close_up_of_a_picture_of_any_depth(photo: np.ndarray) -> None:
    eight, sixteen, nobody = close_ups((photo, photo.astype(np.uint16) * 257, texture(160, 200)))
    assert eight.shape == (512, 512, 3)
    assert np.array_equal(eight, sixteen)
    assert not nobody.any()
    ((left, top, right, bottom),) = (256 * np.array(box) for box in FaceFinder().find(photo))
    size = tuple(round((far - near) * 1.3**0.5) for near, far in ((left, right), (top, bottom)))
    seen = cv2.matchTemplate(photo, cv2.resize(eight, size, interpolation=cv2.INTER_AREA), cv2.TM_CCOEFF_NORMED)
    _, best, _, place = cv2.minMaxLoc(seen)
    assert best > 0.9
    assert abs(place[0] + size[0] / 2 - (left + right) / 2) <= 2
    assert place[1] < top - 2 < bottom < place[1] + size[1], "more above than below"


def test_of_several_faces_it_is_the_largest_or_the_mattes(photo: np.ndarray) -> None:
    both = np.full((256, 448, 3), 127, np.uint8)
    blue = cv2.add(cv2.resize(photo, (192, 192), interpolation=cv2.INTER_AREA), (0, 0, 60, 0))
    both[:, 192:], both[32:224, :192] = photo, blue
    matte = np.zeros((256, 448), np.float32)
    matte[:, :192] = 1
    (largest,), (inside,) = close_ups((both,)), close_ups((both,), (matte,))
    bluer = [float(face[..., 2].mean() - face[..., 0].mean()) for face in (largest, inside)]
    assert bluer[1] > bluer[0] + 30


def test_footage_leads_by_its_faces_and_no_other_way(tiny: Tiny, style: str, photo: np.ndarray) -> None:
    """But for the pose, of which the maps are the same here."""
    painter = VideoPainter(
        model=tiny("animate"), steps=2, resolution=64, frames=5, overlap=1, device="cpu", style=style, **POSE
    )
    footage = (photo, texture(256, 256), 255 - texture(256, 256))
    face, nobody, other = (np.stack(painter.paint(request((each,)), None)[0]) for each in footage)
    assert np.array_equal(nobody, other)
    assert not np.array_equal(face, nobody)


def test_it_goes_on_from_known_frames_as_the_model_does_from_its_own(
    tiny: Tiny, painter: VideoPainter, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = pictures(5)
    known = 255 - frames[0]
    kind = diffusers.WanAnimatePipeline
    prepare, seen = kind.prepare_prev_segment_cond_latents, []

    def watched(*args: Any, **more: Any) -> Any:
        seen.append(prepare(*args, **more))
        return seen[-1]

    monkeypatch.setattr(kind, "prepare_prev_segment_cond_latents", watched)
    made, _ = painter.paint(request(frames, fixed={0: known}), None)
    pipe = kind.from_pretrained(tiny("animate"))
    values = torch.from_numpy(known).permute(2, 0, 1)[None, :, None] / 127.5 - 1
    with torch.no_grad():
        own = prepare(
            pipe, values, segment_frame_length=5, start_frame=4, height=48, width=64, task="animate", device="cpu"
        )
    assert torch.allclose(seen[0], own, atol=1e-4)
    assert np.array_equal(made[0], known)


def test_in_the_place_of_an_object_it_is_the_plain_pipelines(tiny: Tiny, painter: VideoPainter, style: str) -> None:
    assert painter.capabilities.inpaints
    frames = pictures(5)
    matte = np.zeros(SIZE[::-1], np.float32)
    matte[16:32, 16:48] = 1
    prompts = (TextPrompt(),) * 5  # its makers' own
    asked = request(frames, mattes=(matte,) * 5, prompts=prompts)
    made, _ = painter.paint(asked, None)
    pipe = diffusers.WanAnimatePipeline.from_pretrained(tiny("animate"))
    pipe.set_progress_bar_config(disable=True)
    theirs = pipe(
        image=Image.open(style),
        pose_video=[Image.fromarray(each) for each in asked.controls["pose"]],
        face_video=[Image.new("RGB", (512, 512))] * 5,
        background_video=[Image.fromarray(frame * (matte == 0)[..., None]) for frame in frames],
        mask_video=[Image.fromarray(np.uint8(matte * 255))] * 5,
        mode="replace",
        prompt=PROMPT,
        height=48,
        width=64,
        segment_frame_length=5,
        num_inference_steps=2,
        generator=torch.Generator().manual_seed(100),
        output_type="np",
    ).frames[0]
    assert np.ptp(theirs) > 0.1
    assert np.abs(np.stack(made).astype(int) - np.rint(theirs.clip(0, 1) * 255)).max() <= 1


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"style": None}, "Wan Animate has to be shown who is to be seen: --painter-option style=PICTURE"),
        ({"controls": ()}, "is led by a control map: name one, such as --control pose"),
        ({"controls": [{"kind": "depth"}]}, "Wan Animate is led by maps of pose, got depth"),
        ({"controls": [{"kind": "pose", "strength": 0.5}]}, "altogether: leave its strength out"),
    ],
)
def test_options_that_cannot_be(tiny: Tiny, style: str, options: Mapping[str, Any], says: str) -> None:
    with pytest.raises(RecipeError, match=says):
        VideoPainter(**{"model": tiny("animate"), "style": style, **POSE, **options})


def test_it_says_what_it_needs(style: str, monkeypatch: pytest.MonkeyPatch) -> None:
    known = VideoPainter(model="animate-14b", style=style, **POSE)
    assert known.capabilities.every_frame == EveryFrame(77, 4, 5)
    assert known.capabilities.controls == ("pose",)
    assert not known.capabilities.shares_looks  # the one picture is of who is to be seen
    monkeypatch.setattr(model_files, "mediapipe_is_there", lambda: False)
    with pytest.raises(MissingExtraError, match=r"Wan Animate, which is shown faces, needs .*restyle\[pose\]"):
        VideoPainter(model="animate-14b", style=style, **POSE)
