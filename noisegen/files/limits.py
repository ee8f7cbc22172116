"""How large a picture a file may declare, looked at before anything is decoded."""

from __future__ import annotations

from noisegen.files.description import RefusedError

MAX_SAMPLES = 2**31
"""Most samples (width × height × samples of a pixel) of one picture: 715 megapixels of RGB."""

MAX_SAMPLES_PER_BYTE = 4096
"""Most samples a byte of the file may stand for, once there are more than :data:`FREE_SAMPLES`.

Deflate, the densest common compression, cannot pass 1,032 bytes a byte."""

FREE_SAMPLES = 2**28
"""Pictures up to this many samples are decoded however small their file is: a plain surface
compresses without bound in some formats, and this much memory does no harm. TIFFs beyond it are
read by rows."""


def check_declared_size(
    width: int, height: int, samples: int, file_size: int, *, by_rows: bool = False
) -> None:
    """Refuse a picture that is empty, too large, or absurdly large for its file.

    Args:
        width: declared columns.
        height: declared rows.
        samples: samples of a pixel.
        file_size: bytes of the whole file.
        by_rows: it is never in memory as a whole, so that only its file limits its size.

    Raises:
        RefusedError: the declared size is outside the limits.
    """
    if width < 1 or height < 1:
        raise RefusedError(f"declares an empty picture of {width}×{height} pixels")
    total = width * height * samples
    declared = f"declares {width}×{height} pixels of {samples} samples"
    if total > MAX_SAMPLES and not by_rows:
        raise RefusedError(
            f"{declared}, more than the limit of {MAX_SAMPLES} samples: cut it into smaller images"
        )
    if total > FREE_SAMPLES and total > MAX_SAMPLES_PER_BYTE * file_size:
        raise RefusedError(
            f"{declared} in a file of {file_size} bytes, which cannot hold them: "
            "the file is damaged or made to exhaust memory"
        )
