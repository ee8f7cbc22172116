"""Shots whose camera and ISO are known → what crops of them say: prompt, statistics, strength."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from noisegen.errors import BadReferenceError, UsageError
from noisegen.evaluation.protocol import CROP, PROTOCOL_SEED, crop_places, registered_crops
from noisegen.model.encoder import QUANTILES_SHOWN
from noisegen.model.weights import Weights
from noisegen.noise.arrays import Doubles
from noisegen.noise.intensities import EVEN, level_at, read_at
from noisegen.noise.statistics import NoiseStatistics
from noisegen.profiles.fit import Measured, measure_cut
from noisegen.profiles.tensors import encode
from noisegen.references.check import Reference, find_white_level
from noisegen.references.load import read_references
from noisegen.references.windows import Repair, cut_references
from noisegen.training.realdata import polyu_camera, polyu_isos, polyu_pair

COLUMNS = ("noisy", "clean", "camera", "iso", "scene")
"""Of a list of shots; ``noisy`` and one of ``camera`` and ``iso`` must be there."""

QUESTIONS = ("camera", "iso")
"""What a shot may be labelled with."""


@dataclass(frozen=True)
class LabelledShot:
    """A noisy shot, not read yet.

    Attributes:
        name: of its file, for messages.
        scene: what it shows; shots of one scene never vote for each other.
        labels: ``camera`` and ``iso``, those that are known.
        read: its pictures with their cleans, several of a stack.
    """

    name: str
    scene: str
    labels: dict[str, str]
    read: Callable[[], list[Reference]]


def polyu_shots(data: Path) -> list[LabelledShot]:
    """PolyU's scenes, less those beyond repair: a shot each, its drift moved into the clean.

    Args:
        data: the data folder.
    """
    return [
        LabelledShot(
            scene,
            scene,
            {"camera": polyu_camera(scene), "iso": iso},
            partial(_polyu_reference, data, scene),
        )
        for scene, iso in polyu_isos(data).items()
    ]


def listed_shots(path: Path) -> list[LabelledShot]:
    """Shots of a CSV file with the columns of ``COLUMNS``; its paths start at its folder.

    A shot without a scene is a scene of its own, one without a clean has it estimated.

    Raises:
        UsageError: the list cannot be read, lacks a column, or names a file that is not there.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            rows, columns = list(reader), reader.fieldnames or ()
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path}: cannot be read as CSV ({error}); name a list of shots") from None
    if "noisy" not in columns or not set(QUESTIONS) & set(columns):
        raise UsageError(
            f"{path}: its first line must name the columns noisy and camera or iso, with commas "
            f"between them (all that are known: {','.join(COLUMNS)})"
        )
    if not rows:
        raise UsageError(f"{path}: lists no shot; name one a line")
    return [_listed(path, line, row) for line, row in enumerate(rows, 2)]


def _listed(path: Path, line: int, row: dict[str, str | None]) -> LabelledShot:
    cells = {column: (row.get(column) or "").strip() for column in COLUMNS}
    if not cells["noisy"]:
        raise UsageError(f"{path}: line {line}: names no noisy file; take the line out")
    noisy = path.parent / cells["noisy"]
    clean = path.parent / cells["clean"] if cells["clean"] else None
    for file in (noisy, clean):
        if file is not None and not file.is_file():
            raise UsageError(f"{path}: line {line}: {file} is no file; paths start at the list's")
    labels = {name: cells[name] for name in QUESTIONS if cells[name]}
    scene = cells["scene"] or str(noisy)
    return LabelledShot(noisy.name, scene, labels, partial(_read_one_channel, noisy, clean))


def _read_one_channel(noisy: Path, clean: Path | None) -> list[Reference]:
    channels = read_references([(noisy, clean)])
    if len(channels) > 1:
        raise UsageError(
            f"{noisy}: has the channels {', '.join(channels)}; give files of one channel"
        )
    (references,) = channels.values()
    return references


def _polyu_reference(data: Path, scene: str) -> list[Reference]:
    pair = polyu_pair(data, scene)
    return [Reference(scene, pair.noisy, pair.clean)]


TRIES = 4
"""Places that are looked at for each crop wanted; a place may be black, saturated or shifted."""

UNREGISTERED = "no crop of it lies on its clean to the pixel; give its own clean, or none"

