"""``noisegen evaluate``: the scores of weights on validation splits, baselines beside them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from noisegen.cli import options
from noisegen.cli.output import Output, user_errors
from noisegen.errors import UsageError

if TYPE_CHECKING:
    from rich.table import Table

METRICS = ("kld", "akld", "ks", "correlation", "level", "sigma")


@user_errors
def evaluate(
    data: options.DataFolder = Path("../shared/data"),
    split: Annotated[
        list[str] | None,
        typer.Option(help="polyu-seen, polyu-unseen, polyu-seen-hard, w2s, gaussian, poisson."),
    ] = None,
    blind: Annotated[
        bool, typer.Option("--blind", help="Withhold the references' clean: it is estimated.")
    ] = False,
    weights: options.Weights = "base",
    device: options.Device = "auto",
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Compare generated with real noise on the validation splits, beside the baselines.

    KLD, AKLD and KS are distances of distributions; correlation is the RMS error of auto- and
    cross-channel correlation within 6 px; level is the RMS log2 ratio of σ against intensity;
    sigma is the relative error of the overall σ. Each as mean (median) over targets.
    """
    from noisegen.evaluation.evaluate import evaluate as run
    from noisegen.evaluation.evaluate import summarise
    from noisegen.evaluation.protocol import SPLITS
    from noisegen.model.device import select_device
    from noisegen.model.weights import load_weights

    output = Output(json, quiet)
    names = split or ["polyu-seen", "gaussian"]
    unknown = [name for name in names if name not in SPLITS]
    if unknown:
        raise UsageError(f"--split {unknown[0]}: unknown; choose of {', '.join(SPLITS)}")
    if not (data / "polyu").is_dir():
        raise UsageError(f"--data {data}: does not hold the validation data (polyu/, w2s/, clean/)")
    loaded, place = load_weights(weights), str(select_device(device))
    tables, scores = [], {}
    for name in names:
        output.note(f"evaluating {name}")
        results = list(run(loaded, SPLITS[name](data), place, blind))
        scores[name] = summarise(results)
        targets = sum(result.row == "noisegen" for result in results)
        tables.append(_table(f"{name}: {targets} targets, mean (median)", scores[name]))
    from rich.console import Group

    output.result(Group(*tables), {"weights": loaded.sha256, "blind": blind, "splits": scores})


def _table(title: str, rows: dict[str, dict[str, dict[str, float]]]) -> Table:
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    table.add_column("")
    for metric in METRICS:
        table.add_column(metric, justify="right")
    for row, metrics in rows.items():
        table.add_row(row, *(_cell(metrics[metric]) for metric in METRICS))
    return table


def _cell(value: dict[str, Any]) -> str:
    return f"{value['mean']:.4f} ({value['median']:.4f})"
