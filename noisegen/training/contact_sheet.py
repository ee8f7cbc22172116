"""A sheet of simulated cameras for the eye: noisy crops with what made them."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from noisegen.simulator import CameraSetting, draw_setting, input_side, simulate
from noisegen.training.crops import random_place

_SIDE, _CAPTION, _GAP = 128, 50, 12
_FONT_SIZE = 9


def contact_sheet(
    pictures: list[NDArray[np.uint8]], seed: int, columns: int, rows: int
) -> NDArray[np.uint8]:
    """Draws ``columns`` × ``rows`` camera settings and shows each on a crop, weakest noise first.

    Args:
        pictures: clean, H×W×3; sides of 256 and more.
        seed: of the settings, the crops and the noise.
        columns: cells in a row.
        rows: of cells.

    Returns:
        H×W×3 picture; each cell holds a 128×128 crop and its caption.
    """
    rng = np.random.default_rng(seed)
    settings = [draw_setting(rng) for _ in range(columns * rows)]
    side = input_side(settings, _SIDE)
    shown = [pictures[i % len(pictures)] for i in range(len(settings))]
    crops = np.stack([p[random_place(p.shape[:2], side, rng)] for p in shown])
    clean = torch.from_numpy(crops).permute(0, 3, 1, 2).unsqueeze(1).float() / 255
    noisy, pure = simulate(clean, settings, torch.Generator().manual_seed(seed), _SIDE)
    strengths = (noisy.float() - pure.float()).flatten(1).std(1)
    size = (columns * (_SIDE + _GAP) - _GAP, rows * (_SIDE + _CAPTION))
    sheet = Image.new("RGB", size, "white")
    for cell, place in enumerate(strengths.argsort().tolist()):
        row, column = divmod(cell, columns)
        corner = (column * (_SIDE + _GAP), row * (_SIDE + _CAPTION))
        pixels = noisy[place, 0].permute(1, 2, 0).contiguous().numpy()
        sheet.paste(Image.fromarray(pixels), corner)
        ImageDraw.Draw(sheet).multiline_text(
            (corner[0] + 1, corner[1] + _SIDE + 1),
            _caption(settings[place], float(strengths[place])),
            fill="black",
            font_size=_FONT_SIZE,
            spacing=1,
        )
    return np.asarray(sheet)


def _caption(setting: CameraSetting, sigma: float) -> str:
    """Four short lines, in the characters that Pillow's own font has."""
    sensor = f"sigma {sigma:.1f}, {1 / setting.shot:.0f} e-"
    demosaic: str = setting.demosaic
    if setting.denoises:
        demosaic += f", denoise {setting.luma_blur:.1f}/{setting.chroma_blur:.1f}"
    finishing = []
    if setting.sharpening:
        finishing.append(f"sharpen {setting.sharpening:.1f}")
    if setting.resize < 1:
        finishing.append(f"resize {setting.resize:.2f}")
    coding = f"JPEG {setting.quality} {setting.subsampling}" if setting.quality else "no JPEG"
    return "\n".join([sensor, demosaic, coding, ", ".join(finishing)])
