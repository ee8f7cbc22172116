"""How many references, how large, of what light: errors on other scenes by simulated cameras.

    python examples/choosing_references.py [--cameras 8]

Cameras are drawn from the training simulator's ranges with a seed that no training used, scenes
are drawn at random, so it needs no data. For each way to choose references, a profile is made of
them as the encoder leaves it, and its noise is compared with the camera's on two other scenes of
256², whose light is of every kind. Mean (median) over targets; 0 is perfect.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from noisegen.errors import BadReferenceError
from noisegen.evaluation.side_by_side import noise_of
from noisegen.files import to_float
from noisegen.model.weights import Weights, load_weights
from noisegen.noise.metrics import Scores, compare
from noisegen.profiles.fit import encode_profile, measure_cut
from noisegen.references.check import Reference
from noisegen.references.windows import Repair, cut_references
from noisegen.simulator import CameraSetting, draw_setting, simulate
from noisegen.simulator.dead_leaves import draw_picture
from noisegen.synthesis.synthesizer import Synthesizer

Bytes = NDArray[np.uint8]
Rng = np.random.Generator

SEED = 20261121
SIGMAS = (4, 40)
"""Of 255; cameras whose noise is weaker or stronger are passed over."""

POOR_JPEG = 75
"""Cameras whose JPEG is worse are passed over: noisegen warns of their pictures or refuses them."""

SIDE = 256
"""Of the targets."""


@dataclass(frozen=True)
class Choice:
    """A way to choose references.

    Attributes:
        name: in the table.
        count: of references, each of another scene.
        side: of each, in pixels.
        look: what is done to the scenes before they are shot.
        clean: whether the clean is given too.
    """

    name: str
    count: int = 1
    side: int = 512
    look: Callable[[Bytes], Bytes] = lambda scene: scene
    clean: bool = True


def lit(low: float, high: float) -> Callable[[Bytes], Bytes]:
    """Squeezes a scene's light into a range of white."""
    return lambda scene: np.rint(255 * low + (high - low) * scene).astype(np.uint8)


def smooth(scene: Bytes) -> Bytes:
    """No edge, no texture."""
    blurred: Bytes = gaussian_filter(scene.astype(np.float32), (12, 12, 0)).astype(np.uint8)
    return blurred


def busy(scene: Bytes) -> Bytes:
    """Texture all over: the scene at a quarter of its size, sixteen times."""
    return np.tile(scene[::4, ::4], (4, 4, 1))


CHOICES = (
    *(Choice(f"one of {side}²", side=side) for side in (64, 128, 256, 512, 1024)),
    *(Choice(f"{count} of 256²", count, 256) for count in (2, 4, 8)),
    Choice("one of 512², its darkest third of light alone", look=lit(0, 1 / 3)),
    Choice("one of 512², the middle third alone", look=lit(1 / 3, 2 / 3)),
    Choice("one of 512², the brightest third alone", look=lit(2 / 3, 1)),
    Choice("one of 512², clean estimated", clean=False),
    Choice("4 of 256², clean estimated", 4, 256, clean=False),
    Choice("one of 512², clean estimated, smooth scene", look=smooth, clean=False),
    Choice("one of 512², clean estimated, busy scene", look=busy, clean=False),
)


def shoot(scene: Bytes, setting: CameraSetting, generator: torch.Generator) -> tuple[Bytes, Bytes]:
    """A square scene's noisy picture by a camera, and its clean counterpart."""
    planes = torch.from_numpy(np.ascontiguousarray(scene.transpose(2, 0, 1))).float() / 255
    noisy, clean = (
        pictures[0, 0].permute(1, 2, 0).contiguous().numpy()
        for pictures in simulate(planes[None, None], [setting], generator, len(scene))
    )
    return noisy, clean


def cameras(count: int) -> Iterator[tuple[CameraSetting, Sequence[tuple[Bytes, Bytes]]]]:
    """Settings with two targets each; those that shrink their pictures are passed over too."""
    rng = np.random.default_rng(SEED)
    found = 0
    while found < count:
        setting = draw_setting(rng)
        if setting.resize < 1 or (setting.quality or 100) < POOR_JPEG:
            continue
        generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
        targets = [shoot(draw_picture(rng, SIDE, SIDE), setting, generator) for _ in range(2)]
        sigma = np.concatenate([noise_of(*target) for target in targets]).std() * 255
        if SIGMAS[0] <= sigma <= SIGMAS[1]:
            found += 1
            yield setting, targets


def score(
    choice: Choice,
    setting: CameraSetting,
    targets: Sequence[tuple[Bytes, Bytes]],
    weights: Weights,
    seed: int,
) -> list[Scores]:
    """Errors on the targets with references of this choice; none where noisegen refuses them.

    The seed decides scenes and noise.
    """
    rng, generator = np.random.default_rng([SEED, seed]), torch.Generator().manual_seed(seed)
    references = []
    for index in range(choice.count):
        scene = choice.look(draw_picture(rng, choice.side, choice.side))
        noisy, clean = shoot(scene, setting, generator)
        references.append(Reference(f"{index}", noisy, clean if choice.clean else None))
    try:
        measured = measure_cut(cut_references(references, None, Repair.MASK, weights.denoiser))
    except BadReferenceError:
        return []
    profile = encode_profile(measured, weights)
    synthesizer = Synthesizer(weights)
    return [
        compare(
            noise_of(noisy, clean),
            noise_of(synthesizer.synthesize(clean, profile, key=f"{index}"), clean),
            to_float(clean, 255),
        )
        for index, (noisy, clean) in enumerate(targets)
    ]


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cameras", type=int, default=8)
    weights, drawn = load_weights(), list(cameras(parser.parse_args().cameras))
    print("| reference | σ error | noise level error | KLD |\n|---|---|---|---|")
    for choice in CHOICES:
        by_camera = [
            score(choice, setting, targets, weights, place)
            for place, (setting, targets) in enumerate(drawn)
        ]
        scores, refused = [one for some in by_camera for one in some], by_camera.count([])
        cells = (
            f"{np.nanmean(values):.{digits}f} ({np.nanmedian(values):.{digits}f})"
            for values, digits in (
                ([one.sigma for one in scores], 3),
                ([one.level for one in scores], 3),
                ([one.kld for one in scores], 4),
            )
        )
        name = f"{choice.name} ({refused} refused)" if refused else choice.name
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
