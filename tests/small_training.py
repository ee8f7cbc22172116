"""A bank and a training configuration small enough for tests."""

from __future__ import annotations

from pathlib import Path

from pictures import add_gaussian, scene
from small_network import TRAINED

from noisegen.model.weights import load_weights
from noisegen.research.generator.config import Stage, TrainingConfig
from noisegen.training.bank import (
    TARGET,
    Setting,
    Shard,
    measure_references,
    reference_windows,
    stack_targets,
)

SMALL_TRAINING = TrainingConfig(
    stages=(
        Stage("sim", 2, (("leaves", 1.0),)),
        Stage("base", 3, (("polyu", 0.5), ("classical", 0.5))),
    ),
    sets=2,
    targets=1,
    crop=64,
    warmup=1,
    decay=0,
    ema=0.5,
    keep=1.0,
    denoiser=None,
    model=TRAINED,
)
"""Without weight decay: only a gradient changes a weight."""

SIGMAS = {"leaves": (8, 20), "classical": (5, 12), "validation-classical": (10,)}
"""Kinds of shards in the small bank, and the noise of their settings."""


def gaussian_setting(sigma: int) -> Setting:
    """Gaussian noise: a paired and a blind reference set, three targets of another picture."""
    shown, clean = (scene(TARGET, TARGET, seed=seed) for seed in (sigma, sigma + 1))
    references = [
        measure_references(
            [reference_windows(add_gaussian(shown, sigma, seed=blind), shown, estimator, 64)],
            gray=False,
        )
        for blind, estimator in enumerate((None, load_weights("sim").denoiser))
    ]
    targets = [(add_gaussian(clean, sigma, seed), clean) for seed in (2, 3, 4)]
    return Setting(references, stack_targets(targets))


def write_bank(folder: Path) -> None:
    """One shard of each kind."""
    for kind, sigmas in SIGMAS.items():
        settings = [gaussian_setting(sigma) for sigma in sigmas]
        Shard.pack(settings).save(folder / f"{kind}-00000.npz")
