"""Which format a file is in, told by its first bytes and never by its name."""

from __future__ import annotations

from noisegen.files.description import RefusedError
from noisegen.files.picture import Container

LEAD_BYTES = 16
"""How many first bytes tell the format."""

_CONTAINERS = (
    (b"\x89PNG\r\n\x1a\n", Container.PNG),
    (b"\xff\xd8\xff", Container.JPEG),
    (b"II*\0", Container.TIFF),
    (b"MM\0*", Container.TIFF),
    (b"II+\0", Container.TIFF),
    (b"MM\0+", Container.TIFF),
    (b"BM", Container.BMP),
    (b"GIF8", Container.GIF),
    (b"P4", Container.PNM),
    (b"P5", Container.PNM),
    (b"P6", Container.PNM),
)

# Formats that users of cameras and microscopes have, so that the refusal can name them.
_KNOWN_OTHERS = (
    (b"\xff\x0a", "JPEG XL"),
    (b"\0\0\0\x0cJXL ", "JPEG XL"),
    (b"\0\0\0\x0cjP  ", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"8BPS", "Photoshop"),
    (b"\x76\x2f\x31\x01", "OpenEXR"),
    (b"FUJIFILMCCD-RAW", "camera raw"),
    (b"SIMPLE  =", "FITS"),
    (b"\x89HDF", "HDF5"),
    (b"%PDF", "PDF"),
    (b"P1", "plain-text PBM"),
    (b"P2", "plain-text PGM"),
    (b"P3", "plain-text PPM"),
    (b"P7", "PAM"),
)

_WAY_OUT = "noisegen reads PNG, JPEG, TIFF, WebP, BMP, GIF and PNM: convert it to PNG or TIFF"


def container_of(lead: bytes) -> Container:
    """The format that a file's first :data:`LEAD_BYTES` bytes announce.

    Raises:
        RefusedError: it is none that is read; known ones are named.
    """
    if lead[:4] == b"RIFF" and lead[8:12] == b"WEBP":
        return Container.WEBP
    for magic, container in _CONTAINERS:
        if lead.startswith(magic):
            return container
    if lead[4:8] == b"ftyp":
        raise RefusedError(f"a HEIF, AVIF or video file, which is not supported; {_WAY_OUT}")
    for magic, name in _KNOWN_OTHERS:
        if lead.startswith(magic):
            raise RefusedError(f"a {name} file, which is not supported; {_WAY_OUT}")
    raise RefusedError(f"not an image in a known format; {_WAY_OUT}")
