"""``--ref``, ``--ref-clean`` and ``--profile`` → references and noise profiles."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from noisegen.cli.output import Output
from noisegen.errors import ProfileError, UsageError

if TYPE_CHECKING:
    from noisegen.model.weights import Weights
    from noisegen.references.discover import Matches
    from noisegen.references.profile import NoiseProfile


def match_references(refs: Sequence[str], ref_cleans: Sequence[str], output: Output) -> Matches:
    """Files of the references; says so where their cleans had no name to be matched by."""
    from noisegen.references.discover import find_references, matched_by_order

    if not refs:
        raise UsageError("no noisy shots given; add --ref")
    matches = find_references(refs, ref_cleans)
    if matched_by_order(matches):
        shown = ", ".join(f"{noisy.name} with {clean and clean.name}" for noisy, clean in matches)
        output.note(f"no names match, so references and cleans were matched in order: {shown}")
    return matches


def load_profiles(files: Sequence[Path], weights: Weights) -> list[NoiseProfile]:
    """Saved profiles, each checked to be of these weights."""
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
