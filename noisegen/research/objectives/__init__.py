"""Training objectives: one idea a file, each a function of its own with its source beside it."""

from noisegen.research.objectives.adversarial import (
    PixelDiscriminator,
    feature_matching,
    hinge_losses,
    relativistic_losses,
)
from noisegen.research.objectives.alignment import alignment_loss
from noisegen.research.objectives.consistency import (
    ConsistencyConfig,
    apply_consistency,
    autoencoder_loss,
    consistency_loss,
)
from noisegen.research.objectives.contrastive import KeyQueue, info_nce, momentum_update
from noisegen.research.objectives.energy import (
    EnergyConfig,
    energy_score,
    filtered,
    patch_energy,
    power_energy,
)
from noisegen.research.objectives.histogram import HistogramConfig, histogram_loss, soft_histogram

__all__ = [
    "ConsistencyConfig",
    "EnergyConfig",
    "HistogramConfig",
    "KeyQueue",
    "PixelDiscriminator",
    "alignment_loss",
    "apply_consistency",
    "autoencoder_loss",
    "consistency_loss",
    "energy_score",
    "feature_matching",
    "filtered",
    "hinge_losses",
    "histogram_loss",
    "info_nce",
    "momentum_update",
    "patch_energy",
    "power_energy",
    "relativistic_losses",
    "soft_histogram",
]
