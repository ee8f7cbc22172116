"""Speed: the generator alone, the whole way of a pair, and only reading and writing."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from noisegen.images import Container, Picture, encode, read_picture, write_together
from noisegen.model.weights import Weights
from noisegen.references.create import Reference, create_profile
from noisegen.synthesis.dataset import write_dataset
from noisegen.synthesis.plan import SynthesisOptions, find_cleans
from noisegen.synthesis.synthesizer import Synthesizer


@dataclass(frozen=True)
class Speed:
    """Megapixels a second, all in one run on one machine.

    Attributes:
        generator: clean array → noisy array.
        synth: files to files, with hashes and metadata.
        files: only reading the clean and writing it twice.
    """

    generator: float
    synth: float
    files: float


def measure_speed(weights: Weights, side: int, count: int, device: str = "cpu") -> Speed:
    """Times ``count`` pictures of side² pixels, smooth with fine noise as photographs are."""
    pictures = [_photograph(side, index) for index in range(count)]
    noisy = _photograph(512, count)
    profile = create_profile([Reference("reference", noisy, _blurred(noisy))], weights)
    synthesizer = Synthesizer(weights, device)
    synthesizer.synthesize(pictures[0], profile)
    megapixels = count * side * side / 1e6
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "clean").mkdir()
        for index, picture in enumerate(pictures):
            data = encode(Picture(picture, None, None, Container.PNG, True))
            (root / "clean" / f"{index}.png").write_bytes(data)
        files = find_cleans(root / "clean", root / "out")

        def generate() -> None:
            for picture in pictures:
                synthesizer.synthesize(picture, profile)

        def synthesize() -> None:
            options = SynthesisOptions()
            for _ in write_dataset(files, [profile], synthesizer, options, root / "out"):
                pass

        def copy() -> None:
            for file in files:
                data = encode(read_picture(file.path))
                write_together([(root / "a.png", data), (root / "b.png", data)])

        return Speed(*(megapixels / _seconds(work) for work in (generate, synthesize, copy)))


def _seconds(work: Callable[[], None]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _photograph(side: int, seed: int) -> NDArray[np.uint8]:
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(40, 215, (side // 32 + 1, side // 32 + 1, 3))
    smooth = np.kron(coarse, np.ones((32, 32, 1)))[:side, :side]
    return np.clip(np.rint(smooth + rng.normal(0, 3, smooth.shape)), 0, 255).astype(np.uint8)


def _blurred(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    side = picture.shape[0] // 32
    blocks = picture.reshape(side, 32, side, 32, 3).mean((1, 3))
    return np.rint(np.kron(blocks, np.ones((32, 32, 1)))).astype(np.uint8)
