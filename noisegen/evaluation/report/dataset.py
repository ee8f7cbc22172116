"""A dataset of ours → what its report shows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

import numpy as np

from noisegen.dataset.folder import RECIPE, Folder
from noisegen.dataset.manifest import PairLine, read_json_lines, read_lines
from noisegen.dataset.recipe import Recipe, load_profiles, read_recipe
from noisegen.errors import ImageError, counted
from noisegen.evaluation.folder_scores import FolderScores
from noisegen.evaluation.pair_files import PairFile, PairFolder, pair_names
from noisegen.evaluation.pair_pictures import read_plane, same_pictures
from noisegen.evaluation.profile_view import telling_crop
from noisegen.evaluation.report.charts import Sides, charts_of
from noisegen.evaluation.report.profile import quality_table
from noisegen.evaluation.report.sampled_noise import (
    MOST_PAIRS,
    ShownPair,
    noise_of_pairs,
    read_shown,
)
from noisegen.evaluation.report.tables import recipe_tables, score_tables
from noisegen.evaluation.report.view import ChartGroup, Report, Strip, strip
from noisegen.evaluation.side_by_side import evenly
from noisegen.evaluation.tables import Table
from noisegen.model.config import WINDOW
from noisegen.profiles.profile import NoiseProfile

STRIPS = 4
MOST_PROFILES = 4
"""Number of profiles, those with most pairs, that have charts of their own."""


@dataclass(frozen=True)
class Dataset:
    """A finished dataset and its pairs.

    Attributes:
        out: its folder.
        recipe: what it is made by.
        profiles: its noise.
        lines: its manifest.
        pairs: its files, by name.
    """

    out: Path
    recipe: Recipe
    profiles: tuple[NoiseProfile, ...]
    lines: tuple[PairLine, ...]
    pairs: tuple[PairFile, ...]

    @cached_property
    def missing(self) -> tuple[str, ...]:
        """Pairs a file of which is gone, each in words."""
        files = ((pair, file) for pair in self.pairs for file in (pair.noisy, pair.clean))
        gone = dict.fromkeys(pair.file_name for pair, file in files if not file.is_file())
        return tuple(f"{name}: a picture of the pair is missing" for name in gone)

    @cached_property
    def by_name(self) -> dict[str, PairLine]:
        """Lines of the manifest by their pairs' names."""
        names = pair_names([PurePosixPath(line.relative) for line in self.lines])
        return dict(zip(names, self.lines, strict=True))

    def white_level(self, line: PairLine) -> float | None:
        """White level of a line's pictures, where it is not their type's largest value."""
        if self.recipe.options.white_level is not None:
            return self.recipe.options.white_level
        profile = self.profile(line.profile.split(",")[0])
        return profile.white_level if profile and profile.dtype == line.dtype else None

    def profile(self, name: str) -> NoiseProfile | None:
        """Profile of a name."""
        return next((one for one in self.profiles if one.name == name), None)

    def read(self, file: PairFile, weakened: bool = False) -> ShownPair | None:
        """Reads a pair as it is shown; None where it cannot be.

        Args:
            file: of the pair.
            weakened: its noise is to be divided by the strength that it was made with.
        """
        line = self.by_name.get(file.file_name)
        if line is None:
            return None
        return read_shown(file, self.white_level(line), line.strength if weakened else 1.0)


def open_dataset(out: Path, folder: PairFolder) -> Dataset:
    """Opens a finished dataset.

    Args:
        out: its folder.
        folder: its pairs, found.

    Raises:
        ManifestError: recipe or manifest is missing or damaged.
        ProfileError: a profile is damaged.
    """
    recipe = read_recipe(out / RECIPE)
    lines = tuple(read_lines(Folder(out).metadata))
    return Dataset(out, recipe, tuple(load_profiles(recipe, out)), lines, folder.pairs)


def dataset_report(
    dataset: Dataset, real: PairFolder | None = None, scores: FolderScores | None = None
) -> Report:
    """The report of a dataset.

    Args:
        dataset: that is shown.
        real: pairs of the camera, to be shown beside.
        scores: of the two compared.
    """
    by_profile: dict[str, list[PairFile]] = {}
    for file in dataset.pairs:
        if file.file_name in dataset.by_name:
            by_profile.setdefault(_profile_of(file, dataset), []).append(file)
    ranked = sorted(by_profile.items(), key=lambda item: -len(item[1]))
    white_level = scores.white_level if scores else None
    sampled = evenly(real.pairs, MOST_PAIRS) if real else []
    beside = [pair for file in sampled if (pair := read_shown(file, white_level))]
    groups = [_group(dataset, name, members, beside) for name, members in ranked[:MOST_PROFILES]]
    strips = tuple(_strips(dataset, real, white_level))
    quality = quality_table(dataset.profiles)
    return Report(
        title=dataset.out.resolve().name,
        subtitle="dataset of noisy and clean pairs",
        facts=_facts(dataset),
        strips=strips,
        groups=tuple(filter(None, groups)),
        scores=(*(score_tables(scores) if scores else ()), *([quality] if quality else ())),
        recipe=recipe_tables(dataset.recipe),
        recipe_json=(dataset.out / RECIPE).read_text(encoding="utf-8"),
        skipped=_skipped(dataset.out),
        warnings=tuple(dict.fromkeys(_warnings(dataset, len(ranked), bool(strips)))),
    )


