"""The autoencoder's loss on numbers."""

from __future__ import annotations

import pytest
import torch

from noisegen.research.objectives.consistency import autoencoder_loss


def test_by_hand() -> None:
    """Mean |1 − 3| = 2, mean 2² = 4, a quarter of it."""
    reconstruction, target = torch.ones(1, 3, 8, 8), torch.full((1, 3, 8, 8), 3.0)
    latent = torch.full((1, 5, 1, 1), -2.0)
    assert float(autoencoder_loss(reconstruction, target, latent, 0.25)) == pytest.approx(3)
    rounded = autoencoder_loss(reconstruction.bfloat16(), target, latent.bfloat16(), 0.25)
    assert rounded.dtype == torch.float32
