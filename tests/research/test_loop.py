"""Training: batches, stages, resuming, logs, and every objective on a few steps."""

from __future__ import annotations

import csv
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from small_network import TRAINED
from small_training import SIGMAS, SMALL_TRAINING
from torch import Tensor, nn

from noisegen.errors import UsageError, WeightsError
from noisegen.evaluation.denoiser import DenoiserConfig
from noisegen.model.config import BlindSpotConfig, ModelConfig
from noisegen.model.generator import FOLLOW_PACE
from noisegen.model.weights import load_weights, untrained_model
from noisegen.research.generator import loop
from noisegen.research.generator.config import (
    STAGES,
    ObjectiveConfig,
    Stage,
    TrainingConfig,
    chosen_stages,
)
from noisegen.research.generator.loop import Trainer, load_sources, train
from noisegen.research.generator.terms import generate
from noisegen.training.bank import Batch, Shard, batches, to_device
from noisegen.training.loop import schedule

CPU = torch.device("cpu")
BOTH = (("leaves", 0.5), ("classical", 0.5))
ONE_STAGE = replace(SMALL_TRAINING, stages=(Stage("row", 2, BOTH),))

NONE = ObjectiveConfig(energy=0, denoiser=DenoiserConfig(layers=2, channels=4, steps=2))
OBJECTIVES = {
    "energy": ObjectiveConfig(),
    "histogram": replace(NONE, histogram=1.0),
    "level": replace(NONE, level=1.0),
    "contrastive": replace(NONE, contrastive=1.0, queue=8),
    "relativistic": replace(NONE, adversarial=1.0),
    "hinge": replace(NONE, adversarial=1.0, adversary="hinge"),
    "feature matching": replace(NONE, adversarial=1.0, adversary="hinge", feature_matching=1.0),
    "alignment": replace(NONE, alignment=1.0),
}


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def first_batch(bank: Path, two: bool = False) -> Batch:
    return next(batches(load_sources(bank, BOTH), 4, 2, 64, np.random.default_rng(0), two))


def copy_of(network: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in network.named_parameters()}


def changed(before: dict[str, Tensor], network: nn.Module) -> set[str]:
    return {n for n, value in network.named_parameters() if not torch.equal(value, before[n])}


def test_batches_bring_references_and_targets_together(bank: Path) -> None:
    batch = first_batch(bank)
    assert batch.noisy.shape == batch.clean.shape == (8, 3, 64, 64)
    assert batch.windows.residual.shape[0] == len(batch.statistics.scale) == 4
    assert batch.other is None
    for row in range(4):
        noise = (batch.noisy - batch.clean)[2 * row : 2 * row + 2]
        assert float(noise.std() / batch.statistics.scale[row]) == pytest.approx(1, abs=0.15)


def test_two_reference_sets_are_of_one_setting(bank: Path) -> None:
    batch = first_batch(bank, two=True)
    assert batch.other is not None
    windows, statistics = batch.other
    assert windows.valid.shape[0] == 4
    for first, other in zip(batch.statistics.scale, statistics.scale, strict=True):
        assert float(first / other) == pytest.approx(1, abs=0.15)
    # The settings themselves lie further apart than that, so it could have failed.
    assert float(batch.statistics.scale.max() / batch.statistics.scale.min()) > 1.3


def test_padding_of_windows_is_marked(bank: Path) -> None:
    """Blind references have fewer windows than paired ones."""
    windows = first_batch(bank).windows
    assert not windows.residual[~windows.valid].any()
    assert windows.residual[windows.valid].flatten(1).any(1).all()


def test_a_shard_survives_its_file(bank: Path, tmp_path: Path) -> None:
    path = bank / "leaves-00000.npz"
    Shard.load(path).save(tmp_path / "again.npz")
    with np.load(path) as first, np.load(tmp_path / "again.npz") as again:
        assert set(first.files) == set(again.files)
        for name in first.files:
            np.testing.assert_array_equal(first[name], again[name])
    assert [p.name for p in tmp_path.iterdir()] == ["again.npz"]
    assert len(Shard.load(path)) == len(SIGMAS["leaves"])


def test_validation_shards_are_never_trained_on(bank: Path) -> None:
    sources = load_sources(bank, BOTH)
    assert [len(shard) for source in sources for shard in source.shards] == [2, 2]


def test_a_bank_without_the_kind_is_refused(bank: Path) -> None:
    with pytest.raises(UsageError, match=r"holds no shards of photos; .*prepare"):
        load_sources(bank, (("photos", 1.0),))