def _warnings(dataset: Dataset, profiles: int, is_shown: bool) -> Iterator[str]:
    for profile in dataset.profiles:
        yield from profile.warnings
    if dataset.missing:
        yield f"{counted(len(dataset.missing), 'pair')} cannot be read: {dataset.missing[0]}"
    if profiles > MOST_PROFILES:
        yield f"charts of {MOST_PROFILES} of {profiles} profiles, those of most pairs"
    if dataset.pairs and not is_shown:
        first = dataset.pairs[0]
        try:
            planes = [read_plane(path, first.plane) for path in (first.noisy, first.clean)]
        except ImageError as error:
            why = str(error)
        else:
            rows, columns = planes[1].shape[:2]
            why = f"{first.name} has {columns}×{rows} pixels; {WINDOW}×{WINDOW} is the least"
        yield f"no pair is shown or measured, for instance: {why}"


def _facts(dataset: Dataset) -> tuple[tuple[str, str], ...]:
    pixels = sum(line.width * line.height * line.planes for line in dataset.lines)
    weights, sha256 = dataset.recipe.weights
    return (
        ("pairs", f"{len(dataset.lines):,}"),
        ("clean pictures", f"{len({line.seed_key for line in dataset.lines}):,}"),
        ("megapixels", f"{pixels / 1e6:,.1f}"),
        ("profiles", f"{len(dataset.profiles)}"),
        ("seed", f"{dataset.recipe.options.seed}"),
        ("weights", f"{weights} {sha256[:8]}"),
    )


def _profile_of(file: PairFile, dataset: Dataset) -> str:
    """Name of the profile that a plane's noise is of: each channel may have its own."""
    names = dataset.by_name[file.file_name].profile.split(",")
    return names[file.channel] if len(names) > 1 else names[0]


def _group(
    dataset: Dataset, name: str, members: Sequence[PairFile], real: Sequence[ShownPair]
) -> ChartGroup | None:
    """Charts of one profile's pairs; None where none of them can be shown."""
    read = (dataset.read(file, weakened=True) for file in evenly(members, MOST_PAIRS))
    pairs = [pair for pair in read if pair is not None]
    if not pairs:
        return None
    generated, step = noise_of_pairs(pairs)
    channels = pairs[0].clean.shape[2]
    real = [pair for pair in real if pair.clean.shape[2] == channels]
    strengths = {pair.strength for pair in pairs}
    words = [f"{len(pairs)} of {len(members)} pairs"]
    if strengths != {1.0}:
        words.append(
            f"strengths {min(strengths):.2g} to {max(strengths):.2g}: each pair's noise is divided "
            "by its own"
        )
    if real:
        words.append(f"{len(real)} real pairs")
    beside = noise_of_pairs(real)[0] if real else None
    sides = Sides(generated, beside, "real", None if real else dataset.profile(name), step)
    return ChartGroup(f"Noise of {name}", "; ".join(words), charts_of(sides))


def _strips(dataset: Dataset, real: PairFolder | None, white_level: float | None) -> list[Strip]:
    """Crops of a few pairs, the real ones of the same pictures beside them where there are any."""
    twins = same_pictures(real.pairs, dataset.pairs) if real else []
    if twins:
        return [found for a, b in evenly(twins, STRIPS) if (found := _beside(dataset, a, b))]
    shown = [
        _strip(file.name, pair, [("generated", pair)])
        for file in evenly(dataset.pairs, STRIPS)
        if (pair := dataset.read(file))
    ]
    theirs = [read_shown(file, white_level) for file in evenly(real.pairs, 2)] if real else []
    return shown + [_strip(pair.name, pair, [("real", pair)]) for pair in theirs if pair]


def _beside(dataset: Dataset, real: PairFile, synth: PairFile) -> Strip | None:
    ours = dataset.read(synth)
    theirs = read_shown(real, dataset.white_level(dataset.by_name[synth.file_name]))
    if ours is None or theirs is None or not np.array_equal(ours.clean, theirs.clean):
        return None
    return _strip(synth.name, theirs, [("real", theirs), ("generated", ours)])


def _strip(name: str, first: ShownPair, pairs: Sequence[tuple[str, ShownPair]]) -> Strip:
    place = telling_crop(first.noisy)
    noisies = [(label, pair.noisy[place]) for label, pair in pairs]
    return strip(name, first.clean[place], noisies)


def _skipped(out: Path) -> Table:
    path = Folder(out).skipped
    rows = []
    if path.exists():
        for values in read_json_lines(path):
            line = values if isinstance(values, dict) else {}
            rows.append((str(line.get("file", "")), str(line.get("reason", json.dumps(values)))))
    return Table("", ("file", "reason"), tuple(rows))
