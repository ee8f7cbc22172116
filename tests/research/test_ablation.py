"""The ablation table: rows of two steps, scored beside the baselines, trained only once."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from pictures import add_gaussian, scene
from small_network import GENERATOR, SMALL, TRAINED

from noisegen.evaluation.denoiser import DenoiserConfig
from noisegen.evaluation.protocol import Case, Target
from noisegen.evaluation.set_metrics import MMDConfig, SetConfig, measure_sets
from noisegen.evaluation.told_apart import ClassifierConfig
from noisegen.noise.metrics import Scores
from noisegen.references.check import Reference
from noisegen.research import ablation
from noisegen.research.ablation import (
    ROWS,
    SIZES,
    TWO_STAGE,
    Ablation,
    configure,
    markdown,
    save_scores,
    score_rows,
    slug,
    train_rows,
    trained_weights,
)
from noisegen.research.generator.config import ObjectiveConfig

NAMES = ("energy score", "level: alone", TWO_STAGE)
BASELINES = {"gaussian", "classical", "start: classical, following activity", "floor"}
TINY_SETS = SetConfig(
    MMDConfig(patches=50),
    ClassifierConfig(width=4, steps=2, pairs=2, folds=2, asked=8),
    DenoiserConfig(layers=2, channels=4, steps=2, crops=2, side=16),
)


def small_rows() -> list[Ablation]:
    rows = [Ablation(name, encoder=SMALL.encoder, generator=GENERATOR) for name in NAMES]
    rows[1] = replace(rows[1], objectives=ObjectiveConfig(energy=0, level=1.0))
    return rows


@pytest.fixture(scope="module")
def trained(bank: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of three rows' runs."""
    folder = tmp_path_factory.mktemp("ablation")
    assert list(train_rows(small_rows(), bank, folder, 2, 0, torch.device("cpu"))) == list(NAMES)
    return folder


def cases() -> list[Case]:
    """Two targets of sides that no grid divides."""
    shown = scene(96, 96, seed=9)
    targets = []
    for seed in (1, 2):
        clean = scene(70, 83, seed=seed)
        noisy, again = (add_gaussian(clean, 10, 10 * seed + draw) for draw in range(2))
        targets.append(Target(f"t{seed}", f"scene {seed}", noisy, clean, again))
    return [Case("drawn", (Reference("r", add_gaussian(shown, 10), shown),), tuple(targets))]


@pytest.mark.slow
def test_every_row_leaves_weights_of_its_size(trained: Path) -> None:
    for name in NAMES:
        weights = trained_weights(trained / slug(name))
        assert weights.config == TRAINED
        assert weights.card["steps"] == 2


def test_the_second_call_trains_nothing(trained: Path, bank: Path) -> None:
    before = {p: p.stat().st_mtime_ns for p in trained.rglob("*") if p.is_file()}
    again = train_rows(small_rows(), bank, trained, 2, 0, torch.device("cpu"))
    assert list(again) == list(NAMES)
    after = {p: p.stat().st_mtime_ns for p in trained.rglob("*") if p.is_file()}
    assert after == before
    assert {path.parent.name for path in before} == set(map(slug, NAMES))


def test_all_rows_and_baselines_are_scored(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ablation, "measure_sets", partial(measure_sets, config=TINY_SETS))
    scores = score_rows(small_rows(), trained, {"drawn": cases}, "drawn", "cpu")
    assert list(scores) == ["drawn", "sets"]
    for part in scores.values():
        assert set(part) == BASELINES | set(NAMES)
    for name, row in scores["drawn"].items():
        assert set(row) == set(Scores.__dataclass_fields__), name
        for metric, values in row.items():
            assert set(values) == {"mean", "median"}
            assert np.isfinite(list(values.values())).all(), (name, metric)
    for row in scores["sets"].values():
        assert set(row) == {"mmd", "told_apart", "denoising_gap"}
    floor = scores["drawn"]["floor"]["sigma"]["mean"]
    assert floor < 0.05
    # Each row has a generator of its own.
    assert len({row["akld"]["mean"] for row in scores["drawn"].values()}) == len(scores["drawn"])

    lines = markdown(scores).splitlines()
    for name in BASELINES | set(NAMES):
        assert sum(line.startswith(f"| {name} |") for line in lines) == 2, name
    columns = {line.count("|") for line in lines if line.startswith("| ")}
    assert columns == {len(ablation.SHOWN) + 2, 5}
    save_scores(tmp_path / "scores.json", scores)
    assert json.loads((tmp_path / "scores.json").read_text()) == scores


def test_without_a_split_for_them_no_set_metrics(trained: Path) -> None:
    scores = score_rows(small_rows()[:1], trained, {"drawn": cases}, None, "cpu")
    assert list(scores) == ["drawn"]
    assert set(scores["drawn"]) == BASELINES | {NAMES[0]}


def test_rows_have_folders_of_their_own() -> None:
    for table in (ROWS, SIZES):
        assert len({slug(row.name) for row in table}) == len(table)
    assert slug("PNG: two-stage, x") == "png-two-stage-x"


def test_the_table_differs_where_its_names_say() -> None:
    """Equal steps and seeds; no two rows are one configuration, but PNG's, which trains apart."""
    runs = [configure(row, 40, 3) for row in ROWS if row.name != TWO_STAGE]
    assert {run.steps for run in runs} == {40}
    assert {run.seed for run in runs} == {3}
    assert len({repr(run) for run in runs}) == len(runs)
