"""Consistency training: a network that takes noise to data in one step, learnt without a teacher.

Improved consistency training (iCT: Song and Dhariwal, arXiv 2310.14189, Table 1), which PNG
(arXiv 2603.04870) uses in its latent. f(x, σ) = c_skip x + c_out F(c_in x, σ) with F the network;
two points of one noise trajectory, a small step apart, must give the same f.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

Network = Callable[[Tensor, Tensor], Tensor]
"""F: scaled noisy latent (B×…) and σ (B) → B×…, as the latent."""


@dataclass(frozen=True)
class ConsistencyConfig:
    """Noise levels, their discretisation and how often each is trained; defaults are iCT's.

    Attributes:
        sigma_min: smallest noise level, in the latent's units; there f is the identity.
        sigma_max: largest, where sampling starts.
        sigma_data: standard deviation of the latents.
        rho: curvature of the levels (Karras et al., NeurIPS 2022, Eq. 5).
        first_steps: discretisation steps at the start of training (s₀).
        last_steps: at its end (s₁).
        log_mean: of ln σ, for sampling the step (P_mean).
        log_deviation: of ln σ (P_std).
        huber: of the pseudo-Huber distance's c, times the root of the dimension.
    """

    sigma_min: float = 0.002
    sigma_max: float = 80.0
    sigma_data: float = 0.5
    rho: float = 7.0
    first_steps: int = 10
    last_steps: int = 1280
    log_mean: float = -1.1
    log_deviation: float = 2.0
    huber: float = 0.00054


def discretisation(step: int, total: int, config: ConsistencyConfig) -> int:
    """Noise levels N(k) at a training step: doubled at even intervals (iCT, Sec. 3.4).

    Args:
        step: of training, in [0, total].
        total: training steps.
        config: first and last number of steps.

    Returns:
        From ``first_steps + 1`` to ``last_steps + 1``.
    """
    doublings = math.floor(math.log2(config.last_steps / config.first_steps))
    interval = max(1, total // (doublings + 1))
    return int(min(config.first_steps * 2 ** (step // interval), config.last_steps)) + 1


def noise_levels(count: int, config: ConsistencyConfig) -> Tensor:
    """Rising levels from σ_min to σ_max, both exact (Karras et al., Eq. 5); ``count``, float32."""
    ends = config.sigma_min ** (1 / config.rho), config.sigma_max ** (1 / config.rho)
    levels = torch.linspace(*ends, count, dtype=torch.float64) ** config.rho
    # The boundary condition needs σ_min itself, not its seventh root's seventh power.
    levels[0], levels[-1] = config.sigma_min, config.sigma_max
    return levels.float()


def step_probabilities(levels: Tensor, config: ConsistencyConfig) -> Tensor:
    """How often each step between levels is trained: a discretised lognormal (iCT, Sec. 3.5)."""
    cdf = torch.erf((levels.log() - config.log_mean) / (math.sqrt(2) * config.log_deviation))
    mass = cdf.diff()
    return mass / mass.sum()


def pseudo_huber(x: Tensor, y: Tensor, constant: float) -> Tensor:
    """√(‖x − y‖² + c²) − c of every sample, c = constant·√d (iCT, Sec. 3.3).

    Args:
        x: B×….
        y: the same shape.
        constant: iCT takes 0.00054.

    Returns:
        B, float32.
    """
    difference = (x.float() - y.float()).flatten(1)
    c = constant * math.sqrt(difference.shape[1])
    return (difference.square().sum(1) + c * c).sqrt() - c


def apply_consistency(
    network: Network, x: Tensor, sigma: Tensor, config: ConsistencyConfig
) -> Tensor:
    """The consistency function f(x, σ), exactly x at σ_min for any network.

    Scalings of Song et al. (Consistency Models, ICML 2023, App. C).

    Args:
        network: F.
        x: B×…, latent plus σ times standard normal noise.
        sigma: B, in [σ_min, σ_max].
        config: σ_min and the latent's standard deviation.

    Returns:
        B×…, float32, a latent without noise.
    """
    x = x.float()
    level = sigma.float().view(-1, *[1] * (x.ndim - 1))
    above, data = level - config.sigma_min, config.sigma_data
    total = (level.square() + data**2).sqrt()
    skip, out = data**2 / (above.square() + data**2), data * above / total
    return skip * x + out * network(x / total, sigma).float()


def consistency_loss(
    network: Network,
    latents: Tensor,
    step: int,
    total: int,
    config: ConsistencyConfig,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Weighted pseudo-Huber distance of f at two neighbouring levels (iCT, Sec. 3); a scalar.

    The network is its own teacher, without gradient at the lower level: its average would bias the
    limit of many steps (Sec. 3.2).

    Args:
        network: F.
        latents: B×…, without noise, of standard deviation ``sigma_data``.
        step: of training, in [0, total].
        total: training steps.
        config: levels and distance.
        generator: of the noise and the levels, on the latents' device.
    """
    levels = noise_levels(discretisation(step, total, config), config).to(latents.device)
    probabilities = step_probabilities(levels, config)
    index = torch.multinomial(probabilities, len(latents), replacement=True, generator=generator)
    lower, upper = levels[index], levels[index + 1]
    latents = latents.detach().float()
    noise = torch.randn(latents.shape, device=latents.device, generator=generator)
    shape = (-1, *[1] * (latents.ndim - 1))
    with torch.no_grad():
        target = apply_consistency(network, latents + lower.view(shape) * noise, lower, config)
    found = apply_consistency(network, latents + upper.view(shape) * noise, upper, config)
    return (pseudo_huber(found, target, config.huber) / (upper - lower)).mean()
