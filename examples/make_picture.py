"""Makes the README's picture from a dataset of the examples.

noisegen synth --ref examples/reference/simulated_noisy.png \
    --ref-clean examples/reference/simulated_clean.png --clean examples/clean --out out/pairs
python examples/make_picture.py out/pairs
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

HERE = Path(__file__).parent
SIDE, ZOOM, TITLE = 150, 2, 22


def panel(path: Path, corner: tuple[int, int], title: str) -> Image.Image:
    """A crop at 2× zoom under its title."""
    x, y = corner
    crop = Image.open(path).convert("RGB").crop((x, y, x + SIDE, y + SIDE))
    crop = crop.resize((SIDE * ZOOM, SIDE * ZOOM), Image.Resampling.NEAREST)
    sheet = Image.new("RGB", (SIDE * ZOOM, SIDE * ZOOM + TITLE), "white")
    sheet.paste(crop, (0, TITLE))
    ImageDraw.Draw(sheet).text((6, 4), title, fill="black", font_size=13)
    return sheet


def main() -> None:
    """Writes ``examples/picture.png``."""
    pairs = Path(sys.argv[1] if len(sys.argv) > 1 else "out/pairs")
    panels = [
        panel(pairs / "clean" / "coffee.png", (180, 130), "clean"),
        panel(HERE / "reference" / "simulated_noisy.png", (140, 40), "reference (simulated phone)"),
        panel(pairs / "noisy" / "coffee.png", (180, 130), "generated"),
    ]
    Image.fromarray(np.hstack([np.asarray(p) for p in panels])).save(HERE / "picture.png")


if __name__ == "__main__":
    main()
