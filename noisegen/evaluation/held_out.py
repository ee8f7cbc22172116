"""Splits that nothing is trained or tuned on: simulated cameras, ``nam25``, ``s95``, ``micro``.

For ``simulated`` see design.md, *Measuring*; the protocol of the others is the data folder's
README's. ``micro``'s two ``pn2v_*`` files are left out: each holds one frame, without a clean and
without a second shot, so there is nothing to score against.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import count, islice
from pathlib import Path

import numpy as np
import torch

from noisegen.evaluation.across import across_cases
from noisegen.evaluation.protocol import (
    CROP,
    PROTOCOL_SEED,
    Case,
    Cases,
    Target,
    held_out_pictures,
    middle_crop,
    splits,
)
from noisegen.evaluation.side_by_side import noise_of
from noisegen.files import read_picture
from noisegen.noise.arrays import Bytes
from noisegen.noise.record import as_stored
from noisegen.references.check import Burst, Reference
from noisegen.simulator import CameraSetting, draw_setting, input_side, simulate
from noisegen.training.realdata import DRIFT_SIGMA, gaussian_blur

BURST_SHOTS = 3
"""Number of shots, the first of each S95 burst, that are the reference."""

S95_CROP = 512
S95_PLACES = ((256, 256), (256, 1280), (768, 256), (768, 1280))
"""Upper left corners of the crops of each of S95's other shots: on the 16-pixel grid."""


def nam25_cases(data: Path) -> Iterator[Case]:
    """The left half of a picture as reference, its right half as target."""
    for number in range(1, 26):
        yield _halves(f"nam{number:02d}", data / "nam25" / f"nam{number:02d}")


def micro_cases(data: Path) -> Iterator[Case]:
    """The left half of the FMD picture as reference, its right half as target, and swapped."""
    yield _halves("fmd-right", data / "micro" / "fmd_image_R_1")
    yield _halves("fmd-left", data / "micro" / "fmd_image_R_1", swapped=True)


def s95_cases(data: Path) -> Iterator[Case]:
    """Three shots of a burst as reference; crops of the others, against their mean, as targets."""
    for folder, files, shots in _s95_bursts(data):
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


def _s95_bursts(data: Path) -> Iterator[tuple[Path, list[Path], list[Bytes]]]:
    """Each burst's folder, files and shots."""
    for folder in sorted(path for path in (data / "s95").iterdir() if path.is_dir()):
        files = sorted(folder.glob("*.jpg"))
        yield folder, files, [_read(path) for path in files]


def s95_shots(data: Path) -> Iterator[Target]:
    """Two crops of each shot of each burst with the mean of the burst's others as its clean.

    What a denoiser is tested on: the mean knows nothing of the shot's own noise. Its own, of one
    part in N − 1 of the variance, is in every score alike. What is slow in the difference is drift,
    and goes into the clean.
    """
    for folder, files, shots in _s95_bursts(data):
        total = np.sum(shots, 0, dtype=np.float32)
        for path, shot in zip(files, shots, strict=True):
            mean = (total - shot) / np.float32(len(shots) - 1)
            clean = as_stored(mean + gaussian_blur(shot - mean, DRIFT_SIGMA), np.uint8)
            for corner in S95_PLACES[1:3]:
                yield _cropped(folder.name, path.stem, shot, clean, corner)


def own_cleans(shots: Sequence[Bytes]) -> list[Bytes]:
    """Cleans of N shots of one scene: their mean, moved to give each shot the right residual.

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


def _halves(name: str, stem: Path, swapped: bool = False) -> Case:
    """Case of a picture's left half as reference and its right half as target, or the other way."""
    noisy, clean = (_read(stem.parent / f"{stem.name}_{kind}.png") for kind in ("noisy", "clean"))
    middle = noisy.shape[1] // 2
    sides = np.s_[:, :middle], np.s_[:, middle:]
    shown, tried = sides[::-1] if swapped else sides
    reference = Reference(name, noisy[shown], clean[shown])
    return Case(name, (reference,), (Target(name, name, noisy[tried], clean[tried]),))


