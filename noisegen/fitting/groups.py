"""References of perhaps several settings → one profile and a warning, or a profile a setting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from noisegen.fitting.close import Fitted, close_loop
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


def fitted_groups(
    references: Sequence[Reference] | Sequence[Burst],
    weights: Weights,
    *,
    name: str = "profile",
    white_level: float | None = None,
    repair: bool = True,
    tune_seconds: float = 0.0,
    split: bool = False,
) -> list[Fitted]:
    """Profiles of references, tried on them and corrected.

    Args:
        references: one or more noisy pictures, or bursts; all gray or all RGB, of one type.
        weights: whose encoder makes the prompts; the profiles are tied to them.
        name: of the profile; several are NAME-1, NAME-2 and so on, by their first reference.
        white_level: of the references' samples; found from them where not given.
        repair: undo gross shift, brightness and drift between a reference and its clean, leave out
            what follows the clean's edges; move a burst's shots onto each other.
        tune_seconds: to tune each profile's prompt by gradient; 0 for none.
        split: a profile for each group of references that belong together; else there is one of
            all of them, which says in its warnings that they do not.

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
    fitted = []
    for its_name, part in parts.items():
        measured = measure_cut(part, weights.content)
        profile = encode_profile(measured, weights, name=its_name)
        fitted.append(close_loop(profile, measured, weights, tune_seconds))
    return fitted
