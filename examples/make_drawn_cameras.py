"""Makes ``drawn_cameras.png``: a picture in the noise of cameras drawn by kind and ISO.

    python examples/make_drawn_cameras.py [--out examples/drawn_cameras.png]

A row a kind, a column an ISO; the camera of seed 0 at each.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from noisegen import load_generator
from noisegen.files import read_picture
from noisegen.profiles.drawn import LUMA, draw_profile
from noisegen.simulator.kinds import CameraKind

ISOS = (100, 800, 3200, 12800)
CLEAN = Path(__file__).with_name("clean") / "coffee.png"
GRAY = (CameraKind.MICROSCOPE, CameraKind.INDUSTRIAL)
CORNER, SIDE, SCALE, GAP, CAPTION = (92, 196), 96, 2, 8, 24


def main() -> None:
    """Draws the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("drawn_cameras.png"))
    out = parser.parse_args().out
    generator = load_generator()
    y, x = CORNER
    clean = read_picture(CLEAN).pixels[y : y + SIDE, x : x + SIDE]
    cell = SCALE * SIDE
    size = (len(ISOS) * (cell + GAP) - GAP, len(CameraKind) * (cell + CAPTION))
    page = Image.new("RGB", size, "white")
    for row, kind in enumerate(CameraKind):
        for column, iso in enumerate(ISOS):
            gray = kind in GRAY
            profile = draw_profile(kind, iso, 0, generator.weights, gray)
            shown = np.rint(clean @ LUMA).astype(np.uint8)[..., None] if gray else clean
            noisy = generator.synthesize(shown, profile, key="coffee").squeeze()
            place = (column * (cell + GAP), row * (cell + CAPTION))
            picture = Image.fromarray(noisy).resize((cell, cell), Image.Resampling.NEAREST)
            page.paste(picture.convert("RGB"), place)
            sigma = 255 * float(profile.sigma.mean())
            words = f"{kind.value}, ISO {iso}, sigma {sigma:.1f}"
            ImageDraw.Draw(page).text(
                (place[0], place[1] + cell + 4), words, fill="black", font_size=11
            )
    page.quantize(256, dither=Image.Dither.NONE).save(out, optimize=True)


if __name__ == "__main__":
    main()
