"""The validation protocol: which reference goes with which targets (design.md, *Measuring*).

A reference is never its target: another half of the scene, another field of view, another picture
under the same setting. The noise of ``FAMILIES`` is of kinds that neither the simulator nor the
textbook noise of training draws: grain in clumps, lines read out together, and speckle that spans
pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from noisegen.files import Pixels, read_picture
from noisegen.noise.arrays import Bytes, Doubles, Rng
from noisegen.noise.record import as_stored
from noisegen.references.check import Burst, Reference
from noisegen.training.realdata import (
    HELD_OUT_CLEAN,
    W2S_VALIDATION_FIELDS,
    gaussian_blur,
    is_registered,
    polyu_pair,
    polyu_scenes,
    w2s_pair,
)


def film_grain(clean: Bytes, rng: Rng) -> Bytes:
    """Log-normal clumps of silver, the same in all colours, strongest in the middle tones."""
    x = clean / 255
    grain = gaussian_blur(rng.normal(size=(*clean.shape[:2], 1)).astype(np.float32), 1.1)
    clumps = np.exp(0.5 * grain / grain.std())
    clumps = (clumps - clumps.mean()) / clumps.std()
    amplitude = 0.02 + 0.11 * np.sqrt(x * (1 - x))
    return as_stored(255 * (x + amplitude * clumps), np.uint8)


def banding(clean: Bytes, rng: Rng) -> Bytes:
    """Bands of three rows, each with an offset of its own, beside faint white noise."""
    rows = len(clean)
    offsets = np.repeat(rng.normal(0, 10, (rows // 3 + 1, 1, 1)), 3, axis=0)[:rows]
    return as_stored(clean + offsets + rng.normal(0, 4, clean.shape), np.uint8)


def blurred_speckle(clean: Bytes, rng: Rng) -> Bytes:
    """Multiplicative gamma noise of three looks through a blur, as in radar and ultrasound."""
    white = rng.normal(size=(3, *clean.shape)).astype(np.float32)
    speckle: Doubles = np.mean([gaussian_blur(look, 1.0) ** 2 for look in white], axis=0)
    return as_stored(clean * (0.65 + 0.35 * speckle / speckle.mean()), np.uint8)


FAMILIES = {
    "film-grain": film_grain,
    "banding": banding,
    "blurred-speckle": blurred_speckle,
}
"""Name → how it is put on a clean picture, H×W×3."""


Scalar = TypeVar("Scalar", bound=np.generic)

CROP = 256
"""Side of PolyU's target crops, and of the only reference of the hard variant."""

CROPS_A_SCENE = 24
PROTOCOL_SEED = 20260301


@dataclass(frozen=True)
class Target:
    """A real noisy picture with its clean, H×W×C.

    Attributes:
        name: also the key of its generated noise.
        scene: what the picture shows. What is trained on some targets is tested on other scenes.
        again: a second noisy picture by the same process where one can be drawn, else None.
        white_level: of the pictures; 255 for the protocol's own, which are of 8 bits.
    """

    name: str
    scene: str
    noisy: Pixels
    clean: Pixels
    again: Pixels | None = None
    white_level: float = 255

    def middle(self, sides: tuple[int, int]) -> Target:
        """Crops the target to its middle, at most so many pixels, without the second shot."""
        noisy, clean = (middle_crop(picture, sides) for picture in (self.noisy, self.clean))
        return replace(self, noisy=noisy, clean=clean, again=None)


References = tuple[Reference, ...] | tuple[Burst, ...]


@dataclass(frozen=True)
class Case:
    """References of one camera and the targets that their profile is tried on.

    Attributes:
        name: of the case.
        references: one or more pictures, or one or more bursts.
        targets: pictures of other places than the references.
        misregistered: the references' pairs hold places where noisy and clean are shifted, as
            PolyU's do; the plain classical model then leaves out what follows edges. On pairs that
            fit it must not: of microscopy it would keep a quarter, the darkest.
    """

    name: str
    references: References
    targets: tuple[Target, ...]
    misregistered: bool = False

    def lone(self) -> Case:
        """The same case with one shot as the only reference, its clean withheld."""
        first = self.references[0]
        noisy = first.shots[0] if isinstance(first, Burst) else first.noisy
        return replace(self, references=(Reference(first.name, noisy),))


