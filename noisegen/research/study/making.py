"""Noise on a study's cleans: Gaussian, classical or generated, made once and kept on the disk."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from enum import Enum
from pathlib import Path

import torch
from safetensors.numpy import save as serialise

import noisegen
from noisegen.errors import OutputError
from noisegen.evaluation.rows import gaussian
from noisegen.files import Pixels, write_atomically
from noisegen.model.tensor_file import METADATA_KEY, read_tensor_file
from noisegen.model.weights import Weights
from noisegen.profiles.fit import fit_profiles
from noisegen.profiles.profile import NoiseProfile
from noisegen.research.study.pictures import Clean, Noises, Source, noises_digest
from noisegen.synthesis.synthesizer import Synthesizer

LARGEST = 2**33
"""Largest number of bytes of a file of noisy pictures; PolyU's have 70 million."""


class NoiseKind(str, Enum):
    """Ways to make noise; all of them know the references alone."""

    GAUSSIAN = "gaussian"
    CLASSICAL = "classical"
    GENERATED = "generated"


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
        self._profiles: dict[tuple[str, bool], NoiseProfile] = {}

    def noisy(self, kind: NoiseKind, noises: Noises) -> list[Pixels]:
        """A noisy picture for each clean, from the disk where it has been made before.

        Raises:
            BadReferenceError: no profile can be made of the references.
            OutputError: the file cannot be written, or is damaged.
        """
        made_from = f"{noisegen.__version__} {self._weights.sha256} {noises_digest(noises)}"
        key = hashlib.sha256(made_from.encode()).hexdigest()
        path = self._folder / f"{kind.value}-{key[:16]}.safetensors"
        if path.exists():
            return _read(path, len(noises.cleans))
        self._say(f"making {len(noises.cleans)} {kind.value} pictures")
        learned = kind is not NoiseKind.CLASSICAL
        pictures = [
            self._draw(kind, clean, self._profile(noises.sources[turn], learned))
            for clean, turn in zip(noises.cleans, noises.turns, strict=True)
        ]
        named = {f"{index:06d}": picture for index, picture in enumerate(pictures)}
        metadata = {"content": "noisy pictures", "names": [clean.name for clean in noises.cleans]}
        write_atomically(path, serialise(named, {METADATA_KEY: json.dumps(metadata)}))
        return pictures

    def _profile(self, source: Source, learned: bool) -> NoiseProfile:
        key = source.name, learned
        if key not in self._profiles:
            level = self._white_level if source.references[0].noisy.dtype.itemsize > 1 else None
            (profile,) = fit_profiles(
                source.references,
                self._weights,
                name=source.name,
                white_level=level,
                learned=learned,
            )
            self._profiles[key] = profile
            grade = profile.quality.overall if profile.quality else "not tried"
            self._say(f"profile {source.name} of {', '.join(profile.references)}: {grade}")
        return self._profiles[key]

    def _draw(self, kind: NoiseKind, clean: Clean, profile: NoiseProfile) -> Pixels:
        if kind is NoiseKind.GAUSSIAN:
            return gaussian(clean.pixels, profile, clean.name, self._white_level)
        return self._generator.synthesize(
            clean.pixels, profile, key=clean.name, white_level=self._white_level
        )


def _read(path: Path, count: int) -> list[Pixels]:
    try:
        tensors = read_tensor_file(path, LARGEST).tensors
        return [tensors[f"{index:06d}"] for index in range(count)]
    except (OSError, ValueError, KeyError) as error:
        raise OutputError(
            f"{path}: is damaged ({error}); delete it to have it made again"
        ) from error
