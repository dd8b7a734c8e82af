"""Shapes made of numpy arrays, without Blender: boxes, lathes, crowns of leaves, hulls, houses, land.

Everything here is plain geometry in metres, z up, and follows from its arguments and the random generator handed in.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


@dataclass
class Shape:
    """Vertices and faces that grow; each face names the material that it wears."""

    vertices: list[np.ndarray] = field(default_factory=list)
    faces: list[tuple[int, ...]] = field(default_factory=list)
    materials: list[str] = field(default_factory=list)
    smooth: list[bool] = field(default_factory=list)
    _count: int = 0

    def add(self, vertices: np.ndarray, faces, material: str | list[str], *, smooth: bool = False) -> Shape:
        """Add ``vertices`` (n x 3) and ``faces`` that count from 0 within them."""
        base = self._count
        vertices = np.asarray(vertices, float).reshape(-1, 3)
        faces = [tuple(int(i) + base for i in face) for face in faces]
        self.vertices.append(vertices)
        self.faces += faces
        self.materials += [material] * len(faces) if isinstance(material, str) else material
        self.smooth += [smooth] * len(faces)
        self._count += len(vertices)
        return self

    def merge(self, other: Shape, *, at=(0.0, 0.0, 0.0), turn: float = 0.0, scale: float = 1.0) -> Shape:
        """Add another shape, scaled, turned about z by ``turn`` radians, then moved."""
        c, s = np.cos(turn), np.sin(turn)
        points = np.concatenate(other.vertices) * scale @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]]) + np.asarray(at)
        base = self._count
        self.vertices.append(points)
        self.faces += [tuple(i + base for i in face) for face in other.faces]
        self.materials += other.materials
        self.smooth += other.smooth
        self._count += len(points)
        return self


_BOX = np.array([[x, y, z] for z in (0, 1) for y in (-0.5, 0.5) for x in (-0.5, 0.5)], float)
_BOX_FACES = [(0, 2, 3, 1), (4, 5, 7, 6), (0, 1, 5, 4), (1, 3, 7, 5), (3, 2, 6, 7), (2, 0, 4, 6)]


def box(shape: Shape, size, at, material: str, *, taper: float = 1.0) -> None:
    """A box of ``size`` standing on the point ``at``; its top is ``taper`` times its foot."""
    points = _BOX * np.asarray(size, float)
    points[4:, :2] *= taper
    shape.add(points + np.asarray(at, float), _BOX_FACES, material)


def lathe(shape: Shape, profile, at, material, *, segments: int = 24, smooth: bool = True) -> None:
    """Turn ``profile``, a list of (radius, z), about the z axis. ``material`` may be a function of (ring, segment)."""
    profile = np.asarray(profile, float)
    angle = np.linspace(0, 2 * np.pi, segments, endpoint=False)
    r, z = profile[:, :1], np.repeat(profile[:, 1:], segments, 1)
    points = np.stack([r * np.cos(angle), r * np.sin(angle), z], -1).reshape(-1, 3) + np.asarray(at, float)
    faces, names = [], []
    for i in range(len(profile) - 1):
        for j in range(segments):
            k = (j + 1) % segments
            faces.append((i * segments + j, i * segments + k, (i + 1) * segments + k, (i + 1) * segments + j))
            names.append(material(i, j) if callable(material) else material)
    shape.add(points, faces, names, smooth=smooth)


def tube(shape: Shape, path, radius, material: str, *, segments: int = 8) -> None:
    """A round bar along ``path`` (n x 3); ``radius`` is one number or one for each point."""
    path = np.asarray(path, float)
    radius = np.broadcast_to(np.asarray(radius, float), (len(path),))
    along = np.gradient(path, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    side = np.cross(along, np.where(np.abs(along[:, 2:]) > 0.9, [[1.0, 0, 0]], [[0, 0, 1.0]]))
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    up = np.cross(side, along)
    angle = np.linspace(0, 2 * np.pi, segments, endpoint=False)
    ring = np.cos(angle)[None, :, None] * side[:, None] + np.sin(angle)[None, :, None] * up[:, None]
    points = (path[:, None] + ring * radius[:, None, None]).reshape(-1, 3)
    faces = [
        (
            i * segments + j,
            i * segments + (j + 1) % segments,
            (i + 1) * segments + (j + 1) % segments,
            (i + 1) * segments + j,
        )
        for i in range(len(path) - 1)
        for j in range(segments)
    ]
    shape.add(points, faces, material, smooth=True)


def leaves(shape: Shape, rng: np.random.Generator, centre, radii, count: int, size: float, material: str) -> None:
    """Many small leaves about an ellipsoid's shell: each one a bent quad that looks outward, more or less."""
    out = rng.normal(size=(count, 3))
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    where = np.asarray(centre) + out * np.asarray(radii) * rng.uniform(0.72, 1.04, (count, 1))
    normal = out + rng.normal(scale=0.55, size=out.shape)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    side = np.cross(normal, rng.normal(size=out.shape))
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    long = np.cross(normal, side)
    s = size * rng.uniform(0.6, 1.3, (count, 1))
    quads = np.stack([where - long * s, where + side * s * 0.5, where + long * s, where - side * s * 0.5], 1)
    faces = np.arange(4 * count).reshape(-1, 4)
    shape.add(quads.reshape(-1, 3), faces, material)


