"""Render a sample clip and its truth: ``python samples/render.py harbour --out DIR``.

Needs Python 3.11 with ``pip install "bpy==4.5.*" OpenEXR av`` (Blender as a module; never a dependency of restyle).
Everything is rendered by Cycles on the CPU. What lies in DIR already is not rendered again, so an interrupted run goes
on where it stopped; delete DIR to start anew. In the end DIR/NAME.mp4 and DIR/truth/NAME/ are complete;
``--install`` copies them next to this script.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import shutil
import sys
import time
from fractions import Fraction
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

RATE = 24
TRUTH_SIZE = (320, 180)
"""Width and height of the grid on which truth is kept."""
STEPS = 32
"""Steps in which flow is kept, a pixel of the clip."""


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("name", choices=("harbour", "square"))
    ask.add_argument("--frames", help="render these frames' pictures only, SHOT:FRAME,..., and stop")
    ask.add_argument("--out", type=Path, required=True, help="working folder")
    ask.add_argument("--width", type=int, default=1280, help="width of the clip, a multiple of 320; 16:9")
    ask.add_argument("--samples", type=int, default=16, help="rays a pixel before denoising")
    ask.add_argument("--threads", type=int, default=2)
    ask.add_argument("--install", action="store_true", help="copy the results into the samples folder")
    options = ask.parse_args()
    if options.width % TRUTH_SIZE[0]:
        ask.error(f"--width is a multiple of {TRUTH_SIZE[0]}, got {options.width}")

    scene = importlib.import_module(f"samples.{options.name}")
    if options.frames:
        for shot, frame in (map(int, one.split(":")) for one in options.frames.split(",")):
            scene.build(shot)
            _render_picture(frame, options.out / "looks" / f"{shot}-{frame:04d}.png", options)
        return
    for shot, plan in enumerate(scene.SHOTS):
        frames = range(1, plan.frames + 1)
        raw = [options.out / "raw" / f"{shot}-{frame:04d}.npz" for frame in frames]
        pictures = [options.out / "frames" / f"{shot}-{frame:04d}.png" for frame in frames]
        if all(path.exists() for path in raw + pictures):
            continue
        scene.build(shot)
        for frame, path in zip(frames, raw, strict=True):
            if not path.exists():
                _render_truth(frame, path, options.threads)
        for frame, path in zip(frames, pictures, strict=True):
            if not path.exists():
                start = time.perf_counter()
                _render_picture(frame, path, options)
                print(f"shot {shot} frame {frame}/{plan.frames}: {time.perf_counter() - start:.1f} s", flush=True)
    pack(scene, options)
    encode(scene, options)
    if options.install:
        shutil.copy(options.out / f"{options.name}.mp4", HERE)
        shutil.copytree(options.out / "truth", HERE / "truth", dirs_exist_ok=True)


# -- pictures -----------------------------------------------------------------------------------------------------


def _settings(width: int, height: int, samples: int, threads: int):
    import bpy

    scene = bpy.context.scene
    render, cycles = scene.render, scene.cycles
    render.engine, cycles.device = "CYCLES", "CPU"
    render.resolution_x, render.resolution_y, render.resolution_percentage = width, height, 100
    render.fps, render.threads_mode, render.threads = RATE, "FIXED", threads
    render.use_persistent_data, render.use_motion_blur = True, False
    cycles.samples, cycles.use_adaptive_sampling = samples, False
    cycles.max_bounces, cycles.diffuse_bounces, cycles.glossy_bounces = 4, 2, 2
    cycles.transmission_bounces, cycles.transparent_max_bounces = 1, 1
    cycles.caustics_reflective = cycles.caustics_refractive = False
    cycles.sample_clamp_indirect, cycles.blur_glossy = 4.0, 1.0
    scene.view_settings.view_transform, scene.view_settings.look = "AgX", LOOK
    scene.view_settings.exposure = EXPOSURE
    return scene


LOOK, EXPOSURE = "AgX - Medium High Contrast", 0.0


def _render_picture(frame: int, path: Path, options) -> None:
    import bpy

    scene = _settings(options.width, options.width * 9 // 16, options.samples, options.threads)
    layer = bpy.context.view_layer
    layer.use_pass_vector = layer.use_pass_z = layer.use_pass_object_index = False
    scene.cycles.use_denoising, scene.cycles.denoiser = True, "OPENIMAGEDENOISE"
    scene.cycles.pixel_filter_type, scene.cycles.filter_width = "BLACKMAN_HARRIS", 1.5
    scene.cycles.seed = frame
    scene.render.image_settings.file_format, scene.render.image_settings.color_mode = "PNG", "RGB"
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"part-{path.name}")
    scene.frame_set(frame)
    scene.render.filepath = str(part)
    bpy.ops.render.render(write_still=True)
    os.replace(part, path)


# -- truth --------------------------------------------------------------------------------------------------------


def _render_truth(frame: int, path: Path, threads: int) -> None:
    """One ray through the very centre of each pixel of the truth grid: nothing is averaged over an edge."""
    import bpy
    import OpenEXR

    scene = _settings(*TRUTH_SIZE, 1, threads)
    layer = bpy.context.view_layer
    layer.use_pass_vector = layer.use_pass_z = layer.use_pass_object_index = True
    scene.cycles.use_denoising = False
    scene.cycles.pixel_filter_type, scene.cycles.filter_width = "GAUSSIAN", 0.01
    settings = scene.render.image_settings
    settings.file_format, settings.color_depth, settings.exr_codec = "OPEN_EXR_MULTILAYER", "32", "ZIP"
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".exr")
    scene.frame_set(frame)
    scene.render.filepath = str(part)
    bpy.ops.render.render(write_still=True)
    with OpenEXR.File(str(part), separate_channels=True) as file:
        planes = {name.split(".", 1)[1]: channel.pixels for name, channel in file.channels().items() if "." in name}
    vector = np.stack([planes[f"Vector.{axis}"] for axis in "XYZW"], -1).astype(np.float32)
    index = next(planes[name] for name in planes if name.startswith("IndexOB"))
    depth = next(planes[name] for name in planes if name.startswith("Depth"))
    whole = path.with_name(f"part-{path.name}")
    np.savez(whole, vector=vector, index=np.rint(index).astype(np.uint8), depth=depth.astype(np.float32))
    os.replace(whole, path)
    part.unlink()


def pack(scene, options) -> None:
    """Turn the raw passes into ``truth/NAME/``: see samples/README.md for the format."""
    from samples import pack_plane

    out, width = options.out, options.width
    scale = width / TRUTH_SIZE[0]
    folder = out / "truth" / options.name
    folder.mkdir(parents=True, exist_ok=True)
    start, cuts = 0, []
    for shot, plan in enumerate(scene.SHOTS):
        raw = [np.load(out / "raw" / f"{shot}-{frame:04d}.npz") for frame in range(1, plan.frames + 1)]
        vector = np.stack([r["vector"] for r in raw])
        # Cycles: XY points to where the surface was a frame ago, ZW from where it will be; y counts upwards.
        back = vector[..., :2] * (1, -1) * scale
        ahead = -vector[..., 2:] * (1, -1) * scale
        ahead, back = (np.rint(flow * STEPS).astype(np.int16) for flow in (ahead, back))
        depth = np.stack([r["depth"] for r in raw]).astype(np.float16)
        np.savez_compressed(
            folder / f"shot{shot}.npz",
            forward=pack_plane(ahead),
            turn=pack_plane(ahead + back),
            depth=pack_plane(depth),
            mattes=np.stack([r["index"] for r in raw]),
        )
        if start:
            cuts.append(start)
        start += plan.frames
    facts = {
        "version": 1,
        "size": [width, width * 9 // 16],
        "grid": list(TRUTH_SIZE),
        "rate": f"{RATE}/1",
        "frames": start,
        "cuts": cuts,
        "flow_steps": STEPS,
        "objects": scene.OBJECTS,
        "mirrors": scene.MIRRORS,
    }
    (folder / "facts.json").write_text(json.dumps(facts, indent=1) + "\n")


# -- the clip -----------------------------------------------------------------------------------------------------


def encode(scene, options) -> None:
    """Frames and sound to H.264 and AAC, tagged BT.709."""
    import av
    from av.video.reformatter import ColorRange, Colorspace

    from samples import sound

    out, width = options.out, options.width
    pictures = [
        out / "frames" / f"{s}-{f:04d}.png" for s, plan in enumerate(scene.SHOTS) for f in range(1, plan.frames + 1)
    ]
    track = sound.compose(len(pictures) / RATE, scene.SHOTS[0].frames / RATE)
    part = out / f"part-{options.name}.mp4"
    with av.open(str(part), "w", options={"movflags": "+faststart"}) as file:
        video = file.add_stream("libx264", rate=RATE, options={"crf": "16", "preset": "slow", "threads": "2"})
        video.width, video.height, video.pix_fmt = width, width * 9 // 16, "yuv420p"
        video.codec_context.time_base = Fraction(1, RATE)
        video.codec_context.color_primaries = video.codec_context.color_trc = video.codec_context.colorspace = 1
        video.codec_context.color_range = 1
        audio = file.add_stream("aac", rate=sound.RATE, layout="stereo", bit_rate=160000)
        for number, path in enumerate(pictures):
            with av.open(str(path)) as still:
                picture = next(still.decode(video=0)).to_ndarray(format="rgb24")
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(
                format="yuv420p",
                src_color_range=ColorRange.JPEG,
                dst_colorspace=Colorspace.ITU709,
                dst_color_range=ColorRange.MPEG,
            )
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            file.mux(video.encode(frame))
        file.mux(video.encode(None))
        for at in range(0, track.shape[1], 1024):
            chunk = av.AudioFrame.from_ndarray(
                np.ascontiguousarray(track[:, at : at + 1024]), format="fltp", layout="stereo"
            )
            chunk.sample_rate, chunk.pts, chunk.time_base = sound.RATE, at, Fraction(1, sound.RATE)
            file.mux(audio.encode(chunk))
        file.mux(audio.encode(None))
    os.replace(part, out / f"{options.name}.mp4")


if __name__ == "__main__":
    main()
