"""Reading and writing pictures and volumes: pixels, depth, alpha, profiles, whole files."""

from noisegen.files.atomic import FileContent, write_atomically, write_together
from noisegen.files.encode import encode, lossless_container
from noisegen.files.picture import Container, Header, Picture, PixelHash, Pixels, pixel_hash
from noisegen.files.pillow import STANDARD_TABLE, quality_of_scale
from noisegen.files.planes import Planes
from noisegen.files.read import (
    ImageFile,
    file_hash,
    open_image,
    open_volume,
    read_header,
    read_picture,
    read_planes,
    read_volume_header,
)
from noisegen.files.remarks import gathered
from noisegen.files.tiff_write import write_volume
from noisegen.files.volume import Volume, VolumeHeader
from noisegen.files.white_level import (
    WHITE_LEVELS_16,
    default_white_level,
    level_words,
    quantise,
    to_float,
    white_level_of,
)

__all__ = [
    "STANDARD_TABLE",
    "WHITE_LEVELS_16",
    "Container",
    "FileContent",
    "Header",
    "ImageFile",
    "Picture",
    "PixelHash",
    "Pixels",
    "Planes",
    "Volume",
    "VolumeHeader",
    "default_white_level",
    "encode",
    "file_hash",
    "gathered",
    "level_words",
    "lossless_container",
    "open_image",
    "open_volume",
    "pixel_hash",
    "quality_of_scale",
    "quantise",
    "read_header",
    "read_picture",
    "read_planes",
    "read_volume_header",
    "to_float",
    "white_level_of",
    "write_atomically",
    "write_together",
    "write_volume",
]
