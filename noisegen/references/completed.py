"""Windows → statistics that hold over the whole range: measured, then completed."""

from __future__ import annotations

from noisegen.model.camera_prior import shipped_cameras, usual_activity
from noisegen.model.content_network import ContentNetwork
from noisegen.noise.completion import complete
from noisegen.noise.prior import Kind
from noisegen.noise.statistics import NoiseStatistics, measure
from noisegen.noise.windows import Windows


def measure_whole(windows: Windows, network: ContentNetwork | None = None) -> NoiseStatistics:
    """What windows show, and what is known of cameras where they show nothing."""
    measured = measure(windows, network, usual_activity())
    kind = Kind.BURST if windows.averaged else Kind.PAIR
    kind = Kind.LONE if windows.estimated else kind
    return complete(measured, shipped_cameras(len(measured.sigma), kind), kind)
