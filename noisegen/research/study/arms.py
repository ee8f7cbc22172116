"""The arms of a study: who learns from what, at equal steps and equal crops.

Gaussian, classical and generated noise on a study's cleans is made once and kept on the disk.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import Enum
from itertools import count
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save as serialise

import noisegen
from noisegen.errors import OutputError
from noisegen.evaluation.denoiser import Pair, for_denoiser
from noisegen.evaluation.peers import DRAWS
from noisegen.evaluation.rows import gaussian
from noisegen.files import Pixels, write_atomically
from noisegen.model.tensor_file import METADATA_KEY, read_tensor_file
from noisegen.model.weights import Weights
from noisegen.noise.record import as_stored
from noisegen.profiles.drawn import draw_profiles, parse_draws
from noisegen.profiles.fit import fit_profiles
from noisegen.profiles.profile import NoiseProfile
from noisegen.research.study.pictures import Order, Orders, Source, StudyData, orders_digest
from noisegen.synthesis.synthesizer import Synthesizer

LARGEST = 2**33
"""Largest number of bytes of a file of noisy pictures; PolyU's have 70 million."""


class NoiseKind(str, Enum):
    """Ways to make noise: from references, from one shot of each without its clean, from none."""

    GAUSSIAN = "gaussian"
    CLASSICAL = "classical"
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

    def _profile(self, source: Source, kind: NoiseKind) -> NoiseProfile:
        # The Gaussian's σ is that of the generated noise's profile.
        kind = NoiseKind.GENERATED if kind is NoiseKind.GAUSSIAN else kind
        key = source.name, kind
        if key not in self._profiles:
            level = self._white_level if source.references[0].noisy.dtype.itemsize > 1 else None
            shown = source.references
            if kind is NoiseKind.LONE:
                shown = tuple(replace(reference, clean=None) for reference in shown[:1])
            (profile,) = fit_profiles(
                shown,
                self._weights,
                name=source.name,
                white_level=level,
                learned=kind is not NoiseKind.CLASSICAL,
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


@dataclass(frozen=True)
class Arm:
    """One way to train the denoiser.

    Attributes:
        name: as the options and the files have it.
        parts: share of the crops and name of the pairs that they are taken from.
        says: what it learns from, for the table.
    """

    name: str
    parts: tuple[tuple[int, str], ...]
    says: str


ARMS = (
    Arm("real", ((1, "real"),), "real pairs"),
    Arm("gaussian", ((1, "gaussian"),), "Gaussian noise of the references' σ, same cleans"),
    Arm("classical", ((1, "classical"),), "classical model of the references, same cleans"),
    Arm("generated", ((1, "generated"),), "generated from the references, same cleans"),
    Arm("lone", ((1, "lone"),), "generated from one shot each without its clean, same cleans"),
    Arm("drawn", ((1, "drawn"),), "noise of drawn cameras of all kinds, same cleans"),
    Arm("gaussian-0-50", ((1, "gaussian-0-50"),), "Gaussian noise, σ from 0 to 50, same cleans"),
    Arm("mixed-drawn", ((1, "real"), (1, "drawn")), "real + 50 % of drawn cameras"),
    Arm("mixed-25", ((3, "real"), (1, "extra")), "real + 25 % generated{new}"),
    Arm("mixed-50", ((1, "real"), (1, "extra")), "real + 50 % generated{new}"),
    Arm("mixed-75", ((1, "real"), (3, "extra")), "real + 75 % generated{new}"),
    Arm("new", ((1, "extra"),), "generated{new} alone"),
    Arm("few", ((1, "few"),), "a few real pairs alone"),
    Arm(
        "few+gaussian",
        ((1, "few"), (1, "gaussian from few")),
        "these few + 50 % with Gaussian noise of their σ on other cleans",
    ),
    Arm(
        "few+generated",
        ((1, "few"), (1, "from few")),
        "these few + 50 % generated from them on other cleans",
    ),
)

CONTRASTS = (
    ("generated", "gaussian"),
    ("generated", "classical"),
    ("lone", "generated"),
    ("drawn", "gaussian-0-50"),
    ("few+generated", "few"),
    ("few+generated", "few+gaussian"),
)
"""Arms that are compared with each other, beside each with ``real``."""


def possible_arms(data: StudyData) -> tuple[Arm, ...]:
    """The arms that the pictures allow."""
    there = {"extra", *(kind.value for kind in NoiseKind)}
    there |= {"real"} if data.real else set()
    if not any(r.clean is not None for o in data.references for r in o.source.references):
        # Every shot is alone, so that "generated" is this already.
        there -= {NoiseKind.LONE.value}
    there |= {"few"} if data.few else set()
    there |= {"from few", "gaussian from few"} if data.from_few else set()
    return tuple(
        arm
        for arm in ARMS
        if all(pool in there for _, pool in arm.parts) and (data.new_camera or arm.name != "new")
    )


def described(arm: Arm, data: StudyData) -> str:
    """What an arm learns from, in words."""
    return arm.says.format(new=" from the new camera's references" if data.new_camera else "")


class Pools:
    """Training pairs by name, each made when it is first asked for."""

    def __init__(self, data: StudyData, maker: Maker) -> None:
        self._data, self._maker = data, maker
        self._made: dict[str, list[Pair]] = {}

    def pairs(self, arm: Arm) -> list[Pair]:
        """An arm's training pairs: as many of each part as its share of the crops demands."""
        parts = [(share, self._pool(name)) for share, name in arm.parts]
        longest = max(len(pool) for _, pool in parts)
        # A pair is drawn evenly of the list, so a small part is repeated to have its share.
        return [
            pair
            for share, pool in parts
            for pair in pool * (share * max(1, round(longest / len(pool))))
        ]

    def _pool(self, name: str) -> list[Pair]:
        if name not in self._made:
            self._made[name] = self._make(name)
        return self._made[name]

    def _make(self, name: str) -> list[Pair]:
        data, white_level = self._data, self._data.white_level
        if name in ("real", "few"):
            shots = data.real if name == "real" else data.few
            return [for_denoiser(shot.noisy, shot.clean, white_level) for shot in shots]
        kind, orders = {
            "extra": (NoiseKind.GENERATED, data.extra),
            "from few": (NoiseKind.GENERATED, data.from_few),
            "gaussian from few": (NoiseKind.GAUSSIAN, data.from_few),
            **{kind.value: (kind, data.references) for kind in NoiseKind},
            **{
                kind.value: (kind, data.blind)
                for kind in (NoiseKind.DRAWN, NoiseKind.BLIND_GAUSSIAN)
            },
        }[name]
        noisies = self._maker.noisy(kind, orders)
        made = zip(noisies, orders, strict=True)
        return [for_denoiser(noisy, order.clean, white_level) for noisy, order in made]
