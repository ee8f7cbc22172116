"""Whether a profile belongs to weights."""

from __future__ import annotations

from noisegen.model.weights import Weights
from noisegen.profiles.profile import NoiseProfile


def unfit_for_weights(profile: NoiseProfile, weights: Weights) -> str | None:
    """Why a profile cannot be used with weights, as a clause; None if it can."""
    if profile.weights_sha256 != weights.sha256:
        return (
            f"made with other weights than {weights.name}; make it again with noisegen profile "
            "create, or name its weights with --weights"
        )
    encoder = weights.encoder
    if profile.tokens.shape != (encoder.tokens, encoder.token_width):
        return (
            f"its prompt of shape {profile.tokens.shape} does not come from {weights.name}; make "
            "it again with noisegen profile create"
        )
    return None
