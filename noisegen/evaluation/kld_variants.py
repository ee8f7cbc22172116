"""The KL divergences of other papers, by name: equal in spirit, in their figures not comparable.

Each is as its public code computes it, which was read: bins, range, what happens to empty bins,
pooled or by channel. All are KL(real‖generated) in nats. That code works on patches of 32² or 256²
and on raw or sRGB data; here the noise is what it is for the other metrics.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from noisegen.noise.metrics import KLD_EDGES, divergence

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True)
class KLDVariant:
    """How a divergence of two histograms is computed.

    Attributes:
        edges: of the bins, noise in units of the white level.
        added: to the count of every bin, so that none is empty; where 0, bins that are empty on
            either side are left out.
        by_channel: mean over the channels' divergences, instead of one of all channels pooled.
    """

    edges: Doubles
    added: int = 0
    by_channel: bool = False

    def divergence(self, real: Counts, fake: Counts, values: Floats) -> float:
        """KL(real‖generated) of noise that takes few values.

        Args:
            real: C×K, pixels of each value.
            fake: the same of the generated noise; its number of pixels may be another.
            values: K, ascending, in units of the white level.
        """
        if not self.by_channel:
            real, fake = real.sum(0, keepdims=True), fake.sum(0, keepdims=True)
        of_channels = [self._of_channel(p, q, values) for p, q in zip(real, fake, strict=True)]
        return float(np.mean(of_channels))

    def _of_channel(self, real: Counts, fake: Counts, values: Floats) -> float:
        return divergence(*(self._shares(counts, values) for counts in (real, fake)))

    def _shares(self, counts: Counts, values: Floats) -> Doubles:
        binned = np.histogram(values, self.edges, weights=counts.astype(np.float64))[0]
        shares: Doubles = (binned + self.added) / (counts.sum() + self.added * len(binned))
        return shares


_RAW = np.concatenate([[-1000.0], np.linspace(-0.1, 0.1, 65), [1000.0]])
"""64 bins on ±0.1 and one beyond on either side."""

TABLE = "naflow"
"""The KLD of the tables."""

VARIANTS: dict[str, KLDVariant] = {
    # NAFlow, and GuidNoise after it: metrics/kld.py.
    TABLE: KLDVariant(KLD_EDGES),
    # Noise Flow: sidd/sidd_utils.py; the same in CA-NoiseGAN: utils/utils.py; of raw data.
    "noise-flow": KLDVariant(_RAW),
    # Noise2NoiseFlow: data_loader/sidd_utils.py, of raw data.
    "noise2noise-flow": KLDVariant(_RAW, added=1),
    # Kousha et al., in Noise2NoiseFlow: data_loader/sidd_utils.py, of sRGB data: 130 bins of 4/255
    # on ±260/255. Half a step below the integers, which the values are: the same bins, and no
    # rounding decides which one a value is in.
    "srgb-flow": KLDVariant(np.linspace(-260.5, 259.5, 131) / 255, added=1),
    # Henz et al., synt_noise_GANs: noise_comparison_KL_KS/kl_ks_per_cam.py: 49 bins of 2/255 and
    # one beyond on either side.
    "henz": KLDVariant(
        np.concatenate([[-256.1], np.linspace(-50.1, 47.9, 50), [255.9]]) / 255, by_channel=True
    ),
}
"""Name → variant, each as its public code computes it."""
