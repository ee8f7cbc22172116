"""Pictures as phones write them, by the libraries that read them."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray


def heif_bytes(pixels: NDArray[Any], **options: Any) -> bytes:
    """A HEIC file of H×W×3 or H×W×4 samples."""
    pillow_heif = pytest.importorskip("pillow_heif", reason="pillow-heif is not installed")
    height, width, channels = pixels.shape
    mode = ("RGB" if channels == 3 else "RGBA") + (";16" if pixels.dtype == np.uint16 else "")
    made = pillow_heif.from_bytes(mode, (width, height), pixels.tobytes())
    buffer = io.BytesIO()
    made.save(buffer, quality=-1, chroma=444, matrix_coefficients=0, **options)
    return buffer.getvalue()
