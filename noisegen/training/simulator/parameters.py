"""A list of settings as tensors that broadcast over [B, S, C, H, W]."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from noisegen.training.simulator.settings import CameraSetting

_XYZ_TO_CAMERA = torch.tensor(
    [
        [[1.0234, -0.2969, -0.2266], [-0.5625, 1.6328, -0.0469], [-0.0703, 0.2188, 0.6406]],
        [[0.4913, -0.0541, -0.0202], [-0.6130, 1.3513, 0.2906], [-0.1564, 0.2151, 0.7183]],
        [[0.8380, -0.2630, -0.0639], [-0.2887, 1.0725, 0.2496], [-0.0627, 0.1427, 0.5438]],
        [[0.6596, -0.2079, -0.0562], [-0.4782, 1.3016, 0.1933], [-0.0970, 0.1581, 0.5181]],
    ]
)
"""Measured matrices of four cameras, from the code of Brooks et al., CVPR 2019 (§3.5)."""

_SRGB_TO_XYZ = torch.tensor(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)


@dataclass(frozen=True)
class Parameters:
    """The numbers of B settings, each a float tensor [B, 1, 1, 1, 1] (see CameraSetting)."""

    red_gain: Tensor
    blue_gain: Tensor
    contrast: Tensor
    shot: Tensor
    read: Tensor
    read_tail: Tensor
    row: Tensor
    gain_pattern: Tensor
    dark_pattern: Tensor
    pattern_seed: Tensor
    bits: Tensor
    luma_blur: Tensor
    chroma_blur: Tensor
    edge_keeping: Tensor
    sharpening: Tensor
    sharpening_radius: Tensor
    resize: Tensor

    @classmethod
    def stack(cls, settings: Sequence[CameraSetting], device: torch.device) -> Parameters:
        """Gathers the settings on a device, in one transfer."""
        names = [field.name for field in fields(cls)]
        rows = [[float(getattr(setting, name)) for setting in settings] for name in names]
        return cls(*torch.tensor(rows).to(device).view(len(names), -1, 1, 1, 1, 1))

    @property
    def gains(self) -> Tensor:
        """White balance, [B, 1, 3, 1, 1]."""
        return torch.cat([self.red_gain, torch.ones_like(self.red_gain), self.blue_gain], 2)


def camera_matrices(settings: Sequence[CameraSetting], device: torch.device) -> Tensor:
    """Linear sRGB → white-balanced camera RGB, [B, 3, 3]; rows sum to 1, so that gray stays."""
    weights = torch.tensor([setting.matrix_weights for setting in settings])
    saturation = torch.tensor([setting.saturation for setting in settings]).view(-1, 1, 1)
    mixed = torch.einsum("bk,kij->bij", weights, _XYZ_TO_CAMERA) @ _SRGB_TO_XYZ
    mixed = mixed / mixed.sum(-1, keepdim=True)
    # The blend is made of what the camera applies, as a muted picture style does.
    applied = torch.lerp(torch.eye(3), torch.linalg.inv(mixed), saturation)
    to_camera: Tensor = torch.linalg.inv(applied)
    return to_camera.to(device)
