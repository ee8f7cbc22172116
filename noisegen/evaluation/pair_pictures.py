"""Reading pairs for comparison: pictures of one kind, scaled by one white level."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from noisegen.errors import ImageError, UsageError
from noisegen.evaluation.pair_files import PairFile, PairFolder
from noisegen.evaluation.protocol import Target
from noisegen.files import (
    Pixels,
    VolumeHeader,
    open_volume,
    read_header,
    read_picture,
    read_volume_header,
    white_level_of,
)

KINDS = {1: "gray", 3: "RGB"}


@dataclass(frozen=True)
class Kind:
    """Properties that pictures must share to be compared.

    Attributes:
        channels: 1 or 3.
        dtype: ``uint8`` or ``uint16``.
    """

    channels: int
    dtype: str

    def __str__(self) -> str:
        return f"{KINDS[self.channels]} of {np.dtype(self.dtype).itemsize * 8} bits"


def kind_of(folder: PairFolder) -> Kind:
    """Kind of a folder's first noisy picture that can be read.

    Raises:
        UsageError: none can.
    """
    reasons = []
    for pair in folder.pairs:
        try:
            if pair.plane is not None:
                with open_volume(pair.noisy) as volume:
                    _check_depth(pair.noisy, volume.header)
                    return Kind(volume.header.plane_channels, volume.header.dtype.name)
            if (volume_header := read_volume_header(pair.noisy)) is not None:
                _check_depth(pair.noisy, volume_header)
            header = read_header(pair.noisy)
        except ImageError as error:
            reasons.append(pair.told(error))
            continue
        return Kind(header.channels, header.dtype.name)
    raise UsageError(f"{folder.where}: no pair can be read; the first is {reasons[0]}")


def read_plane(path: Path, plane: int | None) -> Pixels:
    """Reads the samples, H×W×C, of a picture or of a stack's plane.

    Raises:
        ImageError: it cannot be read, has no such plane, or is of other than 8 or 16 unsigned bits.
    """
    header = read_volume_header(path)
    if plane is None:
        if header is not None:
            _check_depth(path, header)
        return read_picture(path).pixels
    if header is None:
        raise ImageError(path, "is one picture, its counterpart a stack; make them alike")
    with open_volume(path) as volume:
        if plane >= len(volume.header.planes):
            raise ImageError(path, "has fewer planes than its counterpart; make them alike")
        _check_depth(path, volume.header)
        return volume.plane(plane).rows(0, volume.header.height)


def _check_depth(path: Path, header: VolumeHeader) -> None:
    if header.dtype not in (np.uint8, np.uint16):
        reason = f"is of {header.dtype}: to be compared, convert it to 8 or 16 unsigned bits"
        raise ImageError(path, reason)


def read_pair(file: PairFile, kind: Kind, white_level: float = math.inf) -> Target:
    """Reads both pictures of a pair.

    Raises:
        ImageError: one cannot be read, is of another kind or size, or passes the white level.
    """
    noisy, clean = (read_plane(path, file.plane) for path in (file.noisy, file.clean))
    for path, pixels in ((file.noisy, noisy), (file.clean, clean)):
        found = Kind(pixels.shape[2], pixels.dtype.name)
        if found != kind:
            raise ImageError(
                path,
                f"is {found}, not {kind} as the first picture that is compared; compare one kind",
            )
        if pixels.max() > white_level:
            raise ImageError(
                path, f"has values up to {pixels.max()}; give its white level (--white-level)"
            )
    if noisy.shape != clean.shape:
        sizes = " and ".join(f"{p.shape[1]}×{p.shape[0]}" for p in (noisy, clean))
        raise ImageError(file.noisy, f"is not of its clean's size ({sizes}); make them alike")
    return Target(file.name, file.scene, noisy, clean, white_level=white_level)


def find_white_level(files: Iterable[PairFile], kind: Kind) -> float:
    """White level that pictures show: 255 of 8 bits, of 16 bits as references have it.

    Pairs that cannot be read do not count.
    """
    if kind.dtype == "uint8":
        return 255
    return float(white_level_of(_largest_values(files, kind)))


def _largest_values(files: Iterable[PairFile], kind: Kind) -> Iterator[Pixels]:
    yield np.zeros(1, kind.dtype)
    for file in files:
        try:
            pair = read_pair(file, kind)
        except ImageError:
            continue
        yield np.array([max(pair.noisy.max(), pair.clean.max())], kind.dtype)


def same_pictures(
    real: Sequence[PairFile], synth: Sequence[PairFile]
) -> list[tuple[PairFile, PairFile]]:
    """Pairs of either side that have one name, if they show one picture.

    Returns:
        Those of one name, in order; none where not one of them has the same clean on either side,
        pixel for pixel: the names agree by chance then.
    """
    by_name = {file.name: file for file in synth}
    named = [(file, by_name[file.name]) for file in real if file.name in by_name]
    return named if any(_same_clean(a, b) for a, b in named) else []


def _same_clean(one: PairFile, other: PairFile) -> bool:
    try:
        a, b = (read_plane(file.clean, file.plane) for file in (one, other))
    except ImageError:
        return False
    return np.array_equal(a, b)