@pytest.mark.slow
def test_the_same_call_goes_on_across_stages(bank: Path, tmp_path: Path) -> None:
    seen: list[tuple[int, str]] = []
    for wanted in (1, 2, 2):
        # Dropped in the middle, the iteration ends and leaves its checkpoint.
        steps = islice(train(SMALL_TRAINING, bank, tmp_path, CPU), wanted)
        seen += [(step.step, step.stage) for step in steps]
        del steps
    assert seen == [(1, "sim"), (2, "sim"), (3, "base"), (4, "base"), (5, "base")]
    assert SMALL_TRAINING.steps == 5
    assert list(train(SMALL_TRAINING, bank, tmp_path, CPU)) == []


def test_each_stage_leaves_weights_with_their_card(bank: Path, tmp_path: Path) -> None:
    assert len(list(train(SMALL_TRAINING, bank, tmp_path, CPU))) == 5
    for stage, steps in (("sim", 2), ("base", 5)):
        weights = load_weights(str(tmp_path / f"noisegen-{stage}.safetensors"))
        assert weights.config == TRAINED
        assert (weights.card["stage"], weights.card["steps"]) == (stage, steps)
        recorded = weights.card["training"]
        assert [s["name"] for s in recorded["stages"]] == ["sim", "base"]
        assert recorded["objectives"]["energy"] == 1
        scores = weights.card["validation"]
        assert set(scores) == {"kld", "akld", "correlation", "level"}
        assert all(np.isfinite(value) for value in scores.values())
    logged = rows_of(tmp_path / "validation.csv")
    assert [int(row["step"]) for row in logged] == [2, 5]
    assert float(logged[-1]["kld"]) == pytest.approx(scores["kld"])


def test_without_held_out_settings_there_are_no_scores(bank: Path, tmp_path: Path) -> None:
    (tmp_path / "leaves-00000.npz").symlink_to(bank / "leaves-00000.npz")
    assert len(list(train(ONE_STAGE, tmp_path, tmp_path / "run", CPU))) == 2
    weights = load_weights(str(tmp_path / "run" / "noisegen-row.safetensors"))
    assert weights.card["validation"] is None


@pytest.mark.slow
def test_one_seed_one_run(bank: Path, tmp_path: Path) -> None:
    runs = [
        [step.loss for step in train(replace(ONE_STAGE, seed=seed), bank, tmp_path / name, CPU)]
        for name, seed in (("a", 0), ("b", 0), ("c", 1))
    ]
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]
    files = [(tmp_path / n / "noisegen-row.safetensors").read_bytes() for n in "ab"]
    assert files[0] == files[1]


@pytest.mark.slow
def test_an_interrupted_step_leaves_what_it_resumes_from(
    bank: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = Trainer.train_step

    def interrupted(trainer: Trainer, batch: Batch, stage: Stage, within: int) -> float:
        if trainer.step == 3:
            raise KeyboardInterrupt
        return original(trainer, batch, stage, within)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Trainer, "train_step", interrupted)
        for _ in train(SMALL_TRAINING, bank, tmp_path, CPU):
            pass
    assert load_weights(str(tmp_path / "noisegen-base.safetensors")).card["steps"] == 3
    resumed = [step.step for step in train(SMALL_TRAINING, bank, tmp_path, CPU)]
    assert resumed == [4, 5]


@pytest.mark.slow
def test_a_run_goes_on_with_a_longer_stage_but_no_other_configuration(
    bank: Path, tmp_path: Path
) -> None:
    assert len(list(train(ONE_STAGE, bank, tmp_path, CPU))) == 2
    longer = replace(ONE_STAGE, stages=(Stage("row", 3, BOTH),))
    assert [step.step for step in train(longer, bank, tmp_path, CPU)] == [3]
    with pytest.raises(UsageError, match=r"checkpoint\.pt: .*another clip, seed;"):
        list(train(replace(longer, seed=1, clip=0.5), bank, tmp_path, CPU))