LEAST_LEVEL = 1e-3
"""Of the level at an intensity over the overall one, before its logarithm is taken."""


@dataclass(frozen=True, eq=False)
class DescribedCrop:
    """A crop of a shot, as vectors that a probe compares.

    Attributes:
        shot: where it comes from.
        vectors: by name, one of ``VECTORS`` each; of one length for all crops of a probe.
    """

    shot: LabelledShot
    vectors: dict[str, Doubles]


VECTORS = ("prompt", "measured statistics", "noise strength alone", "brightness alone")
"""The prompt, and what it must be compared with: what the profile holds without any encoder, the
noise's σ by channel, and the clean's brightness, which says nothing of the camera: what it tells
is the scenes' doing."""


def describe_crops(
    shot: LabelledShot,
    weights: Weights,
    count: int,
    blind: bool = False,
    white_level: float | None = None,
) -> list[DescribedCrop]:
    """Crops of 256×256 at places drawn by the shot's name, each as if it were the only reference.

    Args:
        shot: to be read.
        weights: whose encoder makes the prompts.
        count: at most so many crops.
        blind: its clean is withheld, so that it is estimated.
        white_level: of 16-bit and float pictures; found from the shot where not given.

    Raises:
        ImageError: the shot cannot be read.
        UsageError, BadReferenceError: it is smaller than a crop, or no crop of it shows its noise.
    """
    references = shot.read()
    level = find_white_level(references) if white_level is None else white_level
    rng = np.random.default_rng([PROTOCOL_SEED, *shot.name.encode()])
    found: list[DescribedCrop] = []
    refused = BadReferenceError(f"{shot.name}: {UNREGISTERED}")
    wanted = -(-count // len(references))
    for reference in references:
        most = len(found) + wanted
        for crop, _ in zip(_crops(reference, rng), range(TRIES * wanted), strict=False):
            shown = replace(crop, clean=None) if blind else crop
            try:
                cut = cut_references([shown], level, Repair.MASK, weights.denoiser)
                found.append(DescribedCrop(shot, _vectors(measure_cut(cut), weights)))
            except BadReferenceError as error:
                refused = error
            if len(found) == most:
                break
    if not found:
        raise refused
    return found


def _crops(reference: Reference, rng: np.random.Generator) -> Iterator[Reference]:
    """Parts of a reference, in random order."""
    noisy, clean = reference.noisy, reference.clean
    height, width = noisy.shape[:2]
    if min(height, width) < CROP:
        raise UsageError(
            f"{reference.name}: {width}×{height} is smaller than a crop; give {CROP}×{CROP} or more"
        )
    if clean is None:
        for place in crop_places(noisy.shape[0], (0, width), rng):
            yield replace(reference, noisy=noisy[place])
        return
    for place in registered_crops(noisy, clean, (0, width), rng):
        yield replace(reference, noisy=noisy[place], clean=clean[place])


def _vectors(measured: Measured, weights: Weights) -> dict[str, Doubles]:
    statistics = measured.statistics
    prompt = encode(measured.windows, statistics, weights).astype(np.float64)
    strength = np.log(statistics.sigma.astype(np.float64))
    channels = measured.windows.clean.swapaxes(0, 1)
    brightness = [np.histogram(clean, len(EVEN), (0, 1))[0] / clean.size for clean in channels]
    vectors = (prompt.ravel(), _statistics_vector(statistics), strength, np.concatenate(brightness))
    return dict(zip(VECTORS, vectors, strict=True))


def _statistics_vector(measured: NoiseStatistics) -> Doubles:
    """Vector of strength and, relative to it, curves, marginal and correlation."""
    scale = np.sqrt(np.mean(measured.sigma.astype(np.float64) ** 2))
    step = (measured.marginals.shape[2] - 1) // (QUANTILES_SHOWN - 1)
    parts = (
        np.log(measured.sigma),
        np.log(np.maximum(level_at(measured, EVEN) / scale, LEAST_LEVEL)),
        read_at(measured.mean, measured, EVEN) / scale,
        measured.marginals.mean(1)[:, ::step],
        measured.autocorrelation,
        measured.colour_correlation,
    )
    return np.concatenate([part.astype(np.float64).ravel() for part in parts])
