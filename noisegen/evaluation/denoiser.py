"""Denoisers that synthetic training pairs are judged by, DnCNN and NAFNet, and their training."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from noisegen.evaluation.image_quality import psnr, ssim
from noisegen.evaluation.nafnet import NAFNet
from noisegen.files import to_float
from noisegen.training.crops import random_place

Network = TypeVar("Network", bound=nn.Module)


def seeded(build: Callable[[], Network], seed: int, device: torch.device) -> Network:
    """A network from the same start for the same seed, whatever was drawn before."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = build()
    return network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]  # torch's stub lacks it


class OneCycle:
    """The optimiser of one training.

    Args:
        network: that is trained.
        rate: the largest.
        steps: of the whole training.
    """

    def __init__(self, network: nn.Module, rate: float, steps: int) -> None:
        self.optimiser = torch.optim.Adam(network.parameters(), rate)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(self.optimiser, rate, steps)

    def descend(self, loss: Tensor) -> None:
        """Makes one step down a loss."""
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        self.schedule.step()


Picture = NDArray[Any]
"""H×W×C, uint8 or float32 in [0, 1]."""

Pair = tuple[Picture, Picture]
"""A noisy picture and its clean."""

NOISE_UNIT = 0.1
"""What the network predicts the noise in: its outputs are of order 1 then."""


Kind = Literal["dncnn", "nafnet"]
"""Networks that denoise."""


@dataclass(frozen=True)
class DenoiserConfig:
    """Size of the network and of its training. Zhang et al.'s own DnCNN: 20, 64, batch norm.

    Attributes:
        kind: of network.
        layers: DnCNN's convolutions, the first and last included, 2 or more; NAFNet's scales
            below the finest.
        channels: between DnCNN's layers; of NAFNet's finest scale.
        batch_norm: between them too, as published. Few steps on few scenes are steadier without:
            its running means are those of the training scenes' brightness (on PolyU, one
            seed, a DnCNN with it did 0.7 dB better after Gaussian than after the real noise).
        he_start: initial weights after He et al. (ICCV 2015), which keep the strength of what
            passes. torch's own weaken it to 0.4 a layer: of seven layers, on PolyU's cleans with
            white Gaussian noise, nothing had been learned after 1000 steps, and with real noise
            learning began after 300. With He's it begins before 100.
        steps: optimiser steps.
        crops: a step.
        side: of a crop, in pixels.
        rate: peak learning rate (Adam, one cycle).
        seed: of the network and of the crops.
    """

    kind: Kind = "dncnn"
    layers: int = 7
    channels: int = 32
    batch_norm: bool = False
    he_start: bool = False
    steps: int = 400
    crops: int = 16
    side: int = 40
    rate: float = 1e-3
    seed: int = 0


class Denoiser(nn.Module):
    """A network that predicts a picture's noise, and takes it off.

    Args:
        channels: of the pictures.
        config: kind and size.
    """

    def __init__(self, channels: int, config: DenoiserConfig) -> None:
        super().__init__()
        self.noise: nn.Module = (
            NAFNet(channels, config.channels, config.layers)
            if config.kind == "nafnet"
            else DnCNN(channels, config)
        )

    def forward(self, noisy: Tensor) -> Tensor:
        """The denoised picture, not clipped.

        Args:
            noisy: B×C×H×W in [0, 1].
        """
        # Centred: bfloat16 is coarsest far from 0.
        predicted: Tensor = self.noise(noisy - 0.5)
        return noisy - NOISE_UNIT * predicted.float()


class DnCNN(nn.Sequential):
    """Predicts a picture's noise (Zhang et al., IEEE TIP 26(7), 2017, Fig. 1).

    Args:
        channels: of the pictures.
        config: size.
    """

    def __init__(self, channels: int, config: DenoiserConfig) -> None:
        width = config.channels
        layers: list[nn.Module] = [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()]
        for _ in range(config.layers - 2):
            layers += [nn.Conv2d(width, width, 3, padding=1, bias=not config.batch_norm)]
            layers += [nn.BatchNorm2d(width)] if config.batch_norm else []
            layers += [nn.ReLU()]
        if config.he_start:
            for layer in layers:
                if isinstance(layer, nn.Conv2d):
                    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        last = nn.Conv2d(width, channels, 3, padding=1, bias=False)
        # It starts as the identity: the few steps of a small setting go into denoising, not into
        # unlearning a random start that is ten times the noise of a good camera.
        nn.init.zeros_(last.weight)
        super().__init__(*layers, last)


