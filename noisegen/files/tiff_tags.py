"""The tags of a TIFF page as bytes: taken over from one file, put into another."""

from __future__ import annotations

import json
import re
import struct
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

import tifffile

from noisegen.files.description import RefusedError
from noisegen.files.tiff_support import PALETTE

SHORT, LONG, LONG8 = 3, 4, 16
_ASCII, _IFD, _IFD8 = 2, 13, 18
_CODES = {SHORT: "H", LONG: "I", LONG8: "Q"}
_MOST_BYTES = 2**27

DESCRIPTION, ORIENTATION = 270, 274
# How the samples are stored, which the writer says anew; extremes, previews and layers, which are
# those of the clean; and places of other data in the old file.
_LEFT_OUT = frozenset(
    {
        *(256, 257, 258, 259, 262, 266, 273, 277, 278, 279, 280, 281, 284, 288, 289, 292, 293),
        *(
            317,
            320,
            322,
            323,
            324,
            325,
            330,
            339,
            340,
            341,
            347,
            *range(512, 522),
            529,
            530,
            531,
            532,
        ),
        *(34377, 34665, 34853, 37724, 40965),
    }
)
# Where a picture lies on the Earth: a crop of it lies elsewhere.
_PLACE = frozenset({33550, 33922, 34264, 34735, 34736, 34737})


@dataclass(frozen=True)
class Entry:
    """One tag.

    Attributes:
        code: its number.
        kind: TIFF's number of its values' type.
        count: how many values it has.
        data: these, in the file's byte order.
    """

    code: int
    kind: int
    count: int
    data: bytes


def numbers(code: int, kind: int, values: Sequence[int], order: str) -> Entry:
    """A tag of integers, in the byte order ``<`` or ``>``."""
    return Entry(
        code, kind, len(values), struct.pack(f"{order}{len(values)}{_CODES[kind]}", *values)
    )


def kept_entries(
    page: tifffile.TiffPage, file: BinaryIO, size: tuple[int, int], *, turned: bool, identity: str
) -> list[Entry]:
    """The tags of a page that hold for its noisy version: description, profile and others.

    Args:
        page: whose tags.
        file: that it was read from.
        size: height and width of the new page; a crop's are smaller.
        turned: the new page is upright, the old is not.
        identity: what tells the new file from the old one and from other noisy versions.

    Raises:
        RefusedError: they take more than 128 MiB.
    """
    is_moved = turned or size != (page.imagelength, page.imagewidth)
    tags = [
        tag
        for tag in page.tags.values()
        if tag.code not in _LEFT_OUT
        and tag.dtype not in (_IFD, _IFD8)
        and not (turned and tag.code == ORIENTATION)
        and not (is_moved and tag.code in _PLACE)
    ]
    if sum(tag.valuebytecount for tag in tags) > _MOST_BYTES:
        raise RefusedError("its metadata take more than 128 MiB: save it without them")
    return [_entry(tag, page, file, size, identity) for tag in tags]


def _entry(
    tag: tifffile.TiffTag,
    page: tifffile.TiffPage,
    file: BinaryIO,
    size: tuple[int, int],
    identity: str,
) -> Entry:
    file.seek(tag.valueoffset)
    data = file.read(tag.valuebytecount)
    if len(data) != tag.valuebytecount:
        raise RefusedError("its metadata are cut short: get an intact copy of the file")
    if tag.code == DESCRIPTION:
        data = _described(data, page, size, identity)
        return Entry(DESCRIPTION, _ASCII, len(data), data)
    return Entry(tag.code, int(tag.dtype), tag.count, data)


def _described(data: bytes, page: tifffile.TiffPage, size: tuple[int, int], identity: str) -> bytes:
    """The description, true of the new file: in OME its identity and size, in tifffile's size."""
    if b"<OME" in data:
        return _ome(data, size, identity)
    if data.startswith(b"{") and b'"shape"' in data:
        return _shaped(data, page, size)
    return data


def _ome(data: bytes, size: tuple[int, int], identity: str) -> bytes:
    # An OME file has a UUID of its own, by which readers put together sets of files: noisy and
    # clean must not be taken for one. The file names beside it are optional, and would be wrong
    # where a noisy file is called otherwise.
    own = re.search(rb"<(?:\w+:)?OME\b[^>]*?\bUUID=\"([^\"]+)\"", data)
    if own is not None:
        name = own[1].decode("ascii", "replace") + identity
        new = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, name)}".encode()
        for before, after in ((b'UUID="', b'"'), (b">", b"<")):
            data = data.replace(before + own[1] + after, before + new + after)
    data = re.sub(rb'(<(?:\w+:)?UUID)\s+FileName="[^"]*"', rb"\1", data)
    for axis, side in ((b"Y", size[0]), (b"X", size[1])):
        data = re.sub(rb'\bSize%s="\d+"' % axis, b'Size%s="%d"' % (axis, side), data)
    return data


def _shaped(data: bytes, page: tifffile.TiffPage, size: tuple[int, int]) -> bytes:
    meta = json.loads(data.rstrip(b"\0"))
    shape = list(meta["shape"])
    together = page.samplesperpixel > 1 and page.planarconfig == 1
    sides = slice(-3, -1) if together else slice(-2, None)
    if shape[sides] == [page.imagelength, page.imagewidth]:
        shape[sides] = size
        if page.photometric == PALETTE:
            # The samples of the colours that the palette was expanded to.
            shape.append(3)
            meta |= {"axes": meta["axes"] + "S"} if "axes" in meta else {}
        meta["shape"] = shape
    return json.dumps(meta).encode() + b"\0"


def directories(pages: Sequence[Sequence[Entry]], start: int, order: str, big: bool) -> bytes:
    """Image file directories, each followed by its values, chained in order.

    Args:
        pages: tags of each.
        start: offset of the first in the file, even.
        order: byte order, ``<`` or ``>``.
        big: as BigTIFF.

    Returns:
        Their bytes; the length depends on the tags' lengths alone.
    """
    out = bytearray()
    for number, entries in enumerate(pages):
        out += _directory(entries, start + len(out), number == len(pages) - 1, order, big)
    return bytes(out)


def _directory(entries: Sequence[Entry], at: int, last: bool, order: str, big: bool) -> bytes:
    count, head, inline = ("Q", "HHQ", 8) if big else ("H", "HHI", 4)
    offset = "Q" if big else "I"
    values_at = (
        at
        + struct.calcsize(f"<{count}{offset}")
        + len(entries) * (struct.calcsize(f"<{head}") + inline)
    )
    table, values = bytearray(struct.pack(order + count, len(entries))), bytearray()
    for entry in sorted(entries, key=lambda entry: entry.code):
        table += struct.pack(order + head, entry.code, entry.kind, entry.count)
        if len(entry.data) <= inline:
            table += entry.data.ljust(inline, b"\0")
        else:
            values += bytes((values_at + len(values)) % 2)
            table += struct.pack(order + offset, values_at + len(values))
            values += entry.data
    values += bytes(-(values_at + len(values)) % 8)
    following = 0 if last else values_at + len(values)
    return bytes(table + struct.pack(order + offset, following) + values)


def header(first: int, order: str, big: bool) -> bytes:
    """The first bytes of a file, with the offset of its first directory."""
    mark = b"II" if order == "<" else b"MM"
    if big:
        return mark + struct.pack(order + "HHHQ", 43, 8, 0, first)
    return mark + struct.pack(order + "HI", 42, first)
