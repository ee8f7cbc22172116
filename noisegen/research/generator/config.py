"""Everything that decides a training run; stored inside the weights."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from noisegen.errors import UsageError
from noisegen.evaluation.denoiser import DenoiserConfig
from noisegen.model.config import GeneratorConfig, ModelConfig
from noisegen.research.objectives.energy import EnergyConfig, HistogramConfig
from noisegen.training.loop import Descent

Shares = tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class ObjectiveConfig:
    """Weights of the objectives; those at 0 cost nothing.

    Attributes:
        energy: score of two draws against the truth.
        histogram: earth mover's distance of the marginals (GuidNoise's refine loss).
        level: L1 of the local level's logarithm, where nothing else sees the picture's content.
        contrastive: InfoNCE on prompts of two reference sets of one setting (NoiseTransfer).
        adversarial: of ``adversary`` (PNGAN: relativistic; NoiseTransfer: hinge).
        feature_matching: on the adversary's features (NoiseTransfer).
        alignment: through a frozen denoiser (PNGAN).
        discriminator_rate: the adversary's learning rate.
        temperature, queue, momentum: of the contrastive term.
    """

    energy: float = 1.0
    histogram: float = 0.0
    level: float = 0.0
    contrastive: float = 0.0
    adversarial: float = 0.0
    adversary: Literal["relativistic", "hinge"] = "relativistic"
    feature_matching: float = 0.0
    alignment: float = 0.0
    discriminator_rate: float = 4e-4
    temperature: float = 0.1
    queue: int = 256
    momentum: float = 0.99
    energies: EnergyConfig = field(default_factory=EnergyConfig)
    histograms: HistogramConfig = field(default_factory=HistogramConfig)
    denoiser: DenoiserConfig = field(default_factory=lambda: DenoiserConfig(steps=300))


@dataclass(frozen=True)
class Stage:
    """One stage of training; the next one goes on from its averaged weights.

    Attributes:
        name: of the weights that it writes.
        steps: optimiser steps.
        shares: of every batch, by kind of shard.
        rate: peak learning rate (AdamW, warm-up, cosine).
    """

    name: str
    steps: int
    shares: Shares
    rate: float = 1e-3


DRAWN: Shares = (("leaves", 0.7), ("classical", 0.3))

STAGES = (
    Stage("sim", 2600, DRAWN),
    Stage(
        "base",
        2600,
        # Few and gently: real references misjudge their scenes' levels far more than simulated ones
        # do, and what is learned from 23 scenes harms cameras that are not among them.
        (("polyu", 0.15), ("w2s", 0.05), ("own", 0.4), ("photos", 0.5), ("classical", 0.3)),
        rate=3e-4,
    ),
)
"""First what binds nobody, over procedural pictures; then real pairs and photographs beside it."""


@dataclass(frozen=True)
class TrainingConfig(Descent):
    """A training run.

    Attributes:
        stages: one after another.
        sets: reference sets a step.
        targets: target crops a reference set.
        crop: side of a target crop, in pixels.
        keep: share of what was learned that the written weights keep (:func:`.shrunk_to_start`).
        denoiser: weights whose denoiser is written beside what is trained; None for an untrained
            one.
    """

    stages: tuple[Stage, ...] = STAGES
    sets: int = 6
    targets: int = 2
    crop: int = 96
    warmup: int = 150
    keep: float = 0.6
    denoiser: str | None = "sim"
    model: ModelConfig = field(default_factory=lambda: ModelConfig(generator=GeneratorConfig()))
    objectives: ObjectiveConfig = field(default_factory=ObjectiveConfig)

    @property
    def steps(self) -> int:
        """Optimiser steps of all stages."""
        return sum(stage.steps for stage in self.stages)


def chosen_stages(spec: str) -> tuple[Stage, ...]:
    """Stages as the command line names them: ``sim:3000,base``.

    Raises:
        UsageError: a stage is unknown or its steps are no number.
    """
    known = {stage.name: stage for stage in STAGES}
    chosen = []
    for part in spec.split(","):
        name, _, steps = part.partition(":")
        if name not in known or (steps and not steps.isdecimal()):
            raise UsageError(f"--stages {spec}: unknown {part}; use {', '.join(known)}, NAME:STEPS")
        stage = known[name]
        chosen.append(replace(stage, steps=int(steps)) if steps else stage)
    return tuple(chosen)
