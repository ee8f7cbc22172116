"""Writing: a picture → bytes of a lossless format; bytes → a file that is whole or not there."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, TypeAlias

from noisegen.errors import ImageError, OutputError
from noisegen.files import bmp, png, tiff
from noisegen.files.picture import Container, Picture

Content: TypeAlias = bytes | Path | Callable[[BinaryIO], None]
"""Of a file that is written: its bytes, the file to copy, or what writes it into an empty file."""

_ENCODERS: dict[Container, Callable[[Picture, int], bytes]] = {
    Container.PNG: png.encode,
    Container.TIFF: tiff.encode,
    Container.BMP: bmp.encode,
}
_COPY_BYTES = 2**20
_WAYS_OUT = {
    errno.ENOSPC: "free some space there or choose another folder",
    errno.EDQUOT: "free some space there or choose another folder",
    errno.EACCES: "choose a folder that you may write to",
    errno.EPERM: "choose a folder that you may write to",
    errno.EROFS: "choose a folder that you may write to",
    errno.ENOENT: "make the folder first",
    errno.ENAMETOOLONG: "choose a shorter name",
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


def write_atomically(path: str | Path, data: bytes) -> None:
    """Write a file that appears whole or not at all; one that is there is replaced.

    Args:
        path: the file; its folder must exist.
        data: the whole content.

    Raises:
        OutputError: the disk is full, the folder is missing or may not be written.
    """
    write_together([(Path(path), data)])


def copy_atomically(source: str | Path, target: str | Path) -> None:
    """Copy a file's bytes to one that appears whole or not at all; metadata is not copied.

    Args:
        source: the file to copy.
        target: the copy, replaced if it is there; its folder must exist.

    Raises:
        ImageError: the source cannot be read.
        OutputError: the disk is full, the folder is missing or may not be written.
    """
    write_together([(Path(target), Path(source))])


def write_together(files: Sequence[tuple[Path, Content]], within: Path | None = None) -> None:
    """Write several files that belong together: none appears before all are safely on the disk.

    Args:
        files: each file with its content, the file to copy it from, or what writes it; the latter
            may raise errors of its own, which go through once nothing is left behind.
        within: folder for the temporary names, on the same volume; each file's own where not given.

    Raises:
        ImageError: a file to copy cannot be read.
        OutputError: the disk is full, a folder is missing or may not be written.
    """
    staged: list[tuple[Path, Path]] = []
    try:
        for path, content in files:
            # A random name of its own, not one made from the target's, which may already be as
            # long as the file system allows.
            temporary = (within or path.parent) / f".{secrets.token_hex(8)}.part"
            staged.append((temporary, path))
            _stage(temporary, path, content)
        for temporary, path in staged:
            _rename(temporary, path)
    finally:
        for temporary, _ in staged:
            _remove(temporary)


def _stage(temporary: Path, path: Path, content: Content) -> None:
    try:
        with temporary.open("xb") as file:
            if isinstance(content, bytes):
                file.write(content)
            elif isinstance(content, Path):
                for chunk in _chunks_of(content):
                    file.write(chunk)
            else:
                content(file)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise OutputError(_reason(path, error)) from error


def _chunks_of(source: Path) -> Iterator[bytes]:
    try:
        with source.open("rb") as file:
            while chunk := file.read(_COPY_BYTES):
                yield chunk
    except OSError as error:
        raise ImageError(source, f"cannot be copied: {error.strerror or error}") from error


def _rename(temporary: Path, path: Path) -> None:
    try:
        temporary.replace(path)
    except OSError as error:
        raise OutputError(_reason(path, error)) from error


def _remove(temporary: Path) -> None:
    """Take a file that was not renamed away; the error that stopped it is the one to report."""
    try:
        temporary.unlink(missing_ok=True)
    except OSError:
        return


def _reason(path: Path, error: OSError) -> str:
    way_out = _WAYS_OUT.get(error.errno or 0, "choose another folder")
    return f"{path}: cannot be written ({error.strerror or error}): {way_out}"
