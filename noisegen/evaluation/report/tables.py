"""Recipe and scores as tables of words."""

from __future__ import annotations

from dataclasses import asdict

from noisegen.dataset.plan import Layout
from noisegen.dataset.recipe import Recipe
from noisegen.evaluation.folder_scores import FolderScores
from noisegen.evaluation.row_tally import ALL, RowScores
from noisegen.evaluation.score_tables import channel_names
from noisegen.evaluation.tables import Table, in_words, mean_in_words
from noisegen.model.weights import licence_of

PICTURES = "Against real pairs, picture by picture"
TOGETHER = "Against real pairs, all pictures together"
METRICS = {
    "kld": "KLD",
    "akld": "AKLD",
    "ks": "KS",
    "correlation": "correlation error",
    "level": "noise level error",
    "sigma": "σ error",
}


def recipe_tables(recipe: Recipe) -> tuple[Table, ...]:
    """Tables of a recipe's options, profiles and versions."""
    weights, sha256 = recipe.weights
    rows = [
        *((name.replace("_", " "), _word(value)) for name, value in asdict(recipe.options).items()),
        ("weights", f"{weights} {sha256}"),
        ("licence", licence_of(sha256)),
        ("device", recipe.device),
        *recipe.versions.items(),
    ]
    profiles = tuple((entry.name, entry.sha256) for entry in recipe.profiles)
    return (
        Table("", ("", ""), tuple(rows)),
        Table("Profiles", ("profile", "SHA-256"), profiles),
    )


def score_tables(scores: FolderScores) -> tuple[Table, ...]:
    """Tables of mean and median where both sides show the same pictures, and of all together."""
    real, synth = scores.pictures
    names = [name for name in METRICS if name in scores.rows[0].together[ALL]]
    together = Table(
        TOGETHER,
        ("", *(METRICS[name] for name in names)),
        tuple(
            (label, *(in_words(row.together[channel][name]) for name in names))
            for label, row, channel in _rows(scores)
        ),
        f"{real} real and {synth} synthetic pictures; 0 is perfect. Definitions: noisegen evaluate "
        "--help.",
    )
    if not scores.paired:
        return (together,)
    one_by_one = Table(
        PICTURES,
        ("", *METRICS.values()),
        tuple(
            (label, *(mean_in_words(row.summary(channel, name)) for name in METRICS))
            for label, row, channel in _rows(scores)
        ),
        f"Mean (median) over {real} pictures that both sides show; 0 is perfect.",
    )
    return one_by_one, together


def _rows(scores: FolderScores) -> list[tuple[str, RowScores, str]]:
    ours, *others = scores.rows
    channels = channel_names(scores)
    of_ours = [
        (ours.name if channel == ALL else channel, ours, channel)
        for channel in (channels if len(channels) > 2 else channels[:1])
    ]
    return [*of_ours, *((row.name, row, ALL) for row in others)]


def _word(value: object) -> str:
    if isinstance(value, Layout):
        return value.value
    if isinstance(value, tuple):
        low, high = value
        return f"{low:g}" if low == high else f"{low:g} to {high:g}"
    return "–" if value is None else str(value)
