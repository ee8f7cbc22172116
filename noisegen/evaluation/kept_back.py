"""Splits of real data that nothing here is trained or tuned on: ``nam25``, ``s95``, ``micro``.

The protocol is the data folder's README's. ``micro``'s two ``pn2v_*`` files are left out: each
holds one frame, without a clean and without a second shot, so there is nothing to score against.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from noisegen.evaluation.protocol import PROTOCOL_SEED, Case, Target
from noisegen.files import read_picture
from noisegen.noise.record import as_stored
from noisegen.references.check import Burst, Reference
from noisegen.training.realdata import DRIFT_SIGMA, gaussian_blur

Bytes = NDArray[np.uint8]

BURST_SHOTS = 3
"""Number of shots, the first of each S95 burst, that are the reference."""

S95_CROP = 512
S95_PLACES = ((256, 256), (256, 1280), (768, 256), (768, 1280))
"""Upper left corners of the crops of each of S95's other shots: on the 16-pixel grid."""


def nam25_cases(data: Path) -> Iterator[Case]:
    """The left half of a picture as reference, its right half as target."""
    for number in range(1, 26):
        name = f"nam{number:02d}"
        noisy, clean = _pair(data / "nam25" / name)
        yield _halves(name, noisy, clean)


def micro_cases(data: Path) -> Iterator[Case]:
    """The left half of the FMD picture as reference, its right half as target, and swapped."""
    noisy, clean = _pair(data / "micro" / "fmd_image_R_1")
    yield _halves("fmd-right", noisy, clean)
    yield _halves("fmd-left", noisy, clean, swapped=True)


def s95_cases(data: Path) -> Iterator[Case]:
    """Three shots of a burst as reference; crops of the others, against their mean, as targets."""
    for folder in sorted(path for path in (data / "s95").iterdir() if path.is_dir()):
        files = sorted(folder.glob("*.jpg"))
        shots = [_read(path) for path in files]
        names = tuple(path.name for path in files[:BURST_SHOTS])
        burst = Burst(folder.name, names, tuple(shots[:BURST_SHOTS]))
        others = shots[BURST_SHOTS:]
        targets = tuple(
            _cropped(folder.name, path.stem, noisy, clean, corner)
            for path, noisy, clean in zip(
                files[BURST_SHOTS:], others, own_cleans(others), strict=True
            )
            for corner in S95_PLACES
        )
        yield Case(folder.name, (burst,), targets)


def own_cleans(shots: Sequence[Bytes]) -> list[Bytes]:
    """A clean for each of N shots of one scene: their mean, moved to give the right residual.

    A shot's own noise is in the mean of N, so that the plain difference has (N − 1)/N of its
    variance: half of two shots', which no generator should give. The clean is moved away from the
    shot until the residual has all of it, as a profile's burst has its residual scaled. What is
    slow in the difference, as a drift of the light, is no noise and goes into the clean first.
    Differences from the mean come in steps of 1/N; stretched and rounded as they are, some values
    would occur twice as often as their neighbours, so they are spread over their step first.

    Args:
        shots: H×W×C each, two or more.
    """
    count = len(shots)
    mean = np.mean(shots, 0, dtype=np.float32)
    factor = np.float32(np.sqrt(count / (count - 1)))
    rng = np.random.default_rng(PROTOCOL_SEED)
    cleans = []
    for shot in shots:
        residual = shot - mean
        residual -= gaussian_blur(residual, DRIFT_SIGMA)
        residual += (rng.random(shot.shape, np.float32) - np.float32(0.5)) / count
        cleans.append(as_stored(shot - factor * residual, np.uint8))
    return cleans


def _halves(name: str, noisy: Bytes, clean: Bytes, swapped: bool = False) -> Case:
    """The left half as reference and the right half as target, or the other way."""
    middle = noisy.shape[1] // 2
    shown, tried = np.s_[:, :middle], np.s_[:, middle:]
    if swapped:
        shown, tried = tried, shown
    reference = Reference(name, noisy[shown], clean[shown])
    return Case(name, (reference,), (Target(name, name, noisy[tried], clean[tried]),))


def _cropped(scene: str, shot: str, noisy: Bytes, clean: Bytes, corner: tuple[int, int]) -> Target:
    y, x = corner
    place = np.s_[y : y + S95_CROP, x : x + S95_CROP]
    # Copies: a view would keep the whole picture in memory.
    return Target(f"{scene}/{shot}/{y}-{x}", scene, noisy[place].copy(), clean[place].copy())


def _pair(stem: Path) -> tuple[Bytes, Bytes]:
    noisy, clean = (_read(stem.parent / f"{stem.name}_{kind}.png") for kind in ("noisy", "clean"))
    return noisy, clean


def _read(path: Path) -> Bytes:
    return read_picture(path).pixels.astype(np.uint8)


KEPT_BACK: dict[str, Callable[[Path], Iterator[Case]]] = {
    "nam25": nam25_cases,
    "s95": s95_cases,
    "micro": micro_cases,
}
"""Name → split."""
