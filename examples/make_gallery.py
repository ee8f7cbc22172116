"""Makes the gallery: references, datasets by the commands of README.md here, and their pictures.

    python examples/make_gallery.py

Every noise in it is **simulated**, and its pictures are those of this folder or drawn at random, so
that all of it may be shipped. The same files come out each time.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter, uniform_filter1d

from noisegen.files import Container, Picture, encode, read_picture, read_planes
from noisegen.simulator import PLAIN_CAMERA, simulate
from noisegen.simulator.world import smooth_curve

Rng = np.random.Generator
Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]
Pixels = NDArray[Any]
Place = tuple[int, int]

HERE = Path(__file__).resolve().parent
GALLERY = HERE / "gallery"

DSLR = replace(
    PLAIN_CAMERA,
    red_gain=2.1,
    saturation=0.8,
    curve=smooth_curve((0.0, 0.203, 0.5, 0.797, 1.0)),
    shot=0.004,
    read=0.004,
    read_tail=0.1,
    pattern_seed=0,
    demosaic="gradient",
    quality=97,
)
"""A DSLR at a high ISO that neither denoises nor sharpens."""

FIELD = 256
"""Side of a microscope's field of view."""

PEDESTAL = 0.05
"""What a microscope's camera reads in the dark, of white: it keeps noise from ending at 0."""

FRAMES = 3
"""Of the 16-bit burst."""

PANEL, ZOOM, GAP, TITLE = 224, 4, 6, 20
DETAIL = PANEL // ZOOM


@dataclass(frozen=True)
class Kind:
    """One picture of the gallery.

    Attributes:
        name: of its command's ``--out``, and of the picture.
        words: under which the reference stands.
        clean: a clean picture that the command is given; its name is that of the pair.
        reference: the first noisy picture of the reference.
        corners: x and y of the crop of the clean, and of the reference.
        details: x and y, in these crops, of what is shown at 4× zoom.
        white: what is shown white.
    """

    name: str
    words: str
    clean: Path
    reference: Path
    corners: tuple[Place, Place]
    details: tuple[Place, Place]
    white: float = 255


KINDS = (
    Kind(
        "phone", "reference (simulated phone)",
        HERE / "clean/coffee.png", HERE / "reference/simulated_noisy.png",
        ((180, 130), (140, 30)), ((84, 16), (102, 76)),
    ),
    Kind(
        "dslr", "reference (simulated DSLR)",
        HERE / "clean/chelsea.png", GALLERY / "dslr_noisy.png",
        ((100, 40), (60, 60)), ((84, 84), (14, 44)),
    ),
    Kind(
        "microscope", "reference (simulated microscope)",
        GALLERY / "microscope_clean/field.png", GALLERY / "microscope_noisy.png",
        ((16, 16), (16, 16)), ((72, 84), (8, 44)), 240,
    ),
    Kind(
        "sixteen_bit", "reference (simulated, 12 of 16 bits)",
        GALLERY / "sixteen_bit_clean/field.tif", GALLERY / "sixteen_bit_burst.tif",
        ((16, 16), (16, 16)), ((84, 84), (84, 84)), 3900,
    ),
)  # fmt: skip


def cells(rng: Rng) -> Floats:
    """A stained field of view, drawn at random: nuclei over faint fibres; from PEDESTAL to 1."""
    y, x = np.mgrid[:FIELD, :FIELD]
    texture = gaussian_filter(rng.standard_normal((FIELD, FIELD)), 3)
    texture /= texture.std()
    picture = np.zeros((FIELD, FIELD))
    for _ in range(18):
        row, column = rng.uniform(0, FIELD, 2)
        axes, turn = rng.uniform(11, 24, 2), rng.uniform(0, np.pi)
        across = ((x - column) * np.cos(turn) + (y - row) * np.sin(turn)) / axes[0]
        down = ((y - row) * np.cos(turn) - (x - column) * np.sin(turn)) / axes[1]
        inside = 1 / (1 + np.exp(9 * (np.hypot(across, down) - 1)))
        picture = np.maximum(picture, rng.uniform(0.25, 0.8) * inside * (1 + 0.18 * texture))
    fibres = np.abs(gaussian_filter(rng.standard_normal((FIELD, FIELD)), 9))
    fibres = np.exp(-((fibres / fibres.std() / 0.12) ** 2))
    light: Floats = gaussian_filter(np.clip(picture + 0.16 * fibres + 0.02, 0, 1 - PEDESTAL), 1.0)
    return PEDESTAL + light


def counted(light: Floats, photons: float, read: float, rng: Rng) -> Floats:
    """Light as a detector counts it: Poisson noise of so many photons at 1, Gaussian read noise."""
    photons_seen = rng.poisson((light - PEDESTAL) * photons) / photons
    noisy: Floats = PEDESTAL + photons_seen + rng.normal(0, read, light.shape)
    return noisy


