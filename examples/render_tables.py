"""Render the tables of README.md and the evaluation guide from their CSV and texts.

``python examples/render_tables.py`` writes what lies between a table's two comments anew; a test
fails where it differs. The CSV of scores is the scores.csv of ``noisegen evaluate --csv``, of
several runs one under the other; those of denoisers are the summary.csv of ``noisegen study``;
speeds are what ``noisegen benchmark`` printed. The commands stand above in lines that begin with #.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from statistics import mean, median

from noisegen.evaluation.tables import markdown_table

ROOT = Path(__file__).parents[1]
SCORES = ROOT / "noisegen/research/tables/evaluation.csv"
SPEED = SCORES.with_name("speed.txt")
INSTRUMENTS = SCORES.with_name("instruments.csv")
TOLD_APART = SCORES.with_name("told-apart.csv")
PAPERS = SCORES.with_name("ablation-papers.csv")
PAGES = ROOT / "README.md", ROOT / "examples/guides/evaluation.md"

TABLE = re.compile(r"(<!-- (scores|study|speed): (.+?) -->\n).*?(<!-- end -->)", re.DOTALL)

ROWS = {
    "gaussian": "Gaussian of the reference's σ",
    "poisson-gaussian": "Poisson-Gaussian, fitted",
    "iso-noise": "albumentations' ISONoise, fitted",
    "av1-grain": "AV1 film grain, fitted",
    "resampled": "real residuals, resampled",
    "drawn": "drawn cameras, no reference",
    "classical": "classical model",
    "noisegen": "**noisegen**",
    "start": "start (network off)",
    "uncompleted": "without the prior over cameras",
    "floor": "floor (two draws)",
}
METRICS = {
    "kld": "KLD",
    "kld0": "KLD without offset",
    "akld": "AKLD",
    "ks": "KS",
    "correlation": "correlation error",
    "level": "noise level error",
    "sigma": "σ error",
}
PACE = {"fit s": "fit, s", "Mpx/s": "Mpx/s"}

OVERVIEW = {
    "nam25": "nam25: 3 DSLRs' JPEGs",
    "s95": "S95, bursts",
    "polyu-unseen": "PolyU, Sony",
    "micro": "micro: fluorescence",
}
BENCH = "15 simulated instruments"
BENCH_KINDS = {
    "gaussian": "Gaussian of the pair's σ",
    "classical": "classical model of the pair",
    "start": "start (network off), by a pair",
    "pair": "**noisegen**, by a pair",
    "burst": "**noisegen**, by a burst of four",
    "lone": "**noisegen**, by a lone shot",
}
BENCH_DISTANCES = {"kld": "KLD", "akld": "AKLD", "correlation": "correlation error"}

LEARNED_ROWS = "classical", "start", "noisegen", "floor"
SIM = "`--weights sim`, which has seen none of PolyU"
LEARNED = {
    ("base", "polyu-seen"): "PolyU, seen cameras",
    ("sim", "polyu-seen"): f"PolyU, seen cameras, {SIM}",
    ("base", "polyu-seen-hard"): "the same, one 256² crop as reference",
    ("sim", "polyu-seen-hard"): f"the same, one 256² crop as reference, {SIM}",
    ("base", "simulated"): "simulated cameras, all kinds",
}

COMPLETION_ROWS = "uncompleted", "noisegen"
COMPLETION = {
    "polyu-seen": "a half of each scene",
    "polyu-seen-hard": "one 256² crop",
    "polyu-seen-narrow": "four crops of few intensities",
}

PAPERS_ON = {
    "polyu-seen": "PolyU, seen cameras",
    "polyu-unseen": "PolyU, Sony",
    "simulated": "simulated cameras",
}

Line = dict[str, str]
Scores = dict[tuple[str, str, str], dict[str, Line]]
"""Weights, split and kind of references → row → its line."""


def read_lines(path: Path) -> str:
    """A CSV without its comments."""
    return "\n".join(_uncommented(path.read_text(encoding="utf-8")))


def _uncommented(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.startswith("#")]


def read_scores(text: str) -> Scores:
    """Lines of the CSV, whose first lines may be comments."""
    scores: Scores = {}
    for line in csv.DictReader(_uncommented(text)):
        scores.setdefault((line["weights"], line["split"], line["by"]), {})[line["row"]] = line
    return scores


def whole(scores: Scores, split: str, by: str) -> str:
    """Every metric of a split, mean (median), and what the rows take where that was timed."""
    lines = scores["base", split, by]
    timed = {name: words for name, words in PACE.items() if any(x[name] for x in lines.values())}
    cells = (
        [ROWS[row]]
        + [
            f"{_figures(lines[row], 'mean', **four)} ({_figures(lines[row], 'median', **four)})"
            for four in ({metric: 4} for metric in METRICS)
        ]
        + [lines[row][name] or "–" for name in timed]
        for row in _shown(lines)
    )
    return markdown_table(["", *METRICS.values(), *timed.values()], cells)


def _shown(lines: dict[str, Line]) -> Iterable[str]:
    """Rows in order; without the start's where it is noisegen's: there the network is off."""
    scored = [f"{metric} mean" for metric in METRICS]
    for row in ROWS:
        twin = row == "start" and all(
            lines.get("start", {}).get(name) == lines["noisegen"][name] for name in scored
        )
        if row in lines and not twin:
            yield row


def overview(scores: Scores) -> str:
    """KLD / AKLD of the splits that nothing is trained or tuned on, means."""
    splits = [scores["base", split, "pair"] for split in OVERVIEW]
    found = read_bench()
    tried = {"gaussian": "gaussian", "classical": "classical", "noisegen": "pair", "floor": "floor"}
    cells = (
        [
            ROWS[row],
            *(_figures(lines[row], "mean", kld=4, akld=3) for lines in splits),
            _bench_figures(found[tried[row]]) if row in tried else "–",
        ]
        for row in ROWS
        if row != "start" and all(row in lines for lines in splits)
    )
    return markdown_table(["", *OVERVIEW.values(), BENCH], cells)


def _bench_figures(of: dict[str, list[float]]) -> str:
    return f"{mean(of['kld']):.4f} / {mean(of['akld']):.3f}"


def read_bench() -> dict[str, dict[str, list[float]]]:
    """Kind of reference, or ``floor`` → distance, or ``σ`` → one value an instrument."""
    found: dict[str, dict[str, list[float]]] = {}
    for line in csv.DictReader(_uncommented(INSTRUMENTS.read_text(encoding="utf-8"))):
        of, floor = (found.setdefault(kind, {}) for kind in (line["kind"], "floor"))
        for name in BENCH_DISTANCES:
            of.setdefault(name, []).append(float(line[f"judged distances {name}"]))
            if line["kind"] == "pair":
                floor.setdefault(name, []).append(float(line[f"judged floor {name}"]))
        of.setdefault("σ", []).append(abs(math.log(float(line["judged worst_ratio"]))))
    return found


def bench() -> str:
    """Distances, and how far σ is off in the worst tenth of the intensities, mean (median)."""
    found = read_bench()
    cells = []
    for kind, words in {**BENCH_KINDS, "floor": ROWS["floor"]}.items():
        of = found[kind]
        row = [f"{mean(of[name]):.4f} ({median(of[name]):.4f})" for name in BENCH_DISTANCES]
        worst = [100 * math.expm1(off) for off in of.get("σ", [])]
        row.append(f"{mean(worst):.0f} % ({median(worst):.0f} %)" if worst else "–")
        cells.append([words, *row])
    return markdown_table(["", *BENCH_DISTANCES.values(), "σ off, worst tenth"], cells)


def learned(scores: Scores) -> str:
    """Rows of the kinds of cameras that are trained on."""
    return _of_rows(LEARNED_ROWS, {words: scores[(*key, "pair")] for key, words in LEARNED.items()})


def completion(scores: Scores) -> str:
    """Ours without and with the prior over cameras, by what the reference shows."""
    shown = {
        f"{words}, {by}": lines
        for split, words in COMPLETION.items()
        for by in ("pair", "lone")
        if "uncompleted" in (lines := scores.get(("base", split, by), {}))
    }
    return _of_rows(COMPLETION_ROWS, shown)


def told_apart() -> str:
    """How often a classifier tells generated noise from real, with its interval over scenes."""
    cells = (
        [
            ROWS[line["row"]],
            "{:.0f} % ({:.0f}–{:.0f} %)".format(
                *(100 * float(line[f"told_apart {name}"]) for name in ("accuracy", "low", "high"))
            ),
            f"{float(line['mmd']):.5f}".replace("-", "−"),
        ]
        for line in csv.DictReader(_uncommented(TOLD_APART.read_text(encoding="utf-8")))
    )
    return markdown_table(["", "told apart", "MMD²"], cells)


def papers() -> str:
    """KLD / AKLD of the pixel generator trained by each paper's objectives, means."""
    found: dict[str, dict[str, Line]] = {}
    for line in csv.DictReader(_uncommented(PAPERS.read_text(encoding="utf-8"))):
        found.setdefault(line["row"], {})[line["split"]] = line
    cells = (
        [ROWS.get(row, row), *(_figures(of[split], "mean", kld=4, akld=3) for split in PAPERS_ON)]
        for row, of in found.items()
    )
    return markdown_table(["", *PAPERS_ON.values()], cells)


