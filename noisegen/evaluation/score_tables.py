"""Scores of folders as JSON values and as lines of CSV."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

import numpy as np

from noisegen.evaluation.folder_scores import FolderScores
from noisegen.evaluation.row_tally import ALL, NAMES, RowScores
from noisegen.evaluation.set_metrics import SetScores
from noisegen.evaluation.tables import csv_bytes
from noisegen.noise.metrics import LEVEL_BINS

CHANCE = 0.5
"""Accuracy of a classifier that knows nothing: half of the patches are real."""


def metrics_of(row: RowScores) -> list[str]:
    """Names of a row's metrics, in the order of the tables."""
    first = ["kld", "akld", "ks", "correlation", "level", "sigma"]
    known = next(iter(row.pictures.values()), row.together)[ALL]
    return [name for name in first if name in known] + [name for name in known if name not in first]


def channel_names(scores: FolderScores) -> tuple[str, ...]:
    """``all`` and the channels' names."""
    return (ALL, *NAMES[scores.kind.channels])


def intensities(scores: FolderScores) -> list[dict[str, Any]]:
    """σ of real and synthetic noise at each of 16 intensities that the real pictures show.

    Intensities and σ are in units of the white level.
    """
    row = scores.rows[0]
    return [
        {
            "channel": name,
            "from": index / LEVEL_BINS,
            "to": (index + 1) / LEVEL_BINS,
            "real_pixels": int(row.real.pixels[c, index]),
            "synth_pixels": int(row.fake.pixels[c, index]),
            "real_sigma": float(row.real.level[c, index]),
            "synth_sigma": float(row.fake.level[c, index]) if row.fake.pixels[c, index] else None,
        }
        for c, name in enumerate(NAMES[scores.kind.channels])
        for index in np.flatnonzero(row.real.pixels[c]).tolist()
    ]


def as_json(scores: FolderScores, sets: dict[str, SetScores]) -> dict[str, Any]:
    """Scores as JSON values; what is not a number becomes null."""
    real, synth = scores.pictures
    names = channel_names(scores)
    values: dict[str, Any] = _finite(
        {
            "paired": scores.paired,
            "pictures": {"real": real, "synth": synth},
            "kind": str(scores.kind),
            "white_level": scores.white_level,
            "rows": {
                row.name: {
                    channel: {name: row.summary(channel, name) for name in metrics_of(row)}
                    for channel in names
                }
                for row in scores.rows
            },
            "sets": {
                name: asdict(of_set)
                | {"told_apart": asdict(of_set.told_apart) | {"chance": CHANCE}}
                for name, of_set in sets.items()
            },
            "intensity": intensities(scores),
            "images": [
                {"row": row.name, "image": picture, "channel": channel, **values}
                for row in scores.rows
                for picture, channels in row.pictures.items()
                for channel, values in channels.items()
            ],
            "skipped": list(scores.skipped),
        }
    )
    return values


def scores_csv(scores: FolderScores) -> bytes:
    """CSV of a line a row, picture and channel; mean, median and all together under their names."""
    metrics = metrics_of(scores.rows[-1])
    lines: list[list[str | float | None]] = [["row", "image", "channel", *metrics]]
    for row in scores.rows:
        for picture, channels in row.pictures.items():
            for channel, found in channels.items():
                lines.append([row.name, picture, channel, *(found[m] for m in metrics)])
        for channel in channel_names(scores):
            for kind in ("mean", "median", "together"):
                figures = {m: row.summary(channel, m)[kind] for m in metrics_of(row)}
                if any(figure is not None for figure in figures.values()):
                    lines.append([row.name, f"({kind})", channel, *map(figures.get, metrics)])
    return csv_bytes(lines)


def intensity_csv(scores: FolderScores) -> bytes:
    """CSV of a line a channel and intensity."""
    rows = intensities(scores)
    return csv_bytes([list(rows[0]), *(list(row.values()) for row in rows)])


def _finite(value: Any) -> Any:  # noqa: ANN401 (JSON)
    if isinstance(value, dict):
        return {name: _finite(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
