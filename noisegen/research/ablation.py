"""The ablation table: objectives, prompt blocks and data, each trained on one small budget."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from noisegen.evaluation.protocol import Case
from noisegen.evaluation.rows import (
    Row,
    classical_row,
    compare_rows,
    floor_row,
    gaussian_row,
    generated,
    summarise,
)
from noisegen.evaluation.set_metrics import measure_sets
from noisegen.evaluation.tables import markdown_table, mean_in_words
from noisegen.files.atomic import write_atomically
from noisegen.model.config import EncoderConfig, GeneratorConfig, ModelConfig
from noisegen.model.weights import Weights, load_weights, save_weights, untrained_model
from noisegen.research.generator.config import ObjectiveConfig, Shares, Stage, TrainingConfig
from noisegen.research.generator.loop import train
from noisegen.research.network_rows import (
    generator_cost,
    generator_row,
    train_two_stages,
    two_stage_row,
)

log = logging.getLogger(__name__)

MIXED: Shares = (("polyu", 0.4), ("w2s", 0.1), ("leaves", 0.3), ("classical", 0.2))
REAL: Shares = (("polyu", 0.8), ("w2s", 0.2))
DRAWN: Shares = (("leaves", 0.6), ("classical", 0.4))

NONE = ObjectiveConfig(energy=0)
ENERGY = ObjectiveConfig()

TWO_STAGE = "PNG: autoencoder, then consistency in its latent"


@dataclass(frozen=True)
class Ablation:
    """A row of the table: what differs from the rest.

    Attributes:
        name: of the row.
        objectives: that it is trained with.
        encoder: of the prompt.
        generator: network.
        shares: of the data.
    """

    name: str
    objectives: ObjectiveConfig = ENERGY
    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    generator: GeneratorConfig = field(default_factory=GeneratorConfig)
    shares: Shares = MIXED


ROWS: tuple[Ablation, ...] = (
    Ablation(TWO_STAGE),
    Ablation(
        "NoiseTransfer: contrastive prompt, conditional adversary, feature matching",
        replace(NONE, adversarial=0.3, adversary="hinge", feature_matching=1.0, contrastive=0.1),
    ),
    Ablation(
        "GuidNoise: local level, refined by histograms",
        replace(NONE, level=1.0, histogram=1.0),
    ),
    Ablation(
        "PNGAN: relativistic pixel adversary, alignment through a denoiser",
        replace(NONE, adversarial=0.3, alignment=0.3),
    ),
    Ablation("energy score"),
    Ablation("energy score + contrastive prompt", replace(ENERGY, contrastive=0.05)),
    Ablation("energy score + histograms", replace(ENERGY, histogram=0.3)),
    Ablation("energy score + relativistic adversary", replace(ENERGY, adversarial=0.1)),
    Ablation("energy score + alignment", replace(ENERGY, alignment=0.1)),
    Ablation("energy score, no global block", encoder=EncoderConfig(global_tokens=0)),
    Ablation("energy score, no local block", encoder=EncoderConfig(local_tokens=0)),
    Ablation("energy score, no prompt attention", generator=GeneratorConfig(attention=False)),
    Ablation("energy score, no simulator or textbook noise", shares=REAL),
    Ablation("energy score, no real pairs", shares=DRAWN),
)
"""The papers' objectives in this code's terms, then ours and what each part of it is worth.

Every row has the same generator, start (the classical model that follows activity), references
apart from targets, steps and batches; only PNG's is a network of its own, in two stages of half
the steps each. GuidNoise's diffusion loss is replaced by its purpose, the local level of the
noise, as the row draws in one step.
"""

SIZES: tuple[Ablation, ...] = (
    Ablation(
        "small",
        generator=GeneratorConfig(64, (True, False), decoder_width=24),
        encoder=EncoderConfig(width=32),
    ),
    Ablation("base"),
    Ablation(
        "large",
        generator=GeneratorConfig(256, (True, False, True, False), decoder_width=80),
    ),
)
"""Three sizes, for score against speed."""


def train_rows(
    rows: Sequence[Ablation], bank: Path, folder: Path, steps: int, seed: int, device: torch.device
) -> Iterator[str]:
    """Trains what is not trained yet; yields each row's name when it is."""
    for row in rows:
        run = folder / slug(row.name)
        config = configure(row, steps, seed)
        if row.name == TWO_STAGE:
            train_two_stages(config, bank, run, device)
        else:
            for _ in train(config, bank, run, device):
                pass
        yield row.name


