"""A study's results as cells of a table, as Markdown, CSV and JSON, and its curves as charts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from noisegen.evaluation.report.charts import Chart, Look, Series
from noisegen.evaluation.tables import Table, csv_bytes, markdown_table
from noisegen.files import write_together
from noisegen.research.study.arms import CONTRASTS, Arm, described
from noisegen.research.study.pictures import StudyData
from noisegen.research.study.runs import NOISY, ArmRun
from noisegen.research.study.scores import (
    YARDSTICK,
    ArmDifference,
    ArmQuality,
    differences,
    qualities,
)

RESULTS, TABLE, SUMMARY = "results.json", "table.md", "summary.csv"
SCORES, CURVES = "scores.csv", "curves.csv"

HOW = (
    "Mean over {seeds} and test pictures. PSNR ± its standard deviation between seeds. Against "
    "real: difference of PSNR from the same seeds on the same pictures, ± its standard error over "
    "pictures (crops of one picture count as one)."
)


@dataclass(frozen=True)
class Cells:
    """A table in words.

    Attributes:
        says: what each row learns from, by its name.
        tests: a table each, of the same rows.
        contrasts: further differences, a line each.
        how: what the figures are.
    """

    says: dict[str, str]
    tests: tuple[Table, ...]
    contrasts: tuple[str, ...]
    how: str

    @property
    def explained(self) -> list[str]:
        """Meanings of the rows' names, a line each."""
        return [f"{name}: {said}" for name, said in self.says.items()]


@dataclass(frozen=True, eq=False)
class Results:
    """Findings of a study.

    Attributes:
        data: what was trained and tested on.
        arms: that were trained.
        runs: of them, the untouched pictures first.
    """

    data: StudyData
    arms: Sequence[Arm]
    runs: Sequence[ArmRun]

    @property
    def qualities(self) -> list[ArmQuality]:
        """Quality of each arm on each test."""
        return qualities(self.runs)

    @property
    def differences(self) -> list[ArmDifference]:
        """Differences of each arm from ``real``, then the other contrasts."""
        return differences(self.runs)


def cells(results: Results) -> Cells:
    """Puts the results into the words of a table."""
    found = {(quality.arm, quality.test): quality for quality in results.qualities}
    against = {(d.arm, d.test): d for d in results.differences if d.against == YARDSTICK}
    says = {NOISY: "not denoised"} | {a.name: described(a, results.data) for a in results.arms}
    headings = ("", "PSNR", "SSIM", *(["against real"] if against else []))
    tests = []
    for test in results.data.tests:
        rows = []
        for arm in says:
            quality = found[arm, test]
            row = [arm, _psnr(quality), f"{quality.ssim:.4f}"]
            rows.append((*row, *([_difference(against.get((arm, test)))] if against else [])))
        tests.append(Table(test, headings, tuple(rows)))
    contrasts = tuple(
        f"{arm} against {other}: {', '.join(shown)}"
        for arm, other in CONTRASTS
        if (shown := _contrast(results.differences, arm, other))
    )
    seeds = max(quality.seeds for quality in results.qualities)
    how = HOW.format(seeds="one seed" if seeds == 1 else f"{seeds} seeds")
    return Cells(says, tuple(tests), contrasts, how)


def _contrast(found: Sequence[ArmDifference], arm: str, other: str) -> list[str]:
    return [f"{d.test} {_difference(d)} dB" for d in found if (d.arm, d.against) == (arm, other)]


def _psnr(quality: ArmQuality) -> str:
    spread = quality.psnr_over_seeds
    return f"{quality.psnr:.2f}" + ("" if spread is None else f" ± {spread:.2f}")


def _difference(found: ArmDifference | None) -> str:
    if found is None:
        return "–"
    error = "" if found.psnr_error is None else f" ± {found.psnr_error:.2f}"
    # Adding 0 takes the sign off a difference that rounds to nothing.
    return f"{round(found.psnr, 2) + 0.0:+.2f}".replace("-", "−").replace("+0.00", "0.00") + error


def markdown(table: Cells) -> str:
    """Renders the table for a README: all tests side by side, then what the names mean."""
    headings = ["", *(f"{test.title}: {h}" for test in table.tests for h in test.headings[1:])]
    rows = [
        [name, *(cell for test in table.tests for cell in test.rows[index][1:])]
        for index, name in enumerate(table.says)
    ]
    says = [f"- {line}" for line in (*table.contrasts, *table.explained)]
    return "\n".join([markdown_table(headings, rows), "", *says, "", table.how, ""])


