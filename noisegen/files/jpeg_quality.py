"""Quality of a JPEG on libjpeg's scale, by its luminance quantisation table."""

from __future__ import annotations

from collections.abc import Sequence

STANDARD_TABLE = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
"""Luma's steps at quality 50 (ITU-R T.81, Table K.1); rows of rising vertical frequency."""


def quality_of_scale(scale: float) -> float:
    """The quality, up to 100, at which libjpeg's steps are the standard ones times ``scale``.

    ``jpeg_quality_scaling`` of libjpeg's ``jcparam.c``, the other way round.
    """
    return 50 / scale if scale > 1 else 100 - 50 * scale


def quality_of_table(table: Sequence[int]) -> float:
    """The quality of libjpeg's that is nearest to 64 steps of the luma, in any order."""
    return quality_of_scale(sum(table) / sum(map(sum, STANDARD_TABLE)))