def value_noise(x: np.ndarray, y: np.ndarray, *, seed: int, octaves: int = 5) -> np.ndarray:
    """Fractal value noise at the points, about in [-1, 1]; the unit is one lattice cell of the first octave."""
    table = np.random.default_rng(seed).uniform(-1, 1, (256, 256))
    total, weight = np.zeros(np.broadcast(x, y).shape), 1.0
    for _ in range(octaves):
        i, j = np.floor(x).astype(int), np.floor(y).astype(int)
        u, v = x - i, y - j
        u, v = u * u * (3 - 2 * u), v * v * (3 - 2 * v)
        top = table[i % 256, j % 256] * (1 - u) + table[(i + 1) % 256, j % 256] * u
        low = table[i % 256, (j + 1) % 256] * (1 - u) + table[(i + 1) % 256, (j + 1) % 256] * u
        total = total + weight * (top * (1 - v) + low * v)
        x, y, weight = x * 2.03 + 17.1, y * 2.03 + 9.7, weight * 0.5
    return total / 1.6


def grid(xs: np.ndarray, ys: np.ndarray, z: np.ndarray):
    """Vertices and quads of a height field; ``z`` is len(ys) x len(xs)."""
    gx, gy = np.meshgrid(xs, ys)
    points = np.stack([gx, gy, z], -1).reshape(-1, 3)
    n, m = len(ys), len(xs)
    index = np.arange(n * m).reshape(n, m)
    faces = np.stack([index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]], -1).reshape(-1, 4)
    return points, faces


def rock(shape: Shape, rng: np.random.Generator, at, radii, material: str = "rock") -> None:
    """A boulder: a sphere pushed about by noise and cut flat on some sides."""
    u, v = np.meshgrid(np.linspace(0, 2 * np.pi, 22, endpoint=False), np.linspace(0.05, np.pi - 0.05, 14))
    p = np.stack([np.sin(v) * np.cos(u), np.sin(v) * np.sin(u), np.cos(v)], -1).reshape(-1, 3)
    seed = int(rng.integers(1 << 30))
    r = 1 + 0.30 * value_noise(p[:, 0] * 1.6 + 7, p[:, 1] * 1.6 + p[:, 2] * 1.3 + 5, seed=seed, octaves=4)
    p = p * r[:, None]
    for _ in range(4):
        n = rng.normal(size=3)
        n /= np.linalg.norm(n)
        p -= np.maximum(p @ n - rng.uniform(0.62, 0.9), 0)[:, None] * n
    p = p * np.asarray(radii) + np.asarray(at)
    faces = [
        (i * 22 + j, (i + 1) * 22 + j, (i + 1) * 22 + (j + 1) % 22, i * 22 + (j + 1) % 22)
        for i in range(13)
        for j in range(22)
    ]
    shape.add(p, [*faces, tuple(range(22)), tuple(range(13 * 22, 14 * 22))[::-1]], material)


def house(rng: np.random.Generator, width: float, depth: float, floors: int, wall: str, shutter: str) -> Shape:
    """A house of the old town, its front towards -y, standing on z = 0 with its foundations below."""
    s, height = Shape(), floors * 2.9 + 0.5
    box(s, (width, depth, height + 6), (0, 0, -6), wall)
    box(s, (width + 0.24, depth + 0.24, 0.22), (0, 0, height - 0.18), "trim")
    rise, over = width * rng.uniform(0.16, 0.24), 0.45
    w, d = width / 2 + over, depth / 2 + over
    ridge_along_x = rng.random() < 0.6
    if ridge_along_x:
        rise = depth * 0.2
        top = [(-w, 0, height + rise), (w, 0, height + rise)]
        faces = [(0, 1, 5, 4), (2, 3, 4, 5), (0, 4, 3), (1, 2, 5)]
    else:
        top = [(0, -d, height + rise), (0, d, height + rise)]
        faces = [(3, 0, 4, 5), (1, 2, 5, 4), (0, 1, 4), (2, 3, 5)]
    eaves = [(-w, -d, height), (w, -d, height), (w, d, height), (-w, d, height)]
    s.add(np.array(eaves + top), [*faces, (3, 2, 1, 0)], ["roof", "roof", wall, wall, "trim"])
    box(s, (0.7, 0.7, rise + 1.2), (rng.uniform(-0.3, 0.3) * width, 0.2 * depth, height), wall)
    columns = max(2, round(width / 2.5))
    for floor in range(floors):
        for column in range(columns):
            x = (column + 0.5) / columns * width - width / 2
            z = floor * 2.9 + 0.95
            if floor == 0 and column == columns // 2:
                box(s, (1.3, 0.12, 2.3), (x, -depth / 2, 0.05), shutter)
                box(s, (1.6, 0.1, 0.18), (x, -depth / 2, 2.35), "trim")
                continue
            _window(s, x, -depth / 2, z, rng, shutter)
    for side in (-1, 1):
        for floor in range(floors):
            for y in (-0.22, 0.22):
                box(s, (0.1, 0.95, 1.45), (side * width / 2, y * depth, floor * 2.9 + 0.95), "glass")
    if rng.random() < 0.35 and floors > 2:
        box(s, (width * 0.7, 0.9, 0.14), (0, -depth / 2 - 0.4, 2.9 + 0.8), "trim")
        for i in np.linspace(-0.33, 0.33, 13) * width:
            box(s, (0.05, 0.05, 0.9), (i, -depth / 2 - 0.8, 2.9 + 0.9), "iron")
        box(s, (width * 0.7, 0.07, 0.07), (0, -depth / 2 - 0.8, 2.9 + 1.8), "iron")
    if rng.random() < 0.45:
        awning = np.array([(-1.6, 0, 2.9), (1.6, 0, 2.9), (1.6, -1.5, 2.3), (-1.6, -1.5, 2.3)])
        awning[:, 1] -= depth / 2 + 0.05
        s.add(awning, [(0, 1, 2, 3)], "awning")
    return s


