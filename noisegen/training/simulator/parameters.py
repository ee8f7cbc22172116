"""A list of settings as tensors that broadcast over [B, S, C, H, W]."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from noisegen.training.simulator.settings import CameraSetting

_WHOLE = ("colour", "curve", "gains", "offsets")
"""What is more than a number of a setting."""


@dataclass(frozen=True)
class Parameters:
    """The numbers of B settings, each a float tensor [B, 1, 1, 1, 1] (see CameraSetting).

    Attributes:
        colour: white-balanced camera RGB → linear sRGB, [B, 3, 3]; rows sum to 1, so that gray
            stays.
        curve: [B, n].
        gains: white balance, [B, 1, 3, 1, 1].
        offsets: of red, green and blue, [B, 1, 3, 1, 1].
    """

    dimming: Tensor
    shot: Tensor
    read: Tensor
    read_tail: Tensor
    row: Tensor
    gain_pattern: Tensor
    dark_pattern: Tensor
    pattern_seed: Tensor
    bits: Tensor
    pedestal: Tensor
    luma_blur: Tensor
    chroma_blur: Tensor
    chroma_kept: Tensor
    edge_keeping: Tensor
    sharpening: Tensor
    sharpening_radius: Tensor
    resize: Tensor
    colour: Tensor
    curve: Tensor
    gains: Tensor
    offsets: Tensor

    @classmethod
    def stack(cls, settings: Sequence[CameraSetting], device: torch.device) -> Parameters:
        """Gathers the settings on a device."""
        names = [field.name for field in fields(cls) if field.name not in _WHOLE]
        rows = [[float(getattr(setting, name)) for setting in settings] for name in names]
        numbers = torch.tensor(rows).to(device).view(len(names), -1, 1, 1, 1, 1)
        gains = torch.tensor([[s.red_gain, 1.0, s.blue_gain] for s in settings])
        offsets = torch.tensor([s.offsets for s in settings])
        return cls(
            **dict(zip(names, numbers, strict=True)),
            colour=_colour_matrices(settings).to(device),
            curve=torch.tensor([s.curve for s in settings]).to(device),
            gains=gains.view(-1, 1, 3, 1, 1).to(device),
            offsets=offsets.view(-1, 1, 3, 1, 1).to(device),
        )


def _colour_matrices(settings: Sequence[CameraSetting]) -> Tensor:
    given = torch.tensor([setting.colour for setting in settings])
    saturation = torch.tensor([setting.saturation for setting in settings]).view(-1, 1, 1)
    matrix = torch.zeros(len(settings), 3, 3)
    rows, columns = [0, 0, 1, 1, 2, 2], [1, 2, 0, 2, 0, 1]
    matrix[:, rows, columns] = given
    matrix += torch.diag_embed(1 - matrix.sum(-1))
    # The blend is made of what the camera applies, as a muted picture style does.
    return torch.lerp(torch.eye(3).expand_as(matrix), matrix, saturation)