def _of_rows(rows: Sequence[str], of: dict[str, dict[str, Line]]) -> str:
    """KLD / AKLD / noise level error, mean (median)."""
    digits = {"kld": 4, "akld": 3, "level": 3}
    cells = (
        [words]
        + [
            f"{_figures(lines[row], 'mean', **digits)} ({_figures(lines[row], 'median', **digits)})"
            for row in rows
        ]
        for words, lines in of.items()
    )
    return markdown_table(["", *(ROWS[row] for row in rows)], cells)


def study(lines: str) -> str:
    """PSNR of each arm on each test and its lead over real pairs; then the other leads."""
    found = list(csv.DictReader(lines.splitlines()))
    arms, tests = (list(dict.fromkeys(line[key] for line in found)) for key in ("arm", "test"))
    by = {(line["arm"], line["test"], line["against"]): line for line in found}
    cells = (
        [arm] + [_psnr(by[arm, t, ""]) + _beside(by.get((arm, t, "real"))) for t in tests]
        for arm in arms
    )
    leads = [
        f"- {arm} against {against}: "
        + ", ".join(f"{test} {_lead(by[arm, test, against])}" for test in tests)
        for arm, against in dict.fromkeys((line["arm"], line["against"]) for line in found)
        if against not in ("", "real")
    ]
    return "\n".join([markdown_table(["", *tests], cells), "", *leads])


