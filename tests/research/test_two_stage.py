"""Both stages learn a tiny problem, and sampling keeps shapes."""

from __future__ import annotations

from dataclasses import fields

import pytest
import torch
from torch import Tensor

from noisegen.model.conditioning import Conditioning, Statistics
from noisegen.research.objectives.consistency import ConsistencyConfig
from noisegen.research.two_stage import (
    LatentConsistency,
    NoiseAutoencoder,
    TwoStageConfig,
    autoencoder_loss,
    latent_consistency_loss,
    sample,
)

SMALL = TwoStageConfig(
    latent_channels=48,
    width=48,
    heads=2,
    decoder_width=16,
    token_width=16,
    mixing=(True, False),
    consistency=ConsistencyConfig(last_steps=40),
)


def batch() -> tuple[Tensor, Tensor, Tensor]:
    """Clean, noise and tokens of eight 16×16 crops; the noise is the same for all."""
    torch.manual_seed(0)
    noise = torch.randn(1, 3, 16, 16).repeat(8, 1, 1, 1)
    return torch.rand(8, 3, 16, 16), noise, torch.randn(8, 4, 16)


def unused_statistics() -> Statistics:
    return Statistics(*(torch.zeros(1) for _ in fields(Statistics)))


def train_autoencoder(autoencoder: NoiseAutoencoder, steps: int) -> list[float]:
    clean, noise, tokens = batch()
    optimiser = torch.optim.Adam(autoencoder.parameters(), lr=3e-3)
    losses = []
    for _ in range(steps):
        optimiser.zero_grad()
        loss = autoencoder_loss(autoencoder, (clean, noise, tokens), 1e-4)
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    return losses


def test_the_autoencoder_learns() -> None:
    losses = train_autoencoder(NoiseAutoencoder(SMALL), 100)
    assert losses[-1] < 0.3 * losses[0]


def test_the_autoencoders_loss_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mean |1 − 3| = 2, mean 2² = 4, a quarter of it."""
    autoencoder = NoiseAutoencoder(SMALL)
    latent = torch.full((1, 48, 1, 1), -2.0).bfloat16()
    monkeypatch.setattr(autoencoder, "encode", lambda *_: latent)
    monkeypatch.setattr(autoencoder, "decode", lambda *_: torch.ones(1, 3, 8, 8))
    noise = torch.full((1, 3, 8, 8), 3.0)
    loss = autoencoder_loss(autoencoder, (noise, noise, noise), 0.25)
    assert float(loss) == pytest.approx(3)
    assert loss.dtype == torch.float32


@pytest.mark.slow
def test_consistency_learns_and_one_step_gives_the_noise() -> None:
    """All crops have one noise: the sample must come to it from any start."""
    torch.manual_seed(0)
    autoencoder, consistency = NoiseAutoencoder(SMALL), LatentConsistency(SMALL)
    train_autoencoder(autoencoder, 100)
    clean, noise, tokens = batch()
    with torch.no_grad():
        autoencoder.calibrate(autoencoder.encode(noise, clean, tokens))
    autoencoder.zero_grad()
    start, total = torch.randn(8, 48, 2, 2), 200
    conditioning = Conditioning(tokens, unused_statistics())

    def loss_at(step: int, generator: torch.Generator | None = None) -> Tensor:
        return latent_consistency_loss(
            autoencoder, consistency, (clean, noise, tokens), (step, total), generator
        )

    @torch.no_grad()
    def scores() -> tuple[float, float]:
        """Mean loss over the same noises and levels, and the error of one-step samples."""
        generator = torch.Generator().manual_seed(0)
        loss = sum(float(loss_at(total, generator)) for _ in range(20)) / 20
        fake = sample(autoencoder, consistency, clean, start, conditioning)
        return loss, float((fake - noise).abs().mean())

    loss_before, error_before = scores()
    optimiser = torch.optim.Adam(consistency.parameters(), lr=2e-3)
    for step in range(total):
        optimiser.zero_grad()
        loss_at(step).backward()
        optimiser.step()
    loss_after, error_after = scores()
    assert loss_after < 0.8 * loss_before
    assert error_after < 0.3 * error_before
    assert all(parameter.grad is None for parameter in autoencoder.parameters())


def test_shapes_and_size() -> None:
    config = TwoStageConfig()
    autoencoder, consistency = NoiseAutoencoder(config), LatentConsistency(config)
    clean, noise, tokens = (
        torch.rand(2, 3, 24, 40),
        torch.randn(2, 3, 24, 40),
        torch.randn(2, 5, 64),
    )
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        latent = autoencoder.encode(noise, clean, tokens)
        autoencoder.calibrate(latent)
        start = torch.randn(2, config.latent_channels, 3, 5)
        fake = sample(
            autoencoder, consistency, clean, start, Conditioning(tokens, unused_statistics())
        )
    assert latent.shape == (2, config.latent_channels, 3, 5)
    assert fake.shape == noise.shape
    assert fake.dtype == torch.float32
    assert 5e5 < sum(p.numel() for p in autoencoder.parameters()) < 9e5


def test_gradients_stay_finite_in_bfloat16() -> None:
    autoencoder, consistency = NoiseAutoencoder(SMALL), LatentConsistency(SMALL)
    clean, noise, tokens = batch()
    with torch.autocast("cpu", torch.bfloat16):
        first = autoencoder_loss(autoencoder, (clean, noise, tokens), 1e-4)
        second = latent_consistency_loss(
            autoencoder, consistency, (clean, noise, tokens), (100, 100)
        )
    assert first.dtype == second.dtype == torch.float32
    (first + second).backward()
    for parameter in (*autoencoder.parameters(), *consistency.parameters()):
        assert parameter.grad is not None
        assert bool(parameter.grad.isfinite().all())


def test_standardising_and_back() -> None:
    autoencoder = NoiseAutoencoder(SMALL)
    latent = 3 + 2 * torch.randn(16, 48, 4, 4)
    autoencoder.calibrate(latent)
    standard = autoencoder.standardise(latent)
    assert float(standard.std()) == pytest.approx(SMALL.consistency.sigma_data, rel=0.01)
    torch.testing.assert_close(autoencoder.restore(standard), latent, rtol=1e-4, atol=1e-4)
