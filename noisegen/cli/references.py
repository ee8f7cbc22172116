"""``--ref``, ``--ref-clean`` and ``--profile`` → noise profiles."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from noisegen.errors import UsageError

if TYPE_CHECKING:
    import torch

    from noisegen.model.weights import Weights
    from noisegen.references.profile import NoiseProfile


def make_profile(
    refs: Sequence[str],
    ref_cleans: Sequence[str],
    weights: Weights,
    device: torch.device,
    white_level: float | None,
    name: str | None,
) -> NoiseProfile:
    """One profile of all references."""
    from noisegen.references.create import create_profile
    from noisegen.references.discover import find_references, read_references

    if not refs:
        raise UsageError("--ref-clean needs the noisy shots it belongs to; add --ref")
    matches = find_references(refs, ref_cleans)
    return create_profile(
        read_references(matches),
        weights,
        name=name or matches[0][0].stem,
        white_level=white_level,
        device=device,
    )


def load_profiles(files: Sequence[Path], weights: Weights) -> list[NoiseProfile]:
    """Saved profiles, each checked to be of these weights."""
    from noisegen.errors import ProfileError
    from noisegen.references.profile import NoiseProfile

    profiles = []
    for file in files:
        profile = NoiseProfile.load(file)
        if profile.weights_sha256 != weights.sha256:
            raise ProfileError(
                f"{file}: made with other weights than {weights.name}; make it again with "
                "noisegen profile create, or name its weights with --weights"
            )
        profiles.append(profile)
    return profiles
