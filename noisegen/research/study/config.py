"""Sizes of a study."""

from __future__ import annotations

from dataclasses import dataclass, field

from noisegen.evaluation.denoiser import DenoiserConfig

SIZES = {
    # Trains in about a minute on one core: 7 layers, 32 channels.
    "small": DenoiserConfig(he_start=True, steps=1000),
    # PNG's (arXiv 2603.04870): DnCNN as published, 20 layers, 64 channels. For a GPU.
    "full": DenoiserConfig(
        layers=20, channels=64, batch_norm=True, he_start=True, steps=20_000, crops=64, side=64
    ),
}
"""Name → denoiser and its training, the same for every arm."""


@dataclass(frozen=True)
class StudyConfig:
    """How an arm is trained and watched.

    Attributes:
        denoiser: its size and training; the seed is each run's own.
        looks: how often, evenly over the steps, the learning curve is taken and a checkpoint
            written.
        watched: test pictures, evenly chosen of each test, that the curve is taken from.
    """

    denoiser: DenoiserConfig = field(default_factory=lambda: SIZES["small"])
    looks: int = 10
    watched: int = 12

    @property
    def steps(self) -> tuple[int, ...]:
        """Where the curve is taken, the last step included."""
        total = self.denoiser.steps
        return tuple(
            sorted({max(1, total * look // self.looks) for look in range(1, self.looks + 1)})
        )