class DenoiserTraining:
    """A denoiser being trained on random crops, mirrored at random, to the least squared error.

    Equal sizes and numbers of pairs see the same places of the same pictures in the same order
    from the same start, whatever their noise is.

    Args:
        pairs: of one number of channels, each at least ``config.side`` on a side.
        config: size and training.
        device: where to train; pixels and weights are float32 outside of autocast's bfloat16.

    Attributes:
        denoiser: as far as it is.
        step: how many steps are done.
    """

    def __init__(
        self, pairs: Sequence[Pair], config: DenoiserConfig, device: torch.device | str = "cpu"
    ) -> None:
        self.step = 0
        self._pairs, self._config, self._place = pairs, config, torch.device(device)
        self._rng = np.random.default_rng(config.seed)
        channels = pairs[0][0].shape[2]
        self.denoiser = seeded(lambda: Denoiser(channels, config), config.seed, self._place)
        self._cycle = OneCycle(self.denoiser, config.rate, config.steps)

    def advance(self, until: int) -> None:
        """Trains up to a step; the denoiser is in evaluation mode then."""
        self.denoiser.train()
        while self.step < until:
            noisy, clean = (
                side.to(self._place) for side in _random_crops(self._pairs, self._config, self._rng)
            )
            with torch.autocast(self._place.type, torch.bfloat16):
                restored = self.denoiser(noisy)
            loss = F.mse_loss(restored, clean)
            self._cycle.descend(loss)
            self.step += 1
        self.denoiser.eval()

    def state(self) -> dict[str, Any]:
        """All that changes in training, as :meth:`restore` and :func:`torch.save` take it."""
        # As text: its numbers have 128 bits.
        rng = json.dumps(self._rng.bit_generator.state)
        parts = {name: part.state_dict() for name, part in self._parts.items()}
        return {"step": self.step, "rng": rng, **parts}

    def restore(self, state: dict[str, Any]) -> None:
        """Takes up a state of the same pairs and configuration, to the bit on one machine.

        Raises:
            KeyError: a part is missing.
            RuntimeError: a tensor has another shape.
        """
        for name, part in self._parts.items():
            part.load_state_dict(state[name])
        self.step, self._rng.bit_generator.state = state["step"], json.loads(state["rng"])

    @property
    def _parts(self) -> dict[str, Any]:
        cycle = self._cycle
        return {
            "network": self.denoiser,
            "optimiser": cycle.optimiser,
            "schedule": cycle.schedule,
        }


def train_denoiser(
    pairs: Sequence[Pair], config: DenoiserConfig, device: torch.device | str = "cpu"
) -> Denoiser:
    """Trains a denoiser to the end; see :class:`DenoiserTraining`."""
    training = DenoiserTraining(pairs, config, device)
    training.advance(config.steps)
    return training.denoiser


@torch.inference_mode()
def denoise(denoiser: Denoiser, noisy: Picture) -> Tensor:
    """Denoises a picture: 1×C×H×W in [0, 1], on the CPU."""
    place = next(denoiser.parameters()).device
    with torch.autocast(place.type, torch.bfloat16):
        restored: Tensor = denoiser(planes(noisy).to(place))
    return restored.clamp(0, 1).cpu()


@dataclass(frozen=True)
class PictureQuality:
    """Mean quality of denoised pictures, or a difference of two.

    Attributes:
        psnr: in dB.
        ssim: at most 1.
    """

    psnr: float
    ssim: float

    def __sub__(self, other: PictureQuality) -> PictureQuality:
        return PictureQuality(self.psnr - other.psnr, self.ssim - other.ssim)


def denoised_quality(denoiser: Denoiser | None, pair: Pair) -> PictureQuality:
    """Quality of a denoised picture; of the noisy one itself without a denoiser."""
    restored, truth = _restored(denoiser, pair), planes(pair[1])
    return PictureQuality(psnr(restored, truth), ssim(restored, truth))


def denoised_psnr(denoiser: Denoiser, pair: Pair) -> float:
    """PSNR of a denoised picture in dB."""
    return psnr(_restored(denoiser, pair), planes(pair[1]))


def _restored(denoiser: Denoiser | None, pair: Pair) -> Tensor:
    return planes(pair[0]) if denoiser is None else denoise(denoiser, pair[0])


def for_denoiser(noisy: Picture, clean: Picture, white_level: float) -> Pair:
    """A noisy picture and its clean as a denoiser takes them: uint8, or float32 in [0, 1]."""
    if noisy.dtype == np.uint8:
        return noisy, clean
    return to_float(noisy, white_level), to_float(clean, white_level)


def planes(picture: Picture) -> Tensor:
    """Turns a picture, H×W×C, into what networks take: 1×C×H×W in [0, 1]."""
    samples = torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1)))[None].float()
    return samples / 255 if picture.dtype == np.uint8 else samples


def _random_crops(
    pairs: Sequence[Pair], config: DenoiserConfig, rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    crops: list[tuple[Tensor, ...]] = []
    for index in rng.integers(len(pairs), size=config.crops):
        place = random_place(pairs[index][1].shape[:2], config.side, rng)
        down, across = rng.choice([-1, 1], 2)
        crops.append(tuple(planes(side[place][::down, ::across]) for side in pairs[index]))
    noisy, clean = (torch.cat(sides) for sides in zip(*crops, strict=True))
    return noisy, clean
