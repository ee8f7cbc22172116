"""One noisy version of a clean file: the way of one pair, top to bottom.

opened → drawn (:meth:`PairMaker._job`) → read, given noise, encoded (``_of_picture``) → written
together with its clean → the line of its manifest. TIFFs that are no single picture in memory go
through :mod:`.volumes` instead, plane by plane.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from noisegen.dataset.budget import MemoryBudget, held_bytes
from noisegen.dataset.folder import CLEAN, NOISY, make_folder
from noisegen.dataset.journal import Done, Record, Spent, source_of
from noisegen.dataset.manifest import PairLine
from noisegen.dataset.plan import DatasetOptions, Item, Skipped
from noisegen.dataset.survey import Declared, drawn
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
from noisegen.profiles.profile import NoiseProfile
from noisegen.synthesis import draws
from noisegen.synthesis.blocks import Region
from noisegen.synthesis.channel_profiles import profiles_of_channels
from noisegen.synthesis.synthesizer import CleanError, Synthesizer, Version
from noisegen.synthesis.volumes import VolumePair, Written, volume_version


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
        with (
            open_image(item.file.path) as image,
            self.budget.hold(held_bytes(image.header, self.synthesizer.tile)),
        ):
            job = self._job(item, image.header, spent)
            is_volume = isinstance(job.header, VolumeHeader)
            pairs: Iterable[_Pair | VolumePair] = (
                self._of_volume(job) if is_volume else self._of_picture(job, image)
            )
            lines = (self._write(job, index, pair) for index, pair in enumerate(pairs))
            return Record(tuple(lines), source)

    def _job(self, item: Item, header: Declared, spent: Spent) -> _Job:
        """All that is drawn for an item: whose noise, how strong, on which crops."""
        options, key = self.options, item.file.key
        profile, version = drawn(self.profiles, header.plane_channels, options, key, item.variant)
        several = isinstance(header, VolumeHeader) and profiles_of_channels(
            self.profiles, header.channels
        )
        height, width, side = header.height, header.width, options.patch
        regions = [Region(0, 0, height, width)]
        if side is not None:
            places = draws.corners(height, width, side, options.per_image, options.seed, key)
            regions = [Region(y, x, side, side) for y, x in places]
        return _Job(item, header, several or (profile,), version, regions, spent)

    def _of_picture(self, job: _Job, image: ImageFile) -> Iterator[_Pair]:
        """The noisy version of a picture: whole, or the crops that are asked for."""
        options, container = self.options, job.item.file.container
        with job.spent.on("reading"):
            picture = image.picture()
        same = picture.copyable and picture.container is container and options.patch is None
        picture = replace(picture, container=container)
        with job.spent.on("network"):
            noisy = self.synthesizer.synthesize_regions(
                picture.pixels,
                job.profiles[0],
                job.regions,
                job.version,
                white_level=options.white_level if picture.dtype != np.uint8 else None,
            )
        for region, pixels in zip(job.regions, noisy, strict=True):
            clean = _crop(picture, region)
            fake = replace(clean, pixels=pixels, copyable=False)
            with job.spent.on("compressing"):
                hashes = pixel_hash(fake), pixel_hash(clean)
                stored = image.copy_to if same else self._encoded(clean)
                pair = _Pair(region, self._encoded(fake), stored, hashes)
            yield pair

    def _of_volume(self, job: _Job) -> Sequence[VolumePair]:
        """The noisy version of a TIFF of several planes, of floats, or larger than memory."""
        return volume_version(
            job.item.file.path,
            job.profiles,
            self.synthesizer,
            job.version,
            regions=job.regions,
            white_level=self.options.white_level,
            written=Written(self.options.compression),
        )

    def _write(self, job: _Job, index: int, pair: _Pair | VolumePair) -> PairLine:
        item, header, region = job.item, job.header, pair.region
        relative = self.options.numbered(item.file, index, item.variant).as_posix()
        noisy, clean = (self.root / side / relative for side in (NOISY, CLEAN))
        with job.spent.on("writing"):
            make_folder(noisy.parent)
            make_folder(clean.parent)
            # The clean first: a noisy picture never stands without it.
            write_together([(clean, pair.clean), (noisy, pair.noisy)], self.temporary)
        noisy_hash, clean_hash = pair.hashes
        return PairLine(
            noisy_file_name=f"{NOISY}/{relative}",
            clean_file_name=f"{CLEAN}/{relative}",
            seed_key=item.file.key,
            variant=item.variant,
            profile=",".join(profile.name for profile in job.profiles),
            strength=job.version.strength,
            width=region.width,
            height=region.height,
            channels=header.plane_channels,
            dtype=header.dtype.name,
            noisy_sha256=noisy_hash,
            clean_sha256=clean_hash,
            noisy_bytes=noisy.stat().st_size,
            clean_bytes=clean.stat().st_size,
            crop=(region.y, region.x) if self.options.patch is not None else None,
            planes=len(header.planes) if isinstance(header, VolumeHeader) else 1,
        )

    def _encoded(self, picture: Picture) -> bytes:
        try:
            return encode(picture, self.options.compression)
        except ValueError as error:
            raise CleanError(f"{error}; convert it to PNG") from error


@dataclass(frozen=True)
class _Job:
    """One item at work.

    Attributes:
        item: that is made.
        header: of its clean.
        profiles: whose noise: one, or one for each channel of a volume.
        version: what its noise is drawn from.
        regions: of the clean: the whole or crops, a pair each.
        spent: seconds on it.
    """

    item: Item
    header: Declared
    profiles: tuple[NoiseProfile, ...]
    version: Version
    regions: list[Region]
    spent: Spent


@dataclass(frozen=True)
class _Pair:
    """One pair to be written, as :class:`VolumePair` is one.

    Attributes:
        region: of the clean file.
        noisy: content of the noisy file.
        clean: of the clean one; what copies the clean file where its bytes serve as they are.
        hashes: of noisy and clean pixels.
    """

    region: Region
    noisy: FileContent
    clean: FileContent
    hashes: tuple[str, str]


def _crop(picture: Picture, region: Region) -> Picture:
    place = region.slices(Region(0, 0, 0, 0))
    alpha = None if picture.alpha is None else picture.alpha[place]
    return replace(picture, pixels=picture.pixels[place], alpha=alpha)
