"""``noisegen profile show --plot``: the profile seen, beside a reference if one is given."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from noisegen.cli.output import one_line
from noisegen.cli.references import one_reference
from noisegen.errors import UsageError

if TYPE_CHECKING:
    from noisegen.profiles.profile import NoiseProfile


def write_plot(
    plot: Path, file: Path, ref: Path | None, ref_clean: Path | None, weights: str
) -> None:
    """Draws a saved profile as a PNG.

    Args:
        plot: the PNG, checked to be free.
        file: the profile.
        ref: a reference to be shown beside it.
        ref_clean: its clean.
        weights: that the profile was made with.

    Raises:
        NoisegenError: one of them cannot be used.
    """
    if ref_clean is not None and ref is None:
        raise UsageError("--ref-clean belongs to --ref; name the noisy shot too")
    if plot.suffix.lower() != ".png":
        raise UsageError(f"--plot {plot}: a plot is a PNG; end its name in .png")
    for path in (file, ref, ref_clean):
        if path is not None and path.resolve() == plot.resolve():
            raise UsageError(f"--plot {plot}: is an input; name another file")
        from noisegen.dataset.noise import fitting_profile
    from noisegen.evaluation.profile_view import view_alone, view_on_reference
    from noisegen.evaluation.report.draw import report_png
    from noisegen.evaluation.report.profile import profile_report
    from noisegen.files import write_atomically
    from noisegen.model.weights import load_weights

    loaded = load_weights(weights)
    profile = fitting_profile(file, loaded)
    reference = None if ref is None else one_reference(ref, ref_clean)
    if reference is None:
        view = view_alone(profile, loaded)
    else:
        view = view_on_reference(profile, reference, loaded)
    shown = profile_report(view)
    sigma = dict(shown.facts)["σ, of 255"]
    title = f"{one_line(profile.name)[:60]} — {profile.kind}, σ {sigma} of 255"
    write_atomically(plot, report_png(replace(shown, title=title), _quality(profile)))


def _quality(profile: NoiseProfile) -> str:
    from noisegen.profiles.quality import LIMITS

    quality = profile.quality
    if quality is None:
        return "not tried on its references"
    names = {"sigma": "σ", "level": "σ against intensity", "kld": "histogram"}
    words = ", ".join(f"{names.get(name, name)} {quality.word(name)}" for name in LIMITS)
    return f"tried on its references: {quality.overall} ({words})"
