"""``noisegen evaluate``: the scores of weights on validation splits, baselines beside them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from noisegen.cli import options
from noisegen.cli.output import Output, user_errors
from noisegen.errors import UsageError

if TYPE_CHECKING:
    from rich.table import Table

    from noisegen.evaluation.protocol import Cases
    from noisegen.evaluation.rows import Row
    from noisegen.evaluation.set_metrics import SetScores
    from noisegen.model.weights import Weights
    from noisegen.references.create import Measured
    from noisegen.references.profile import NoiseProfile

METRICS = ("kld", "akld", "ks", "correlation", "level", "sigma")


@user_errors
def evaluate(
    data: options.DataFolder = Path("../shared/data"),
    split: Annotated[
        list[str] | None,
        typer.Option(
            help="polyu-seen, polyu-unseen, polyu-seen-hard, w2s, gaussian, poisson, simulated, "
            "unseen-noise; repeatable."
        ),
    ] = None,
    crops: Annotated[
        int, typer.Option(min=1, help="Targets a PolyU scene; fewer for a quick look.")
    ] = 24,
    set_metrics: Annotated[
        bool,
        typer.Option(
            "--set-metrics",
            help="Also MMD, told apart and denoising gap: about a minute a row on one core.",
        ),
    ] = False,
    blind: Annotated[
        bool, typer.Option("--blind", help="Withhold the references' clean: it is estimated.")
    ] = False,
    closed: Annotated[
        float,
        typer.Option(
            help="Also profiles calibrated, and tuned for so many seconds, on their references."
        ),
    ] = 0,
    weights: options.Weights = "base",
    device: options.Device = "auto",
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Compare generated with real noise on the validation splits, beside the baselines.

    Noise is noisy − clean in [−1, 1], clipped and quantised. 0 is perfect unless said otherwise.

    Of each target, as mean (median):

    kld: KL divergence of the noise's histograms, 256 bins on [−1, 1], in nats.

    akld: mean KL divergence of local variances, 7×7 Gaussian windows of σ 1.4.

    ks: largest difference of the noise's cumulative distributions, in steps of 1/255.

    correlation: RMS error of auto- and cross-channel correlation within 6 px.

    level: RMS log2 ratio of the noise's σ in 16 bins of intensity, from 200 pixels a bin.

    sigma: relative error of the overall σ.

    Of all targets together, with --set-metrics:

    mmd: squared MMD of 1000 noise patches of 8×8 a side, unbiased (it may fall below 0). The
    kernel is a sum of Gaussians of 1/4, 1/2, 1, 2 and 4 median distances between real patches.

    told apart: accuracy of a small CNN on 32×32 noise patches of scenes it was not trained on,
    with its 95 % interval. 0.5 is perfect.

    gap dB, gap SSIM: of a small DnCNN (7 layers, 32 channels) on real pictures of other scenes:
    trained on real pairs, less trained on generated pairs.
    """
    from rich.console import Group

    from noisegen.evaluation.blind import sigma_errors
    from noisegen.evaluation.evaluate import score, summarise
    from noisegen.evaluation.rows import compare_rows, standard_rows
    from noisegen.evaluation.set_metrics import measure_sets
    from noisegen.model.device import select_device
    from noisegen.model.weights import load_weights

    output = Output(json, quiet)
    chosen = _splits(split or ["polyu-seen", "gaussian"], data, crops)
    loaded, place = load_weights(weights), str(select_device(device))
    rows = standard_rows(loaded, place)
    rows += _closed_rows(loaded, place, closed) if closed else []
    tables: list[Table | str] = []
    scores, sets, sigmas = {}, {}, {}
    for name, cases in chosen.items():
        output.note(f"evaluating {name}")
        comparisons = list(compare_rows(rows, cases(data), blind))
        scores[name] = summarise(map(score, comparisons))
        title = f"{name}: {len(comparisons) // len(rows)} targets"
        tables.append(_table(f"{title}, mean (median)", scores[name]))
        if blind:
            errors = sigma_errors(cases(data), loaded.denoiser)
            sigmas[name] = asdict(errors)
            tables.append(
                f"σ of {errors.references} references without their clean: off by "
                f"{100 * errors.corrected:.1f} % on average, by {100 * errors.plain:.1f} % if the "
                "residual is taken as it is"
            )
        if set_metrics:
            measured = dict(measure_sets(comparisons, place))
            sets[name] = {row: asdict(of_set) for row, of_set in measured.items()}
            tables.append(_set_table(f"{title}, all together", measured))
    report = {"weights": loaded.sha256, "blind": blind, "splits": scores}
    extras = {"sets": sets, "blind_sigma": sigmas}
    output.result(Group(*tables), report | {key: found for key, found in extras.items() if found})


def _closed_rows(weights: Weights, place: str, seconds: float) -> list[Row]:
    """Rows of calibrated and of tuned profiles."""
    from noisegen.evaluation.rows import Row, generated
    from noisegen.fitting.close import close_loop

    def calibrated(profile: NoiseProfile, measured: Measured, used: Weights) -> NoiseProfile:
        return close_loop(profile, measured, used).profile

    def tuned(profile: NoiseProfile, measured: Measured, used: Weights) -> NoiseProfile:
        return close_loop(profile, measured, used, seconds).profile

    draw = generated(weights, place)
    return [
        Row("calibrated", weights, draw, fit=calibrated),
        Row("tuned", weights, draw, fit=tuned),
    ]


def _splits(names: Iterable[str], data: Path, crops: int) -> dict[str, Cases]:
    from noisegen.training.held_out import all_splits

    known = all_splits(crops)
    for name in names:
        if name not in known:
            raise UsageError(f"--split {name}: unknown; choose of {', '.join(known)}")
    if not (data / "polyu").is_dir():
        raise UsageError(f"--data {data}: does not hold the validation data (polyu/, w2s/, clean/)")
    return {name: known[name] for name in names}


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


def _set_table(title: str, rows: dict[str, SetScores]) -> Table:
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    table.add_column("")
    for metric in ("mmd", "told apart", "gap dB", "gap SSIM"):
        table.add_column(metric, justify="right")
    for row, scores in rows.items():
        told, gap = scores.told_apart, scores.denoising_gap
        table.add_row(
            row,
            f"{scores.mmd:.5f}",
            f"{told.accuracy:.3f} ({told.low:.3f}–{told.high:.3f})",
            f"{gap.psnr:+.3f}",
            f"{gap.ssim:+.4f}",
        )
    return table