def polyu_cases(
    data: Path, split: str, hard: bool = False, crops: int = CROPS_A_SCENE
) -> Iterator[Case]:
    """Left half as reference, 256² crops of the right half as targets.

    Args:
        data: the data folder.
        split: ``seen`` or ``unseen`` (cameras).
        hard: one 256² crop of the left half is the only reference.
        crops: at most so many targets a scene; fewer are the first of more.
    """
    for scene in polyu_scenes(data, split):
        pair = polyu_pair(data, scene)
        middle = pair.noisy.shape[1] // 32 * 16
        rng = np.random.default_rng([PROTOCOL_SEED, *scene.encode()])
        left = (slice(None), slice(0, middle))
        if hard:
            # The crop itself must pass hygiene, as the targets do.
            left = next(registered_crops(pair.noisy, pair.clean, (0, middle), rng), left)
        reference = Reference(scene, pair.noisy[left], pair.clean[left])
        places = registered_crops(pair.noisy, pair.clean, (middle, pair.noisy.shape[1]), rng)
        targets = tuple(
            Target(
                f"{scene}/{index:02d}", scene, pair.noisy[place].copy(), pair.clean[place].copy()
            )
            for index, place in zip(range(crops), places, strict=False)
        )
        if targets:
            yield Case(scene, (reference,), targets, misregistered=True)


def narrow_cases(data: Path, crops: int = CROPS_A_SCENE) -> Iterator[Case]:
    """PolyU's seen scenes, with few intensities in the reference: four crops of 256².

    Of the left half's registered crops it is the one whose middle nine tenths of intensities span
    least, and the three that are nearest to it in brightness.
    """
    for case in polyu_cases(data, "seen", crops=crops):
        (whole,) = case.references
        assert isinstance(whole, Reference) and whole.clean is not None
        rng = np.random.default_rng([PROTOCOL_SEED, *case.name.encode()])
        places = registered_crops(whole.noisy, whole.clean, (0, whole.clean.shape[1]), rng)
        shown = list(islice(places, CROPS_A_SCENE))
        if not shown:
            continue
        ends = np.array([np.quantile(whole.clean[place], (0.05, 0.5, 0.95)) for place in shown])
        anchor = ends[np.argmin(ends[:, 2] - ends[:, 0]), 1]
        nearest = np.argsort(np.abs(ends[:, 1] - anchor), kind="stable")[:4]
        references = tuple(
            Reference(f"{case.name}/{n}", whole.noisy[shown[n]], whole.clean[shown[n]])
            for n in nearest
        )
        yield replace(case, references=references)


def registered_crops(
    noisy: Pixels, clean: Pixels, columns: tuple[int, int], rng: Rng, side: int = CROP
) -> Iterator[tuple[slice, slice]]:
    """Crops on the 16-pixel grid between two columns that pass hygiene, in random order."""
    for place in crop_places(noisy.shape[0], columns, rng, side):
        if is_registered(noisy[place], clean[place]):
            yield place


def crop_places(
    height: int, columns: tuple[int, int], rng: Rng, side: int = CROP
) -> Iterator[tuple[slice, slice]]:
    """All crops on the 16-pixel grid between two columns, in random order."""
    places = [
        (y, x)
        for y in range(0, height - side + 1, 16)
        for x in range(columns[0], columns[1] - side + 1, 16)
    ]
    for index in rng.permutation(len(places)):
        y, x = places[index]
        yield slice(y, y + side), slice(x, x + side)


