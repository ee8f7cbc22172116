"""Whose noise a dataset has: profiles, their files, or what they are yet to be made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from noisegen.dataset.recipe import Recipe, load_profiles, named_apart
from noisegen.errors import ProfileError
from noisegen.model.weights import Weights
from noisegen.profiles.profile import NoiseProfile, unfit_for_weights

Profiles = str | Path | NoiseProfile | Sequence[str | Path | NoiseProfile]
"""Noise profiles or their files."""


@dataclass(frozen=True)
class NoiseSource:
    """Whose noise a dataset has: found, but neither read nor measured yet.

    Attributes:
        make: gives the profiles, which belong to the weights.
        files: that they are made of, which no overwrite may take away.
        request: of the weights, a hash of all that decides the profiles; None where they are
            given. A dataset that was begun by the same request lends its profiles to the run that
            goes on with it.
    """

    make: Callable[[Weights], Sequence[NoiseProfile]]
    files: Sequence[Path] = ()
    request: Callable[[Weights], str | None] = lambda weights: None

    def profiles(self, weights: Weights, begun: tuple[Recipe, Path] | None) -> list[NoiseProfile]:
        """The profiles, made or those of a dataset that was begun; named apart."""
        request = self.request(weights)
        if request and begun and all(entry.made_from == request for entry in begun[0].profiles):
            return load_profiles(*begun)
        return named_apart(self.make(weights))


def given_profiles(profiles: Profiles) -> NoiseSource:
    """The source that profiles, or files of them, are."""
    several = [profiles] if isinstance(profiles, (str, Path, NoiseProfile)) else list(profiles)
    files = [Path(one) for one in several if isinstance(one, (str, Path))]

    def make(weights: Weights) -> list[NoiseProfile]:
        if not several:
            raise ProfileError("profiles: none given; make one with noisegen profile create")
        return [fitting_profile(one, weights) for one in several]

    return NoiseSource(make, files)


def fitting_profile(profile: str | Path | NoiseProfile, weights: Weights) -> NoiseProfile:
    """A noise profile, or that of a file, checked to belong to weights.

    Raises:
        ProfileError: it does not, or the file is missing or damaged.
    """
    is_loaded = isinstance(profile, NoiseProfile)
    loaded = profile if isinstance(profile, NoiseProfile) else NoiseProfile.load(profile)
    reason = unfit_for_weights(loaded, weights)
    if reason is not None:
        raise ProfileError(f"{f'profile {loaded.name}' if is_loaded else profile}: {reason}")
    return loaded
