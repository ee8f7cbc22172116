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
from noisegen.cli.tables import check_folder, on_terminal, set_table, write_files
from noisegen.errors import UsageError
from noisegen.evaluation.ablated import uncompleted_row
from noisegen.evaluation.held_out import all_splits
from noisegen.evaluation.instruments.bench import BenchLine
from noisegen.evaluation.peers import missing_peer, peer_rows
from noisegen.evaluation.protocol import Cases
from noisegen.evaluation.report.draw_looks import looks_png
from noisegen.evaluation.rows import Row, standard_rows
from noisegen.evaluation.split_scores import (
    KINDS,
    LONE,
    PAIR,
    Pace,
    SplitScores,
    Wanted,
    dicts_csv,
    flat,
    sets_csv,
    split_csv,
    try_split,
)
from noisegen.evaluation.tables import Table, mean_in_words
from noisegen.model.device import select_device
from noisegen.model.weights import Weights, load_weights

METRICS = ("kld", "kld0", "akld", "ks", "correlation", "level", "sigma")
OF_REAL_SPLITS = ("looks", "set_metrics", "peers", "ablate", "by", "lone")
"""Options that simulated instruments do not have: they are tried by every kind of reference."""

DEFAULT = ("polyu-seen", "gaussian")
CSV_FILES = ("scores.csv", "sets.csv", "instruments.csv")


def evaluate_splits(asked: Evaluate, output: Output) -> None:
    """Scores the weights on each split, prints a table of each and writes the CSV files.

    Raises:
        UsageError: an unknown split or kind of references, or no data.
        OutputError: the CSV files are there.
        WeightsError: the weights cannot be used.
    """
    names, kinds = list(asked.split or DEFAULT), _kinds(asked)
    instruments = chosen_instruments(names, asked.instrument)
    if asked.split and set(asked.split) == {INSTRUMENTS}:
        why = "does not go with the instruments; name another split"
        refuse_given(asked, OF_REAL_SPLITS, why)
    chosen = _splits([name for name in names if name != INSTRUMENTS], asked.data, asked.crops)
    files = _csv_files(asked, bool(chosen), bool(instruments))
    if asked.looks is not None:
        pictures = (_looks_file(name, kind) for name in chosen for kind in kinds)
        check_folder(asked.looks, pictures, "--looks")
    loaded, place = load_weights(asked.weights), str(select_device(asked.device))
    rows, draws = _rows(asked, loaded, place, output), asked.looks is not None
    wanted = Wanted(rows, asked.data, place, asked.set_metrics, draws)
    found: list[SplitScores] = []
    for name, cases in chosen.items():
        for kind in kinds:
            output.note(f"evaluating {name}{_suffix(kind)}")
            found.append(try_split(name, cases, kind, wanted))
            # After each one: hours of a run that is stopped are not lost.
            _write(asked, files, found, ())
            _draw(found[-1], asked, output)
    lines = run_instruments(instruments, loaded, place, output)
    if files:
        output.note(_write(asked, files, found, lines))
    tables = [table for one in found for table in _tables(one)]
    tables += [bench_table(lines), bench_words(lines)] if lines else []
    output.result(Group(*tables), _report(found, lines, kinds, loaded))


def refuse_given(asked: Evaluate, names: Sequence[str], why: str) -> None:
    """Refuses the first of some options that was given.

    Raises:
        UsageError: names the option and says why.
    """
    for name in names:
        if getattr(asked, name):
            raise UsageError(f"--{name.replace('_', '-')} {why}")


def _kinds(asked: Evaluate) -> list[str]:
    if asked.lone and asked.by:
        raise UsageError("--lone is --by lone; give one of them")
    kinds = [LONE] if asked.lone else (asked.by or PAIR).split(",")
    for kind in kinds:
        if kind not in KINDS:
            raise UsageError(f"--by {kind}: unknown; choose of {', '.join(KINDS)}")
    return list(dict.fromkeys(kinds))


def _rows(asked: Evaluate, weights: Weights, device: str, output: Output) -> list[Row]:
    """The standard rows, the peers after the two baselines, the ablated row before the floor."""
    rows = standard_rows(weights, device)
    if asked.ablate:
        rows.insert(-1, uncompleted_row(weights, device))
    if not asked.peers:
        return rows
    missing = missing_peer()
    if missing is not None:
        output.note(missing)
    return [*rows[:2], *peer_rows(weights), *rows[2:]]