def _cropped(scene: str, shot: str, noisy: Bytes, clean: Bytes, corner: tuple[int, int]) -> Target:
    y, x = corner
    place = np.s_[y : y + S95_CROP, x : x + S95_CROP]
    # Copies: a view would keep the whole picture in memory.
    return Target(f"{scene}/{shot}/{y}-{x}", scene, noisy[place].copy(), clean[place].copy())


def _read(path: Path) -> Bytes:
    return read_picture(path).pixels.astype(np.uint8)


KEPT_BACK: dict[str, Callable[[Path], Iterator[Case]]] = {
    "nam25": nam25_cases,
    "s95": s95_cases,
    "micro": micro_cases,
}
"""Name → split."""


SETTINGS = 24
SIGMAS = (5 / 255, 50 / 255)
"""A setting counts where the noise of its targets has a σ in this range, all processing done."""

GRID = 16
"""Sides of simulated pictures are multiples of this."""


def all_splits(crops: int) -> dict[str, Cases]:
    """Name → validation split, simulated cameras and kept-back data among them.

    Args:
        crops: targets a PolyU scene.
    """
    across = {
        f"polyu-{split}-across": partial(across_cases, split=split, crops=crops)
        for split in ("seen", "unseen")
    }
    return {**splits(crops), **across, "simulated": simulated_cases, **KEPT_BACK}


def simulated_cases(data: Path) -> Iterator[Case]:
    """Another scene under the same draw of the camera as reference, 256² of two more as targets.

    Settings and noise come from the protocol's seed, which no training uses; the pictures are
    those that training never sees. Each target has a second shot by the same camera for the
    floor, with the same fixed pattern.

    Args:
        data: the data folder.
    """
    pictures = held_out_pictures(data)
    return islice(_loud_enough(pictures), SETTINGS)


def _loud_enough(pictures: Sequence[Bytes]) -> Iterator[Case]:
    """Draws cases without end, whose noise is neither too quiet nor too loud.

    Settings that shrink a picture to less than a target are left out too.
    """
    shortest = min(min(picture.shape[:2]) for picture in pictures)
    rng = np.random.default_rng([PROTOCOL_SEED, *b"simulated"])
    kept = 0
    for draw in count():
        setting, generator = draw_setting(rng), torch.Generator().manual_seed(PROTOCOL_SEED + draw)
        if input_side([setting], CROP) > shortest:
            continue
        order = [(kept + step) % len(pictures) for step in range(3)]
        name = f"simulated-{kept:02d}"
        targets = tuple(
            _target(name, f"kodak-{place}", pictures[place], setting, generator)
            for place in order[1:]
        )
        noise = np.concatenate([noise_of(t.noisy, t.clean) for t in targets])
        if SIGMAS[0] <= noise.std() <= SIGMAS[1]:
            whole = pictures[order[0]]
            noisy, clean = _shoot(whole, setting, generator, _largest_side(setting, whole))
            yield Case(name, (Reference(name, noisy, clean),), targets)
            kept += 1


def _target(
    name: str, scene: str, picture: Bytes, setting: CameraSetting, generator: torch.Generator
) -> Target:
    noisy, clean = _shoot(picture, setting, generator, CROP)
    again, _ = _shoot(picture, setting, generator, CROP)
    return Target(f"{name}/{scene}", scene, noisy, clean, again)


def _shoot(
    picture: Bytes, setting: CameraSetting, generator: torch.Generator, side: int
) -> tuple[Bytes, Bytes]:
    """Noisy and clean of the middle of a picture, side×side×3."""
    part = middle_crop(picture, (input_side([setting], side),) * 2)
    planes = torch.from_numpy(np.ascontiguousarray(part.transpose(2, 0, 1))).float() / 255
    noisy, clean = (
        x[0, 0].permute(1, 2, 0).contiguous().numpy()
        for x in simulate(planes[None, None], [setting], generator, side)
    )
    return noisy, clean


def _largest_side(setting: CameraSetting, picture: Bytes) -> int:
    """Side of the largest result that a picture gives after the camera's downscaling."""
    shortest = min(picture.shape[:2])
    sides = range(shortest // GRID * GRID, 0, -GRID)
    return next(side for side in sides if input_side([setting], side) <= shortest)
