"""The JPEG in torch against Pillow's encoder and decoder."""

from __future__ import annotations

import io
from typing import get_args

import numpy as np
import pytest
import torch
from pictures import add_gaussian, scene
from PIL import Image
from torch import Tensor

from noisegen.simulator.jpeg import jpeg
from noisegen.simulator.settings import Subsampling

QUALITIES = [30, 60, 75, 90, 95, 100]


def pillow(picture: Tensor, quality: int, subsampling: Subsampling) -> Tensor:
    buffer = io.BytesIO()
    image = Image.fromarray(picture.permute(1, 2, 0).contiguous().numpy())
    image.save(buffer, "JPEG", quality=quality, subsampling=subsampling)
    return torch.from_numpy(np.array(Image.open(buffer))).permute(2, 0, 1)


@pytest.mark.parametrize("subsampling", get_args(Subsampling))
@pytest.mark.parametrize("sigma", [2.0, 20.0])
def test_equals_pillow(subsampling: Subsampling, sigma: float) -> None:
    noisy = torch.from_numpy(add_gaussian(scene(128, 160), sigma)).permute(2, 0, 1)
    decoded = jpeg(noisy.expand(len(QUALITIES), -1, -1, -1), QUALITIES, subsampling)
    for quality, ours in zip(QUALITIES, decoded, strict=True):
        difference = (ours.float() - pillow(noisy, quality, subsampling).float()).abs()
        assert difference.mean() < 0.25, quality