def configure(row: Ablation, steps: int, seed: int) -> TrainingConfig:
    """The row's training run."""
    return TrainingConfig(
        stages=(Stage("row", steps, row.shares),),
        warmup=min(50, steps // 4),
        ema=0.99,
        keep=1.0,
        seed=seed,
        model=ModelConfig(row.encoder, row.generator),
        objectives=row.objectives,
    )


def score_rows(
    rows: Sequence[Ablation],
    folder: Path,
    splits: Mapping[str, Callable[[], Iterable[Case]]],
    sets_on: str | None,
    device: str,
) -> dict[str, Any]:
    """Scores of all rows, baselines and floor beside them.

    Args:
        rows: trained in ``folder``.
        folder: of the runs.
        splits: names and cases.
        sets_on: the split whose set metrics are measured too.
        device: where generators run.

    Returns:
        Split → row → metric → mean and median; under ``sets``, row → set metric.
    """
    start = _start(folder)
    table: list[Row] = [
        gaussian_row(start),
        classical_row(start),
        Row("start: classical, following activity", start, generated(start, device)),
        *(_row(row, folder, device) for row in rows),
        floor_row(start, device),
    ]
    scores: dict[str, Any] = {}
    for name, cases in splits.items():
        comparisons = list(compare_rows(table, cases()))
        scores[name] = summarise(comparisons)
        log.info("scored %s", name)
        if name == sets_on:
            measured = measure_sets(comparisons, device)
            scores["sets"] = {row: asdict(values) for row, values in measured}
    return scores


def _row(row: Ablation, folder: Path, device: str) -> Row:
    run = folder / slug(row.name)
    weights = trained_weights(run)
    if row.name == TWO_STAGE:
        return two_stage_row(row.name, weights, run, device)
    return generator_row(row.name, weights, device)


def _start(folder: Path) -> Weights:
    """Writes and loads weights before any training."""
    path = folder / "start.safetensors"
    save_weights(path, untrained_model(), ModelConfig(), {"steps": 0})
    return load_weights(str(path))


def trained_weights(run: Path) -> Weights:
    """The weights of a row's run."""
    return load_weights(str(run / "noisegen-row.safetensors"))


def cost_rows(rows: Sequence[Ablation], folder: Path) -> dict[str, dict[str, float]]:
    """Parameters and arithmetic of trained rows."""
    return {
        row.name: asdict(generator_cost(trained_weights(folder / slug(row.name)))) for row in rows
    }


def slug(name: str) -> str:
    """Turns a row's name into a folder's."""
    return "-".join("".join(c if c.isalnum() else " " for c in name.lower()).split())


SHOWN = ("kld", "akld", "ks", "correlation", "level")


def markdown(scores: dict[str, Any]) -> str:
    """Renders the scores as Markdown tables, one a split: mean (median)."""
    parts = []
    for split, rows in scores.items():
        if split == "sets":
            parts.append(f"**all targets together**\n\n{_sets_markdown(rows)}")
        elif split == "costs":
            cells = [
                (name, f"{row['parameters'] / 1e6:.2f}", f"{row['kflop']:.0f}")
                for name, row in rows.items()
            ]
            parts.append(markdown_table(("", "parameters, M", "kFLOP a pixel"), cells))
        else:
            cells = [(name, *(mean_in_words(row[m]) for m in SHOWN)) for name, row in rows.items()]
            parts.append(f"**{split}**\n\n{markdown_table(('', *SHOWN), cells)}")
    return "\n\n".join(parts) + "\n"


def _sets_markdown(rows: dict[str, Any]) -> str:
    cells = [
        (
            name,
            f"{row['mmd']:.5f}",
            "{accuracy:.2f} ({low:.2f}–{high:.2f})".format(**row["told_apart"]),
            f"{row['denoising_gap']['psnr']:+.2f}",
        )
        for name, row in rows.items()
    ]
    return markdown_table(("", "MMD²", "told apart", "denoising gap, dB"), cells)


def save_scores(path: Path, scores: dict[str, Any]) -> None:
    """Writes the scores as JSON beside the runs."""
    write_atomically(path, json.dumps(scores, indent=1).encode())
