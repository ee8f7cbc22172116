"""Rows of the table: what each compares, on which profile."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from comparisons import comparisons, grain, white
from pictures import add_gaussian, scene

from noisegen.evaluation import set_metrics
from noisegen.evaluation.denoiser import Denoiser, DenoiserConfig, Pair, train_denoiser
from noisegen.evaluation.protocol import Case, Target
from noisegen.evaluation.rows import (
    Known,
    Row,
    compare_rows,
    generated,
    standard_rows,
    start_row,
    summarise,
)
from noisegen.evaluation.set_metrics import MMDConfig, SetConfig, measure_sets
from noisegen.evaluation.told_apart import ClassifierConfig
from noisegen.model.surroundings import Surroundings
from noisegen.model.weights import Weights
from noisegen.references.check import Burst, Reference

TINY = SetConfig(
    MMDConfig(patches=50),
    ClassifierConfig(width=4, steps=2, pairs=2, folds=2, asked=8),
    DenoiserConfig(layers=2, channels=4, steps=2, crops=2, side=16),
)


def case(drawn_again: bool) -> Case:
    clean, shown = scene(48, 48, seed=1), scene(96, 96, seed=2)
    again = add_gaussian(clean, 10, seed=4) if drawn_again else None
    target = Target("target", "scene", add_gaussian(clean, 10, seed=3), clean, again)
    return Case("case", (Reference("r", add_gaussian(shown, 10), shown),), (target,))


def test_floor_is_the_real_process_where_it_can_be_drawn_again(weights: Weights) -> None:
    shown = case(drawn_again=True)
    rows = {c.row: c for c in compare_rows(standard_rows(weights), [shown])}
    assert list(rows) == ["gaussian", "classical", "noisegen", "start", "floor"]
    assert rows["floor"].real is shown.targets[0].noisy
    assert rows["floor"].fake is shown.targets[0].again


def test_floor_is_two_draws_of_ours_where_it_cannot(weights: Weights) -> None:
    rows = {c.row: c for c in compare_rows(standard_rows(weights), [case(drawn_again=False)])}
    floor, ours = rows["floor"], rows["noisegen"]
    assert np.array_equal(floor.real, ours.fake)
    assert not np.array_equal(floor.fake, floor.real)


def test_generators_of_other_weights_share_a_table(
    weights: Weights, classical_weights: Weights
) -> None:
    """Each gets a profile by its own encoder: another's would be refused."""

    def clean_itself(target: Target, _: Known) -> np.ndarray:
        return target.clean

    rows = [
        start_row(weights),
        Row("untrained", classical_weights, generated(classical_weights)),
        Row("none", weights, clean_itself),
    ]
    made = list(compare_rows(rows, [case(drawn_again=False)]))
    assert [c.row for c in made] == ["start", "untrained", "none"]
    assert not made[2].fake_noise.any()


def test_evaluate_scores_the_standard_rows(weights: Weights) -> None:
    scores = summarise(compare_rows(standard_rows(weights), [case(drawn_again=True)]))
    assert list(scores) == ["gaussian", "classical", "noisegen", "start", "floor"]
    assert scores["floor"]["sigma"]["mean"] < 0.05


def test_rows_share_what_the_real_noise_taught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two folds for the real noise, two for each row."""
    trainings = 0

    def counted(pairs: list[Pair], config: DenoiserConfig, device: torch.device) -> Denoiser:
        nonlocal trainings
        trainings += 1
        return train_denoiser(pairs, config, device)

    monkeypatch.setattr(set_metrics, "train_denoiser", counted)
    first = comparisons(grain(20), white(5), scenes=2, side=48)
    second = [replace(c, row="same", fake=c.real) for c in first]
    scores = dict(measure_sets([*first, *second], config=TINY))
    assert trainings == 6
    assert list(scores) == ["row", "same"]
    assert scores["same"].denoising_gap.psnr == pytest.approx(0)
    assert scores["row"].mmd > scores["same"].mmd


def test_lone_withholds_cleans_and_the_other_shots(weights: Weights) -> None:
    shown = case(drawn_again=False)
    (reference,) = shown.lone().references
    assert isinstance(reference, Reference)
    assert reference.clean is None
    shots = tuple(add_gaussian(scene(96, 96, seed=2), 10, seed=seed) for seed in range(3))
    burst = replace(shown, references=(Burst("b", ("0", "1", "2"), shots),))
    (first,) = burst.lone().references
    assert isinstance(first, Reference)
    assert np.array_equal(first.noisy, shots[0])
    assert burst.lone().targets == burst.targets


def test_bursts_are_references_too(weights: Weights) -> None:
    shots = tuple(add_gaussian(scene(96, 96, seed=2), 10, seed=seed) for seed in range(3))
    burst = replace(case(True), references=(Burst("b", ("0", "1", "2"), shots),))
    rows = {c.row: c for c in compare_rows(standard_rows(weights), [burst])}
    for name in ("gaussian", "classical"):
        assert abs(rows[name].fake_noise.std() * 255 / 10 - 1) < 0.15


def test_the_classical_row_is_plain_and_the_start_has_no_network(weights: Weights) -> None:
    clean = scene(256, 256, seed=2)
    planes = torch.from_numpy(clean.transpose(2, 0, 1)[None].copy()).float() / 255
    with torch.no_grad():
        maps = weights.content(planes, Surroundings.of(planes), torch.full_like(planes, 0.04))
    followed = maps[0, :, 0].numpy().transpose(1, 2, 0)
    factor = np.exp((0.7 * (followed - followed.mean()) / followed.std()).clip(-1, 1))
    noise = 10 * factor * np.random.default_rng(0).normal(size=clean.shape)
    noisy = np.clip(np.rint(clean + noise), 0, 255).astype(np.uint8)
    follows = Case("c", (Reference("r", noisy, clean),), (Target("t", "s", noisy, clean),))
    rows = {c.row: c for c in compare_rows(standard_rows(weights), [follows])}
    assert not np.array_equal(rows["noisegen"].fake, rows["classical"].fake)
    assert not np.array_equal(rows["noisegen"].fake, rows["start"].fake)
    rows = {c.row: c for c in compare_rows(standard_rows(weights), [case(drawn_again=False)])}
    assert abs(rows["noisegen"].fake_noise.std() * 255 / 10 - 1) < 0.15


def test_the_plain_classical_model_sees_every_window_of_pairs_that_fit(weights: Weights) -> None:
    """Of pairs that do not, those that are shifted are left out."""
    detail = np.random.default_rng(2).integers(60, 200, (32, 32, 3)).repeat(4, 0).repeat(4, 1)
    shown = detail.astype(np.uint8)
    moved = np.concatenate([shown[:, :64], np.roll(shown, 2, 1)[:, 64:]], 1)
    reference = Reference("r", add_gaussian(moved, 2), shown)
    counts = []

    def count(target: Target, known: Known) -> np.ndarray:
        assert known.windows is not None
        counts.append(len(known.windows))
        return target.clean

    for misregistered in (False, True):
        tried = replace(case(False), references=(reference,), misregistered=misregistered)
        list(compare_rows([Row("count", weights, count)], [tried]))
    assert counts[0] == 16
    assert counts[1] < 16
