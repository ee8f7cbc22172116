"""``noisegen evaluate --split``: weights on validation splits, baselines beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table as Shown

from noisegen.cli.evaluate_instruments import (
    INSTRUMENTS,
    bench_json,
    bench_table,
    bench_words,
    chosen_instruments,
    run_instruments,
)
from noisegen.cli.output import Output
from noisegen.cli.score_commands import Evaluate
from noisegen.cli.tables import on_terminal, set_table
from noisegen.errors import UsageError
from noisegen.evaluation.blind import sigma_errors
from noisegen.evaluation.held_out import all_splits
from noisegen.evaluation.protocol import Cases
from noisegen.evaluation.rows import compare_rows, standard_rows, summarise
from noisegen.evaluation.set_metrics import measure_sets
from noisegen.evaluation.tables import Table
from noisegen.model.device import select_device
from noisegen.model.weights import Weights, load_weights

METRICS = ("kld", "kld0", "akld", "ks", "correlation", "level", "sigma")
DEFAULT = ("polyu-seen", "gaussian")


def evaluate_splits(asked: Evaluate, output: Output) -> None:
    """Scores the weights on each split and prints a table of each.

    Raises:
        UsageError: an unknown split, or no data.
        WeightsError: the weights cannot be used.
    """
    names = list(asked.split or DEFAULT)
    instruments = chosen_instruments(names, asked.instrument)
    chosen = _splits([name for name in names if name != INSTRUMENTS], asked.data, asked.crops)
    loaded, place = load_weights(asked.weights), str(select_device(asked.device))
    tables: list[RenderableType] = []
    found: dict[str, dict[str, Any]] = {"splits": {}, "sets": {}, "lone_sigma": {}}
    for name, cases in chosen.items():
        output.note(f"evaluating {name}")
        shown, values = _try_split(name, cases, loaded, place, asked)
        tables += shown
        for kind, of_split in values.items():
            found[kind][name] = of_split
    lines = run_instruments(instruments, loaded, place, output)
    tables += [bench_table(lines), bench_words(lines)] if lines else []
    report = {"weights": loaded.sha256, "lone": asked.lone, "splits": found.pop("splits")}
    extras = {**found, "instruments": bench_json(lines)}
    output.result(Group(*tables), report | {key: of for key, of in extras.items() if of})


def _try_split(
    name: str, cases: Cases, weights: Weights, device: str, asked: Evaluate
) -> tuple[list[RenderableType], dict[str, Any]]:
    """Tables and values of one split."""
    rows, data, lone = standard_rows(weights, device), asked.data, asked.lone
    comparisons = list(compare_rows(rows, cases(data), lone))
    values: dict[str, Any] = {"splits": summarise(comparisons)}
    title = f"{name}{', lone' if lone else ''}: {len(comparisons) // len(rows)} targets"
    tables: list[RenderableType] = [_table(f"{title}, mean (median)", values["splits"])]
    errors = sigma_errors(cases(data), weights.denoiser) if lone else None
    if errors is not None:
        values["lone_sigma"] = asdict(errors)
        tables.append(
            f"σ of {errors.references} references without their clean: off by "
            f"{100 * errors.corrected:.1f} % on average, by {100 * errors.plain:.1f} % if the "
            "residual is taken as it is"
        )
    if asked.set_metrics:
        measured = dict(measure_sets(comparisons, device))
        values["sets"] = {row: asdict(of_set) for row, of_set in measured.items()}
        tables.append(set_table(f"{title}, all together", measured))
    return tables, values


def _splits(names: Sequence[str], data: Path, crops: int) -> dict[str, Cases]:
    known = all_splits(crops)
    for name in names:
        if name not in known:
            raise UsageError(
                f"--split {name}: unknown; choose of {', '.join([*known, INSTRUMENTS])}"
            )
    if names and not (data / "polyu").is_dir():
        raise UsageError(f"--data {data}: does not hold the validation data (polyu/, w2s/, clean/)")
    return {name: known[name] for name in names}


def _table(title: str, rows: dict[str, dict[str, dict[str, float]]]) -> Shown:
    cells = tuple((row, *(_cell(of[metric]) for metric in METRICS)) for row, of in rows.items())
    return on_terminal(Table(title, ("", *METRICS), cells))


def _cell(value: dict[str, Any]) -> str:
    return f"{value['mean']:.4f} ({value['median']:.4f})"
