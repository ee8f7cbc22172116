"""Clean pictures bound by no licence: occluding shapes with shading and texture, drawn at random.

The dead leaves model of Lee, Mumford and Huang ("Occlusion models for natural images", IJCV 2001)
has the edges and scale invariance of photographs, and denoisers can be trained on it (Achddou,
Gousseau and Ladjal, "Synthetic images as a regularity prior for image restoration neural
networks", SSVM 2021). Added here: palettes that vary slowly over a picture, large backgrounds,
shading, textures. Lengths are in fine pixels, half a pixel of the picture, unless said otherwise;
brightness is in units of white and gamma-encoded, as in a stored photograph.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from noisegen.noise.arrays import Bytes, Floats, Rng

Labels = NDArray[np.int32]

_FINE = 2
"""Fine pixels per pixel, for smooth edges."""

_MOST_LEAVES = 1400
"""Bound on the leaves of one picture, and so on the time it takes."""

_FIELD = 512
"""Side of the periodic noise fields that textures and rough contours are taken from."""

_LARGEST_BLUR = 0.8
"""Largest standard deviation of the optical blur, in pixels."""


def draw_picture(rng: Rng, height: int, width: int) -> Bytes:
    """Draws a picture.

    Args:
        rng: the only source of randomness.
        height: in pixels, 64 or more.
        width: in pixels, 64 or more.

    Returns:
        H×W×3 uint8, like a photograph in sRGB.
    """
    fine = (height * _FINE, width * _FINE)
    noises = [_noise_field(rng, slopes) for slopes in ((0.2, 0.8), (0.8, 1.2), (1.2, 1.8))]
    fields = np.stack([*noises, _stripes(rng), _stripes(rng)])
    centres, radii = _places(rng, *fine)
    labels, parents = _occlude(rng, centres, radii, fields[2], fine)
    colours = _draw_colours(rng, centres, parents, fine)
    picture = _paint(rng, labels, colours, centres, radii, fields)
    picture = picture.reshape(3, height, _FINE, width, _FINE).mean(axis=(2, 4))
    picture = _blur(picture, rng.uniform(0, _LARGEST_BLUR))
    if rng.random() < 0.08:
        picture = np.repeat(picture.mean(axis=0, keepdims=True), 3, axis=0)
    stored: Bytes = np.rint(picture.clip(0, 1) * 255).astype(np.uint8)
    return stored.transpose(1, 2, 0).copy()


def _noise_field(rng: Rng, slopes: tuple[float, float]) -> Floats:
    """Periodic noise of amplitude 1/f^α within a band; mean 0, standard deviation 1."""
    down = np.fft.fftfreq(_FIELD)[:, None]
    frequency = np.hypot(down, np.fft.rfftfreq(_FIELD)[None])
    lowest, highest = np.exp(rng.uniform(np.log([1 / 250, 0.1]), np.log([1 / 40, 0.4])))
    band = np.exp(-((frequency / highest) ** 2)) * (1 - np.exp(-((frequency / lowest) ** 2)))
    amplitude = band * np.maximum(frequency, 1 / _FIELD) ** -rng.uniform(*slopes)
    white = rng.standard_normal((_FIELD, _FIELD), dtype=np.float32)
    noise = np.fft.irfft2(np.fft.rfft2(white) * amplitude, s=(_FIELD, _FIELD))
    scaled: Floats = (noise / noise.std()).astype(np.float32)
    return scaled


def _stripes(rng: Rng) -> Floats:
    """Periodic stripes in any direction, 5 to 40 fine pixels apart; standard deviation 1."""
    angle, cycles = rng.uniform(0, np.pi), _FIELD / np.exp(rng.uniform(np.log(5), np.log(40)))
    down, across = np.rint(cycles * np.array([np.sin(angle), np.cos(angle)]))
    turn = 2 * np.pi * np.arange(_FIELD) / _FIELD
    wave: Floats = (np.sqrt(2) * np.sin(down * turn[:, None] + across * turn)).astype(np.float32)
    return wave


def _places(rng: Rng, height: int, width: int) -> tuple[Floats, Floats]:
    """Centres N×2 and radii N of the leaves, back to front: backgrounds, then density r^-3."""
    size, side = np.array([height, width]), min(height, width)
    behind = int(rng.integers(2, 7))
    smallest, largest = np.exp(rng.uniform(np.log([5, side / 8]), np.log([40, side / 2.5])))
    smallest = min(smallest, largest / 2)
    mean_area = 2 * np.pi * np.log(largest / smallest) / (smallest**-2 - largest**-2)
    count = int(np.ceil(rng.uniform(0.4, 2.5) * height * width / mean_area))
    count = min(count, _MOST_LEAVES)
    quantile = rng.random(count)
    front = (smallest**-2 + quantile * (largest**-2 - smallest**-2)) ** -0.5
    radii = np.concatenate([rng.uniform(0.3, 0.9, behind) * side, front])
    centres = rng.random((behind + count, 2)) * size
    groups = rng.random((int(rng.integers(2, 7)), 2)) * size
    near = groups[rng.integers(len(groups), size=count)]
    near = near + rng.standard_normal((count, 2)) * rng.uniform(0.05, 0.2) * size
    grouped = np.flatnonzero(rng.random(count) < rng.uniform(0.6, 1))
    centres[behind + grouped] = near[grouped]
    return centres.astype(np.float32), radii.astype(np.float32)


def _occlude(
    rng: Rng, centres: Floats, radii: Floats, rough: Floats, size: tuple[int, int]
) -> tuple[Labels, Labels]:
    """Index of the leaf seen at each fine pixel, and of the leaf that each was laid on."""
    labels, parents = np.zeros(size, np.int32), np.zeros(len(radii), np.int32)
    flattest, roughness, round_share = rng.uniform([0.05, 0, 0.2], [0.6, 0.35, 0.9])
    for index in range(1, len(radii)):
        (row, column), radius = centres[index], radii[index]
        box = [
            np.arange(*np.clip([at - 1.5 * radius, at + 1.5 * radius], 0, length).astype(int))
            for at, length in zip((row, column), size, strict=True)
        ]
        if not (box[0].size and box[1].size):
            continue
        down = ((box[0] - row) / radius).astype(np.float32)[:, None]
        across = ((box[1] - column) / radius).astype(np.float32)[None]
        if rng.random() < round_share:
            edge = _ellipse(rng, down, across, rng.uniform(flattest, 1))
            if rng.random() < 0.5:
                edge += roughness * rough[np.ix_(box[0] % _FIELD, box[1] % _FIELD)]
        else:
            edge = _polygon(rng, down, across, rng.uniform(flattest, 1))
        seen = labels[box[0][0] : box[0][-1] + 1, box[1][0] : box[1][-1] + 1]
        parents[index] = seen[seen.shape[0] // 2, seen.shape[1] // 2]
        seen[edge < 1] = index
    return labels, parents


def _ellipse(rng: Rng, down: Floats, across: Floats, flatness: float) -> Floats:
    """Distance that is below 1 inside an ellipse, a disc one time in three."""
    angle, ratio = rng.uniform(0, np.pi), 1 if rng.random() < 1 / 3 else flatness
    cosine, sine = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    short = np.float32(1 / ratio) * (cosine * down - sine * across)
    return (sine * down + cosine * across) ** 2 + short**2


def _polygon(rng: Rng, down: Floats, across: Floats, flatness: float) -> Floats:
    """Distance, below 1 inside a rectangle, often upright, or a polygon of 3, 5 or 6 sides."""
    sides = int(rng.choice([3, 4, 4, 4, 5, 6]))
    start = rng.integers(2) * np.pi / 2 if rng.random() < 0.5 else rng.uniform(0, np.pi)
    edge: Floats = np.full((down.size, across.size), -1, np.float32)
    for side in range(sides):
        angle = start + 2 * np.pi * side / sides
        distance = (flatness if side % 2 else 1.0) if sides == 4 else 0.7
        half = np.float32(np.sin(angle) / distance) * down
        np.maximum(edge, half + np.float32(np.cos(angle) / distance) * across, out=edge)
    return edge


def _draw_palette(rng: Rng, count: int) -> Floats:
    """Colours N×3 of one picture: its own key, contrast and saturation; hues orange or blue."""
    key, contrast = rng.uniform(-1.9, 1.3), rng.uniform(0.6, 1.6)
    luma = 1 / (1 + np.exp(-(key + contrast * rng.standard_normal((count, 1)))))
    hue = rng.normal(np.pi / 6, 0.5, (count, 1)) + np.pi * (rng.random((count, 1)) < 0.35)
    hue += rng.uniform(0, 2 * np.pi, (count, 1)) * (rng.random((count, 1)) < 0.15)
    direction = np.cos(hue - np.array([0, 2, 4]) * np.pi / 3)
    saturation = rng.beta(1.2, 4, (count, 1)) * rng.uniform(0.3, 1.3)
    return (luma * (1 + saturation * direction)).astype(np.float32)


def _draw_colours(rng: Rng, centres: Floats, parents: Labels, size: tuple[int, int]) -> Floats:
    """Colour of each leaf: near that of the leaf it lies on, or the palette's at its place."""
    palette = _draw_palette(rng, int(rng.integers(5, 12)))
    homes = rng.random((len(palette), 2)) * np.array(size)
    distance = np.linalg.norm(centres[:, None] - homes, axis=2) / min(size)
    entry = (distance + rng.gumbel(0, rng.uniform(0.03, 0.15), distance.shape)).argmin(axis=1)
    colours = palette[entry]
    own = np.where(rng.random(len(parents)) < 0.3, 1, rng.beta(1, 4, len(parents)))
    shade = np.exp(rng.normal(0, rng.uniform(0.05, 0.3), (len(parents), 1)))
    for index in range(1, len(parents)):
        near = colours[parents[index]] + own[index] * (colours[index] - colours[parents[index]])
        colours[index] = near * shade[index]
    colours[rng.random(len(parents)) < 0.01] += rng.uniform(0.4, 1)
    bounded: Floats = colours.clip(0, 1.5).astype(np.float32)
    return bounded


