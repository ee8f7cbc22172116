"""The chain of a TIFF's pages: whether it is whole."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import tifffile

from noisegen.files.description import RefusedError


def check_chain(tiff: tifffile.TiffFile) -> None:
    """Every page names the next one, the last says that it is the last, and their tags are there.

    tifffile takes a chain that breaks off for one that ends: pages would be lost without a word.

    Raises:
        RefusedError: it breaks off, goes in a circle, or a tag that pixels depend on is cut short.
    """
    form, handle = tiff.tiff, tiff.filehandle
    handle.seek(8 if tiff.is_bigtiff else 4)
    (offset,) = struct.unpack(form.offsetformat, handle.read(form.offsetsize))
    seen = set()
    while offset:
        if offset in seen or offset + form.tagnosize > handle.size:
            raise RefusedError(_BROKEN)
        seen.add(offset)
        handle.seek(offset)
        (count,) = struct.unpack(form.tagnoformat, handle.read(form.tagnosize))
        end = offset + form.tagnosize + count * form.tagsize
        if end + form.offsetsize > handle.size:
            raise RefusedError(_BROKEN)
        entries = handle.read(count * form.tagsize)
        _check_values([entries[at:] for at in range(0, len(entries), form.tagsize)], tiff)
        (offset,) = struct.unpack(form.offsetformat, handle.read(form.offsetsize))


def _check_values(entries: Sequence[bytes], tiff: tifffile.TiffFile) -> None:
    """The values of the tags that pixels depend on lie in the file: tifffile leaves out others."""
    form = tiff.tiff
    for entry in entries:
        code, kind = struct.unpack_from(form.byteorder + "HH", entry)
        (count,) = struct.unpack_from(form.offsetformat, entry, 4)
        size = count * _BYTES.get(kind, 1)
        if code in _NEEDED and size > form.offsetsize:
            (start,) = struct.unpack_from(form.offsetformat, entry, 4 + form.offsetsize)
            if start + size > tiff.filehandle.size:
                raise RefusedError(f"the values of its tag {code} are cut short: {_INTACT}")


_INTACT = "get an intact copy of the file"
# By TIFF's numbers of types.
_BYTES = {3: 2, 4: 4, 5: 8, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
# Bits, description (OME, ImageJ), strips, palette, tiles, kinds of samples, JPEG's tables, profile,
# ImageJ's metadata.
_NEEDED = frozenset({258, 270, 273, 279, 320, 324, 325, 338, 339, 347, 34675, 50838, 50839})
_BROKEN = f"the chain of the TIFF's pages breaks off: {_INTACT}"
