"""Makes the pictures of this folder: clean ones, and a simulated camera's reference.

The photographs come from scikit-image's package (CC0 or public domain, see README.md here). The
reference is simulated: its noise is that of :mod:`noisegen.simulator`'s phone-like camera.

    python examples/make_examples.py
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from skimage import data

from noisegen.files import Container, Picture, encode
from noisegen.simulator import PLAIN_CAMERA, simulate
from noisegen.simulator.world import smooth_curve
from noisegen.training.contact_sheet import contact_sheet

HERE = Path(__file__).parent

CLEAN = ("chelsea", "coffee", "rocket")

PHONE = replace(
    PLAIN_CAMERA,
    blue_gain=1.6,
    saturation=0.7,
    curve=smooth_curve((0.0, 0.203, 0.5, 0.797, 1.0)),
    shot=0.0035,
    read=0.004,
    read_tail=0.1,
    row=0.1,
    pattern_seed=0,
    bits=12,
    demosaic="gradient",
    luma_blur=0.6,
    chroma_blur=1.3,
    edge_keeping=0.6,
    sharpening=0.7,
    quality=93,
    subsampling="4:2:0",
)
"""A phone in a dim room."""


def save(path: Path, pixels: NDArray[np.uint8]) -> None:
    """Writes an H×W×3 picture as PNG."""
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(encode(Picture(pixels, None, None, Container.PNG, True)))


def shoot(picture: NDArray[np.uint8], seed: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The simulated camera's noisy picture and its clean counterpart, square."""
    side = min(picture.shape[:2]) // 16 * 16
    planes = torch.from_numpy(picture.copy()).permute(2, 0, 1).float() / 255
    shots = simulate(planes[None, None], [PHONE], torch.Generator().manual_seed(seed), side)
    noisy, clean = (shot[0, 0].permute(1, 2, 0).contiguous().numpy() for shot in shots)
    return noisy, clean


def main() -> None:
    """Writes ``clean/``, ``reference/`` and ``simulated_cameras.png``."""
    pictures = [getattr(data, name)() for name in CLEAN]
    for name, picture in zip(CLEAN, pictures, strict=True):
        save(HERE / "clean" / f"{name}.png", picture)
    noisy, clean = shoot(data.astronaut(), seed=1)
    save(HERE / "reference" / "simulated_noisy.png", noisy)
    save(HERE / "reference" / "simulated_clean.png", clean)
    save(HERE / "simulated_cameras.png", contact_sheet(pictures, seed=0, columns=4, rows=3))


if __name__ == "__main__":
    main()
