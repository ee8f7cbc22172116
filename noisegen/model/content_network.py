"""What the noise follows in a picture beside intensity, learned: a few maps of the clean.

In-camera denoising, sharpening and JPEG leave more noise on some content than on other. A small
network turns a clean picture into maps of whatever cameras' noise was seen to follow; a profile
holds, for its own camera, how much the logarithm of the variance changes with each. So the network
says what *can* matter, and the references alone say what does: on a camera that follows nothing,
the profile's numbers are 0, and the network does not run.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from noisegen.model.config import BESIDE_MAPS, ContentConfig
from noisegen.model.exact_convolution import ExactConvolution, convolve_exactly
from noisegen.model.surroundings import REACH, Surroundings
from noisegen.model.vector_math import rounded

INPUTS = 10
"""Clean (3), activity over the level (3), detail over the level (3), activity (1)."""

CELL = 2
"""Side in pixels of the cells that the network works on; they start at the picture's corner."""

FAINT = 1e-5
"""Added to the level, of the white level: where there is no noise, everything stands out."""

DETAIL = 1.5
"""Levels by which detail stands out half as far as it can."""

STANDING_OUT = 10.0
"""Largest activity over the level, in powers of two."""

LARGEST_INPUT, LARGEST = 4.0, 32.0
"""Sizes that are told apart where sums are exact: of the first layer's inputs, and, times 2^n, of
those of the n-th layer after it. The shipped networks' reach 3, 26, 76, 165 and 514."""

PULL = 300.0
"""Pixels that a change by a factor of e by one map weighs as much as, before training."""


class ContentNetwork(nn.Module):
    """Maps of a clean picture that the noise level may follow.

    Attributes:
        config: sizes.
        log_pull: K, natural logarithm of how many pixels a regression's pull of each map's number
            to 0 weighs as much as; learned with the maps.
    """

    def __init__(self, config: ContentConfig) -> None:
        super().__init__()
        self.config = config
        sizes = [LARGEST * 2**number for number in range(1, len(config.dilations) + 2)]
        self.inputs = ExactConvolution(INPUTS * CELL**2, config.width, 1, LARGEST_INPUT)
        self.layers = nn.ModuleList(
            ExactConvolution(config.width, config.width, reach, size)
            for reach, size in zip(config.dilations, sizes[:-1], strict=True)
        )
        # Without offsets: a constant is no content.
        self.outputs = ExactConvolution(
            config.width, 3 * config.features * CELL**2, 0, sizes[-1], bias=False
        )
        # Of what has no memory yet, even this would load a second's worth of torch.
        if not self.outputs.weight.is_meta:
            nn.init.normal_(self.outputs.weight, std=0.3 / math.sqrt(config.width))
        self.log_pull = nn.Parameter(torch.full((config.features,), math.log(PULL)))

    @property
    def context(self) -> int:
        """Pixels on every side that an output depends on, rounded up to whole cells."""
        reach = CELL * (1 + sum(self.config.dilations)) + CELL
        return -(-(reach + REACH) // CELL) * CELL

    def forward(self, clean: Tensor, around: Surroundings, level: Tensor) -> Tensor:
        """The maps.

        Args:
            clean: B×C×H×W in units of the white level, gray or RGB; H and W even, the corner on a
                cell's.
            around: the clean's.
            level: B×C×H×W, noise level that is usual at this intensity.

        Returns:
            B×C×K×H×W, K maps for each channel.
        """
        maps: Tensor = F.pixel_shuffle(self.outputs(self._hidden(clean, around, level)), CELL)
        maps = maps.unflatten(1, (3, self.config.features))
        return maps[:, : clean.shape[1]]

    def log_factor(
        self, clean: Tensor, around: Surroundings, level: Tensor, numbers: Tensor
    ) -> Tensor:
        """Natural logarithm of the variance's factor, B×C×H×W, of one camera.

        The camera's numbers are multiplied into the last layer: C maps are made, not C·K.

        Args:
            clean: as in :meth:`forward`.
            around: the same.
            level: the same.
            numbers: 1×C×(K + 3), of the camera; the last three are added, the least and the most.
        """
        shape = (3, self.config.features, CELL**2, -1)
        share = numbers[0, :, :-BESIDE_MAPS, None, None]
        added, least, most = numbers[:, :, -BESIDE_MAPS:, None, None].unbind(2)
        layer = self.outputs.weight[..., 0, 0].view(shape)[: len(share)]
        # In double precision: single sums' last bits are the machine's.
        folded = (layer.double() * share).sum(1).flatten(0, 1)[..., None, None].to(clean.dtype)
        hidden = self._hidden(clean, around, level)
        followed = F.pixel_shuffle(convolve_exactly(hidden, folded, self.outputs.largest), CELL)
        return (followed + added).maximum(least).minimum(most)

    def _hidden(self, clean: Tensor, around: Surroundings, level: Tensor) -> Tensor:
        near = level + FAINT
        # A gray picture is one of three equal channels.
        colours = (-1, 3, -1, -1)
        standing_out = rounded(torch.log2, 1 + around.activity / near).clamp(max=STANDING_OUT)
        detail = (clean - around.mean) / near
        detail = DETAIL * detail / (DETAIL + detail.abs())
        shown = [plane.expand(colours) for plane in (2 * clean - 1, 0.4 * standing_out - 1, detail)]
        shown.append(0.3 * around.position - 1)
        hidden = self.inputs.of_cells(torch.cat(shown, 1), CELL)
        for layer in self.layers:
            hidden = hidden + layer(F.relu(hidden))
        return F.relu(hidden)
