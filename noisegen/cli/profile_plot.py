"""``noisegen profile show --plot``: the profile seen, beside a reference if one is given."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from noisegen.cli.commands import Show
from noisegen.cli.output import check_png, one_line
from noisegen.errors import UsageError
from noisegen.evaluation.profile_view import view_alone, view_on_reference
from noisegen.evaluation.report.draw import report_png
from noisegen.evaluation.report.profile import profile_report
from noisegen.files import write_atomically
from noisegen.model.weights import load_weights
from noisegen.profiles.quality import LIMITS
from noisegen.profiles.sources import fitting_profile, one_reference


def write_plot(asked: Show, plot: Path) -> None:
    """Draws a saved profile as a PNG.

    Raises:
        NoisegenError: one of the files cannot be used.
    """
    if asked.ref_clean is not None and asked.ref is None:
        raise UsageError("--ref-clean belongs to --ref; name the noisy shot too")
    check_png(plot, "--plot")
    for path in filter(None, (asked.file, asked.ref, asked.ref_clean)):
        if path.resolve() == plot.resolve():
            raise UsageError(f"--plot {plot}: is an input; name another file")
    loaded = load_weights(asked.weights)
    profile = fitting_profile(asked.file, loaded)
    if asked.ref is None:
        view = view_alone(profile, loaded)
    else:
        view = view_on_reference(profile, one_reference(asked.ref, asked.ref_clean), loaded)
    shown, quality = profile_report(view), profile.quality
    sigma = dict(shown.facts)["σ, of 255"]
    title = f"{one_line(profile.name)[:60]} — {profile.kind}, σ {sigma} of 255"
    tried = "not tried on its references"
    if quality is not None:
        names = {"sigma": "σ", "level": "σ against intensity", "kld": "histogram"}
        words = ", ".join(
            f"{names.get(name, name)} {quality.word(name)}"
            for name in LIMITS
            if getattr(quality, name)
        )
        tried = f"tried on its references: {quality.overall} ({words})"
    write_atomically(plot, report_png(replace(shown, title=title), tried))
