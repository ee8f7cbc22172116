"""The whole camera, for many settings and scenes at once."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import TypeVar

import torch
from torch import Tensor

from noisegen.simulator.demosaic import demosaic
from noisegen.simulator.develop import develop
from noisegen.simulator.jpeg import jpeg
from noisegen.simulator.raw import balance, expose, mosaic, unprocess
from noisegen.simulator.settings import CameraSetting, Parameters

Kind = TypeVar("Kind", bound=Hashable)


def input_side(settings: Sequence[CameraSetting], output: int) -> int:
    """Side of the clean pictures that an output of this side needs, even."""
    smallest = min(setting.resize for setting in settings)
    # The tolerance keeps a float's last digit from asking for one pixel more.
    return math.ceil(output / smallest / 2 - 1e-6) * 2


@torch.no_grad()
def simulate(
    clean: Tensor, settings: Sequence[CameraSetting], generator: torch.Generator, output: int
) -> tuple[Tensor, Tensor]:
    """Simulates noisy pictures and their clean counterparts by B cameras.

    The counterpart goes through the same processing without noise, and without JPEG, or it is the
    mean of as many finished shots as the setting says. The mosaic and the JPEG's blocks start at
    the picture's corner. Settings of a kind (demosaicing, with or without denoising and
    downscaling) run as one batch.

    Args:
        clean: B×S×3×H×W in [0, 1], sRGB: S scenes for each setting. H and W are at least
            ``input_side(settings, output)``; settings that do not downscale read the
            ``output`` × ``output`` pixels at the corner, the others 1/``resize`` as far.
        settings: of the B cameras.
        generator: of the noise, on the device of ``clean``.
        output: side of the results, a multiple of 16.

    Returns:
        noisy and clean, B×S×3×output×output uint8 on the device of ``clean``.
    """
    if output % 16:
        raise ValueError(f"output side {output} is not a multiple of 16")
    if min(clean.shape[-2:]) < input_side(settings, output):
        raise ValueError(f"pictures of side {input_side(settings, output)} or more are needed")
    shape = (*clean.shape[:3], output, output)
    noisy, pure = (torch.empty(shape, dtype=torch.uint8, device=clean.device) for _ in range(2))
    for members in _alike(settings, lambda s: (s.demosaic, s.denoises, s.resize < 1)):
        index = torch.tensor(members, device=clean.device)
        alike = [settings[member] for member in members]
        raw = _raw(clean[index], alike, output)
        noisy[index] = _shot(raw, alike, generator, output)
        pure[index] = _counterpart(raw, alike, generator, output)
    return noisy, pure


def _alike(
    settings: Sequence[CameraSetting], kind: Callable[[CameraSetting], Kind]
) -> Iterator[list[int]]:
    """Groups the places of settings by kind."""
    places: dict[Kind, list[int]] = {}
    for place, setting in enumerate(settings):
        places.setdefault(kind(setting), []).append(place)
    yield from places.values()


def _raw(clean: Tensor, settings: Sequence[CameraSetting], output: int) -> Tensor:
    """Raw pictures of settings of one kind, without noise."""
    side = input_side(settings, output)
    raw = unprocess(clean[..., :side, :side], Parameters.stack(settings, clean.device))
    return raw if settings[0].demosaic == "none" else mosaic(raw)


def _shot(
    raw: Tensor, settings: Sequence[CameraSetting], generator: torch.Generator, output: int
) -> Tensor:
    """Takes one finished, coded shot, uint8."""
    exposed = expose(raw, Parameters.stack(settings, raw.device), generator)
    shot = _developed(exposed, settings, output)
    coded = [member for member, setting in enumerate(settings) if setting.quality is not None]
    for members in _alike([settings[member] for member in coded], lambda s: s.subsampling):
        index = torch.tensor([coded[member] for member in members], device=raw.device)
        shot[index] = code(shot[index], [settings[coded[member]] for member in members])
    return shot


def _counterpart(
    raw: Tensor, settings: Sequence[CameraSetting], generator: torch.Generator, output: int
) -> Tensor:
    """Clean counterpart: free of noise, or the mean of shots; uint8."""
    pure = _developed(raw, settings, output)
    averaged = [member for member, setting in enumerate(settings) if setting.exposures]
    if not averaged:
        return pure
    total = torch.zeros_like(pure, dtype=torch.float32)
    for number in range(max(settings[member].exposures for member in averaged)):
        left = [member for member in averaged if settings[member].exposures > number]
        index = torch.tensor(left, device=raw.device)
        total[index] += _shot(raw[index], [settings[member] for member in left], generator, output)
    index = torch.tensor(averaged, device=raw.device)
    counts = torch.tensor([settings[member].exposures for member in averaged], device=raw.device)
    pure[index] = (total[index] / counts.view(-1, 1, 1, 1, 1)).round().to(torch.uint8)
    return pure


def _developed(raw: Tensor, settings: Sequence[CameraSetting], output: int) -> Tensor:
    """Develops a raw picture, finished but for coding, uint8."""
    parameters = Parameters.stack(settings, raw.device)
    camera = demosaic(balance(raw, parameters), settings[0].demosaic)
    finished = develop(camera, parameters, settings[0].denoises, output)
    return (finished * 255).round().to(torch.uint8)


def code(pictures: Tensor, settings: Sequence[CameraSetting]) -> Tensor:
    """Codes and decodes pictures by JPEG, for settings of one subsampling."""
    scenes = pictures.shape[1]
    qualities = [setting.quality or 100 for setting in settings for _ in range(scenes)]
    decoded = jpeg(pictures.flatten(0, 1), qualities, settings[0].subsampling)
    return decoded.view(pictures.shape)
