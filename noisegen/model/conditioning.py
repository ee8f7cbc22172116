"""What the generator knows of a camera: the prompt and the measured statistics, as tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor


@dataclass(frozen=True)
class Statistics:
    """The classical model of a camera's noise, measured from references, batched.

    All values are in units of the white level. Three channels always: a gray camera's are repeated.

    Attributes:
        nodes: B×3×n, increasing intensities at which the curves are given.
        mean: B×3×n, mean of the residual against intensity.
        level: B×3×n, standard deviation of the residual against intensity.
        usual: B×3×n, the same over all content, rounding included.
        coverage: B×3×n, in [0, 1]: how well the references show that intensity.
        activity: B×3×ACTIVITY_NODES, logarithm of the variance's factor against local activity.
        colour: B×3×3, of the same against a unit by which another channel is brighter.
        colour_reach: B×3×3×2, smallest and largest difference that counts.
        features: B×3×(K + 3), of the same against each of the content network's maps, what is
            added, and the least and the most of all together; 0 where these do not count.
        marginal_at: B×3×m, increasing intensities at which the marginal is given.
        marginals: B×3×m×Q, the standardised marginal at evenly spaced Gaussian values.
        kernel: B×3×3×K×K, colours a white field; every output channel's energy sums to 1.
        scale: B, overall standard deviation of the residual.
    """

    nodes: Tensor
    mean: Tensor
    level: Tensor
    usual: Tensor
    coverage: Tensor
    activity: Tensor
    colour: Tensor
    colour_reach: Tensor
    features: Tensor
    marginal_at: Tensor
    marginals: Tensor
    kernel: Tensor
    scale: Tensor

    def to(self, device: torch.device | str) -> Statistics:
        """Move it to another device."""
        return Statistics(*(getattr(self, f.name).to(device) for f in fields(self)))

    @staticmethod
    def stack(items: Sequence[Statistics]) -> Statistics:
        """Stack several into one batch."""
        return Statistics(
            *(torch.cat([getattr(item, f.name) for item in items]) for f in fields(Statistics))
        )


@dataclass(frozen=True)
class Conditioning:
    """Conditioning of the generator: prompt and statistics.

    Attributes:
        tokens: B×T×D, the prompt.
        statistics: measured.
    """

    tokens: Tensor
    statistics: Statistics

    def repeat(self, times: int) -> Conditioning:
        """Every item of the batch, ``times`` in a row."""
        repeated = (
            getattr(self.statistics, f.name).repeat_interleave(times, 0) for f in fields(Statistics)
        )
        tokens = self.tokens.repeat_interleave(times, 0)
        return Conditioning(tokens, Statistics(*repeated))
