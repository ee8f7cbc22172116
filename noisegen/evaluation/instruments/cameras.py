"""Colour cameras: a mosaic sensor, developed plainly, by a phone or by a DSLR."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

from noisegen.noise.arrays import Doubles, Pixels, Rng

MATRIX = np.array([[1.7, -0.5, -0.2], [-0.3, 1.6, -0.3], [-0.1, -0.6, 1.7]])
"""Camera colours to linear sRGB; white stays white."""

LUMA = np.array([[0.299, 0.587, 0.114], [-0.1687, -0.3313, 0.5], [0.5, -0.4187, -0.0813]])
"""R, G, B to Y, Cb, Cr."""

CROSS = np.array([[0, 1, 0], [1, 4, 1], [0, 1, 0]]) / 4
SQUARE = np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]]) / 4
"""Bilinear demosaicing of green, and of red and blue, on planes that are 0 elsewhere."""

GREEN = np.array(
    [[0, 0, -1, 0, 0], [0, 0, 2, 0, 0], [-1, 2, 4, 2, -1], [0, 0, 2, 0, 0], [0, 0, -1, 0, 0]]
)
BESIDE = np.array(
    [[0, 0, 0.5, 0, 0], [0, -1, 0, -1, 0], [-1, 4, 5, 4, -1], [0, -1, 0, -1, 0], [0, 0, 0.5, 0, 0]]
)
ACROSS = np.array(
    [
        [0, 0, -1.5, 0, 0],
        [0, 2, 0, 2, 0],
        [-1.5, 0, 6, 0, -1.5],
        [0, 2, 0, 2, 0],
        [0, 0, -1.5, 0, 0],
    ]
)
"""Gradient-corrected demosaicing (Malvar, He and Cutler, ICASSP 2004, Fig. 2), in eighths."""


@dataclass(frozen=True)
class Camera:
    """A camera with an RGGB mosaic. A scene is in display values, H×W×3 in [0, 1].

    Raw = (Poisson(light · full_well) + read noise + row noise) / full_well, rounded to 10 bits, a
    black level kept, so that noise goes below 0. Then white balance on the mosaic, clipped at 1,
    demosaicing, colour matrix, clipping, sRGB's curve, denoising, 8 bits, JPEG.

    Attributes:
        full_well: electrons at the sensor's white.
        read: σ of the read noise, in electrons.
        row: σ of an offset that all samples of a sensor row share, in electrons.
        gains: white balance of red, green and blue.
        gradients: gradient-corrected demosaicing, else bilinear.
        chroma_blur: Gaussian σ of the denoising of Cb and Cr, in pixels.
        luma_blur: the same of Y.
        quality: of the JPEG, on libjpeg's scale; None for none.
        subsampling: of its chroma, in Pillow's words.
    """

    full_well: float
    read: float
    row: float = 0.0
    gains: tuple[float, float, float] = (1.9, 1.0, 1.6)
    gradients: bool = False
    chroma_blur: float = 0.0
    luma_blur: float = 0.0
    quality: int | None = None
    subsampling: str = "4:2:0"

    def shoot(self, scene: Doubles, rng: Rng) -> Pixels:
        """One noisy shot, H×W×3 uint8."""
        raw = self._raw(scene)
        charge = rng.poisson(raw * self.full_well) + self.read * rng.standard_normal(raw.shape)
        charge = charge + self.row * rng.standard_normal((len(raw), 1))
        raw = np.rint(charge / self.full_well * 1023) / 1023
        picture = self._developed(raw)
        return picture if self.quality is None else _jpeg(picture, self.quality, self.subsampling)

    def clean(self, scene: Doubles) -> Pixels:
        """The noise-free development, H×W×3 uint8, not compressed."""
        return self._developed(self._raw(scene))

    def _raw(self, scene: Doubles) -> Doubles:
        """Mosaic of the light, H×W, 1 being the sensor's white."""
        light = (_linear(scene) @ np.linalg.inv(MATRIX).T).clip(0, None) / self.gains
        raw: Doubles = (light * _mosaic(scene.shape[0], scene.shape[1])).sum(2).clip(0, 1)
        return raw

    def _developed(self, raw: Doubles) -> Pixels:
        mosaic = _mosaic(*raw.shape)
        balanced = np.minimum(raw * (mosaic * self.gains).sum(2), 1)
        colours = _by_gradients(balanced) if self.gradients else _bilinear(balanced)
        display = _display((colours @ MATRIX.T).clip(0, 1))
        opponent = display @ LUMA.T
        blurs = (self.luma_blur, self.chroma_blur, self.chroma_blur)
        smooth = [_blurred(opponent[..., c], blur) for c, blur in enumerate(blurs)]
        display = np.stack(smooth, -1) @ np.linalg.inv(LUMA).T
        pixels: Pixels = np.rint(display.clip(0, 1) * 255).astype(np.uint8)
        return pixels


