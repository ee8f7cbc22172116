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
from noisegen.model.convolution import Convolution, convolve
from noisegen.model.surroundings import REACH, Surroundings

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
        self.inputs = Convolution(INPUTS * CELL**2, config.width, 3, padding=1)
        self.layers = nn.ModuleList(
            Convolution(config.width, config.width, 3, padding=reach, dilation=reach)
            for reach in config.dilations
        )
        # Without offsets: a constant is no content.
        self.outputs = Convolution(config.width, 3 * config.features * CELL**2, 1, bias=False)
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
        folded = (layer * share).sum(1).flatten(0, 1)[..., None, None]
        hidden = self._hidden(clean, around, level)
        together = F.pixel_shuffle(convolve(hidden, folded), CELL) + added
        return together.maximum(least).minimum(most)

    def _hidden(self, clean: Tensor, around: Surroundings, level: Tensor) -> Tensor:
        near = level + FAINT
        # A gray picture is one of three equal channels.
        colours = (-1, 3, -1, -1)
        standing_out = (1 + around.activity / near).log2().clamp(max=STANDING_OUT)
        detail = (clean - around.mean) / near
        detail = DETAIL * detail / (DETAIL + detail.abs())
        shown = [plane.expand(colours) for plane in (2 * clean - 1, 0.4 * standing_out - 1, detail)]
        shown.append(0.3 * around.position - 1)
        hidden = self.inputs(F.pixel_unshuffle(torch.cat(shown, 1), CELL))
        for layer in self.layers:
            hidden = hidden + layer(F.relu(hidden))
        return F.relu(hidden)
