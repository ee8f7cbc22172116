"""The noise that arms of a study learn from: made once on the study's cleans, kept on the disk."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from enum import Enum
from itertools import count
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save as serialise

import noisegen
from noisegen.errors import OutputError
from noisegen.evaluation.classical_baseline import PlainClassical, draw, fit_windows
from noisegen.evaluation.peers import DRAWS
from noisegen.evaluation.rows import gaussian
from noisegen.files import Pixels, write_atomically
from noisegen.model.tensor_file import METADATA_KEY, read_tensor_file
from noisegen.model.weights import Weights
from noisegen.noise.record import as_stored
from noisegen.noise.windows import join
from noisegen.profiles.drawn import draw_profiles, parse_draws
from noisegen.profiles.fit import fit_profiles
from noisegen.profiles.profile import NoiseProfile
from noisegen.references.windows import cut_references
from noisegen.research.study.pictures import Order, Orders, Source, orders_digest
from noisegen.synthesis.synthesizer import Synthesizer

LARGEST = 2**33
"""Largest number of bytes of a file of noisy pictures; PolyU's have 70 million."""


class NoiseKind(str, Enum):
    """Ways to make noise: from references, from one shot of each without its clean, from none."""

    GAUSSIAN = "gaussian"
    CLASSICAL = "classical"
    START = "start"
    GENERATED = "generated"
    LONE = "lone"
    DRAWN = "drawn"
    BLIND_GAUSSIAN = "gaussian-0-50"


PER_CAMERA = 4
"""Pictures of each drawn camera."""


class Maker:
    """Puts the noise of references on cleans.

    Args:
        weights: of the generator.
        device: where it runs.
        folder: of the files; made if need be.
        white_level: of all pictures.
        say: takes what there is to tell.
    """

    def __init__(
        self,
        weights: Weights,
        device: torch.device | str,
        folder: Path,
        white_level: float,
        say: Callable[[str], None],
    ) -> None:
        self._weights, self._folder, self._white_level = weights, folder, white_level
        self._say = say
        self._generator = Synthesizer(weights, device)
        self._profiles: dict[tuple[str, NoiseKind], NoiseProfile] = {}
        self._models: dict[str, PlainClassical] = {}

    def noisy(self, kind: NoiseKind, orders: Orders) -> list[Pixels]:
        """The noisy pictures of some orders, from the disk where they have been made before.

        Raises:
            BadReferenceError: no profile can be made of the references.
            OutputError: the file cannot be written, or is damaged.
        """
        made_from = f"{noisegen.__version__} {self._weights.sha256} {orders_digest(orders)}"
        key = hashlib.sha256(made_from.encode()).hexdigest()
        path = self._folder / f"{kind.value}-{key[:16]}.safetensors"
        if path.exists():
            return _read(path, len(orders))
        self._say(f"making {len(orders)} {kind.value} pictures")
        pictures = list(self._made(kind, orders))
        named = {f"{index:06d}": picture for index, picture in enumerate(pictures)}
        metadata = {"content": "noisy pictures", "names": [order.name for order in orders]}
        write_atomically(path, serialise(named, {METADATA_KEY: json.dumps(metadata)}))
        return pictures

    def _made(self, kind: NoiseKind, orders: Orders) -> Iterator[Pixels]:
        if kind is NoiseKind.BLIND_GAUSSIAN:
            yield from (blind_gaussian(order, self._white_level) for order in orders)
        elif kind is NoiseKind.DRAWN:
            yield from self._drawn(orders)
        elif kind is NoiseKind.GAUSSIAN:
            for order in orders:
                profile = self._profile(order.source, kind)
                yield gaussian(order.clean, profile, order.name, self._white_level)
        elif kind is NoiseKind.CLASSICAL:
            for order in orders:
                rng = np.random.default_rng([0, *order.name.encode()])
                yield draw(self._classical(order.source), order.clean, self._white_level, rng)
        else:
            for order in orders:
                yield self._noise(order.clean, self._profile(order.source, kind), order.name)

    def _noise(self, clean: Pixels, profile: NoiseProfile, key: str) -> Pixels:
        return self._generator.synthesize(clean, profile, key=key, white_level=self._white_level)

    def _drawn(self, orders: Orders) -> Iterator[Pixels]:
        """Pictures by drawn cameras; those whose channels are equal by gray ones."""
        grays = [is_gray(order.clean) for order in orders]
        cameras = {
            gray: draw_profiles(
                parse_draws(DRAWS[gray]), -(-number // PER_CAMERA), 0, self._weights, gray
            )
            for gray, number in Counter(grays).items()
        }
        turns = {gray: count() for gray in cameras}
        for order, gray in zip(orders, grays, strict=True):
            camera = cameras[gray][next(turns[gray]) // PER_CAMERA]
            shown = order.clean[:, :, :1] if gray else order.clean
            noisy = self._noise(shown, camera, order.name)
            yield np.broadcast_to(noisy, order.clean.shape).copy()

    def _classical(self, source: Source) -> PlainClassical:
        if source.name not in self._models:
            cut = cut_references(source.references, self._level(source))
            self._models[source.name] = fit_windows(join([part.windows for part in cut.each]))
        return self._models[source.name]

    def _level(self, source: Source) -> float | None:
        """White level of a source's shots; that of 8 bits is known."""
        return self._white_level if source.references[0].noisy.dtype.itemsize > 1 else None

    def _profile(self, source: Source, kind: NoiseKind) -> NoiseProfile:
        # The Gaussian's σ is that of the generated noise's profile.
        kind = NoiseKind.GENERATED if kind is NoiseKind.GAUSSIAN else kind
        key = source.name, kind
        if key not in self._profiles:
            shown = source.references
            if kind is NoiseKind.LONE:
                shown = tuple(replace(reference, clean=None) for reference in shown[:1])
            (profile,) = fit_profiles(
                shown,
                self._weights,
                name=source.name,
                white_level=self._level(source),
                learned=kind is not NoiseKind.START,
            )
            self._profiles[key] = profile
            grade = profile.quality.overall if profile.quality else "not tried"
            self._say(f"profile {source.name} of {', '.join(profile.references)}: {grade}")
        return self._profiles[key]


def is_gray(clean: Pixels) -> bool:
    """Whether a picture has no colour: one channel, or equal ones."""
    return bool((clean == clean[:, :, :1]).all())


def blind_gaussian(order: Order, white_level: float) -> Pixels:
    """White Gaussian noise of a strength that is drawn from 0 to 50 of 255, gray on gray."""
    rng = np.random.default_rng([0, *order.name.encode()])
    sigma = rng.uniform(0, 50 / 255) * white_level
    height, width, channels = order.clean.shape
    noise = rng.normal(0, sigma, (height, width, 1 if is_gray(order.clean) else channels))
    return as_stored(np.clip(order.clean + noise, 0, white_level), order.clean.dtype)


def _read(path: Path, count: int) -> list[Pixels]:
    try:
        tensors = read_tensor_file(path, LARGEST).tensors
        return [tensors[f"{index:06d}"] for index in range(count)]
    except (OSError, ValueError, KeyError) as error:
        raise OutputError(
            f"{path}: is damaged ({error}); delete it to have it made again"
        ) from error