def write_references() -> None:
    """Writes every file that the commands read and that this folder does not hold already."""
    for folder in ("microscope_clean", "sixteen_bit_clean"):
        (GALLERY / folder).mkdir(parents=True, exist_ok=True)
    save(GALLERY / "dslr_noisy.png", shot_by_dslr(read_picture(HERE / "clean/coffee.png").pixels))
    rng = np.random.default_rng(1)
    field, other = cells(rng), cells(rng)
    save(GALLERY / "microscope_clean/field.png", whole(other, 255))
    save(GALLERY / "microscope_reference.png", whole(field, 255))
    save(GALLERY / "microscope_noisy.png", whole(counted(field, 45, 0.02, rng), 255))
    field, other = cells(rng), cells(rng)
    # The amplifier is slower than the scan: a pixel's noise reaches the next one of its row.
    shots = [
        uniform_filter1d(counted(field, 60, 0.015, rng) - field, 2, axis=1) + field
        for _ in range(FRAMES)
    ]
    save_tiff(GALLERY / "sixteen_bit_burst.tif", np.stack([whole(shot, 4095) for shot in shots]))
    save_tiff(GALLERY / "sixteen_bit_clean/field.tif", whole(other, 4095))


def shot_by_dslr(picture: Pixels) -> Bytes:
    """The camera's noisy picture of a scene, 384 by 384."""
    planes = torch.from_numpy(picture.copy()).permute(2, 0, 1).float() / 255
    noisy, _ = simulate(planes[None, None], [DSLR], torch.Generator().manual_seed(2), 384)
    pixels: Bytes = noisy[0, 0].permute(1, 2, 0).contiguous().numpy()
    return pixels


def whole(light: Floats, white: int) -> Pixels:
    """As integers of 8 or 16 bits."""
    kind = np.uint8 if white == 255 else np.uint16
    pixels: Pixels = np.clip(np.rint(light * white), 0, white).astype(kind)
    return pixels


def save(path: Path, pixels: Pixels) -> None:
    """Writes H×W or H×W×3 of 8 bits as PNG."""
    shaped = pixels if pixels.ndim == 3 else pixels[..., None]
    path.write_bytes(encode(Picture(shaped, None, None, Container.PNG, True)))


def save_tiff(path: Path, pixels: Pixels) -> None:
    """Writes a gray picture, or a stack of them, of 16 bits."""
    tifffile.imwrite(
        path, pixels, photometric="minisblack", compression="zlib", predictor=2,
        metadata=None, software=False,
    )  # fmt: skip


def commands() -> dict[str, list[str]]:
    """The commands of README.md here, by the name of their ``--out``."""
    text = (HERE / "README.md").read_text(encoding="utf-8")
    gallery = text.split("## Gallery")[1]
    found = {}
    for block in re.findall(r"```sh\n(noisegen synth .*?)```", gallery, re.DOTALL):
        words = shlex.split(block.replace("\\\n", " "))
        found[Path(words[words.index("--out") + 1]).name] = words
    return found


def shown(path: Path, corner: tuple[int, int], white: float) -> Image.Image:
    """A crop of a file's first picture, in 8 bits."""
    x, y = corner
    crop = read_planes(path).frames[0][0][y : y + PANEL, x : x + PANEL]
    pixels = np.clip(np.rint(crop.astype(np.float64) * (255 / white)), 0, 255).astype(np.uint8)
    return Image.fromarray(pixels.squeeze()).convert("RGB")


def panel(title: str, crop: Image.Image, detail_at: Place) -> Image.Image:
    """A crop under its title, and a detail of it at 4× zoom below."""
    sheet = Image.new("RGB", (PANEL, TITLE + 2 * PANEL + GAP), "white")
    draw = ImageDraw.Draw(sheet)
    draw.text((2, 3), title, fill="black", font_size=12)
    x, y = detail_at
    box = (x, y, x + DETAIL, y + DETAIL)
    detail = crop.crop(box).resize((PANEL, PANEL), Image.Resampling.NEAREST)
    sheet.paste(crop, (0, TITLE))
    outline = (box[0] - 1, box[1] - 1 + TITLE, box[2], box[3] + TITLE)
    draw.rectangle(outline, outline="white")
    sheet.paste(detail, (0, TITLE + PANEL + GAP))
    return sheet


def compose(kind: Kind, out: Path) -> None:
    """Writes the picture of a kind: clean, reference and generated, the last from ``out``."""
    generated = out / "noisy" / kind.clean.name
    (ours, theirs), (our_detail, their_detail) = kind.corners, kind.details
    panels = [
        panel("clean", shown(kind.clean, ours, kind.white), our_detail),
        panel(kind.words, shown(kind.reference, theirs, kind.white), their_detail),
        panel("generated", shown(generated, ours, kind.white), our_detail),
    ]
    sheet = Image.new("RGB", (3 * PANEL + 2 * GAP, panels[0].height), "white")
    for index, one in enumerate(panels):
        sheet.paste(one, (index * (PANEL + GAP), 0))
    save(GALLERY / f"{kind.name}.png", np.asarray(sheet))


def main() -> None:
    """Writes ``gallery/``, from the repository's root and with its datasets in ``out/gallery``."""
    write_references()
    found = commands()
    for kind in KINDS:
        _, *arguments = found[kind.name]
        subprocess.run([sys.executable, "-m", "noisegen", *arguments], cwd=HERE.parent, check=True)
        out = arguments[arguments.index("--out") + 1]
        compose(kind, HERE.parent / out)


if __name__ == "__main__":
    main()
