"""What is told of a picture beside its pixels: a gain map left aside, colours that are not sRGB's.

Values are taken as the file has them, whatever colours they stand for.
"""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
from PIL import ImageCms

from noisegen.errors import counted
from noisegen.files.opening import Description
from noisegen.files.picture import Container

GAIN_MAP = "a gain map (HDR) is left aside, the standard picture is taken"
UNREADABLE_PROFILE = (
    "the colour profile of a JPEG XL cannot be read, so pictures written have none; where it is "
    "not sRGB, convert to PNG first"
)

_SRGB_XY = np.array([[0.6484, 0.3309], [0.3212, 0.5979], [0.1559, 0.0660]])
"""sRGB's primaries as profiles have them, adapted to D50 (IEC 61966-2-1; ICC.1:2022, Annex E)."""
_FARTHEST = 0.02
_PRIMARIES = {9: "BT.2020", 11: "DCI-P3", 12: "Display P3"}
_TRANSFERS = {8: "linear", 16: "PQ (HDR)", 18: "HLG (HDR)"}
"""Wide gamuts and HDR curves among the code points of ITU-T H.273, Tables 2 and 3."""


def remarks_of(described: Description, container: Container) -> tuple[str, ...]:
    """What there is to tell of a file, as clauses; most have nothing."""
    found = [GAIN_MAP] if described.gain_map else []
    name = None if described.icc is None else _wide_profile(described.icc)
    coded = None if described.colours is None or described.icc else _coded(*described.colours)
    if name is not None:
        found.append(f"the colour profile {name} is kept, values are taken as they are")
    elif coded is not None:
        found.append(
            f"colours are coded as {coded}, values are taken as they are; no file written says so"
        )
    if container is Container.JPEG_XL and described.channels == 3:
        found.append(UNREADABLE_PROFILE)
    return tuple(found)


def gathered(noun: str, remarks: Iterable[tuple[str, Sequence[str]]]) -> tuple[str, ...]:
    """Tell what is alike of several files at once.

    Args:
        noun: what they are, as ``clean``.
        remarks: each file's name and :func:`remarks_of` it.

    Returns:
        Lines as ``3 cleans, as a.heic: a gain map …``.
    """
    names = defaultdict[str, list[str]](list)
    for name, clauses in remarks:
        for clause in clauses:
            names[clause].append(name)
    return tuple(
        f"{counted(len(each), noun)}, as {each[0]}: {clause}" for clause, each in names.items()
    )


def _wide_profile(icc: bytes) -> str | None:
    """Name of an RGB profile whose primaries are not sRGB's; None of any other."""
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        colorants = [getattr(profile.profile, f"{c}_primary") for c in ("red", "green", "blue")]
        if None in colorants:
            return None
        xy = np.array([xyy[:2] for _, xyy in colorants])
        name = ImageCms.getProfileDescription(profile).strip()
    # A damaged profile is passed on byte for byte, as viewers do.
    except (OSError, ImageCms.PyCMSError, ValueError):
        return None
    return name or "without a name" if np.abs(xy - _SRGB_XY).max() > _FARTHEST else None


def _coded(primaries: int, transfer: int) -> str | None:
    """Name of coded colours that are not sRGB's."""
    words = (_PRIMARIES.get(primaries), _TRANSFERS.get(transfer))
    return " ".join(dict.fromkeys(filter(None, words))) or None
