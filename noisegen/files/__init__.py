"""Reading and writing pictures: pixels, depth, alpha, profiles, float planes."""

from noisegen.files.jpeg_quality import STANDARD_TABLE, quality_of_scale
from noisegen.files.picture import Container, Header, Picture, Pixels, pixel_hash
from noisegen.files.planes import (
    default_white_level,
    level_words,
    quantise,
    to_float,
    white_level_of,
)
from noisegen.files.read import read_header, read_jpeg_quality, read_picture
from noisegen.files.write import (
    copy_atomically,
    encode,
    lossless_container,
    write_atomically,
    write_together,
)

__all__ = [
    "STANDARD_TABLE",
    "Container",
    "Header",
    "Picture",
    "Pixels",
    "copy_atomically",
    "default_white_level",
    "encode",
    "level_words",
    "lossless_container",
    "pixel_hash",
    "quality_of_scale",
    "quantise",
    "read_header",
    "read_jpeg_quality",
    "read_picture",
    "to_float",
    "white_level_of",
    "write_atomically",
    "write_together",
]
