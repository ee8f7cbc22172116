"""References → noise profile, from top to bottom.

References are cut into windows (:mod:`noisegen.references.windows`), told apart if they are not of
one setting, measured, encoded, and judged on noise that the fit has not seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from noisegen.errors import BadReferenceError, UsageError
from noisegen.files.raw import with_development
from noisegen.model.camera_prior import shipped_cameras, usual_activity
from noisegen.model.config import Precision
from noisegen.model.content_network import ContentNetwork
from noisegen.model.weights import Weights
from noisegen.noise.completion import complete
from noisegen.noise.prior import Kind
from noisegen.noise.statistics import NoiseStatistics, measure
from noisegen.noise.windows import Windows, join
from noisegen.profiles.belonging import belonging, doubt
from noisegen.profiles.lone_grain import as_before_denoising
from noisegen.profiles.profile import NoiseProfile
from noisegen.profiles.profile_check import safe_name
from noisegen.profiles.quality import ProfileQuality
from noisegen.profiles.tensors import encode
from noisegen.profiles.trial import Trial, draw_measured
from noisegen.references.check import Burst, Reference
from noisegen.references.windows import CutReferences, Repair, cut_references

AT_LEAST_ESTIMATED = 0.16
"""Share of the noise's power that no residual shows of a lone shot, however small its denoiser
says its errors are: on instruments of known noise σ is off by 5 to 20 %, unseen by any trial."""

SMALLEST_SIGMA = 1e-4
"""Overall standard deviation, of the white level, below which a reference holds no noise."""

TRIED = 384
"""Windows that judge (0.4 Mpx)."""

FITTED_FOR_TRIAL = 1024
"""Windows of the other half that the noise on trial is measured in."""

FEWEST_WINDOWS = 16
"""Windows with noise that are halved; of fewer, all are fitted and judge."""

LEAST_SHARE = 0.25
"""Of the windows with noise, that each half must have."""


@dataclass(frozen=True)
class Measured:
    """References cut into windows and measured.

    Attributes:
        cut: the references.
        windows: of all of them together.
        statistics: of the windows, completed where these show nothing.
    """

    cut: CutReferences
    windows: Windows
    statistics: NoiseStatistics


def fit_profiles(
    references: Sequence[Reference | Burst],
    weights: Weights,
    *,
    name: str = "profile",
    white_level: float | None = None,
    repair: bool = True,
    split: bool = False,
    learned: bool = True,
) -> list[NoiseProfile]:
    """Profiles of references of one camera, judged on them.

    Args:
        references: one or more noisy pictures, or bursts; all gray or all RGB, of one type.
        weights: whose encoder makes the prompts; the profiles are tied to them.
        name: of the profile; several are NAME-1, NAME-2 and so on, by their first reference.
        white_level: of the references' samples; found from them where not given, as
            :func:`cut_references` says. The profile says which it is.
        repair: undo gross shift, brightness and drift between a reference and its clean, leave out
            what follows the clean's edges; move a burst's shots onto each other. The profile's
            ``repairs`` say what was done.
        split: a profile for each group of references that belong together; else there is one of
            all of them, which says in its warnings that they do not.
        learned: the content network may count; else the measured model is alone.

    Raises:
        BadReferenceError: a profile cannot be made; names the reference and the reason.
        UsageError: the weights estimate cleans in another precision, and there is none to estimate;
            or nothing is to be repaired, and there is none to repair.
    """
    _refuse_idle(references, weights, repair)
    undone = Repair.GROSS if repair else Repair.NONE
    cut = cut_references(references, white_level, undone, weights.denoiser)
    network = weights.content if learned else None
    profiles = []
    for its_name, part in _parts(cut, weights, name, split).items():
        measured = measure_cut(part, network)
        profile = encode_profile(measured, weights, its_name)
        profile = replace(profile, quality=judge(measured, network))
        if (fault := profile.fault()) is not None:
            raise BadReferenceError(
                f"{part.shots[0]}: its noise cannot be described ({fault}); give a shot with noise "
                "all over, or another part of it"
            )
        profiles.append(profile)
    return profiles


def _refuse_idle(references: Sequence[Reference | Burst], weights: Weights, repair: bool) -> None:
    """Refuses what changes nothing for such references.

    Raises:
        UsageError: as :func:`fit_profiles` says.
    """
    precision = weights.denoiser.precision
    lone = [isinstance(shot, Reference) and shot.clean is None for shot in references]
    if not repair and lone and all(lone):
        raise UsageError(
            "--no-repair belongs to pairs and bursts, and every reference is a lone shot; leave it "
            "out"
        )
    if precision is not Precision.FLOAT32 and not any(lone):
        raise UsageError(
            f"precision {precision.value}: only the clean of a lone shot is estimated, and all "
            "have theirs here; leave it out"
        )


def _parts(
    cut: CutReferences, weights: Weights, name: str, split: bool
) -> dict[str, CutReferences]:
    """The references of each profile, by its name."""
    found = belonging(cut, weights)
    if split and len(found.groups) > 1:
        return {f"{name}-{number}": cut.where(g) for number, g in enumerate(found.groups, 1)}
    said = doubt(cut, found)
    return {name: cut if said is None else replace(cut, doubts=(said,))}


def measure_cut(cut: CutReferences, network: ContentNetwork | None = None) -> Measured:
    """Measures references' windows together; what a network's maps say counts if it is given.

    Raises:
        BadReferenceError: they show no noise.
    """
    windows = join([reference.windows for reference in cut.each])
    statistics = measure_whole(windows, network)
    if float(statistics.sigma.max()) < SMALLEST_SIGMA:
        against = "an estimated clean" if windows.estimated else "its clean"
        raise BadReferenceError(
            f"{cut.shots[0]}: shows no noise against {against}; give a noisy shot"
        )
    return Measured(cut, windows, as_before_denoising(statistics, cut.denoised))


def measure_whole(windows: Windows, network: ContentNetwork | None = None) -> NoiseStatistics:
    """Measure windows, completed by what is known of cameras where they show nothing."""
    measured = measure(windows, network, usual_activity())
    kind = Kind.BURST if windows.averaged else Kind.PAIR
    kind = Kind.LONE if windows.estimated else kind
    return complete(measured, shipped_cameras(len(measured.sigma), kind), kind)


def encode_profile(measured: Measured, weights: Weights, name: str = "profile") -> NoiseProfile:
    """The profile of measured references by one encoder, not yet judged."""
    cut = measured.cut
    return NoiseProfile(
        name=safe_name(name),
        kind=cut.kind,
        references=tuple(map(with_development, cut.shots)),
        pixels=cut.pixels,
        weights_sha256=weights.sha256,
        tokens=encode(measured.windows, measured.statistics, weights),
        measured=measured.statistics,
        recording=measured.windows.recording.scaled(cut.samples.white_level),
        repairs=cut.repairs,
        warnings=cut.warnings,
        **vars(cut.samples),
    )


def judge(measured: Measured, network: ContentNetwork | None) -> ProfileQuality:
    """Quality of a profile: noise modelled on one half of the references against the other half's.

    The profile itself rests on all of them.

    Args:
        measured: the references.
        network: of the learned content, if that may count; on the CPU.
    """
    windows = measured.windows
    learned, judging = halves(windows)
    # What shows no noise, as black margins, judges nothing.
    judging = judging.where(_noisy(judging)).take_blocks(TRIED)
    fitted = learned.take_blocks(FITTED_FOR_TRIAL)
    if _noisy(fitted).sum() < FEWEST_WINDOWS // 2:
        # Noise in one place of a large picture, which thinning may miss.
        fitted = learned.where(_noisy(learned)).take_blocks(FITTED_FOR_TRIAL)
    half = measure_whole(fitted, network)
    trial = Trial(judging, draw_measured(half, judging, network))
    estimated = max(windows.made_up, AT_LEAST_ESTIMATED) if windows.estimated else 0.0
    return trial.quality(estimated, _used_share(windows, measured.cut.pixels))


def halves(windows: Windows) -> tuple[Windows, Windows]:
    """Windows to learn from and to judge by: squares of a chess board, of several windows each.

    Where these leave most of the noise to one half, every other window that shows some.
    """
    noisy = _noisy(windows)
    if noisy.sum() < FEWEST_WINDOWS:
        return windows, windows
    black = windows.chessboard()
    if not LEAST_SHARE <= black[noisy].mean() <= 1 - LEAST_SHARE:
        black = np.cumsum(noisy) % 2 == 1
    return windows.where(~black), windows.where(black)


def _noisy(windows: Windows) -> NDArray[np.bool_]:
    """Windows that show any noise."""
    return np.asarray(windows.residual.any((1, 2, 3)))


def _used_share(windows: Windows, pixels: int) -> float:
    """Share of the references' pixels that windows show unclipped."""
    unclipped = windows.unclipped
    return min(1.0, unclipped[:, 0].size / pixels) * float(unclipped.mean())
