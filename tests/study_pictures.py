"""A small study whose noise is known, and the same as files."""

from __future__ import annotations

from pathlib import Path

import imagecodecs
from pictures import Pixels, add_gaussian, scene

from noisegen.evaluation.denoiser import DenoiserConfig
from noisegen.evaluation.protocol import Target
from noisegen.references.check import Reference
from noisegen.research.study.pictures import Source, StudyData, blind_orders, in_turn, named_cleans
from noisegen.research.study.runs import StudyConfig

QUICK = StudyConfig(
    DenoiserConfig(layers=4, channels=16, steps=60, crops=4, side=32, rate=4e-3), looks=3, watched=2
)
SIDE = 96
SIGMA = 20


def shots(count: int, first: int) -> tuple[Target, ...]:
    """Real pairs: scenes of their own, white noise of σ 20."""
    made = []
    for seed in range(first, first + count):
        clean = scene(SIDE, SIDE, seed=seed)
        made.append(Target(f"{seed}/01", f"{seed}", add_gaussian(clean, SIGMA, seed), clean))
    return tuple(made)


def study_data(real: int = 3) -> StudyData:
    """One camera, one reference; two test pictures seen, one unseen."""
    reference = scene(128, 128, seed=90)
    source = Source("camera", (Reference("r", add_gaussian(reference, SIGMA, 90), reference),))
    pairs = shots(real, 0)
    noises = in_turn([source], named_cleans(shots(max(real, 3), 0)))
    return StudyData(
        real=pairs,
        references=noises,
        blind=blind_orders(noises),
        few=shots(1, 90),
        from_few=noises,
        extra=noises,
        new_camera=False,
        tests={"seen": shots(2, 50), "unseen": shots(1, 60)},
    )


def write_pairs(folder: Path, count: int, first: int, side: int = SIDE) -> Path:
    """A folder with ``noisy/`` and ``clean/``."""
    for seed in range(first, first + count):
        clean = scene(side, side, seed=seed)
        write_png(folder / "clean" / f"{seed}.png", clean)
        write_png(folder / "noisy" / f"{seed}.png", add_gaussian(clean, SIGMA, seed))
    return folder


def write_png(path: Path, pixels: Pixels) -> None:
    """One picture, its folders made if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(imagecodecs.png_encode(pixels))
