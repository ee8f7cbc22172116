"""A plain camera setting that the simulator's tests start from."""

from __future__ import annotations

import torch
from pictures import scene
from torch import Tensor

from noisegen.simulator import CameraSetting
from noisegen.simulator.world import srgb_curve

PLAIN = CameraSetting(
    red_gain=2.0,
    blue_gain=1.5,
    colour=(-0.49, -0.12, -0.15, -0.39, 0.02, -0.45),
    saturation=0.5,
    curve=srgb_curve(),
    dimming=1.0,
    shot=1e-3,
    read=1e-3,
    read_tail=0.14,
    row=0.0,
    offsets=(0.0, 0.0, 0.0),
    gain_pattern=0.0,
    dark_pattern=0.0,
    pattern_seed=1,
    bits=14,
    pedestal=0.06,
    demosaic="none",
    luma_blur=0.0,
    chroma_blur=0.0,
    chroma_kept=0.0,
    edge_keeping=0.0,
    sharpening=0.0,
    sharpening_radius=1.0,
    resize=1.0,
    quality=None,
    subsampling="4:4:4",
    exposures=0,
)


def scenes(side: int, settings: int = 1, count: int = 1) -> Tensor:
    """Pictures in [0, 1], settings×count×3×side×side."""
    pictures = [scene(side, side, seed=seed) for seed in range(count)]
    stack = torch.stack([torch.from_numpy(p).permute(2, 0, 1).float() / 255 for p in pictures])
    return stack.expand(settings, -1, -1, -1, -1)
