"""Speed of the noise alone, the whole way of a pair and only files; arithmetic of a network."""

from __future__ import annotations

import itertools
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from noisegen.dataset.cleans import find_cleans
from noisegen.dataset.folder import Folder
from noisegen.dataset.journal import Done
from noisegen.dataset.pairs import PairMaker
from noisegen.dataset.plan import DatasetOptions
from noisegen.dataset.recipe import make_recipe
from noisegen.dataset.run import Run, write_dataset
from noisegen.dataset.threads import default_workers, made_by_threads
from noisegen.files import Container, Picture, encode, read_picture, write_together
from noisegen.model.config import BESIDE_MAPS
from noisegen.model.content_network import ContentNetwork
from noisegen.model.surroundings import Surroundings
from noisegen.model.weights import Weights
from noisegen.noise.arrays import Bytes
from noisegen.noise.record import as_stored
from noisegen.profiles.fit import encode_profile, measure_cut
from noisegen.profiles.profile import NoiseProfile
from noisegen.references.check import Reference
from noisegen.references.windows import cut_references
from noisegen.synthesis.synthesizer import Synthesizer

COUNTED_SIDE = 256
"""Of the square that is counted, in pixels: one block of synthesis without its context."""


@dataclass(frozen=True)
class Cost:
    """Cost of one pass of a network.

    Attributes:
        parameters: of the network.
        kflop: thousands of floating-point operations a pixel, two a multiply-add, in convolutions
            and matrix products (the colouring kernel included); a tile's context comes on top.
    """

    parameters: int
    kflop: float


def content_cost(network: ContentNetwork) -> Cost:
    """Counts one pass of a content network on a blank square."""
    clean = torch.full((1, 3, COUNTED_SIDE, COUNTED_SIDE), 0.5)
    numbers = torch.zeros(1, 3, network.config.features + BESIDE_MAPS)
    around = Surroundings.of(clean)
    return count_cost(network, lambda: network.log_factor(clean, around, clean, numbers))


def count_cost(network: nn.Module, run: Callable[[], Tensor]) -> Cost:
    """Counts a pass of a network on a square of ``COUNTED_SIDE``."""
    counter = FlopCounterMode(display=False)
    # Without gradients convolutions are oneDNN's own calls, which the counter does not know.
    with torch.enable_grad(), counter:
        run()
    parameters = sum(p.numel() for p in network.parameters())
    return Cost(parameters, counter.get_total_flops() / COUNTED_SIDE**2 / 1e3)


Result = TypeVar("Result")

LEVELS = (0, 1, 3, 6, 9)
"""Levels of zlib's compression that are timed."""


@dataclass(frozen=True)
class Speed:
    """Megapixels a second, all in one run on one machine.

    Attributes:
        noise: clean array → noisy array, on all threads, the content network on.
        measured: the same with it off.
        synth: files to files, with hashes and manifest, all workers, the content network on.
        synth_measured: the same with it off.
        tenths: ``synth`` over each tenth of the pictures; empty where they are fewer than ten.
        one_worker: the same with one thread for everything, one step after the other.
        files: only reading the clean and writing it twice.
        shares: of the workers' time in ``synth``: reading, network, compressing, writing. The
            network's includes waiting for its threads.
        compression: by zlib's level, megapixels a second of encoding a noisy picture as PNG on one
            thread, and the file's size relative to the raw pixels.
    """

    noise: float
    measured: float
    synth: float
    synth_measured: float
    tenths: tuple[float, ...]
    one_worker: float
    files: float
    shares: dict[str, float]
    compression: dict[int, tuple[float, float]]


def measure_speed(
    weights: Weights, side: int, count: int, device: str = "cpu", workers: int | None = None
) -> Speed:
    """Times ``count`` pictures of side² pixels, smooth with fine noise as photographs are."""
    pictures = [photograph(side, side, index) for index in range(count)]
    off, profile = with_and_without_network(weights)
    synthesizer = Synthesizer(weights, device)
    synthesizer.synthesize(pictures[0], profile)
    megapixels = count * side * side / 1e6

    def generate(by: NoiseProfile) -> list[Bytes]:
        return [synthesizer.synthesize(picture, by) for picture in pictures]

    with tempfile.TemporaryDirectory() as folder:
        files = _Files(Path(folder), pictures, weights, device)
        alone, noises = timed(lambda: generate(profile))
        alone_off, _ = timed(lambda: generate(off))
        start = time.perf_counter()
        at_once = workers or default_workers()
        together, outcomes = timed(lambda: files.synth("out", synthesizer, at_once, profile))
        together_off, _ = timed(lambda: files.synth("off", synthesizer, at_once, off))
        one = Synthesizer(weights, device, threads=1)
        serial, _ = timed(lambda: files.synth("serial", one, 1, profile))
        copied, _ = timed(files.copy)
    spent = [asdict(done.spent) for _, done in outcomes]
    times = [start, *(at for at, _ in outcomes)]
    sums = {name: sum(one[name] for one in spent) for name in spent[0]}
    return Speed(
        noise=megapixels / alone,
        measured=megapixels / alone_off,
        synth=megapixels / together,
        synth_measured=megapixels / together_off,
        tenths=_tenths(times, side * side / 1e6),
        one_worker=megapixels / serial,
        files=megapixels / copied,
        shares={name: seconds / sum(sums.values()) for name, seconds in sums.items()},
        compression={level: _compression(noises[0], level) for level in LEVELS},
    )


