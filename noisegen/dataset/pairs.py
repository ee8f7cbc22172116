"""One noisy version of a clean file: the way of one pair, top to bottom.

opened and read → draws and generator (:meth:`PairMaker._of_picture`) → encoded → written
together with its clean → the line of its manifest. TIFFs that are no single picture in memory go
through :mod:`.volumes` instead, plane by plane.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from noisegen.dataset.budget import MemoryBudget, held_bytes
from noisegen.dataset.folder import CLEAN, NOISY, make_folder
from noisegen.dataset.journal import Done, Record, Spent, source_of
from noisegen.dataset.manifest import PairLine
from noisegen.dataset.plan import DatasetOptions, Item, Skipped
from noisegen.errors import ImageError
from noisegen.files import (
    FileContent,
    ImageFile,
    Picture,
    VolumeHeader,
    encode,
    open_image,
    pixel_hash,
    write_together,
)
from noisegen.references.profile import NoiseProfile
from noisegen.synthesis import draws
from noisegen.synthesis.blocks import Region
from noisegen.synthesis.channel_profiles import profiles_of_channels
from noisegen.synthesis.synthesizer import CleanError, Synthesizer, Version
from noisegen.synthesis.volumes import volume_version


@dataclass(frozen=True)
class PairMaker:
    """Makes the pairs of one item after another; any number of threads may ask it.

    Attributes:
        profiles: one of those that fit a picture's channels is drawn for each item.
        synthesizer: with the weights that the profiles were made with.
        options: of the dataset.
        root: folder of ``noisy/`` and ``clean/``.
        temporary: folder for files that are being written, on the same volume.
        budget: of memory that the items of all threads hold together.
    """

    profiles: Sequence[NoiseProfile]
    synthesizer: Synthesizer
    options: DatasetOptions
    root: Path
    temporary: Path
    budget: MemoryBudget = field(default_factory=MemoryBudget)

    def make(self, item: Item) -> Done:
        """The item's pairs, written; or why there are none.

        Raises:
            OutputError: they cannot be written.
        """
        path, spent = item.file.path, Spent()
        try:
            record = self._make(item, spent)
        except ImageError as error:
            # The file at fault may also be one that vanished before it was copied.
            return Done(item, skipped=Skipped(path, item.file.key, error.reason))
        except CleanError as error:
            return Done(item, skipped=Skipped(path, item.file.key, error.for_command))
        except MemoryError:
            reason = "does not fit in memory; cut it into smaller images"
            return Done(item, skipped=Skipped(path, item.file.key, reason))
        return Done(item, record, spent=spent)

    def _make(self, item: Item, spent: Spent) -> Record:
        source = source_of(item.file.path)
        # Header, pixels and copied bytes come from one opening: they are those of one file.
        with open_image(item.file.path) as image:
            header = image.header
            with self.budget.hold(held_bytes(header, self.synthesizer.tile)):
                pairs = (
                    self._of_volume(item, header)
                    if isinstance(header, VolumeHeader)
                    else self._of_picture(item, image, spent)
                )
                return Record(tuple(self._write(item, pair, spent) for pair in pairs), source)

    def _of_picture(self, item: Item, image: ImageFile, spent: Spent) -> Iterator[_Pair]:
        """The noisy version of a picture: whole, or the crops that are asked for."""
        file, options = item.file, self.options
        with spent.on("reading"):
            picture = image.picture()
        same = picture.copyable and picture.container is file.container and options.patch is None
        picture = replace(picture, container=file.container)
        profile = self._drawn(item, picture.channels)
        version = self._version(item)
        regions = self._regions(item, picture.height, picture.width)
        with spent.on("network"):
            noisy = self.synthesizer.synthesize_regions(
                picture.pixels,
                profile,
                regions,
                version,
                white_level=options.white_level if picture.dtype != np.uint8 else None,
            )
        for index, (region, pixels) in enumerate(zip(regions, noisy, strict=True)):
            clean = _crop(picture, region)
            fake = replace(clean, pixels=pixels, copyable=False)
            with spent.on("compressing"):
                hashes = pixel_hash(fake), pixel_hash(clean)
                yield _Pair(
                    index,
                    region,
                    profile.name,
                    version.strength,
                    picture.channels,
                    picture.dtype.name,
                    1,
                    self._encoded(fake),
                    image.copy_to if same else self._encoded(clean),
                    lambda hashes=hashes: hashes,  # type: ignore[misc]
                )

    def _of_volume(self, item: Item, header: VolumeHeader) -> Iterator[_Pair]:
        """The noisy version of a TIFF of several planes, of floats, or larger than memory."""
        of_channels = profiles_of_channels(self.profiles, header.channels)
        profiles = of_channels or (self._drawn(item, header.plane_channels),)
        version, options = self._version(item), self.options
        regions = self._regions(item, header.height, header.width)
        pairs = volume_version(
            item.file.path,
            profiles,
            self.synthesizer,
            version,
            regions=None if options.patch is None else regions,
            white_level=options.white_level,
            compression=options.compression,
        )
        for index, pair in enumerate(pairs):
            yield _Pair(
                index,
                pair.region,
                ",".join(profile.name for profile in profiles),
                version.strength,
                header.plane_channels,
                header.dtype.name,
                len(header.planes),
                pair.noisy,
                pair.clean,
                lambda pair=pair: (pair.noisy_sha256, pair.clean_sha256),  # type: ignore[misc]
            )

    def _drawn(self, item: Item, channels: int) -> NoiseProfile:
        fitting = [profile for profile in self.profiles if profile.channels == channels]
        seed, key = self.options.seed, item.file.key
        return fitting[draws.choice(len(fitting), seed, key, item.variant)]

    def _version(self, item: Item) -> Version:
        options, key = self.options, item.file.key
        strength = draws.strength(*options.strength, options.seed, key, item.variant)
        return Version(options.seed, key, item.variant, strength)

    def _regions(self, item: Item, height: int, width: int) -> list[Region]:
        options = self.options
        side = options.patch
        if side is None:
            return [Region(0, 0, height, width)]
        places = draws.corners(height, width, side, options.per_image, options.seed, item.file.key)
        return [Region(y, x, side, side) for y, x in places]

    def _write(self, item: Item, pair: _Pair, spent: Spent) -> PairLine:
        cropped, several = self.options.patch is not None, self.options.variants > 1
        numbered = item.file.numbered(
            pair.index if cropped else None, item.variant if several else None
        )
        relative = numbered.as_posix()
        noisy, clean = (self.root / side / relative for side in (NOISY, CLEAN))
        with spent.on("writing"):
            make_folder(noisy.parent)
            make_folder(clean.parent)
            # The clean first: a noisy picture never stands without it.
            write_together([(clean, pair.clean), (noisy, pair.noisy)], self.temporary)
        noisy_hash, clean_hash = pair.hashes()
        return PairLine(
            noisy_file_name=f"{NOISY}/{relative}",
            clean_file_name=f"{CLEAN}/{relative}",
            seed_key=item.file.key,
            variant=item.variant,
            profile=pair.profile,
            strength=pair.strength,
            width=pair.region.width,
            height=pair.region.height,
            channels=pair.channels,
            dtype=pair.dtype,
            noisy_sha256=noisy_hash,
            clean_sha256=clean_hash,
            noisy_bytes=noisy.stat().st_size,
            clean_bytes=clean.stat().st_size,
            crop=(pair.region.y, pair.region.x) if cropped else None,
            planes=pair.planes,
        )

    def _encoded(self, picture: Picture) -> bytes:
        try:
            return encode(picture, self.options.compression)
        except ValueError as error:
            raise CleanError(f"{error}; convert it to PNG") from error


@dataclass(frozen=True)
class _Pair:
    """One pair to be written.

    Attributes:
        index: of the crop.
        region: of the clean file.
        profile: name of its noise.
        strength: factor on it.
        channels, dtype, planes: of both files.
        noisy: content of the noisy file.
        clean: of the clean one; what copies the clean file where its bytes serve as they are.
        hashes: of noisy and clean pixels, once the files are written.
    """

    index: int
    region: Region
    profile: str
    strength: float
    channels: int
    dtype: str
    planes: int
    noisy: FileContent
    clean: FileContent
    hashes: Callable[[], tuple[str, str]]


def _crop(picture: Picture, region: Region) -> Picture:
    place = region.slices(Region(0, 0, 0, 0))
    alpha = None if picture.alpha is None else picture.alpha[place]
    return replace(picture, pixels=picture.pixels[place], alpha=alpha)
