"""The tags of a volume's page that its noisy version keeps."""

from __future__ import annotations

import json
import re
import uuid
from typing import Any, TypeAlias

import tifffile

from noisegen.files.opening import RefusedError
from noisegen.files.tiff_page import PALETTE, Page
from noisegen.files.volume import Volume

_MOST_TAG_BYTES = 2**27

_DESCRIPTION, _ORIENTATION = 270, 274
# How the samples are stored, and what else is said anew; extremes, previews and layers, which are
# those of the clean; and places of other data in the old file.
_LEFT_OUT = frozenset(
    (
        *(254, 256, 257, 258, 259, 262, 266, 273, *range(277, 285), 288, 289, 292, 293, 296),
        *(317, 320, *range(322, 326), 330, *range(338, 342), 347, 400, *range(512, 522)),
        *(*range(529, 533), 32997, 32998, 34377, 34665, 34853, 37724, 40965),
    )
)
# Where a picture lies on the Earth: a crop of it lies elsewhere.
_PLACE = frozenset({33550, 33922, 34264, 34735, 34736, 34737})
TagTuple: TypeAlias = tuple[int, int, int, Any, bool]
"""Code, type, count, value, and whether the first page alone says it: as tifffile wants it."""

_RATIONALS, _IFDS = (5, 10), (13, 18)


def kept_tags(page: Page, volume: Volume, size: tuple[int, int], identity: str) -> list[TagTuple]:
    """The tags of a page that hold for its noisy version: description, profile and others.

    Args:
        page: whose tags.
        volume: that it belongs to.
        size: height and width of the new page; a crop's are smaller.
        identity: what tells the new file from the old one and from other noisy versions.

    Raises:
        RefusedError: they take more than 128 MiB, or are cut short.
    """
    is_moved = volume.is_turned or size != (page.height, page.width)
    left_out = _LEFT_OUT | (_PLACE if is_moved else set())
    left_out |= {_ORIENTATION} if volume.is_turned else set()
    tags = [
        tag for tag in page.raw.tags.values() if tag.code not in left_out and tag.dtype not in _IFDS
    ]
    if sum(tag.valuebytecount for tag in tags) > _MOST_TAG_BYTES:
        raise RefusedError("its metadata take more than 128 MiB: save it without them")
    last = volume.described_pages[-1].raw.tags
    kept: list[TagTuple] = []
    for tag in tags:
        # tifffile counts the bytes of rationals twice.
        value = tag.value if tag.dtype in _RATIONALS else _stored(tag, page)
        if tag.code == _DESCRIPTION:
            value = _described(value, page, size, identity)
        # Of pages that are written together, the first alone says what the last does not.
        kept.append((tag.code, int(tag.dtype), tag.count, value, tag.code not in last))
    return kept


def _stored(tag: tifffile.TiffTag, page: Page) -> bytes:
    """A tag's value, byte for byte."""
    page.file.seek(tag.valueoffset)
    data: bytes = page.file.read(tag.valuebytecount)
    if len(data) != tag.valuebytecount:
        raise RefusedError("its metadata are cut short: get an intact copy of the file")
    return data


def _described(data: bytes, page: Page, size: tuple[int, int], identity: str) -> bytes:
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


def _shaped(data: bytes, page: Page, size: tuple[int, int]) -> bytes:
    meta = json.loads(data.rstrip(b"\0"))
    shape = list(meta["shape"])
    together = page.stored_samples > 1 and not page.is_apart
    sides = slice(-3, -1) if together else slice(-2, None)
    if shape[sides] == [page.height, page.width]:
        shape[sides] = size
        if page.colours == PALETTE:
            # The samples of the colours that the palette was expanded to.
            shape.append(3)
            meta |= {"axes": meta["axes"] + "S"} if "axes" in meta else {}
        meta["shape"] = shape
    return json.dumps(meta).encode() + b"\0"
