"""Which pages of a TIFF belong to which channel, as OME, ImageJ and tifffile write it down.

Read here rather than from tifffile's series, which fill up what is missing with zeros, open other
files, and reserve memory for as many planes as a header claims.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

import numpy as np
import tifffile

from noisegen.files.opening import RefusedError

_LONGEST_NAME = 40
_SAVE = "save it as an OME or ImageJ TIFF that holds all of them"


@dataclass(frozen=True)
class PageOrder:
    """The pictures of a stack, by channel.

    Attributes:
        channels: names fit for file names, all different.
        planes: indices of each channel's pictures, one a frame; as many in every channel.
        in_one_page: the file has one page, after whose data those of all other pictures follow.
    """

    channels: tuple[str, ...]
    planes: tuple[tuple[int, ...], ...]
    in_one_page: bool = False


def order_of(tiff: tifffile.TiffFile) -> PageOrder:
    """Find how the pictures of an opened TIFF are arranged by channel and frame.

    Raises:
        RefusedError: what it says of them contradicts itself or its pages.
    """
    first = tiff.pages[0]
    # One page of a set of files is one picture, whatever its description says of the others.
    if "<OME" in first.description and len(tiff.pages) > 1:
        return _of_ome(ElementTree.fromstring(first.description), len(tiff.pages))
    # Thumbnails say of themselves that they are smaller copies of another page.
    pages = [index for index in range(len(tiff.pages)) if not tiff.pages[index].is_reduced]
    order, sizes = _stated_sizes(tiff, first)
    if math.prod(sizes.values()) == 1:
        order, sizes = "t", {"t": len(pages)}
    count = math.prod(sizes.values())
    if count != len(pages) and len(pages) != 1:
        raise RefusedError(
            f"says that it holds {count} pictures, but has {len(pages)} pages: {_SAVE}"
        )
    in_one_page = count > len(pages)
    if in_one_page and count * max(first.nbytes, 1) > tiff.filehandle.size:
        raise RefusedError(
            f"says that it holds {count} pictures, but is cut short or compressed: get an intact "
            "copy of the file"
        )
    channels = sizes.get("c", 1)
    planes = _by_channel(order, sizes, range(count) if in_one_page else pages)
    return PageOrder(channel_names([None] * channels), planes, in_one_page)


def channel_names(names: Sequence[str | None]) -> tuple[str, ...]:
    """Names of letters, digits, - and _ only; ``c0``, ``c1``, … where there is none to go by."""
    plain = [re.sub(r"[^A-Za-z0-9_]+", "-", name or "").strip("-") for name in names]
    plain = [name[:_LONGEST_NAME] or f"c{index}" for index, name in enumerate(plain)]
    # Names that differ in case only share a file on some systems.
    shared = Counter(name.lower() for name in plain)
    if max(shared.values()) > 1:
        plain = [f"c{index}-{name}" for index, name in enumerate(plain)]
    return tuple(plain)


def _stated_sizes(tiff: tifffile.TiffFile, first: tifffile.TiffPage) -> tuple[str, dict[str, int]]:
    """Axes of the pages, the fastest first, and their lengths; none where nothing is said."""
    if tiff.is_imagej:
        meta = tiff.imagej_metadata or {}
        sizes = {axis: _count(meta, key) for axis, key in _IMAGEJ_AXES.items()}
        # Bio-Formats also calls the samples of a pixel channels.
        if sizes["c"] == first.samplesperpixel:
            sizes["c"] = 1
        if math.prod(sizes.values()) == 1:
            sizes["t"] = _count(meta, "images")
        order = str(meta.get("order", "czt")).lower()
        return (order if sorted(order) == sorted(sizes) else "czt"), sizes
    if first.description.startswith("{") and '"shape"' in first.description:
        return _shaped_sizes(json.loads(first.description), first)
    return "", {}


_IMAGEJ_AXES = {"c": "channels", "z": "slices", "t": "frames"}


def _count(meta: Mapping[str, Any], key: str) -> int:
    count = int(meta.get(key, 1))
    if count < 1:
        raise RefusedError(f"says that it holds {count} {key}: {_SAVE}")
    return count


def _shaped_sizes(meta: dict[str, Any], first: tifffile.TiffPage) -> tuple[str, dict[str, int]]:
    """Read tifffile's description: the array's shape, and its axes where they were given."""
    shape = [int(side) for side in meta["shape"]]
    pictures, rest = divmod(math.prod(shape), math.prod(first.shaped))
    if rest or pictures < 1:
        raise RefusedError(f"says that its shape is {shape}, which its pages cannot hold: {_SAVE}")
    axes = str(meta.get("axes", "")).lower()
    leading = axes.split("y")[0].removesuffix("s")
    named = len(axes) == len(shape) and leading.count("c") <= 1
    if named and math.prod(shape[: len(leading)]) == pictures:
        # Other axes may repeat a letter, so they go by their place.
        order = "".join(
            axis if axis == "c" else chr(ord("A") + k) for k, axis in enumerate(leading)
        )
        return order[::-1], dict(zip(order, shape[: len(leading)], strict=True))
    return "q", {"q": pictures}


def _by_channel(
    order: str, sizes: Mapping[str, int], pages: Sequence[int]
) -> tuple[tuple[int, ...], ...]:
    """Pages of each channel, in their own order.

    Args:
        order: axes of the pages, the fastest first.
        sizes: of each axis; their product is the number of pages.
        pages: indices.
    """
    grid = np.array(pages).reshape([sizes[axis] for axis in reversed(order)])
    if "c" not in order:
        return (tuple(grid.ravel().tolist()),)
    apart = np.moveaxis(grid, len(order) - 1 - order.index("c"), 0)
    return tuple(tuple(channel.ravel().tolist()) for channel in apart)


def _of_ome(root: ElementTree.Element, pages: int) -> PageOrder:
    """The layout that OME-XML describes; several images of it are frames, one after the other."""
    names: list[str | None] = []
    planes: list[tuple[int, ...]] = []
    for pixels in root.findall(".//{*}Pixels"):
        samples, found = _ome_channels(pixels)
        order = pixels.attrib["DimensionOrder"][2:].lower()
        sizes = {axis: _count(pixels.attrib, f"Size{axis.upper()}") for axis in "czt"}
        if sizes["c"] % samples or sorted(order) != ["c", "t", "z"]:
            raise RefusedError(f"its OME description contradicts itself: {_SAVE}")
        sizes["c"] //= samples
        count = math.prod(sizes.values())
        if count > pages:
            raise RefusedError(
                f"its OME description speaks of {count} planes, but it has {pages} pages; the "
                f"others may lie in other files: {_SAVE}"
            )
        by_channel = _by_channel(order, sizes, _ome_pages(root, pixels, order, sizes, pages))
        if planes and len(planes) != len(by_channel):
            raise RefusedError("holds images of different channels: save one image a file")
        planes = [
            before + more
            for before, more in zip(planes or [()] * len(by_channel), by_channel, strict=True)
        ]
        names = names or [*found, *[None] * len(by_channel)][: len(by_channel)]
    if not planes:
        raise RefusedError(f"its OME description speaks of no picture: {_SAVE}")
    return PageOrder(channel_names(names), tuple(planes))


def _ome_channels(pixels: ElementTree.Element) -> tuple[int, list[str | None]]:
    """Samples of a pixel, and the channels' names."""
    channels = pixels.findall("{*}Channel")
    samples = {_count(channel.attrib, "SamplesPerPixel") for channel in channels} or {1}
    if len(samples) > 1:
        raise RefusedError(f"some of its channels are gray, others are not: {_SAVE}")
    return samples.pop(), [channel.get("Name") for channel in channels]