def _window(s: Shape, x: float, y: float, z: float, rng: np.random.Generator, shutter: str) -> None:
    box(s, (1.16, 0.10, 1.62), (x, y, z - 0.08), "trim")
    box(s, (0.92, 0.14, 1.42), (x, y, z + 0.02), "lit" if rng.random() < 0.13 else "glass")
    box(s, (0.06, 0.17, 1.42), (x, y, z + 0.02), "trim")
    if rng.random() < 0.75:
        for side in (-1, 1):
            box(s, (0.5, 0.12, 1.5), (x + side * 0.84, y - 0.03, z), shutter)
    if rng.random() < 0.2:
        box(s, (1.1, 0.36, 0.24), (x, y - 0.2, z - 0.32), "terracotta")
        box(s, (1.0, 0.36, 0.22), (x, y - 0.2, z - 0.1), "flowers")


def hull(shape: Shape, length: float, beam: float, depth: float, skins: list[str]) -> None:
    """A boat's hull lofted from its frames, bow towards +x; ``skins`` name the strakes from keel to rail."""
    t = np.linspace(0, 1, 26)
    half = beam / 2 * np.sin(np.pi * np.clip(0.30 + 0.70 * t, 0, 1)) ** 0.75
    half[-1] = 0.02
    sheer = 0.55 * depth + 0.35 * depth * (t - 0.35) ** 2 * 2.2
    keel = -depth * 0.5 * (1 - 0.75 * t**4)
    rows = len(skins)
    points = []
    for side in (1, -1):
        for k in range(rows + 1):
            u = k / rows
            points.append(
                np.stack(
                    [t * length - length * 0.45 + u * 0.25 * t, side * half * u**0.45, keel + (sheer - keel) * u], -1
                )
            )
    n = len(t)
    faces, names = [], []
    for side in range(2):
        for k in range(rows):
            a, b = (side * (rows + 1) + k) * n, (side * (rows + 1) + k + 1) * n
            for i in range(n - 1):
                quad = (a + i, a + i + 1, b + i + 1, b + i)
                faces.append(quad if side else quad[::-1])
                names.append(skins[k])
    a, b = rows * n, (2 * rows + 1) * n
    deck = [(a + i, a + i + 1, b + i + 1, b + i) for i in range(n - 1)]
    stern = [(side * n, (side + 1) * n, (rows + 1 + side + 1) * n, (rows + 1 + side) * n) for side in range(rows)]
    shape.add(np.concatenate(points), faces, names, smooth=True)
    lowered = np.concatenate(points) - np.array([0, 0, 0.16 * depth])
    shape.add(lowered, deck, "deck")
    shape.add(np.concatenate(points), stern, skins[-1])


def sail(shape: Shape, corners, belly: float, materials) -> None:
    """A triangular sail (tack, clew, head) with a belly to +y; ``materials(u, v)`` paints its panels."""
    tack, clew, head = np.asarray(corners, float)
    n = 14
    points = []
    for i in range(n + 1):
        v = i / n
        left, right = tack + (head - tack) * v, clew + (head - clew) * v
        for j in range(n + 1):
            u = j / n
            bulge = belly * np.sin(np.pi * u) ** 0.8 * (1 - v) ** 0.7 * (0.5 + v)
            points.append(left + (right - left) * u + np.array([0, bulge, 0]))
    faces, names = [], []
    for i in range(n):
        for j in range(n):
            faces.append((i * (n + 1) + j, i * (n + 1) + j + 1, (i + 1) * (n + 1) + j + 1, (i + 1) * (n + 1) + j))
            names.append(materials(j / n, i / n))
    shape.add(np.array(points), faces, names, smooth=True)
