"""References measured and encoded in one call, without the trial that judges a profile."""

from __future__ import annotations

from collections.abc import Sequence

from noisegen.model.content_network import ContentNetwork
from noisegen.model.denoiser import Denoiser
from noisegen.model.weights import Weights
from noisegen.profiles.fit import Measured, encode_profile, measure_cut
from noisegen.profiles.profile import NoiseProfile
from noisegen.references.check import Burst, Reference
from noisegen.references.windows import Repair, cut_references


def measure_references(
    references: Sequence[Reference | Burst],
    white_level: float | None = None,
    repair: Repair = Repair.GROSS,
    denoiser: Denoiser | None = None,
    network: ContentNetwork | None = None,
) -> Measured:
    """The references cut and measured."""
    return measure_cut(cut_references(references, white_level, repair, denoiser), network)


def create_profile(
    references: Sequence[Reference | Burst],
    weights: Weights,
    *,
    name: str = "profile",
    white_level: float | None = None,
) -> NoiseProfile:
    """The profile of references, not judged."""
    measured = measure_references(
        references, white_level, denoiser=weights.denoiser, network=weights.content
    )
    return encode_profile(measured, weights, name)