def _paint(
    rng: Rng, labels: Labels, colours: Floats, centres: Floats, radii: Floats, fields: Floats
) -> Floats:
    """Paints leaves, 3×H×W, with shading and most with a texture towards another's colour."""
    count = len(radii)
    textured = rng.random((count, 1)) < rng.uniform(0.3, 0.8)
    contrast = np.exp(rng.uniform(np.log(0.015), np.log(0.2), (count, 1))) * textured
    towards = 0.5 * (colours + colours[rng.integers(count, size=count)])
    second = (contrast * towards).astype(np.float32)
    slope = rng.normal(0, 0.2, (count, 2)) * (rng.random((count, 1)) < 0.7)
    slope = (slope / np.maximum(radii, 8)[:, None]).astype(np.float32)
    field = rng.choice(len(fields), count, p=[0.3, 0.3, 0.24, 0.08, 0.08])
    rows, columns = (np.arange(length, dtype=np.int32) for length in labels.shape)
    rows = rows[:, None]
    shading = 1 + slope[:, 0][labels] * (rows - centres[:, 0][labels])
    shading += slope[:, 1][labels] * (columns - centres[:, 1][labels])
    light = rng.uniform(-0.12, 0.12, 2).astype(np.float32)
    for tilt, at, length in zip(light, (rows, columns), labels.shape, strict=True):
        shading *= 1 + tilt * (at * np.float32(2 / length) - 1)
    row, column = (rows + 89 * labels) % _FIELD, (columns + 57 * labels) % _FIELD
    texture = fields[field[labels], row, column]
    channels = zip(colours.T, second.T, strict=True)
    picture = [(colour[labels] + add[labels] * texture) * shading for colour, add in channels]
    return np.stack(picture).clip(0, 1)


def _blur(picture: Floats, sigma: float) -> Floats:
    """Gaussian blur of C×H×W over rows and columns; ``sigma`` in pixels, up to 0.8."""
    taps = np.exp(-(np.arange(-3, 4) ** 2) / (2 * max(sigma, 0.05) ** 2))
    taps = (taps / taps.sum()).astype(np.float32)
    height, width = picture.shape[1:]
    padded = np.pad(picture, ((0, 0), (3, 3), (3, 3)), mode="edge")
    rows = sum(tap * padded[:, i : i + height] for i, tap in enumerate(taps))
    blurred: Floats = sum(tap * rows[..., i : i + width] for i, tap in enumerate(taps))
    return blurred
