"""Kinds of cameras: what is drawn for one of a kind at an ISO.

Numbers of phones, compacts, DSLRs and mirrorless cameras are distilled from 6,555 settings of 374
models (darktable 4.2.1, ``noiseprofiles.json``; ISO 100–12,800): a line over log10 ISO through each
model's green, then median and spread over the models. Those noises were measured after demosaicing:
the raw shot noise is 6.5 times as large (geometric mean of four cameras that ELD, CVPR 2020,
calibrated: 5.1–9.7), read over shot noise is the same. Of phones there are three there; OPPO Reno
10x (PMRID, ECCV 2020) and IMX686 (PMN) stand beside them. Industrial cameras: 25 small sensors at
gain 1 (libcamera, ``src/ipa/rpi``), taken as ISO 100, and IMX385 (CRVD, CVPR 2020). No table has
microscopes: theirs are sCMOS cameras of 30,000 electrons and 1.5 of read noise at "ISO 100", and
gain rises from there. How pictures are developed is our choice.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import Enum

from noisegen.noise.arrays import Rng
from noisegen.simulator.instrument import Instrument
from noisegen.simulator.settings import (
    CameraSetting,
    Demosaic,
    Finishing,
    Subsampling,
    draw_setting,
)
from noisegen.simulator.world import draw_response, gamma_curve


class CameraKind(str, Enum):
    """What a camera is."""

    PHONE = "phone"
    COMPACT = "compact"
    DSLR = "dslr"
    MIRRORLESS = "mirrorless"
    MICROSCOPE = "microscope"
    INDUSTRIAL = "industrial"


@dataclass(frozen=True)
class Sensor:
    """Sensors of a kind; raw values are relative to the white level, 1.

    Attributes:
        shot: log10 of the variance per unit of signal at ISO 800: median, and deviation of models.
        shot_rise: of it, over a decade of ISO.
        read: the same of the read noise's deviation over √shot.
        read_rise: of that.
        bits: of the raw quantisation, each as likely.
        iso: lowest and highest in use.
    """

    shot: tuple[float, float]
    shot_rise: float
    read: tuple[float, float]
    read_rise: float
    bits: tuple[int, ...]
    iso: tuple[float, float]


_K = CameraKind
SENSORS = {
    _K.PHONE: Sensor((-3.30, 0.21), 1.00, (-1.20, 0.20), 0.16, (10,), (50, 6400)),
    _K.COMPACT: Sensor((-3.46, 0.37), 0.95, (-1.22, 0.20), 0.17, (12,), (80, 6400)),
    _K.DSLR: Sensor((-3.92, 0.20), 0.90, (-1.21, 0.27), 0.19, (12, 14), (100, 12800)),
    _K.MIRRORLESS: Sensor((-3.97, 0.23), 0.95, (-1.30, 0.22), 0.10, (12, 14), (100, 12800)),
    _K.MICROSCOPE: Sensor((-3.62, 0.30), 1.00, (-1.63, 0.20), 0.50, (8, 12, 16), (100, 6400)),
    _K.INDUSTRIAL: Sensor((-2.85, 0.25), 1.00, (-1.50, 0.20), 0.45, (8, 10, 12), (100, 1600)),
}

FARTHEST = 1.7
"""Deviations that a camera is at most from its kind's median: nine models in ten lie within."""


@dataclass(frozen=True)
class Development:
    """How cameras of a kind finish pictures; fields as of :class:`CameraSetting`.

    Attributes:
        plain: share of pictures that are raw, developed plainly.
        luma_blur: least and most at no noise; a louder picture's is wider by up to ``more``.
        more: the most that noise adds to it.
        chroma_blur: least and most, the wider the louder.
        chroma_kept: the most of it.
        sharpening: least and most.
        quality: least and most.
        subsampling: each as likely.
    """

    plain: float
    luma_blur: tuple[float, float]
    more: float
    chroma_blur: tuple[float, float]
    chroma_kept: float
    sharpening: tuple[float, float]
    quality: tuple[int, int]
    subsampling: tuple[Subsampling, ...]