@dataclass(frozen=True)
class SizeSpeed:
    """Speed with pictures of one size.

    Attributes:
        height: of the pictures, in pixels.
        width: of them.
        count: how many there are.
        synth: files to files, megapixels a second.
        pictures: of them, a second.
        files: only reading the clean and writing it twice, megapixels a second.
        memory: largest resident memory of this process so far, in megabytes; None where the
            system does not say.
    """

    height: int
    width: int
    count: int
    synth: float
    pictures: float
    files: float
    memory: float | None


def measure_sizes(
    weights: Weights,
    sizes: Sequence[tuple[int, int, int]],
    device: str = "cpu",
    workers: int | None = None,
) -> Iterator[SizeSpeed]:
    """Times datasets of ``sizes``: height, width and number of their pictures, smallest first."""
    _, profile = with_and_without_network(weights)
    synthesizer = Synthesizer(weights, device)
    for height, width, count in sizes:
        pictures = (photograph(height, width, index) for index in range(count))
        with tempfile.TemporaryDirectory() as folder:
            files = _Files(Path(folder), pictures, weights, device)
            at_once = workers or default_workers()
            seconds, _ = timed(partial(files.synth, "out", synthesizer, at_once, profile))
            copied, _ = timed(files.copy)
        megapixels = height * width * count / 1e6
        yield SizeSpeed(
            height,
            width,
            count,
            synth=megapixels / seconds,
            pictures=count / seconds,
            files=megapixels / copied,
            memory=largest_memory(),
        )


def largest_memory() -> float | None:
    """Largest resident memory of this process so far, in megabytes; None where nobody says."""
    try:
        import resource
    except ImportError:
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


class _Files:
    """Cleans as PNG in a folder, and the work with them that is timed."""

    def __init__(
        self, root: Path, pictures: Iterable[Bytes], weights: Weights, device: str
    ) -> None:
        self._root, self._weights, self._device = root, weights, device
        (root / "clean").mkdir()
        for index, picture in enumerate(pictures):
            data = encode(Picture(picture, None, None, Container.PNG, True))
            (root / "clean" / f"{index}.png").write_bytes(data)
        self._found = find_cleans(root / "clean", root / "out").files

    def synth(
        self, name: str, one: Synthesizer, at_once: int, by: NoiseProfile
    ) -> list[tuple[float, Done]]:
        """Makes a dataset; the time at which each picture was done, and what it took."""
        recipe = make_recipe(DatasetOptions(), [by], self._weights, self._device)
        run = Run(recipe, [by], self._found, [], Folder(self._root / name))
        maker = PairMaker(run.profiles, one, recipe.options, run.folder.root, run.folder.temporary)
        written = write_dataset(
            run, lambda items, stop: made_by_threads(items, [maker], at_once, stop)
        )
        return [(time.perf_counter(), done) for done in written]

    def copy(self) -> None:
        """Reads each clean and writes it twice."""
        for file in self._found:
            data = encode(read_picture(file.path))
            write_together([(self._root / "a.png", data), (self._root / "b.png", data)])


def with_and_without_network(weights: Weights) -> tuple[NoiseProfile, NoiseProfile]:
    """Profiles of a picture's noise with the content network off, and on, hardly felt."""
    noisy, clean = (photograph(512, 512, seed=0, noise=noise) for noise in (3.0, 0.0))
    cut = cut_references([Reference("reference", noisy, clean)])
    made = encode_profile(measure_cut(cut, weights.content), weights)
    blank = np.zeros((len(made.sigma), weights.content.config.features + BESIDE_MAPS), np.float32)
    off, on = (
        replace(made, measured=replace(made.measured, features=blank + np.float32(felt)))
        for felt in (0, 1e-6)
    )
    return off, on


def _tenths(times: Sequence[float], megapixels: float) -> tuple[float, ...]:
    """Megapixels a second over each tenth, from the start and the time of each picture's end."""
    ends = np.linspace(0, len(times) - 1, 11).round().astype(int)
    if len(times) <= 10:
        return ()
    return tuple(
        float(megapixels * (end - begin) / (times[end] - times[begin]))
        for begin, end in itertools.pairwise(ends)
    )


def _compression(pixels: Bytes, level: int) -> tuple[float, float]:
    picture = Picture(pixels, None, None, Container.PNG, False)
    seconds, data = timed(lambda: encode(picture, level))
    return pixels[..., 0].size / 1e6 / seconds, len(data) / pixels.nbytes


def timed(work: Callable[[], Result]) -> tuple[float, Result]:
    """Seconds of some work, and its result."""
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def photograph(height: int, width: int, seed: int, noise: float = 3.0) -> Bytes:
    """A picture of even squares under fine noise, whose σ is given in counts: H×W×3."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(40, 215, (height // 32 + 1, width // 32 + 1, 3))
    even = coarse.repeat(32, 0).repeat(32, 1)[:height, :width]
    return as_stored(even + noise * rng.standard_normal(even.shape), np.uint8)
