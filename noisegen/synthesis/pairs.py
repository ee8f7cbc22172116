"""One noisy version of a clean file: the way of one pair, top to bottom.

:func:`read_picture` → draws and generator (:func:`_version`) → encoded → written together with its
clean → the line of its manifest.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np

from noisegen.errors import ImageError
from noisegen.images import Picture, encode, pixel_hash, read_picture, write_together
from noisegen.references.profile import NoiseProfile
from noisegen.synthesis import draws
from noisegen.synthesis.blocks import Region
from noisegen.synthesis.folder import CLEAN, NOISY, make_folder
from noisegen.synthesis.journal import Record, source_of
from noisegen.synthesis.manifest import PairLine
from noisegen.synthesis.plan import CleanFile, Item, Skipped, SynthesisOptions
from noisegen.synthesis.synthesizer import CleanError, Synthesizer


@dataclass
class Spent:
    """Seconds of an item, by what they were spent on."""

    reading: float = 0.0
    network: float = 0.0
    compressing: float = 0.0
    writing: float = 0.0

    @contextmanager
    def on(self, what: Literal["reading", "network", "compressing", "writing"]) -> Iterator[None]:
        """Adds the block's time."""
        start = time.perf_counter()
        try:
            yield
        finally:
            setattr(self, what, getattr(self, what) + time.perf_counter() - start)


@dataclass(frozen=True)
class Done:
    """One item's outcome.

    Attributes:
        item: that it is of.
        record: of its pairs; None where it was skipped.
        skipped: why it has none.
        kept: made by an earlier run.
        spent: seconds on it.
    """

    item: Item
    record: Record | None = None
    skipped: Skipped | None = None
    kept: bool = False
    spent: Spent = field(default_factory=Spent)

    @property
    def pairs(self) -> int:
        """How many were written."""
        return len(self.record.lines) if self.record else 0

    @property
    def pixels(self) -> int:
        """Of these pairs' noisy pictures."""
        lines = self.record.lines if self.record else ()
        return sum(line.width * line.height * line.planes for line in lines)


@dataclass(frozen=True)
class PairMaker:
    """Makes the pairs of one item after another; any number of threads may ask it.

    Attributes:
        profiles: one of those that fit a picture's channels is drawn for each item.
        synthesizer: with the weights that the profiles were made with.
        options: of the dataset.
        pairs: folder of ``noisy/`` and ``clean/``.
        temporary: folder for files that are being written, on the same volume.
    """

    profiles: Sequence[NoiseProfile]
    synthesizer: Synthesizer
    options: SynthesisOptions
    pairs: Path
    temporary: Path

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
            return Done(item, skipped=Skipped(path, item.file.key, str(error)))
        except MemoryError:
            reason = "does not fit in memory; cut it into smaller images"
            return Done(item, skipped=Skipped(path, item.file.key, reason))
        return Done(item, record, spent=spent)

    def _make(self, item: Item, spent: Spent) -> Record:
        source = source_of(item.file.path)
        with spent.on("reading"):
            picture = read_picture(item.file.path)
        lines = [self._write(pair, spent) for pair in self._version(item, picture, spent)]
        return Record(tuple(lines), source)

    def _version(self, item: Item, picture: Picture, spent: Spent) -> Iterator[_Pair]:
        """The noisy version of a picture: whole, or the crops that are asked for."""
        file, options = item.file, self.options
        same = picture.copyable and picture.container is file.container and options.patch is None
        source = file.path if same else None
        picture = replace(picture, container=file.container)
        seed, key, variant = options.seed, file.key, item.variant
        fitting = [p for p in self.profiles if p.channels == picture.channels]
        profile = fitting[draws.choice(len(fitting), seed, key, variant)]
        strength = draws.strength(*options.strength, seed, key, variant)
        regions = _regions(picture, key, options)
        with spent.on("network"):
            noisy = self.synthesizer.synthesize_regions(
                picture.pixels,
                profile,
                regions,
                seed=seed,
                key=key,
                variant=variant,
                strength=strength,
                white_level=options.white_level if picture.dtype == np.uint16 else None,
            )
        for index, (region, pixels) in enumerate(zip(regions, noisy, strict=True)):
            clean = _crop(picture, region)
            fake = replace(clean, pixels=pixels, copyable=False)
            crop = (region.y, region.x) if options.patch is not None else None
            relative = _relative(file, variant, index, options)
            yield _Pair(relative, fake, clean, source, key, variant, profile.name, strength, crop)

    def _write(self, pair: _Pair, spent: Spent) -> PairLine:
        noisy_path, clean_path = (self.pairs / side / pair.relative for side in (NOISY, CLEAN))
        try:
            with spent.on("compressing"):
                noisy = self._encoded(pair.noisy)
                clean = pair.source or self._encoded(pair.clean)
                noisy_hash, clean_hash = pixel_hash(pair.noisy), pixel_hash(pair.clean)
        except ValueError as error:
            raise CleanError(f"{error}; convert it to PNG") from error
        with spent.on("writing"):
            make_folder(noisy_path.parent)
            make_folder(clean_path.parent)
            # The clean first: a noisy picture never stands without it.
            write_together([(clean_path, clean), (noisy_path, noisy)], self.temporary)
            clean_bytes = clean_path.stat().st_size
        return PairLine(
            noisy_file_name=f"{NOISY}/{pair.relative}",
            clean_file_name=f"{CLEAN}/{pair.relative}",
            seed_key=pair.key,
            variant=pair.variant,
            profile=pair.profile,
            strength=pair.strength,
            width=pair.noisy.width,
            height=pair.noisy.height,
            channels=pair.noisy.channels,
            dtype=pair.noisy.dtype.name,
            noisy_sha256=noisy_hash,
            clean_sha256=clean_hash,
            noisy_bytes=len(noisy),
            clean_bytes=clean_bytes,
            crop=pair.crop,
        )

    def _encoded(self, picture: Picture) -> bytes:
        return encode(picture, self.options.compression)


@dataclass(frozen=True)
class _Pair:
    """One pair to be written; ``source`` is the clean file where its bytes serve as they are."""

    relative: str
    noisy: Picture
    clean: Picture
    source: Path | None
    key: str
    variant: int
    profile: str
    strength: float
    crop: tuple[int, int] | None


def _relative(file: CleanFile, variant: int, crop: int, options: SynthesisOptions) -> str:
    numbered = file.numbered(
        crop if options.patch is not None else None, variant if options.variants > 1 else None
    )
    return numbered.as_posix()


def _regions(picture: Picture, key: str, options: SynthesisOptions) -> list[Region]:
    side = options.patch
    if side is None:
        return [Region(0, 0, picture.height, picture.width)]
    places = draws.corners(
        picture.height, picture.width, side, options.per_image, options.seed, key
    )
    return [Region(y, x, side, side) for y, x in places]


def _crop(picture: Picture, region: Region) -> Picture:
    place = region.slices(Region(0, 0, 0, 0))
    alpha = None if picture.alpha is None else picture.alpha[place]
    return replace(picture, pixels=picture.pixels[place], alpha=alpha)