def _csv_files(asked: Evaluate, splits: bool, instruments: bool) -> list[str]:
    """Names of the files to write, the instruments' last; none where no folder is given."""
    if asked.csv is None:
        return []
    wanted = splits, splits and asked.set_metrics, instruments
    files = [name for name, one in zip(CSV_FILES, wanted, strict=True) if one]
    check_folder(asked.csv, files)
    return files


def _write(
    asked: Evaluate, files: Sequence[str], found: Sequence[SplitScores], lines: Sequence[BenchLine]
) -> str:
    if asked.csv is None:
        return ""
    data = (
        split_csv(found, asked.weights),
        sets_csv(found, asked.weights),
        dicts_csv([flat(line) for line in bench_json(lines)]),
    )
    by_name = dict(zip(CSV_FILES, data, strict=True))
    return write_files(asked.csv, {name: by_name[name] for name in files})


def _draw(one: SplitScores, asked: Evaluate, output: Output) -> None:
    """Draws what the classifier looked at; says so where a split of one scene has none."""
    if one.looks and asked.looks is not None:
        title = f"{one.split}{_suffix(one.by)}"
        picture = looks_png(title, one.looks)
        output.note(write_files(asked.looks, {_looks_file(one.split, one.by): picture}))
    if (asked.set_metrics and not one.sets) or (asked.looks and not one.looks):
        output.warn(f"{one.split}: shows one scene, it would be learned by heart: not told apart")


def _looks_file(split: str, kind: str) -> str:
    return f"{split}-lone.png" if kind == LONE else f"{split}.png"


def _report(
    found: Sequence[SplitScores], lines: Sequence[BenchLine], kinds: list[str], weights: Weights
) -> dict[str, Any]:
    """JSON values; where both kinds of references are tried, the lone ones' have names so."""
    named = {one.split + (_suffix(one.by) if len(kinds) > 1 else ""): one for one in found}
    extras = {
        "sets": {
            name: {row: asdict(sets) for row, sets in one.sets.items()}
            for name, one in named.items()
            if one.sets
        },
        "lone_sigma": {n: asdict(one.sigma) for n, one in named.items() if one.sigma},
        "instruments": bench_json(lines),
    }
    return {
        "weights": weights.sha256,
        "lone": kinds == [LONE],
        "splits": {name: one.scores for name, one in named.items()},
        "paces": {n: {row: asdict(p) for row, p in one.paces.items()} for n, one in named.items()},
    } | {key: of for key, of in extras.items() if of}


def _suffix(kind: str) -> str:
    return ", lone" if kind == LONE else ""


def _tables(one: SplitScores) -> list[RenderableType]:
    """Tables of one split."""
    title = f"{one.split}{_suffix(one.by)}: {one.targets} targets"
    tables: list[RenderableType] = [_table(f"{title}, mean (median)", one.scores)]
    tables.append(_pace_table(f"{title}, on this machine", one.paces))
    if one.sigma is not None:
        tables.append(
            f"σ of {one.sigma.references} references without their clean: off by "
            f"{100 * one.sigma.corrected:.1f} % on average, by {100 * one.sigma.plain:.1f} % if "
            "the residual is taken as it is"
        )
    if one.sets:
        tables.append(set_table(f"{title}, all together", one.sets))
    return tables


def _splits(names: Sequence[str], data: Path, crops: int) -> dict[str, Cases]:
    known = all_splits(crops)
    for name in names:
        if name not in known:
            raise UsageError(
                f"--split {name}: unknown; choose of {', '.join([*known, INSTRUMENTS])}"
            )
    if names and not (data / "polyu").is_dir():
        raise UsageError(
            f"--data {data}: does not hold the validation data (polyu/, w2s/, clean/); "
            "name its folder, or two folders of pairs by --real and --synth"
        )
    return {name: known[name] for name in names}


def _table(title: str, rows: dict[str, dict[str, dict[str, float]]]) -> Shown:
    cells = tuple(
        (row, *(mean_in_words(of[metric]) for metric in METRICS)) for row, of in rows.items()
    )
    return on_terminal(Table(title, ("", *METRICS), cells))


def _pace_table(title: str, rows: dict[str, Pace]) -> Shown:
    cells = tuple((row, f"{pace.fit:.3g}", f"{pace.draw:.3g}") for row, pace in rows.items())
    return on_terminal(Table(title, ("", "fit s", "Mpx/s"), cells))
