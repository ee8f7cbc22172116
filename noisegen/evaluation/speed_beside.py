"""What speed is compared with, and what users wait for beside it: other noise, starts, profiles."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

import noisegen
from noisegen.evaluation.speed import (
    largest_memory,
    photograph,
    timed,
    with_and_without_network,
)
from noisegen.files import Container, Picture, encode
from noisegen.model.config import Precision
from noisegen.model.weights import Weights
from noisegen.noise.arrays import Bytes
from noisegen.online import AddCameraNoise
from noisegen.profiles.fit import fit_profiles
from noisegen.profiles.profile import NoiseProfile
from noisegen.references.check import Reference

CROP, CROPS = 128, 64
"""Side in pixels, and number, of the crops that a training asks for."""

SHOT = 3000, 4000
"""Rows and columns of a shot of 12 Mpx."""


@dataclass(frozen=True)
class Beside:
    """Speeds beside ours and waits of one machine, in one run.

    Attributes:
        others: other noise by name, megapixels a second on one thread.
        crops: crops of 128² a second of ``AddCameraNoise`` on one thread, the network on, and off.
        start: seconds of a process that puts a saved profile's noise on one small picture.
        profiles: seconds of a profile of one 12 Mpx shot: with its clean, without, and without
            where the clean is estimated in bfloat16.
        memory: largest resident memory of this process so far, in megabytes; None where the
            system does not say.
    """

    others: dict[str, float]
    crops: tuple[float, float]
    start: float
    profiles: tuple[float, float, float]
    memory: float | None


def measure_beside(weights: Weights, name: str, pictures: Sequence[Bytes]) -> Beside:
    """Times other noise on the same pictures, crops, the start of a process, and profiles.

    Args:
        weights: loaded.
        name: that they were loaded by.
        pictures: H×W×3 each.
    """
    off, on = with_and_without_network(weights)
    crops = _crops_a_second(on, name), _crops_a_second(off, name)
    with tempfile.TemporaryDirectory() as folder:
        off.save(Path(folder) / "camera.safetensors")
        start = _start(Path(folder), name)
    shot, clean = (photograph(*SHOT, seed=0, noise=noise) for noise in (3.0, 0.0))
    alone = Reference("shot", shot)
    pair, lone, coarse = (
        timed(partial(fit_profiles, [given], by))[0]
        for given, by in (
            (Reference("shot", shot, clean), weights),
            (alone, weights),
            (alone, weights.at(Precision.BFLOAT16)),
        )
    )
    return Beside(_others(pictures), crops, start, (pair, lone, coarse), largest_memory())


def _others(pictures: Sequence[Bytes]) -> dict[str, float]:
    """Megapixels a second of other noise: NumPy's, and albumentations' if it is installed."""
    rng = np.random.default_rng(0)

    def normal(clean: Bytes) -> Bytes:
        noisy = clean + rng.normal(0, 5, clean.shape)
        return np.rint(noisy).clip(0, 255).astype(np.uint8)

    makers: dict[str, Callable[[Bytes], object]] = {"NumPy's clean + normal": normal}
    try:
        import albumentations
    except ImportError:
        pass
    else:
        for kind in (albumentations.ISONoise, albumentations.GaussNoise):
            makers[f"albumentations' {kind.__name__}"] = partial(_transformed, kind(p=1.0))
    megapixels = sum(picture[..., 0].size for picture in pictures) / 1e6
    speeds = {}
    for name, make in makers.items():
        make(pictures[0])
        speeds[name] = megapixels / timed(partial(_each, make, pictures))[0]
    return speeds


def _transformed(transform: Callable[..., object], clean: Bytes) -> object:
    return transform(image=clean)


def _each(make: Callable[[Bytes], object], pictures: Sequence[Bytes]) -> None:
    for picture in pictures:
        make(picture)


def _crops_a_second(profile: NoiseProfile, weights: str) -> float:
    """Crops a second of one worker of a training."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    crops = torch.from_numpy(rng.integers(0, 256, (CROPS, 3, CROP, CROP), np.uint8))
    add = AddCameraNoise([profile], weights=weights)
    add(crops[0])
    seconds, _ = timed(lambda: [add(crop) for crop in crops])
    torch.set_num_threads(threads)
    return CROPS / seconds


def _start(folder: Path, weights: str) -> float:
    """Seconds of a process that makes one pair of 64² with the folder's profile."""
    (folder / "clean").mkdir()
    picture = Picture(photograph(64, 64, seed=1), None, None, Container.PNG, True)
    (folder / "clean" / "a.png").write_bytes(encode(picture))
    command = [sys.executable, "-m", "noisegen", "synth", "--quiet", "--weights", weights]
    command += ["--profile", "camera.safetensors", "--clean", "clean", "--out", "pairs"]
    seconds, _ = timed(lambda: subprocess.run(command, cwd=folder, check=True, env=_environment()))
    return seconds


def _environment() -> dict[str, str]:
    """With this package in the path, wherever the process is started."""
    return {**os.environ, "PYTHONPATH": str(Path(noisegen.__file__).parents[1])}
