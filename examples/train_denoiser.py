"""Trains a small denoiser on pairs that are made while it trains; under a minute on a CPU.

    python examples/train_denoiser.py

The noise is that of examples/reference, put on crops of examples/clean: every step sees crops and
noise that no step saw before, and nothing is written.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader

import noisegen
from noisegen.files import read_picture

HERE = Path(__file__).parent
PATCH = 64
"""Side of the crops."""

SHOWN = 15
"""Epochs whose mean loss is printed."""

UNSEEN = 10**6
"""An epoch that training does not reach: its crops and noise judge the denoiser."""


class Denoiser(nn.Module):
    """A few convolutions that estimate the noise; untrained, it returns its input."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        last = nn.Conv2d(width, 3, 3, padding=1)
        nn.init.zeros_(last.weight)
        self.layers = nn.Sequential(
            nn.Conv2d(3, width, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1),
            nn.ReLU(),
            last,
        )

    def forward(self, noisy: Tensor) -> Tensor:
        """B×3×H×W in [0, 1] → its estimated clean."""
        estimate: Tensor = noisy - self.layers(noisy)
        return estimate


def psnr(estimate: Tensor, clean: Tensor) -> float:
    """Peak signal-to-noise ratio in dB of pictures in [0, 1]."""
    return float(-10 * F.mse_loss(estimate, clean).log10())


def main() -> None:
    """Makes a profile, trains, and compares noisy and denoised crops that were not trained on."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=90)
    epochs = parser.parse_args().epochs

    noisy = read_picture(HERE / "reference/simulated_noisy.png").pixels
    clean = read_picture(HERE / "reference/simulated_clean.png").pixels
    profile = noisegen.load_generator(device="cpu").profile(noisy, clean)

    pairs = noisegen.NoisyPairs(HERE / "clean", profile, patch=PATCH)
    loader = DataLoader(pairs, batch_size=len(pairs), num_workers=1, persistent_workers=True)

    torch.manual_seed(0)
    denoiser = Denoiser()
    optimiser = torch.optim.Adam(denoiser.parameters(), lr=2e-3)
    total = 0.0
    for epoch in range(epochs):
        pairs.set_epoch(epoch)  # other crops, other noise
        for noisy_batch, clean_batch in loader:
            loss = F.mse_loss(denoiser(noisy_batch), clean_batch)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            total += float(loss.detach()) / len(loader)
        if (epoch + 1) % SHOWN == 0:
            print(f"epoch {epoch + 1}: mean squared error {total / SHOWN:.6f}")
            total = 0.0

    pairs.set_epoch(UNSEEN)
    noisy_batch, clean_batch = next(iter(loader))
    with torch.inference_mode():
        denoised = denoiser(noisy_batch)
    print(
        f"unseen crops: noisy {psnr(noisy_batch, clean_batch):.2f} dB, "
        f"denoised {psnr(denoised, clean_batch):.2f} dB"
    )


if __name__ == "__main__":
    main()
