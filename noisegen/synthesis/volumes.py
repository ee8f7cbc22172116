"""Noise on a volume: a TIFF of several planes, of floats or 32 bits, or larger than memory.

What a caller does, for one noisy version of one file::

    header = read_volume_header(path)      # noisegen.files; None: a plain picture
    # header.plane_channels is 1 or 3, as NoiseProfile.channels: draw among the profiles that fit
    profiles = profiles_of_channels(given, header.channels) or (drawn,)  # one, or one a channel
    pairs = volume_version(path, profiles, synthesizer, Version(seed, key, variant, strength))
    for pair in pairs:                           # one, or one a region
        write_together([(clean_path, pair.clean), (noisy_path, pair.noisy)])
        pair.hashes                              # of both files' pixels, known by now

The planes of a volume go one by one, those of a page's samples side by side, each in bands of rows;
every plane has a field of its own. Plane 0 of a single picture has the very pixels that
:meth:`Synthesizer.synthesize` gives. Alpha goes through as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from noisegen.files import (
    FileContent,
    PixelHash,
    Volume,
    VolumeHeader,
    open_image,
    open_volume,
    write_volume,
)
from noisegen.profiles.profile import NoiseProfile
from noisegen.synthesis.blocks import Region
from noisegen.synthesis.clean_rows import band_rows
from noisegen.synthesis.levels import CleanError, Levels
from noisegen.synthesis.synthesizer import PlaneNoise, Synthesizer, Version

Samples = NDArray[Any]


@dataclass(frozen=True)
class Written:
    """How a volume's files are written.

    Attributes:
        compression: zlib's level.
        band: rows that are generated at a time, chosen where not given; no file changes with them.
    """

    compression: int = 1
    band: int | None = None


AS_USUAL = Written()


@dataclass(frozen=True)
class VolumeNoise:
    """All that decides the noise of a volume.

    Attributes:
        synthesizer: that makes it.
        version: of the file.
        planes: noise of each plane.
        band: rows that are generated at a time.
    """

    synthesizer: Synthesizer
    version: Version
    planes: tuple[PlaneNoise, ...]
    band: int

    def noisy_bands(self, volume: Volume, region: Region, clean: PixelHash) -> Iterator[Samples]:
        """A region's noisy rows of all pages; the clean ones are hashed on the way."""
        planes = volume.header.planes
        for page in range(volume.header.pages):
            here = [index for index, plane in enumerate(planes) if plane.page == page]
            # The samples of a pixel are written together, so that their planes keep in step.
            by_plane = (
                self.synthesizer.synthesize_bands(
                    volume.plane(index), region, self.planes[index], self.band
                )
                for index in here
            )
            rows = self.clean_bands(volume, page, region)
            for stored, noisy in zip(rows, zip(*by_plane, strict=True), strict=True):
                clean.update(stored)
                out = stored.copy()
                for index, pixels in zip(here, noisy, strict=True):
                    out[:, :, planes[index].samples] = pixels
                yield out

    def clean_bands(self, volume: Volume, page: int, region: Region) -> Iterator[Samples]:
        """A region's rows of a page, all samples, in bands that end where the noise's do."""
        top = region.y
        while top < region.bottom:
            bottom = min((top // self.band + 1) * self.band, region.bottom)
            yield volume.rows(page, top, bottom)[:, region.x : region.right]
            top = bottom


class VolumePair:
    """The noisy version of a volume's region, and its clean: contents for ``write_together``.

    Attributes:
        path: of the clean file.
        header: what it declares.
        region: the part of all its planes.
    """

    def __init__(
        self, path: Path, header: VolumeHeader, region: Region, noise: VolumeNoise, compression: int
    ) -> None:
        self.path = path
        self.header = header
        self.region = region
        self._noise = noise
        self._compression = compression
        self._hashes: tuple[str, str] | None = None

    @property
    def noisy(self) -> FileContent:
        """Writer of the noisy file; it raises ``ImageError`` where the clean cannot be read."""
        return self._write_noisy

    @property
    def clean(self) -> FileContent:
        """Writer of the clean file: a copy where that holds just these pixels."""
        whole = self.region == _whole(self.header)
        return self._copy_clean if whole and self.header.copyable else self._write_clean

    @property
    def hashes(self) -> tuple[str, str]:
        """Hashes of the noisy and the clean pixels (``PixelHash``), once the noisy are written."""
        if self._hashes is None:
            raise ValueError("the hashes of a pair are known when its noisy file is written")
        return self._hashes

    def _write_noisy(self, file: BinaryIO) -> None:
        noise, region, header = self._noise, self.region, self.header
        one = noise.version
        clean = PixelHash(header.pages, (region.height, region.width, header.samples), header.dtype)
        with open_volume(self.path) as volume:
            self._check_unchanged(volume)
            noisy = write_volume(
                file,
                volume,
                noise.noisy_bands(volume, region, clean),
                size=(region.height, region.width),
                identity=f"noisy\0{one.seed}\0{one.key}\0{one.variant}\0{region}",
                compression=self._compression,
            )
        self._hashes = noisy, clean.hexdigest()

    def _copy_clean(self, file: BinaryIO) -> None:
        with open_image(self.path) as image:
            image.copy_to(file)

    def _write_clean(self, file: BinaryIO) -> None:
        with open_volume(self.path) as volume:
            self._check_unchanged(volume)
            write_volume(
                file,
                volume,
                (
                    rows
                    for page in range(volume.header.pages)
                    for rows in self._noise.clean_bands(volume, page, self.region)
                ),
                size=(self.region.height, self.region.width),
                identity=f"clean\0{self.region}",
                compression=self._compression,
            )

    def _check_unchanged(self, volume: Volume) -> None:
        if volume.header != self.header:
            raise CleanError("changed while it was read; let it be until this is done")


def volume_version(
    path: Path,
    profiles: Sequence[NoiseProfile],
    synthesizer: Synthesizer,
    version: Version,
    *,
    regions: Sequence[Region] | None = None,
    white_level: float | None = None,
    written: Written = AS_USUAL,
) -> list[VolumePair]:
    """One noisy version of a volume, a pair a region, generated while it is written.

    Args:
        path: a file for which :func:`read_volume_header` is not None.
        profiles: one, or as many as the header has channels.
        synthesizer: with the weights that the profiles were made with.
        version: of the file.
        regions: of all planes alike; None for the whole.
        white_level: of all planes, but 8-bit ones. Those of one profile are taken alike, by the
            brightest of them.
        written: how.

    Raises:
        CleanError: as :meth:`Synthesizer.check`, of every plane, before anything is written.
        ImageError: the file cannot be read.
        ValueError: the number of profiles is wrong, or a region lies outside.
    """
    with open_volume(path) as volume:
        header = volume.header
        chosen = _of_planes(header, profiles)
        levels = _levels(volume, chosen, synthesizer, white_level)
    whole = _whole(header)
    wanted = [whole] if regions is None else list(regions)
    if any(region.overlap(whole) != region for region in wanted):
        raise ValueError("a region lies outside the picture")
    rows = written.band or band_rows(header.width, header.samples, synthesizer.tile)
    taken = enumerate(zip(chosen, levels, strict=True))
    planes = tuple(PlaneNoise(*one, version, plane) for plane, one in taken)
    noise = VolumeNoise(synthesizer, version, planes, rows)
    return [VolumePair(path, header, region, noise, written.compression) for region in wanted]


def _whole(header: VolumeHeader) -> Region:
    return Region(0, 0, header.height, header.width)


def _of_planes(header: VolumeHeader, profiles: Sequence[NoiseProfile]) -> tuple[NoiseProfile, ...]:
    if len(profiles) == 1:
        return (profiles[0],) * len(header.planes)
    of_channels = dict(zip(header.channels, profiles, strict=True))
    return tuple(of_channels[plane.channel] for plane in header.planes)


def _levels(
    volume: Volume,
    chosen: Sequence[NoiseProfile],
    synthesizer: Synthesizer,
    white_level: float | None,
) -> tuple[Levels, ...]:
    """Levels of each plane; all are read if their type may hold what does not fit."""
    given = None if volume.header.dtype == np.uint8 else white_level
    found: dict[str, Levels] = {}
    for profile in chosen:
        if profile.name in found:
            continue
        its = [index for index, one in enumerate(chosen) if one.name == profile.name]
        try:
            planes = [volume.plane(index) for index in its]
            found[profile.name] = synthesizer.check(planes, profile, given)
        except CleanError:
            _raise_of_plane(volume, its, profile, synthesizer, given)
            raise
    return tuple(found[profile.name] for profile in chosen)


def _raise_of_plane(
    volume: Volume,
    planes: Sequence[int],
    profile: NoiseProfile,
    synthesizer: Synthesizer,
    given: float | None,
) -> None:
    """Raises for the first plane that is unfit by itself, with its number."""
    count, index = len(volume.header.planes), 0
    if count == 1:
        return
    try:
        for index in planes:
            synthesizer.check([volume.plane(index)], profile, given)
    except CleanError as error:
        raise CleanError(f"plane {index + 1} of {count} {error}") from error