def _linear(display: Doubles) -> Doubles:
    """Linear light of display values: sRGB's curve undone."""
    return np.where(display <= 0.04045, display / 12.92, ((display + 0.055) / 1.055) ** 2.4)


def _display(linear: Doubles) -> Doubles:
    """Display values of linear light: sRGB's curve."""
    high = 1.055 * np.maximum(linear, 1e-9) ** (1 / 2.4) - 0.055
    return np.where(linear <= 0.0031308, 12.92 * linear, high)


def _mosaic(height: int, width: int) -> Doubles:
    """Mask of the mosaic, H×W×3: 1 where the sensor sees that colour."""
    seen = np.zeros((height, width, 3))
    seen[::2, ::2, 0] = seen[::2, 1::2, 1] = seen[1::2, ::2, 1] = seen[1::2, 1::2, 2] = 1
    return seen


def _bilinear(raw: Doubles) -> Doubles:
    planes = _mosaic(*raw.shape) * raw[..., None]
    kernels = (SQUARE, CROSS, SQUARE)
    return np.stack([_filtered(planes[..., c], k) for c, k in enumerate(kernels)], -1)


def _by_gradients(raw: Doubles) -> Doubles:
    green, across = _filtered(raw, GREEN / 8), _filtered(raw, ACROSS / 8)
    rows, columns = _filtered(raw, BESIDE / 8), _filtered(raw, BESIDE.T / 8)
    red = raw.copy()
    red[::2, 1::2], red[1::2, ::2], red[1::2, 1::2] = (
        rows[::2, 1::2], columns[1::2, ::2], across[1::2, 1::2],
    )  # fmt: skip
    blue = raw.copy()
    blue[1::2, ::2], blue[::2, 1::2], blue[::2, ::2] = (
        rows[1::2, ::2], columns[::2, 1::2], across[::2, ::2],
    )  # fmt: skip
    seen = _mosaic(*raw.shape)[..., 1]
    return np.stack([red, np.where(seen > 0, raw, green), blue], -1)


def _filtered(plane: Doubles, kernel: Doubles) -> Doubles:
    """Correlation with a small kernel; edges are reflected, which keeps the mosaic's phase."""
    reach = len(kernel) // 2
    padded = np.pad(plane, reach, mode="reflect")
    height, width = plane.shape
    total = np.zeros_like(plane)
    for y, x in zip(*np.nonzero(kernel), strict=True):
        total += kernel[y, x] * padded[y : y + height, x : x + width]
    return total


def _blurred(plane: Doubles, sigma: float) -> Doubles:
    """Blurs a plane by a Gaussian, edges reflected."""
    if sigma == 0:
        return plane
    reach = int(np.ceil(3 * sigma))
    taps = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    taps /= taps.sum()
    for axis in (0, 1):
        padding = [(reach, reach) if a == axis else (0, 0) for a in (0, 1)]
        padded = np.pad(plane, padding, mode="reflect")
        length = plane.shape[axis]
        plane = np.asarray(
            sum(t * np.take(padded, range(k, k + length), axis) for k, t in enumerate(taps))
        )
    return plane


def _jpeg(picture: Pixels, quality: int, subsampling: str) -> Pixels:
    """Codes and decodes a picture, H×W×3 uint8, by JPEG."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=quality, subsampling=subsampling)
    return np.asarray(Image.open(file))
