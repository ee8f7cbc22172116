"""A folder of clean pictures → a dataset of matched pairs.

The way of one pair, top to bottom: :func:`_read` → :func:`_version` (draws, generator) →
:func:`_write` (noisy and clean appear together) → one line in ``metadata.jsonl``. While one picture
is generated the next is read and the one before is encoded and written; this changes no pixel.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from noisegen.errors import ImageError, OutputError
from noisegen.images import Picture, encode, pixel_hash, read_picture, write_together
from noisegen.references.profile import NoiseProfile
from noisegen.synthesis import draws, recipe
from noisegen.synthesis.blocks import Region
from noisegen.synthesis.folder import METADATA, abandon_output, make_folder, prepare_output
from noisegen.synthesis.plan import RECIPE, CleanFile, SynthesisOptions
from noisegen.synthesis.survey import UnusableError
from noisegen.synthesis.synthesizer import CleanError, Synthesizer


@dataclass(frozen=True)
class Done:
    """One noisy version of a clean file, or why it has none.

    Attributes:
        file: the clean file.
        pairs: written.
        pixels: of these pairs' noisy pictures.
        skipped: why nothing was written, None if something was.
    """

    file: CleanFile
    pairs: int = 0
    pixels: int = 0
    skipped: str | None = None


@dataclass(frozen=True)
class _Pair:
    """One pair to be written; ``clean`` is a file where its bytes serve as they are."""

    relative: str
    noisy: Picture
    clean: Picture
    source: Path | None
    line: dict[str, Any]


def write_dataset(
    files: Sequence[CleanFile],
    profiles: Sequence[NoiseProfile],
    synthesizer: Synthesizer,
    options: SynthesisOptions,
    out: Path,
) -> Iterator[Done]:
    """Writes the dataset, yielding each noisy version's outcome in order.

    Args:
        files: clean pictures, as :func:`noisegen.synthesis.survey.survey` left them.
        profiles: one of those that fit a picture's channels is drawn for each noisy version.
        synthesizer: with the weights that the profiles were made with.
        options: of the dataset.
        out: its folder, checked by :func:`noisegen.synthesis.folder.check_output`.

    Raises:
        OutputError: the folder cannot be written; finished pairs stay whole.
        UnusableError: not one file could be used; the folder is taken away again.
    """
    prepare_output(out)
    make_folder(out / "profiles")
    head: list[tuple[Path, bytes | Path]] = [
        (out / recipe.profile_file(profile), profile.to_bytes()) for profile in profiles
    ]
    values = recipe.recipe(options, profiles, synthesizer.weights, synthesizer.device.type)
    write_together([*head, (out / RECIPE, recipe.to_bytes(values))])
    pairs, skipped = 0, []
    try:
        with (out / METADATA).open("w", encoding="utf-8", newline="\n") as metadata:
            for done in _pipeline(files, profiles, synthesizer, options, out, metadata):
                pairs += done.pairs
                if done.skipped is not None:
                    skipped.append(done.skipped)
                yield done
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(f"{out / METADATA}: {reason}; choose another folder") from error
    if not pairs:
        abandon_output(out)
        raise UnusableError(skipped)


def _pipeline(
    files: Sequence[CleanFile],
    profiles: Sequence[NoiseProfile],
    synthesizer: Synthesizer,
    options: SynthesisOptions,
    out: Path,
    metadata: TextIO,
) -> Iterator[Done]:
    """Reads one file ahead, writes one version behind."""
    with ThreadPoolExecutor(1) as reader, ThreadPoolExecutor(1) as writer:
        reading = deque([reader.submit(_read, file) for file in files[:1]])
        writing: deque[Future[Done]] = deque()
        for index, file in enumerate(files):
            picture = reading.popleft().result()
            reading.extend(reader.submit(_read, following) for following in files[index + 1 :][:1])
            for made in _make(file, picture, profiles, synthesizer, options):
                writing.append(writer.submit(_write, file, made, out, metadata))
                if len(writing) > 1:
                    yield writing.popleft().result()
        while writing:
            yield writing.popleft().result()


def _read(file: CleanFile) -> Picture | str:
    """The picture, or why it cannot be used."""
    try:
        return read_picture(file.path)
    except ImageError as error:
        return str(error)
    except MemoryError:
        return f"{file.path}: does not fit in memory; cut it into smaller images"


def _make(
    file: CleanFile,
    picture: Picture | str,
    profiles: Sequence[NoiseProfile],
    synthesizer: Synthesizer,
    options: SynthesisOptions,
) -> Iterator[list[_Pair] | str]:
    """The pairs of each noisy version, or once why there are none."""
    if isinstance(picture, str):
        yield picture
        return
    copyable = picture.copyable and picture.container is file.container and options.patch is None
    source = file.path if copyable else None
    picture = replace(picture, container=file.container)
    try:
        for variant in range(options.variants):
            yield list(_version(file, picture, source, variant, profiles, synthesizer, options))
    except CleanError as error:
        yield f"{file.path}: {error}"


def _version(
    file: CleanFile,
    picture: Picture,
    source: Path | None,
    variant: int,
    profiles: Sequence[NoiseProfile],
    synthesizer: Synthesizer,
    options: SynthesisOptions,
) -> Iterator[_Pair]:
    """One noisy version of a picture: whole, or the crops that are asked for."""
    seed = options.seed
    fitting = [profile for profile in profiles if profile.channels == picture.channels]
    profile = fitting[draws.choice(len(fitting), seed, file.key, variant)]
    strength = draws.strength(*options.strength, seed, file.key, variant)
    regions = _regions(picture, file.key, options)
    noisy = synthesizer.synthesize_regions(
        picture.pixels,
        profile,
        regions,
        seed=seed,
        key=file.key,
        variant=variant,
        strength=strength,
        white_level=options.white_level if picture.dtype == np.uint16 else None,
    )
    for index, (region, pixels) in enumerate(zip(regions, noisy, strict=True)):
        clean = _crop(picture, region)
        relative = file.numbered(
            index if options.patch is not None else None,
            variant if options.variants > 1 else None,
        ).as_posix()
        line = {
            "noisy_file_name": f"noisy/{relative}",
            "clean_file_name": f"clean/{relative}",
            "seed_key": file.key,
            "variant": variant,
            "profile": profile.name,
            "strength": strength,
            "width": region.width,
            "height": region.height,
            "channels": picture.channels,
            "dtype": picture.dtype.name,
        }
        if options.patch is not None:
            line["crop"] = [region.y, region.x]
        fake = replace(clean, pixels=pixels, copyable=False)
        yield _Pair(relative, fake, clean, source, line)


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


def _write(file: CleanFile, made: list[_Pair] | str, out: Path, metadata: TextIO) -> Done:
    """Writes a file's pairs, each followed by its line."""
    if isinstance(made, str):
        return Done(file, skipped=made)
    pixels = 0
    for pair in made:
        noisy, clean = out / "noisy" / pair.relative, out / "clean" / pair.relative
        make_folder(noisy.parent)
        make_folder(clean.parent)
        try:
            content = pair.source if pair.source is not None else encode(pair.clean)
            files: list[tuple[Path, bytes | Path]] = [(noisy, encode(pair.noisy)), (clean, content)]
            write_together(files)
        except ImageError as error:
            # The clean was there when it was read, and is not now that it is copied.
            return Done(file, skipped=str(error))
        except ValueError as error:
            return Done(file, skipped=f"{file.path}: {error}; convert it to PNG")
        hashes = {"noisy_sha256": pixel_hash(pair.noisy), "clean_sha256": pixel_hash(pair.clean)}
        metadata.write(json.dumps({**pair.line, **hashes}, ensure_ascii=False) + "\n")
        metadata.flush()
        pixels += pair.noisy.height * pair.noisy.width
    return Done(file, len(made), pixels)
