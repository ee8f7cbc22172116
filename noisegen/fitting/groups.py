"""References of perhaps several settings → one profile and a warning, or a profile a setting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from noisegen.fitting.judge import judge
from noisegen.model.weights import Weights
from noisegen.references.belonging import belonging, doubt
from noisegen.references.burst import Burst
from noisegen.references.create import (
    Reference,
    Repair,
    cut_references,
    encode_profile,
    measure_cut,
)
from noisegen.references.profile import NoiseProfile


def fitted_groups(
    references: Sequence[Reference] | Sequence[Burst],
    weights: Weights,
    *,
    name: str = "profile",
    white_level: float | None = None,
    repair: bool = True,
    split: bool = False,
    learned: bool = True,
) -> list[NoiseProfile]:
    """Profiles of references, tried on them.

    Args:
        references: one or more noisy pictures, or bursts; all gray or all RGB, of one type.
        weights: whose encoder makes the prompts; the profiles are tied to them.
        name: of the profile; several are NAME-1, NAME-2 and so on, by their first reference.
        white_level: of the references' samples; found from them where not given.
        repair: undo gross shift, brightness and drift between a reference and its clean, leave out
            what follows the clean's edges; move a burst's shots onto each other.
        split: a profile for each group of references that belong together; else there is one of
            all of them, which says in its warnings that they do not.
        learned: the content network may count; else the measured model is alone.

    Raises:
        BadReferenceError: a profile cannot be made; names the reference and the reason.
    """
    kind = Repair.GROSS if repair else Repair.NONE
    cut = cut_references(references, white_level, kind, weights.denoiser)
    found = belonging(cut, weights)
    if split and len(found.groups) > 1:
        parts = {
            f"{name}-{number}": cut.where(group) for number, group in enumerate(found.groups, 1)
        }
    else:
        said = doubt(cut, found)
        parts = {name: cut if said is None else replace(cut, doubts=(said,))}
    network = weights.content if learned else None
    profiles = []
    for its_name, part in parts.items():
        measured = measure_cut(part, network)
        profile = encode_profile(measured, weights, name=its_name)
        profiles.append(replace(profile, quality=judge(measured, network)))
    return profiles