def _psnr(line: Line) -> str:
    spread = f" ± {float(line['spread']):.2f}" if line["spread"] else ""
    return f"{float(line['psnr']):.2f}{spread}"


def _beside(line: Line | None) -> str:
    return f" ({_lead(line)})" if line else ""


def _lead(line: Line) -> str:
    """A difference in dB; none where it is below its standard error."""
    shown = f"{float(line['psnr']):+.2f}".replace("-", "−")
    if not line["spread"]:
        return shown
    none = "none: " * (abs(float(line["psnr"])) < float(line["spread"]))
    return f"{none}{shown} ± {float(line['spread']):.2f}"


def _figures(line: Line, kind: str, **digits: int) -> str:
    return " / ".join(f"{float(line[f'{name} {kind}']):.{n}f}" for name, n in digits.items())


def printed(lines: str, whole: bool) -> str:
    """What the benchmark printed; else its first block alone, of pictures of one size."""
    shown = [line for line in lines.splitlines() if not line.startswith("#")]
    end = next(i for i, line in enumerate(shown) if i and not line.startswith(" "))
    return "\n".join(["```", *(shown if whole else shown[:end]), "```"])


OF_SPLITS: dict[str, Callable[[Scores], str]] = {
    "overview": overview,
    "learned": learned,
    "completion": completion,
}
WITHOUT_SCORES: dict[str, Callable[[], str]] = {
    "instruments": bench,
    "told apart": told_apart,
    "papers": papers,
}


def rendered(page: str, scores: Scores) -> str:
    """A page whose tables are made anew."""

    def table(found: re.Match[str]) -> str:
        make = OF_SPLITS.get(found[3])
        if found[3] in WITHOUT_SCORES:
            made = WITHOUT_SCORES[found[3]]()
        elif found[2] == "study":
            made = study(read_lines(SCORES.with_name(f"study-{found[3]}.csv")))
        elif found[2] == "speed":
            made = printed(SPEED.read_text(encoding="utf-8"), found[3] == "all")
        else:
            made = make(scores) if make else whole(scores, *found[3].split())
        return f"{found[1]}{made}\n{found[4]}"

    return TABLE.sub(table, page)


if __name__ == "__main__":
    for path in PAGES:
        known = read_scores(SCORES.read_text(encoding="utf-8"))
        path.write_text(rendered(path.read_text(encoding="utf-8"), known), encoding="utf-8")