_INTERCHANGEABLE = Development(
    0.5, (0.0, 0.3), 0.5, (0.5, 4.5), 0.5, (0.2, 0.8), (93, 99), ("4:2:2", "4:2:2", "4:4:4")
)
DEVELOPMENTS = {
    _K.PHONE: Development(0.1, (0.4, 0.7), 0.4, (2.0, 8.0), 0.3, (0.3, 1.2), (88, 97), ("4:2:0",)),
    _K.COMPACT: Development(
        0.15, (0.2, 0.6), 0.4, (1.0, 6.0), 0.4, (0.3, 1.2), (90, 98), ("4:2:2", "4:2:0")
    ),
    _K.DSLR: _INTERCHANGEABLE,
    _K.MIRRORLESS: _INTERCHANGEABLE,
}

GRAY_SHARE = {_K.MICROSCOPE: 0.75, _K.INDUSTRIAL: 0.5}
"""Share of gray cameras where nothing is said; other kinds have none."""


def draw_camera(
    kind: CameraKind, iso: float, rng: Rng, gray: bool | None = None
) -> CameraSetting | Instrument:
    """Draws a camera of a kind at an ISO.

    Args:
        kind: of the camera.
        iso: of the picture; of a microscope or an industrial camera, 100 times its gain.
        rng: the only source of randomness.
        gray: an instrument without colours, or one with them; as usual for the kind where not said.
    """
    shot, read = _sensor_noise(SENSORS[kind], iso, rng)
    bits = int(rng.choice(SENSORS[kind].bits))
    usual = rng.random() < GRAY_SHARE.get(kind, 0.0)
    if kind not in DEVELOPMENTS and (usual if gray is None else gray):
        return Instrument(
            shot=shot,
            read=read,
            offset=float(rng.uniform(0, 0.03)) if bits > 8 else 0.0,
            gain_pattern=float(rng.uniform(0.001, 0.01)),
            column=float(rng.uniform(0, 0.3)),
            bits=bits,
            seed=int(rng.integers(2**31)),
        )
    noise = min(1.0, max(0.0, (math.log10(shot) + 5.0) / 3.7))
    return replace(
        draw_setting(rng),
        shot=shot,
        read=read,
        bits=bits,
        saturation=float(rng.uniform(0.7, 1.15)),
        dimming=1.0,
        exposures=0,
        **vars(_finishing(kind, noise, rng)),
    )


def _sensor_noise(sensor: Sensor, iso: float, rng: Rng) -> tuple[float, float]:
    """Shot variance per unit of signal, and deviation of the read noise."""
    decades = math.log10(iso / 800)
    apart = rng.standard_normal(2).clip(-FARTHEST, FARTHEST)
    shot = 10 ** (sensor.shot[0] + sensor.shot_rise * decades + sensor.shot[1] * apart[0])
    read = sensor.read[0] + sensor.read_rise * decades + sensor.read[1] * apart[1]
    return float(shot), float(math.sqrt(shot) * 10**read)


def _finishing(kind: CameraKind, noise: float, rng: Rng) -> Finishing:
    """How a camera finishes a picture of so much noise, 0–1."""
    demosaic: Demosaic = "gradient" if rng.random() < 0.6 else "edge"
    way = DEVELOPMENTS.get(kind)
    if way is None:
        return Finishing(curve=gamma_curve(1.0), demosaic=demosaic)
    if rng.random() < way.plain:
        return Finishing(demosaic=demosaic)
    least, most = way.chroma_blur
    return Finishing(
        curve=draw_response(rng),
        demosaic=demosaic,
        luma_blur=rng.uniform(*way.luma_blur) + way.more * noise,
        chroma_blur=least + (most - least) * 0.5 * (noise + rng.random()),
        chroma_kept=rng.uniform(0, way.chroma_kept),
        edge_keeping=rng.uniform(0.3, 0.9),
        sharpening=rng.uniform(*way.sharpening),
        sharpening_radius=rng.uniform(0.6, 1.2),
        quality=int(rng.integers(*way.quality, endpoint=True)),
        subsampling=way.subsampling[int(rng.integers(len(way.subsampling)))],
    )