def as_json(results: Results) -> dict[str, Any]:
    """The table's figures as JSON values, and how many pictures they come from."""
    data = results.data
    sources = {order.source for order in data.references}
    return {
        "pictures": {
            "real": len(data.real),
            "few": len(data.few),
            "references": sum(len(source.references) for source in sources),
            **{test: len(shots) for test, shots in data.tests.items()},
        },
        "arms": {arm.name: described(arm, data) for arm in results.arms},
        "qualities": [asdict(quality) for quality in results.qualities],
        "differences": [asdict(difference) for difference in results.differences],
    }


def summary_csv(results: Results) -> bytes:
    """CSV of a line an arm and test, then a line a difference of two arms.

    PSNR's spread is its standard deviation between seeds; a difference's, its standard error over
    pictures.
    """
    seeds = max(q.seeds for q in results.qualities)
    lines = [
        (q.arm, q.test, "", q.seeds, q.psnr, q.psnr_over_seeds, q.ssim) for q in results.qualities
    ]
    lines += [
        (d.arm, d.test, d.against, seeds, d.psnr, d.psnr_error, d.ssim) for d in results.differences
    ]
    shown = [
        (*names, seeds, f"{psnr:.4f}", "" if spread is None else f"{spread:.4f}", f"{ssim:.5f}")
        for *names, seeds, psnr, spread, ssim in lines
    ]
    return csv_bytes([("arm", "test", "against", "seeds", "psnr", "spread", "ssim"), *shown])


def scores_csv(runs: Sequence[ArmRun]) -> bytes:
    """CSV of a line a run and test picture."""
    rows = [
        (run.arm, run.seed, score.test, score.name, score.scene, score.psnr, score.ssim)
        for run in runs
        for score in run.scores
    ]
    return csv_bytes([("arm", "seed", "test", "picture", "scene", "psnr", "ssim"), *rows])


def curves_csv(runs: Sequence[ArmRun]) -> bytes:
    """CSV of a line a run, step and test: mean PSNR of the watched pictures."""
    rows = [
        (run.arm, run.seed, point.step, point.test, point.psnr)
        for run in runs
        for point in run.curve
    ]
    return csv_bytes([("arm", "seed", "step", "test", "psnr"), *rows])


def write_results(out: Path, results: Results) -> None:
    """Writes the files of a finished study.

    Raises:
        OutputError: one cannot be written.
    """
    contents = {
        RESULTS: json.dumps(as_json(results), indent=1).encode(),
        TABLE: markdown(cells(results)).encode("utf-8", "backslashreplace"),
        SUMMARY: summary_csv(results),
        SCORES: scores_csv(results.runs),
        CURVES: curves_csv(results.runs),
    }
    write_together([(out / name, content) for name, content in contents.items()])


def curve_charts(runs: Sequence[ArmRun], tests: Sequence[str]) -> list[Chart]:
    """Charts of the learning curves, one a test, a line an arm: means over seeds.

    Args:
        runs: with their curves; those that have none are left out.
        tests: their names.
    """
    arms = [arm for arm in dict.fromkeys(run.arm for run in runs) if arm != NOISY]
    charts = []
    for test in tests:
        series = tuple(
            _mean_curve(arm, f"C{index % 10}", [run for run in runs if run.arm == arm], test)
            for index, arm in enumerate(arms)
        )
        steps, psnrs = (
            np.concatenate([getattr(one, axis) for one in series] or [[0]]) for axis in "xy"
        )
        around = 0.05 * (np.ptp(psnrs) or 1)
        y_range = float(psnrs.min() - around), float(psnrs.max() + around)
        x_range = 0.0, float(steps.max() or 1)
        charts.append(Chart(test, test, "", "steps", "PSNR, dB", series, x_range, y_range))
    return charts


def _mean_curve(arm: str, colour: str, runs: Sequence[ArmRun], test: str) -> Series:
    found: dict[int, list[float]] = {}
    for run in runs:
        for point in run.curve:
            if point.test == test:
                found.setdefault(point.step, []).append(point.psnr)
    psnrs = np.array([float(np.mean(values)) for values in found.values()])
    return Series(arm, colour, Look.LINE, np.array(list(found), float), psnrs)
