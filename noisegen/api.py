"""The library's front: make a profile, put its noise on clean arrays."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noisegen.dataset.option_types import choice
from noisegen.errors import UsageError, counted, in_python
from noisegen.model.config import Precision
from noisegen.model.device import select_device
from noisegen.model.weights import load_weights
from noisegen.profiles.fit import fit_profiles
from noisegen.profiles.profile import NoiseProfile
from noisegen.references.check import Reference
from noisegen.synthesis.synthesizer import DEFAULT_TILE, Synthesizer

Pixels = NDArray[Any]


class NoiseGenerator(Synthesizer):
    """A loaded generator with its encoder: profiles from arrays, noisy arrays from clean ones."""

    def profile(
        self,
        noisy: Pixels | Sequence[Pixels],
        clean: Pixels | Sequence[Pixels | None] | None = None,
        *,
        name: str = "profile",
        white_level: float | None = None,
        repair: bool = True,
        precision: str = "float32",
    ) -> NoiseProfile:
        """A noise profile from one or more noisy pictures of one camera and setting.

        Args:
            noisy: H×W, H×W×1 or H×W×3, uint8, uint16, or float; or several of them.
            clean: the clean of each, of the same shape, and of its type or float in the same
                units; estimated where not given, or None.
            name: of the profile.
            white_level: found from the pictures where not given; see :func:`.cut_references`.
            repair: undo gross shift, brightness and drift between a picture and its clean.
            precision: that cleans are estimated in; ``bf16`` is quicker where the processor has
                units for it, and the profile says so.

        Raises:
            BadReferenceError: no profile can be made of these.
            UsageError: the numbers of noisy and clean pictures differ, or a precision is none.
        """
        noisies = _several(noisy)
        if any(one is None for one in noisies):
            raise UsageError("a noisy picture is None; give an array for each")
        if not isinstance(name, str):
            raise UsageError(f"name {name!r}: give text")
        cleans = [None] * len(noisies) if clean is None else _several(clean)
        if len(cleans) != len(noisies):
            raise UsageError(
                f"{counted(len(noisies), 'noisy picture')}, but "
                f"{counted(len(cleans), 'clean one')}; give one for each"
            )
        references = [
            Reference(f"reference {index}", one, its_clean)
            for index, (one, its_clean) in enumerate(zip(noisies, cleans, strict=True))
        ]
        (profile,) = fit_profiles(
            references,
            self.weights.at(choice(Precision, precision, "precision")),
            name=name,
            white_level=white_level,
            repair=repair,
        )
        return profile


@in_python()
def load_generator(
    weights: str | Path = "base", device: str = "auto", tile: int = DEFAULT_TILE
) -> NoiseGenerator:
    """Loads weights: shipped ones by name, or a file.

    Args:
        weights: ``base``, ``sim``, or the path of a weights file.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        tile: side, in pixels, of what is prepared at once; see :class:`Synthesizer`.

    Raises:
        WeightsError: unknown, damaged, or of another version.
        UsageError: a device this machine does not have, or a tile of no pixel.
    """
    if not isinstance(tile, Integral) or tile < 1:
        raise UsageError(f"tile {tile}: give 1 or more")
    if not isinstance(weights, str | Path):
        raise UsageError(f"weights {weights!r}: give a name or the path of a file")
    return NoiseGenerator(load_weights(str(weights)), select_device(device), int(tile))


def _several(pixels: Pixels | Sequence[Pixels | None]) -> list[Any]:
    several = pixels if isinstance(pixels, (list, tuple)) else [pixels]
    return [None if one is None else np.asarray(one) for one in several]