def _ome_pages(
    root: ElementTree.Element,
    pixels: ElementTree.Element,
    order: str,
    sizes: Mapping[str, int],
    pages: int,
) -> list[int]:
    """The page of each plane, planes in the description's order."""
    count = math.prod(sizes.values())
    found: dict[int, int] = {}
    for plane, page in _ome_planes(root, pixels, order, sizes):
        if plane in found or not 0 <= page < pages:
            raise RefusedError(f"its OME description names a wrong page: {_SAVE}")
        found[plane] = page
    if len(found) != count:
        raise RefusedError(
            f"its OME description names the pages of {len(found)} planes out of {count}: {_SAVE}"
        )
    return [found[plane] for plane in range(count)]


def _ome_planes(
    root: ElementTree.Element, pixels: ElementTree.Element, order: str, sizes: Mapping[str, int]
) -> Iterator[tuple[int, int]]:
    """Planes and their pages, as the TiffData elements say."""
    count = math.prod(sizes.values())
    own = root.get("UUID")
    for data in pixels.findall("{*}TiffData"):
        file = data.find("{*}UUID")
        if file is not None and own is not None and file.text != own:
            raise RefusedError(f"parts of it lie in other files: {_SAVE}")
        start, stride = 0, 1
        for axis in order:
            start += stride * int(data.get(f"First{axis.upper()}", 0))
            stride *= sizes[axis]
        said = data.get("PlaneCount", data.get("NumPlanes", 1 if "IFD" in data.attrib else count))
        for step in range(min(int(said), count - start)):
            yield start + step, int(data.get("IFD", 0)) + step
