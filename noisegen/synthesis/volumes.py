"""Noise on a volume: a TIFF of several planes, of floats or 32 bits, or larger than memory.

What a caller does, for one noisy version of one file::

    header = read_volume_header(path)      # noisegen.files; None: a plain picture
    # header.plane_channels is 1 or 3, as NoiseProfile.channels: draw among the profiles that fit
    profiles = profiles_of_channels(given, header.channels) or (drawn,)  # one, or one a channel
    pairs = volume_version(path, profiles, synthesizer, regions=None, seed=…, key=…, variant=…)
    for pair in pairs:                           # one, or one a region
        write_together([(clean_path, pair.clean), (noisy_path, pair.noisy)])
        pair.clean_sha256, pair.noisy_sha256     # known by now

The planes of a volume go one by one, those of a page's samples side by side, each in bands of rows;
every plane has a field of its own. Plane 0 of a single picture has the very pixels that
:meth:`Synthesizer.synthesize` gives. Alpha goes through as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np

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
from noisegen.synthesis.clean_check import CleanError
from noisegen.synthesis.clean_rows import band_rows
from noisegen.synthesis.levels import Levels
from noisegen.synthesis.synthesizer import Synthesizer
from noisegen.synthesis.volume_bands import VolumeNoise, clean_bands, noisy_bands


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
        """What writes the noisy file; it raises ``ImageError`` where the clean cannot be read."""
        return self._write_noisy

    @property
    def clean(self) -> FileContent:
        """What copies the clean file where that holds just these pixels, or else writes them."""
        whole = self.region == _whole(self.header)
        return self._copy_clean if whole and self.header.copyable else self._write_clean

    @property
    def noisy_sha256(self) -> str:
        """Hash of the noisy pixels, once they are written; see ``PixelHash``."""
        return self._written()[0]

    @property
    def clean_sha256(self) -> str:
        """Hash of the clean pixels, once the noisy ones are written."""
        return self._written()[1]

    def _written(self) -> tuple[str, str]:
        if self._hashes is None:
            raise ValueError("the hashes of a pair are known when its noisy file is written")
        return self._hashes

    def _write_noisy(self, file: BinaryIO) -> None:
        noise, region, header = self._noise, self.region, self.header
        clean = PixelHash(header.pages, (region.height, region.width, header.samples), header.dtype)
        with open_volume(self.path) as volume:
            self._check_unchanged(volume)
            noisy = write_volume(
                file,
                volume,
                noisy_bands(volume, region, noise, clean),
                size=(region.height, region.width),
                identity=f"noisy\0{noise.seed}\0{noise.key}\0{noise.variant}\0{region}",
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
                    for rows in clean_bands(volume, page, self.region, self._noise.band)
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
    *,
    regions: Sequence[Region] | None = None,
    seed: int = 0,
    key: str = "",
    variant: int = 0,
    strength: float = 1.0,
    white_level: float | None = None,
    compression: int = 1,
    band: int | None = None,
) -> list[VolumePair]:
    """One noisy version of a volume, whole or in regions, generated while it is written.

    Args:
        path: a file for which :func:`read_volume_header` is not None.
        profiles: one, or as many as the header has channels.
        synthesizer: with the weights that the profiles were made with.
        regions: of all planes alike; None for the whole.
        seed: of the dataset.
        key: what tells this file from others, as its relative path.
        variant: number of this noisy version.
        strength: factor on the noise.
        white_level: of all planes, but 8-bit ones; see :meth:`Synthesizer.synthesize`. The planes
            of one profile are taken alike, by the brightest of them.
        compression: zlib's level for what is written.
        band: rows generated at a time; it changes neither pixels nor files.

    Returns:
        A pair a region, in order.

    Raises:
        CleanError: a profile does not fit a plane, or a plane holds NaN or values outside [0, white
            level]: every plane is looked at before anything is written.
        ImageError: the file cannot be read.
        ProfileError: a profile was made with other weights.
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
    rows = band or band_rows(header.width, header.samples, synthesizer.tile)
    noise = VolumeNoise(synthesizer, chosen, levels, seed, key, variant, strength, rows)
    return [VolumePair(path, header, region, noise, compression) for region in wanted]


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
    """How each plane is taken; all are read if their type may hold what does not fit."""
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
