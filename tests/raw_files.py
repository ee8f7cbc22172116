"""Camera raw files of known light, for the tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

_BYTE, _ASCII, _SHORT, _RATIONAL, _SRATIONAL = 1, 2, 3, 5, 10
XYZ_TO_SRGB = (3.2406, -1.5372, -0.4986, -0.9689, 1.8758, 0.0415, 0.0557, -0.2040, 1.0570)
BLACK, WHITE = 64, 4095


def write_dng(path: Path, light: NDArray[Any]) -> Path:
    """A Bayer mosaic (RGGB) of gray light in [0, 1], of a camera whose colours are sRGB's."""
    counts = np.rint(BLACK + light * (WHITE - BLACK)).astype(np.uint16)
    matrix = tuple(n for value in XYZ_TO_SRGB for n in (round(value * 10000), 10000))
    tags = [
        (271, _ASCII, 0, "Tests", True),
        (272, _ASCII, 0, "Mosaic", True),
        (33421, _SHORT, 2, (2, 2), True),
        (33422, _BYTE, 4, bytes((0, 1, 1, 2)), True),
        (50706, _BYTE, 4, bytes((1, 4, 0, 0)), True),
        (50708, _ASCII, 0, "Tests Mosaic", True),
        (50714, _SHORT, 1, BLACK, True),
        (50717, _SHORT, 1, WHITE, True),
        (50721, _SRATIONAL, 9, matrix, True),
        (50728, _RATIONAL, 3, (1, 1) * 3, True),
        (50778, _SHORT, 1, 21, True),
    ]
    tifffile.imwrite(path, counts, photometric=32803, extratags=tags, metadata=None)
    return path
