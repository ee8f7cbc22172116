"""Noisy and clean crops that never run out: cameras are drawn where the network is trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from noisegen.noise.arrays import Bytes, Rng
from noisegen.simulator import CameraSetting, draw_setting, input_side, simulate

SIDE = 128
"""Of a crop, in pixels."""


def random_place(shape: tuple[int, ...], side: int, rng: Rng, grid: int = 1) -> tuple[slice, slice]:
    """Draws a square on the grid of a picture, cut to its shorter side.

    Args:
        shape: height and width of the picture.
        side: of the square, in pixels.
        rng: what decides.
        grid: that the square's corner lies on, in pixels.
    """
    side = min(side, *shape)
    y, x = (int(rng.integers((length - side) // grid + 1)) * grid for length in shape)
    return slice(y, y + side), slice(x, x + side)


@dataclass(frozen=True)
class CropConfig:
    """Numbers of cameras and crops that are drawn.

    Attributes:
        settings: cameras drawn at once.
        scenes: crops of each.
        held: crops that batches are taken from; the oldest make way for new ones.
        batches: that are taken between two draws.
        exposures: most shots whose mean a clean is; 0: all cleans are free of noise.
        black: share of the scenes whose channels are black by an even chance each.
    """

    settings: int = 64
    scenes: int = 4
    held: int = 12_288
    batches: int = 8
    exposures: int = 0
    black: float = 0.06


class SimulatedCrops:
    """A store of simulated cameras' crops on one device, renewed while batches are taken from it.

    Args:
        pictures: clean, H×W×3; some with sides of 256 and more.
        config: how many.
        seed: of all that is drawn.
        device: that holds them and draws them.
    """

    def __init__(
        self, pictures: Sequence[Bytes], config: CropConfig, seed: int, device: torch.device
    ) -> None:
        self._config = config
        self._pictures = [torch.from_numpy(p).to(device).permute(2, 0, 1) for p in pictures]
        self._rng = np.random.default_rng(seed)
        self._generator = torch.Generator(device).manual_seed(seed)
        self._cameras = max(1, config.held // config.scenes)
        shape = (self._cameras, config.scenes, 2, 3, SIDE, SIDE)
        self._crops = torch.empty(shape, dtype=torch.uint8, device=device)
        self._filled, self._next, self._taken = 0, 0, 0

    def batch(self, count: int) -> Tensor:
        """Draws count×2×3×128×128 uint8, noisy and clean; turned and mirrored at random."""
        cameras = self._chosen(count)
        scenes = torch.from_numpy(self._rng.integers(self._config.scenes, size=count))
        return self._turned(self._crops[cameras, scenes.to(self._crops.device)])

    def cameras(self, count: int) -> Tensor:
        """Draws count×scenes×2×3×128×128 uint8, all scenes of each camera; turned at random."""
        crops = self._crops[self._chosen(count)]
        order = torch.from_numpy(self._rng.permutation(self._config.scenes))
        return self._turned(crops[:, order.to(crops.device)])

    def _chosen(self, count: int) -> Tensor:
        """Places of cameras, some of them new."""
        if self._taken % self._config.batches == 0 or self._filled == 0:
            self._draw()
        self._taken += 1
        index = torch.from_numpy(self._rng.integers(self._filled, size=count))
        return index.to(self._crops.device)

    def _turned(self, crops: Tensor) -> Tensor:
        crops = crops.flip(-1) if self._rng.random() < 0.5 else crops
        return crops.mT if self._rng.random() < 0.5 else crops

    def new(self) -> Tensor:
        """Simulates new cameras: settings×scenes×2×3×128×128 uint8."""
        count, scenes = self._config.settings, self._config.scenes
        settings = [averaged(draw_setting(self._rng), self._config.exposures) for _ in range(count)]
        # What is not made smaller can be of small pictures too.
        if self._rng.random() < 0.6:
            settings = [replace(setting, resize=1.0) for setting in settings]
        clean = draw_scenes(self._pictures, settings, scenes, self._rng)
        clean = clean * self._channels(count * scenes).view(count, scenes, 3, 1, 1)
        noisy, pure = simulate(clean, settings, self._generator, SIDE)
        return torch.stack([noisy, pure], 2)

    def _draw(self) -> None:
        drawn = self.new()[: self._cameras]
        places = (self._next + np.arange(len(drawn))) % self._cameras
        self._crops[torch.from_numpy(places).to(drawn.device)] = drawn
        self._next = (self._next + len(drawn)) % self._cameras
        self._filled = min(self._filled + len(drawn), self._cameras)

    def _channels(self, count: int) -> Tensor:
        """Factors on channels, count×3: a few scenes have black ones, as fluorescence does."""
        seen = self._rng.random((count, 3)) < 0.5
        seen |= self._rng.random((count, 1)) >= self._config.black
        return torch.from_numpy(seen.astype(np.float32)).to(self._crops.device)


def averaged(setting: CameraSetting, most: int) -> CameraSetting:
    """Limits the shots whose mean a camera's clean is."""
    return replace(setting, exposures=min(setting.exposures, most))


def draw_scenes(
    pictures: Sequence[Tensor], settings: Sequence[CameraSetting], scenes: int, rng: Rng
) -> Tensor:
    """Random crops of random pictures as the settings need them.

    Args:
        pictures: 3×H×W uint8 on one device.
        settings: B of them.
        scenes: S, for each.
        rng: what decides.

    Returns:
        B×S×3×side×side in [0, 1].
    """
    side = input_side(settings, SIDE)
    fitting = [picture for picture in pictures if min(picture.shape[1:]) >= side]
    crops = []
    for _ in range(len(settings) * scenes):
        picture = fitting[int(rng.integers(len(fitting)))]
        crops.append(picture[(..., *random_place(picture.shape[1:], side, rng, grid=2))])
    return torch.stack(crops).view(len(settings), scenes, 3, side, side).float() / 255