@pytest.mark.slow
def test_a_stage_goes_on_from_the_averaged_weights(
    bank: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the stage before has written is what the next one starts from."""
    starts: list[dict[str, Tensor]] = []
    original = Trainer.train_step

    def watched(trainer: Trainer, batch: Batch, stage: Stage, within: int) -> float:
        if within == 0:
            starts.append(copy_of(trainer.network))
        return original(trainer, batch, stage, within)

    monkeypatch.setattr(Trainer, "train_step", watched)
    stages = (Stage("sim", 3, BOTH), Stage("base", 1, BOTH))
    for _ in train(replace(ONE_STAGE, stages=stages), bank, tmp_path, CPU):
        pass
    written = load_weights(str(tmp_path / "noisegen-sim.safetensors")).model
    for name, value in written.named_parameters():
        # Files hold half precision.
        torch.testing.assert_close(starts[1][name], value, rtol=2e-3, atol=1e-6)
    assert changed(starts[0], written)


@pytest.mark.parametrize("name", ["energy", "contrastive", "hinge"])
def test_a_checkpoint_holds_all_that_training_changes(
    bank: Path, tmp_path: Path, name: str
) -> None:
    """The next step is the same by the trainer that goes on and by one that loads."""
    config = replace(ONE_STAGE, objectives=OBJECTIVES[name])
    batch, stage = first_batch(bank, two=True), config.stages[0]
    trainer, other = Trainer(config, CPU), Trainer(config, CPU)
    for parameter in (*other.network.parameters(), *other.terms.parameters()):
        parameter.data.add_(0.1)
    trainer.train_step(batch, stage, 0)
    trainer.save(tmp_path / "checkpoint.pt")
    other.resume(tmp_path / "checkpoint.pt", config.steps)
    losses = []
    for either in (trainer, other):
        torch.manual_seed(9)
        losses.append(either.train_step(batch, stage, 1))
    assert losses[0] == losses[1]
    assert (trainer.step, other.step) == (2, 2)
    for part in ("network", "average", "terms"):
        assert not changed(copy_of(getattr(trainer, part)), getattr(other, part)), part


@pytest.mark.slow
def test_the_log_holds_mean_losses(
    bank: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "LOG_EVERY", 2)
    losses = [step.loss for step in train(SMALL_TRAINING, bank, tmp_path, CPU)]
    logged = rows_of(tmp_path / "loss.csv")
    assert [(int(row["step"]), row["stage"]) for row in logged] == [(2, "sim"), (4, "base")]
    assert float(logged[0]["loss"]) == pytest.approx(np.mean(losses[:2]))
    assert float(logged[1]["loss"]) == pytest.approx(np.mean(losses[2:4]))


@pytest.mark.parametrize("name", OBJECTIVES)
def test_every_objective_moves_the_weights(bank: Path, name: str) -> None:
    config = replace(ONE_STAGE, objectives=OBJECTIVES[name])
    trainer = Trainer(config, CPU)
    sources = load_sources(bank, BOTH)
    trainer.prepare(sources)
    encoder, generator = copy_of(trainer.network.encoder), copy_of(trainer.network.pixel_generator)
    helpers = copy_of(trainer.terms)
    stream = batches(sources, 2, 1, 64, np.random.default_rng(0), two=name == "contrastive")
    losses = [trainer.train_step(next(stream), config.stages[0], step) for step in range(2)]
    assert np.isfinite(losses).all()
    assert changed(encoder, trainer.network.encoder)
    # The contrastive term alone sees the prompts and not what is made of them.
    assert bool(changed(generator, trainer.network.pixel_generator)) == (name != "contrastive")
    moved = {part.partition(".")[0] for part in changed(helpers, trainer.terms)}
    expected = {"key_encoder"} if name == "contrastive" else set()
    expected |= {"discriminator"} if config.objectives.adversarial else set()
    assert moved == expected


@pytest.mark.parametrize("name", ["relativistic", "feature matching"])
def test_neither_player_is_moved_by_the_others_loss(bank: Path, name: str) -> None:
    batch = first_batch(bank)
    for rate, discriminator_rate in ((1e-3, 0.0), (0.0, 1e-3)):
        objectives = replace(OBJECTIVES[name], discriminator_rate=discriminator_rate)
        stage = Stage("row", 2, BOTH, rate)
        trainer = Trainer(replace(ONE_STAGE, objectives=objectives, stages=(stage,)), CPU)
        model, adversary = copy_of(trainer.network), copy_of(trainer.terms.discriminator)
        for step in range(2):
            trainer.train_step(batch, stage, step)
        assert bool(changed(model, trainer.network)) == (rate > 0)
        moved = changed(adversary, trainer.terms.discriminator)
        assert bool(moved) == (discriminator_rate > 0)


def test_the_discriminators_loss_reaches_no_weight_of_the_model(bank: Path) -> None:
    config = replace(ONE_STAGE, objectives=OBJECTIVES["feature matching"])
    trainer = Trainer(config, CPU)
    made = generate(trainer.network, to_device(first_batch(bank), CPU), 1, CPU)
    trainer.terms.discriminator_loss(made).backward()
    assert all(p.grad is None for p in trainer.network.parameters())
    assert all(p.grad is not None for p in trainer.terms.discriminator.parameters())


def test_the_contrastive_term_needs_two_sets(bank: Path) -> None:
    trainer = Trainer(replace(ONE_STAGE, objectives=OBJECTIVES["contrastive"]), CPU)
    with pytest.raises(ValueError, match="two reference sets"):
        trainer.train_step(first_batch(bank), ONE_STAGE.stages[0], 0)


def test_generated_pictures_have_8_bits(bank: Path) -> None:
    made = generate(untrained_model(TRAINED), first_batch(bank), 2, CPU)
    assert len(made.noisy) == len(made.noises) == 2
    for noisy in made.noisy:
        assert torch.equal(noisy, ((noisy * 255).round() / 255).clamp(0, 1))
    assert not torch.equal(*made.noisy)


def test_the_rate_warms_up_and_falls() -> None:
    rates = [schedule(step, 100, 10) for step in range(101)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == rates[9] == rates[10] == 1
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[-1] == pytest.approx(0.02)


def test_stages_as_they_are_named() -> None:
    sim, base = STAGES
    assert chosen_stages("sim,base") == STAGES
    assert chosen_stages("base:7") == (replace(base, steps=7),)
    assert chosen_stages("base,sim:2") == (base, replace(sim, steps=2))


@pytest.mark.parametrize("spec", ["", "other", "sim:x", "sim:-1", "sim:²", "sim,", "sim;base"])
def test_unknown_stages_are_refused(spec: str) -> None:
    with pytest.raises(UsageError, match=r"--stages .*use sim, base") as refusal:
        chosen_stages(spec)
    assert "\n" not in str(refusal.value)


def test_the_configuration_counts_the_steps_of_all_stages() -> None:
    config = replace(TrainingConfig(), stages=chosen_stages("sim:10,base:5"))
    assert config.steps == 15
    assert asdict(config)["stages"][1]["steps"] == 5


@pytest.mark.slow
def test_written_weights_keep_a_share_of_what_was_learned(bank: Path, tmp_path: Path) -> None:
    written = []
    for keep in (1.0, 0.5, 0.0):
        run = tmp_path / str(keep)
        for _ in train(replace(ONE_STAGE, keep=keep), bank, run, CPU):
            pass
        written.append(load_weights(str(run / "noisegen-row.safetensors")).generator)
    learned, half, none = written
    assert learned.output.weight.any()
    torch.testing.assert_close(half.output.weight, learned.output.weight / 2, rtol=2e-3, atol=1e-6)
    assert not none.output.weight.any()
    # What nothing was learned of follows activity as it was measured.
    np.testing.assert_allclose(FOLLOW_PACE * none.follow.bias.detach(), 1, rtol=1e-3)
    # The checkpoint keeps all of it, so a run that goes on does not start from less.
    states = [
        torch.load(tmp_path / str(keep) / "checkpoint.pt", weights_only=True)["average"]
        for keep in (1.0, 0.0)
    ]
    for name, value in states[0].items():
        assert torch.equal(value, states[1][name]), name


def test_a_stage_of_noise_leaves_the_denoiser_alone(bank: Path) -> None:
    trainer = Trainer(ONE_STAGE, CPU)
    before = {name: value.clone() for name, value in trainer.network.denoiser.state_dict().items()}
    trainer.train_step(first_batch(bank), ONE_STAGE.stages[0], 0)
    after = trainer.network.denoiser.state_dict()
    assert all(torch.equal(after[name], value) for name, value in before.items())


def test_nothing_that_is_no_number_reaches_a_checkpoint(bank: Path, tmp_path: Path) -> None:
    trainer = Trainer(ONE_STAGE, CPU)
    trainer.save(tmp_path / "checkpoint.pt")
    sound = (tmp_path / "checkpoint.pt").read_bytes()
    batch = first_batch(bank)
    trainer.train_step(replace(batch, noisy=batch.noisy * float("nan")), ONE_STAGE.stages[0], 0)
    assert all(bool(torch.isfinite(p).all()) for p in trainer.network.parameters())
    next(trainer.average.parameters()).fill_(float("nan"))
    with pytest.raises(WeightsError, match="holds NaN after 1 steps; the last checkpoint is kept"):
        trainer.save(tmp_path / "checkpoint.pt")
    assert (tmp_path / "checkpoint.pt").read_bytes() == sound


def test_weights_come_with_a_trained_denoiser() -> None:
    trainer = Trainer(replace(TrainingConfig(), denoiser="sim"), CPU)
    shipped = load_weights("sim").denoiser.state_dict()
    for name, value in trainer.average.denoiser.state_dict().items():
        assert torch.equal(value, shipped[name])
    with pytest.raises(UsageError, match="other sizes"):
        Trainer(replace(TrainingConfig(), model=ModelConfig(denoiser=BlindSpotConfig(8))), CPU)
