"""Makes the pictures of this folder: clean ones, and a simulated camera's reference.

The photographs come from scikit-image's package (CC0 or public domain, see README.md here). The
reference is simulated: its noise is that of :mod:`noisegen.training.simulator`'s phone-like camera.

    python examples/make_examples.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from skimage import data

from noisegen.images import Container, Picture, encode
from noisegen.training.simulator import CameraSetting, simulate

HERE = Path(__file__).parent

PHONE = CameraSetting(
    gains=(2.0, 1.6),
    saturation=0.7,
    contrast=0.3,
    shot=0.0035,
    read=0.004,
    row=0.1,
    fixed_pattern=0.0,
    bits=12,
    demosaic="gradient",
    luma_blur=0.6,
    chroma_blur=1.3,
    edge_keeping=0.6,
    sharpening=0.7,
    resize=1.0,
    quality=93,
    subsampling=2,
)
"""A phone in a dim room."""


def save(path: Path, pixels: NDArray[np.uint8]) -> None:
    """Writes an H×W×3 picture as PNG."""
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(encode(Picture(pixels, None, None, Container.PNG, True)))


def shoot(picture: NDArray[np.uint8], seed: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The simulated camera's noisy picture and its clean counterpart."""
    even = picture[: picture.shape[0] // 8 * 8, : picture.shape[1] // 8 * 8]
    planes = torch.from_numpy(even.copy()).permute(2, 0, 1).unsqueeze(0).float() / 255
    noisy, clean = simulate(planes, PHONE, seed)
    return noisy[0].permute(1, 2, 0).numpy(), clean[0].permute(1, 2, 0).numpy()


def main() -> None:
    """Writes ``clean/`` and ``reference/``."""
    for name in ("chelsea", "coffee", "rocket"):
        save(HERE / "clean" / f"{name}.png", getattr(data, name)())
    noisy, clean = shoot(data.astronaut(), seed=1)
    save(HERE / "reference" / "simulated_noisy.png", noisy)
    save(HERE / "reference" / "simulated_clean.png", clean)


if __name__ == "__main__":
    main()
