"""Row of our own noise without the prior over cameras: what completing a profile is worth."""

from __future__ import annotations

from dataclasses import replace

from noisegen.evaluation.protocol import Target
from noisegen.evaluation.rows import Known, Row, generated, remembered
from noisegen.files import Pixels
from noisegen.model.camera_prior import usual_activity
from noisegen.model.weights import Weights
from noisegen.noise.statistics import measure
from noisegen.profiles.lone_grain import as_before_denoising


def uncompleted_row(weights: Weights, device: str = "cpu") -> Row:
    """The row of what users would get if curves were held where references show nothing."""
    ours = generated(weights, device)

    @remembered
    def fit(known: Known) -> Known:
        if known.measured is None:
            raise ValueError("completion is left out on windows: none are known")
        seen = measure(known.measured.windows, weights.content, usual_activity())
        seen = as_before_denoising(seen, known.measured.cut.denoised)
        return replace(known, profile=replace(known.profile, measured=seen))

    def draw(target: Target, known: Known) -> Pixels:
        return ours(target, fit(known))

    return Row("uncompleted", weights, draw, fit=fit)
