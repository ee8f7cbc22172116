"""A noise profile → what its report shows."""

from __future__ import annotations

from collections.abc import Iterable

from noisegen.evaluation.profile_view import ProfileView
from noisegen.evaluation.report.charts import Sides, charts_of
from noisegen.evaluation.report.view import ChartGroup, Report, Strip, strip
from noisegen.evaluation.tables import Table
from noisegen.model.weights import licence_of
from noisegen.profiles.profile import NoiseProfile
from noisegen.profiles.quality import LIMITS

ALONE = "no reference given: generated on a built-in picture, smooth and textured ramps"
HEADINGS = {
    "sigma": "σ",
    "level": "σ against intensity",
    "kld": "histogram (KLD)",
    "correlation": "correlation",
    "stripes": "stripes",
    "estimated": "estimated",
}


def profile_report(view: ProfileView) -> Report:
    """The report of a profile.

    Args:
        view: of it, with or without a reference.
    """
    profile = view.profile
    real_name = "as measured, by the classical model" if view.crop is None else "reference"
    sides = Sides(view.generated, view.measured, real_name, profile, view.step)
    note = ALONE if view.crop is None else f"on the clean of {view.crop.name}"
    quality = quality_table([profile])
    sigma = " / ".join(f"{255 * value:.2f}" for value in profile.sigma)
    facts = (
        ("σ, of 255", sigma),
        ("kind", profile.kind),
        ("channels", {1: "gray", 3: "RGB"}[profile.channels]),
        ("references", f"{len(profile.references)}"),
        ("megapixels", f"{profile.pixels / 1e6:.2f}"),
        ("quality", profile.quality.overall if profile.quality else "not tried"),
    )
    return Report(
        title=profile.name,
        subtitle="noise profile",
        facts=facts,
        strips=tuple(_strips(view)),
        groups=(ChartGroup("Noise", note, charts_of(sides)),),
        scores=(quality,) if quality else (),
        recipe=(_made_of(profile),),
        warnings=profile.warnings,
    )


def quality_table(profiles: Iterable[NoiseProfile]) -> Table | None:
    """Table of how far profiles are from their references; None where none was tried."""
    rows = []
    for profile in profiles:
        quality = profile.quality
        if quality is None:
            continue
        cells = [f"{getattr(quality, name):.4f} {quality.word(name)}" for name in LIMITS]
        rows.append((profile.name, quality.overall, *cells))
    if not rows:
        return None
    return Table(
        "Profiles against their own references",
        ("profile", "overall", *(HEADINGS[name] for name in LIMITS)),
        tuple(rows),
        "Distances of generated from real noise on parts of the references that no fit has seen; "
        "0 is perfect.",
    )


def _strips(view: ProfileView) -> Iterable[Strip]:
    crop = view.crop
    if crop is None:
        return
    clean = crop.noisy - crop.residual
    note = "the clean was ESTIMATED by the denoiser" if crop.estimated else ""
    noisies = [("reference", crop.noisy), ("generated", clean + crop.generated)]
    yield strip(crop.name, clean, noisies, note)


def _made_of(profile: NoiseProfile) -> Table:
    rows = [
        ("references", ", ".join(profile.references)),
        ("white level", f"{profile.white_level:g} ({profile.dtype})"),
        ("weights", profile.weights_sha256),
        ("licence", licence_of(profile.weights_sha256)),
        ("profile", profile.sha256),
        ("content network", "on" if profile.follows_content else "off"),
        *(("repaired", repair) for repair in profile.repairs),
    ]
    return Table("", ("", ""), tuple(rows))
