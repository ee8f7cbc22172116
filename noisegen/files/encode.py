"""A picture → the bytes of a file, in a lossless format at its own depth."""

from __future__ import annotations

from collections.abc import Callable

from noisegen.files import pillow, png, tiff_write
from noisegen.files.picture import Container, Picture

_ENCODERS: dict[Container, Callable[[Picture, int], bytes]] = {
    Container.PNG: png.encode,
    Container.TIFF: tiff_write.encode,
    Container.BMP: pillow.encode_bmp,
}


def lossless_container(container: Container) -> Container:
    """The format that a picture read from ``container`` is written in.

    Noise does not survive JPEG's and WebP's compression, so their pictures become PNG.
    """
    return container if container in _ENCODERS else Container.PNG


def encode(picture: Picture, compression: int = 1) -> bytes:
    """Encode a picture losslessly at its own depth, with its alpha and profile.

    The format is ``lossless_container(picture.container)``. One machine gives equal bytes for
    equal pictures; elsewhere compare ``pixel_hash``, not bytes.

    Args:
        picture: what to encode; ``copyable`` does not count.
        compression: zlib's level, 0 to 9; noise hardly compresses, so more costs time alone.

    Returns:
        The bytes of a whole file.

    Raises:
        ValueError: a BMP picture with alpha, a profile or 16 bits, which no file can have given.
    """
    return _ENCODERS[lossless_container(picture.container)](picture, compression)
