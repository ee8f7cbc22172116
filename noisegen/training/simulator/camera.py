"""The whole camera, for many settings and scenes at once."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import TypeVar

import torch
from torch import Tensor

from noisegen.training.simulator.demosaic import demosaic
from noisegen.training.simulator.develop import develop
from noisegen.training.simulator.jpeg import jpeg
from noisegen.training.simulator.parameters import Parameters, camera_matrices
from noisegen.training.simulator.raw import expose, mosaic, unprocess
from noisegen.training.simulator.settings import CameraSetting

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
    """Noisy pictures and their clean counterparts by B cameras.

    The counterpart goes through the same processing without noise, and without JPEG. The mosaic
    and the JPEG's blocks start at the picture's corner. Settings of a kind (demosaicing, with or
    without denoising and downscaling) run as one batch.

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
        noisy[index], pure[index] = _shoot(
            clean[index], [settings[member] for member in members], generator, output
        )
    coded = [member for member, setting in enumerate(settings) if setting.quality is not None]
    for members in _alike([settings[member] for member in coded], lambda s: s.subsampling):
        index = torch.tensor([coded[member] for member in members], device=clean.device)
        noisy[index] = _coded(noisy[index], [settings[coded[member]] for member in members])
    return noisy, pure


def _alike(
    settings: Sequence[CameraSetting], kind: Callable[[CameraSetting], Kind]
) -> Iterator[list[int]]:
    """The places of the settings of each kind."""
    places: dict[Kind, list[int]] = {}
    for place, setting in enumerate(settings):
        places.setdefault(kind(setting), []).append(place)
    yield from places.values()


def _shoot(
    clean: Tensor, settings: Sequence[CameraSetting], generator: torch.Generator, output: int
) -> tuple[Tensor, Tensor]:
    """Settings of one kind, up to the JPEG: noisy and clean as uint8."""
    side = input_side(settings, output)
    parameters = Parameters.stack(settings, clean.device)
    matrix = camera_matrices(settings, clean.device)
    kind = settings[0].demosaic
    raw = unprocess(clean[..., :side, :side], parameters, matrix)
    if kind != "none":
        raw = mosaic(raw)
    # Both versions are developed as scenes of one batch.
    both = torch.cat([expose(raw, parameters, generator), raw], 1)
    finished = develop(demosaic(both, kind), parameters, matrix, settings[0].denoises, output)
    noisy, pure = (finished * 255).round().to(torch.uint8).chunk(2, 1)
    return noisy, pure


def _coded(pictures: Tensor, settings: Sequence[CameraSetting]) -> Tensor:
    """The same pictures out of JPEG, for settings of one subsampling."""
    scenes = pictures.shape[1]
    qualities = [setting.quality or 100 for setting in settings for _ in range(scenes)]
    decoded = jpeg(pictures.flatten(0, 1), qualities, settings[0].subsampling)
    return decoded.view(pictures.shape)
