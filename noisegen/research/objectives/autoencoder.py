"""First stage of PNG (arXiv 2603.04870): a noise autoencoder."""

from __future__ import annotations

from torch import Tensor


def autoencoder_loss(
    reconstruction: Tensor, target: Tensor, latent: Tensor, penalty: float
) -> Tensor:
    """Mean absolute error plus ``penalty`` times the latent's mean square; a scalar.

    The square is a KL divergence's term in the mean; it keeps the latent in the range that the
    consistency model is trained in.

    Args:
        reconstruction: B×3×H×W, noise in units of the expected local level.
        target: the real noise.
        latent: B×C×h×w.
        penalty: of the latent, ≥ 0.
    """
    error = (reconstruction.float() - target.float()).abs().mean()
    return error + penalty * latent.float().square().mean()