def w2s_cases(data: Path) -> Iterator[Case]:
    """Another field of view of the same channel as reference, a whole field as target."""
    fields = list(W2S_VALIDATION_FIELDS)
    for channel in range(3):
        for index, field in enumerate(fields):
            reference = w2s_pair(data, fields[(index + 1) % len(fields)], channel)
            target = w2s_pair(data, field, channel)
            yield Case(
                target.name,
                (Reference(reference.name, reference.noisy, reference.clean),),
                (Target(target.name, f"w2s{field:03d}", target.noisy, target.clean),),
            )


def gaussian_cases(data: Path) -> Iterator[Case]:
    """White Gaussian noise of σ 5 to 50 on held-out Kodak pictures."""
    for sigma in (5, 10, 15, 25, 35, 50):
        yield _drawn_case(data, f"gaussian-{sigma}", partial(_textbook, photons=0, sigma=sigma))


def poisson_cases(data: Path) -> Iterator[Case]:
    """Poisson noise of 10 to 300 photons at white, and Poisson-Gaussian noise."""
    for photons, sigma in ((10, 0), (30, 0), (100, 0), (300, 0), (30, 5), (100, 10), (300, 15)):
        add = partial(_textbook, photons=photons, sigma=sigma)
        yield _drawn_case(data, f"poisson-{photons}-{sigma}", add)


def _textbook(clean: Bytes, rng: Rng, photons: int, sigma: int) -> Bytes:
    seen = rng.poisson(clean / 255 * photons) / photons * 255 if photons else clean
    return as_stored(seen + rng.normal(0, sigma, clean.shape), np.uint8)


def unseen_cases(data: Path) -> Iterator[Case]:
    """Noise of families that no training has seen, on held-out Kodak pictures."""
    for name, add in FAMILIES.items():
        yield _drawn_case(data, name, add)


def _drawn_case(data: Path, name: str, add: Callable[[Bytes, Rng], Bytes]) -> Case:
    """A whole held-out picture as reference, 256² of two others as targets.

    Each target has a second draw of its noise for the floor.
    """
    rng = np.random.default_rng([PROTOCOL_SEED, *name.encode()])
    first, *rest = held_out_pictures(data)
    targets = tuple(
        Target(f"{name}/{index}", f"kodak-{index}", add(clean, rng), clean, add(clean, rng))
        for index, clean in enumerate(middle_crop(picture) for picture in rest[:2])
    )
    return Case(name, (Reference(name, add(first, rng), first),), targets)


def held_out_pictures(data: Path) -> list[Bytes]:
    """The Kodak pictures that training never sees, whole: 500×500×3 uint8."""
    paths = sorted(p for p in (data / "clean" / "kodak24").iterdir() if p.is_file())
    return [read_picture(path).pixels.astype(np.uint8) for path in paths[-HELD_OUT_CLEAN:]]


def middle_crop(picture: NDArray[Scalar], sides: tuple[int, int] = (CROP, CROP)) -> NDArray[Scalar]:
    """The middle of a picture, at most so many rows and columns, on its 8-pixel grid.

    In memory of its own: a view would keep the whole picture.
    """
    rows, columns = (
        slice(start := max(0, (length - side) // 16 * 8), start + side)
        for length, side in zip(picture.shape, sides, strict=False)
    )
    return picture[rows, columns].copy()


Cases = Callable[[Path], Iterator[Case]]
"""The cases of a validation split, given the data folder."""


def splits(crops: int = CROPS_A_SCENE) -> dict[str, Cases]:
    """Name → validation split, PolyU's with so many targets a scene."""
    polyu = partial(partial, polyu_cases, crops=crops)
    return {
        "polyu-seen": polyu(split="seen"),
        "polyu-unseen": polyu(split="unseen"),
        "polyu-seen-hard": polyu(split="seen", hard=True),
        "polyu-seen-narrow": partial(narrow_cases, crops=crops),
        "w2s": w2s_cases,
        "gaussian": gaussian_cases,
        "poisson": poisson_cases,
        "unseen-noise": unseen_cases,
    }
