"""Filling the bank: drawn settings, a user's own pairs, what is dropped, what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from pictures import Pixels, add_gaussian, scene
from PIL import Image
from small_training import SMALL_TRAINING

from noisegen.errors import UsageError
from noisegen.model.weights import load_weights
from noisegen.research.generator.config import Stage
from noisegen.research.generator.loop import load_sources, train
from noisegen.training import real_pairs
from noisegen.training.bank import Setting, Shard, batches
from noisegen.training.prepare import BankConfig, Sources, prepare, scaled
from noisegen.training.real_pairs import Report, settings_of, user_groups
from noisegen.training.realdata import Pair

DRAWN = BankConfig(leaves=2, photos=2, classical=3, validation=1, a_shard=2, pictures=2, side=300)
NOTHING = BankConfig(leaves=0, photos=0, classical=0, validation=0)

Arrays = dict[str, dict[str, np.ndarray]]


def arrays_of(bank: Path) -> Arrays:
    """Every shard's arrays."""
    found: Arrays = {}
    for path in sorted(bank.glob("*.npz")):
        with np.load(path) as file:
            found[path.stem] = {name: file[name] for name in file.files}
    return found


def write_pair(folder: Path, name: str, noisy: Pixels, clean: Pixels) -> None:
    for kind, pixels in (("noisy", noisy), ("clean", clean)):
        path = folder / kind / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels.squeeze()).save(path)


def own_pairs(folder: Path) -> tuple[Path, Path]:
    """Two RGB pictures, and one gray in a subfolder."""
    for seed, name in enumerate(("a.png", "b.png")):
        clean = scene(160, 192, seed=seed)
        write_pair(folder, name, add_gaussian(clean, 9, seed), clean)
    gray = scene(160, 288, 1, seed=5)
    write_pair(folder, "gray/c.png", add_gaussian(gray, 15), gray)
    return folder / "noisy", folder / "clean"


@pytest.fixture(autouse=True)
def few_reference_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(real_pairs, "REFERENCE_SETS", 2)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    bank = tmp_path_factory.mktemp("drawn")
    packed = {shard.name: shard.settings for shard in prepare(bank, Sources(DRAWN))}
    assert packed == {
        "validation-leaves-00000": 1,
        "validation-classical-00000": 1,
        "leaves-00000": 2,
        "classical-00000": 2,
        "classical-00002": 1,
    }
    return bank


def test_drawn_settings_have_references_and_targets(drawn: Path) -> None:
    for name, arrays in arrays_of(drawn).items():
        settings = len(arrays["target_offsets"]) - 1
        assert arrays["targets"].shape == (4 * settings, 2, 3, 128, 128), name
        assert arrays["targets"].dtype == np.uint8
        assert len(arrays["estimated"]) == 2 * settings
        assert (arrays["targets"][:, 0] != arrays["targets"][:, 1]).any()
        assert np.isfinite(arrays["windows"].astype(np.float32)).all()


def test_the_second_call_writes_nothing(drawn: Path) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in drawn.iterdir()}
    assert list(prepare(drawn, Sources(DRAWN))) == []
    assert {path.name: path.stat().st_mtime_ns for path in drawn.iterdir()} == before


@pytest.mark.slow
def test_one_seed_one_bank_whatever_else_it_holds(drawn: Path, tmp_path: Path) -> None:
    """Each shard has a seed of its own: fewer of one kind change no other."""
    fewer = replace(DRAWN, classical=2, validation=0)
    list(prepare(tmp_path / "same", Sources(fewer)))
    list(prepare(tmp_path / "other", Sources(replace(fewer, leaves=0, seed=1))))
    known, same, other = (arrays_of(p) for p in (drawn, tmp_path / "same", tmp_path / "other"))
    assert list(same) == ["classical-00000", "leaves-00000"]
    for shard, arrays in same.items():
        for name, values in arrays.items():
            np.testing.assert_array_equal(values, known[shard][name], err_msg=f"{shard} {name}")
    (shard,) = other
    assert not np.array_equal(same[shard]["targets"], other[shard]["targets"])


def test_the_bank_is_scaled() -> None:
    config = scaled(BankConfig(), 0.1)
    assert (config.leaves, config.photos, config.classical) == (80, 80, 40)
    assert config.validation == BankConfig().validation


def test_own_pairs_become_settings_and_are_trained_on(tmp_path: Path) -> None:
    bank = tmp_path / "bank"
    packed = list(prepare(bank, Sources(NOTHING, pairs=(own_pairs(tmp_path),))))
    assert [(shard.name, shard.settings) for shard in packed] == [("own-noisy", 2), ("own-gray", 2)]
    written = json.loads((bank / "report.json").read_text())
    assert set(written) == {"own-noisy", "own-gray"}
    for shard in packed:
        assert written[shard.name] == {
            "name": shard.name,
            "settings": 2,
            "note": shard.note,
        }
        assert "0 left out" in shard.note
    arrays = arrays_of(bank)
    assert arrays["own-noisy"]["targets"].shape[1:] == (2, 3, 128, 128)
    assert np.ptp(arrays["own-gray"]["targets"], axis=2).max() == 0
    assert np.ptp(arrays["own-noisy"]["targets"], axis=2).max() > 0
    sources = load_sources(bank, (("own", 1.0),))
    batch = next(batches(sources, 8, 2, 64, np.random.default_rng(0)))
    scales = batch.statistics.scale * 255
    assert float(scales.min()) == pytest.approx(9, rel=0.2)
    assert float(scales.max()) == pytest.approx(15, rel=0.2)
    config = replace(SMALL_TRAINING, stages=(Stage("base", 2, (("own", 1.0),)),))
    steps = list(train(config, bank, tmp_path / "run", torch.device("cpu")))
    assert [step.step for step in steps] == [1, 2]
    assert np.isfinite([step.loss for step in steps]).all()


@pytest.mark.slow
def test_any_number_of_processes_makes_the_same_bank(drawn: Path, tmp_path: Path) -> None:
    few = Sources(replace(DRAWN, leaves=0, validation=0))
    names = [shard.name for shard in prepare(tmp_path, few, processes=2)]
    assert len(names) == 2
    assert names == list(json.loads((tmp_path / "report.json").read_text()))
    for name in names:
        one, two = (np.load(bank / f"{name}.npz") for bank in (drawn, tmp_path))
        for entry in ("targets", "level", "kernel"):
            np.testing.assert_allclose(one[entry], two[entry], atol=1e-6)


def counted(noisy: Pixels, clean: Pixels) -> tuple[Report, list[Setting]]:
    report = Report()
    group = (Pair("p", noisy, clean),)
    return report, list(
        settings_of(group, np.random.default_rng(0), report, load_weights("sim").denoiser)
    )


def test_crops_of_a_shifted_pair_are_dropped_and_counted() -> None:
    clean = scene(160, 320)
    noisy = add_gaussian(clean, 3)
    registered, settings = counted(noisy, clean)
    assert (registered.kept, registered.shifted, registered.dropped) == (96, 0, 0)
    assert [len(setting.targets) for setting in settings] == [48, 48]
    misplaced, settings = counted(np.roll(noisy, (5, 5), (0, 1)), clean)
    assert misplaced.dropped > 96
    assert misplaced.kept < 48
    assert sum(len(s.targets) for s in settings) == misplaced.kept + misplaced.shifted
    assert f"{misplaced.dropped} left out" in str(misplaced)


def test_a_small_shift_is_undone() -> None:
    clean = scene(160, 321).astype(np.float32)
    half = np.rint(0.5 * (clean[:, 1:] + clean[:, :-1])).astype(np.uint8)
    report, settings = counted(add_gaussian(half, 1), scene(160, 321)[:, 1:])
    assert report.shifted > report.kept
    assert report.dropped > 0
    assert settings


def test_references_and_targets_never_show_the_same_place() -> None:
    """The picture's left half is black, its right half white: each is once the reference."""
    clean = np.full((160, 320, 3), 60, np.uint8)
    clean[:, 160:] = 200
    _, settings = counted(add_gaussian(clean, 5), clean)
    shown = [np.mean([r.windows[:, 1].mean() for r in s.references]) * 255 for s in settings]
    asked = [s.targets[:, 1].mean() for s in settings]
    assert shown == pytest.approx([60, 200], abs=3)
    assert asked == pytest.approx([200, 60], abs=3)


def refusal(pairs: list[tuple[Path, Path]], bank: Path) -> str:
    with pytest.raises(UsageError) as refused:
        list(prepare(bank, Sources(NOTHING, pairs=tuple(pairs))))
    assert not list(bank.glob("*.npz"))
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_a_missing_counterpart_is_refused(tmp_path: Path) -> None:
    noisy, clean = own_pairs(tmp_path)
    (clean / "b.png").unlink()
    message = refusal([(noisy, clean)], tmp_path / "bank")
    assert str(noisy / "b.png") in message
    assert str(clean / "b.png") in message


@pytest.mark.parametrize("kind", ["16 bits", "size", "channels"])
def test_pairs_that_do_not_match_are_refused(tmp_path: Path, kind: str) -> None:
    noisy, clean = own_pairs(tmp_path)
    changed = {
        "16 bits": np.full((160, 192), 3000, np.uint16),
        "size": scene(160, 191),
        "channels": scene(160, 192, 1).squeeze(),
    }[kind]
    Image.fromarray(changed).save(clean / "a.png")
    assert str(noisy / "a.png") in refusal([(noisy, clean)], tmp_path / "bank")


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "empty" in refusal([(tmp_path / "empty", tmp_path / "empty")], tmp_path / "bank")


def test_alpha_is_left_out(tmp_path: Path) -> None:
    clean = np.concatenate([scene(160, 288), np.full((160, 288, 1), 255, np.uint8)], -1)
    write_pair(tmp_path, "a.png", clean, clean)
    (group,) = user_groups(tmp_path / "noisy", tmp_path / "clean").values()
    assert group[0].noisy.shape == group[0].clean.shape == (160, 288, 3)


def test_a_shard_that_was_not_finished_is_not_read(drawn: Path, tmp_path: Path) -> None:
    """A job that is killed while it writes leaves no shard behind."""
    whole = Shard.load(drawn / "leaves-00000.npz")
    path = tmp_path / "leaves-00000.npz"

    def fail(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Path, "replace", fail)
        whole.save(path)
    assert any(tmp_path.iterdir())
    with pytest.raises(UsageError, match="no shards of leaves"):
        load_sources(tmp_path, (("leaves", 1.0),))


def test_folders_of_one_name_are_refused(tmp_path: Path) -> None:
    """Else the second camera would silently be taken for done."""
    pairs = [own_pairs(tmp_path / camera) for camera in ("first", "second")]
    with pytest.raises(UsageError, match="own-noisy"):
        list(prepare(tmp_path / "bank", Sources(NOTHING, pairs=tuple(pairs))))


@pytest.mark.parametrize("shape", [(100, 300), (300, 200)])
def test_pictures_too_small_for_a_target_are_refused(
    tmp_path: Path, shape: tuple[int, int]
) -> None:
    clean = scene(*shape)
    write_pair(tmp_path, "a.png", add_gaussian(clean, 9), clean)
    assert "small" in refusal([(tmp_path / "noisy", tmp_path / "clean")], tmp_path / "bank")


def test_gray_beside_rgb_is_refused(tmp_path: Path) -> None:
    noisy, clean = own_pairs(tmp_path)
    for folder in (noisy, clean):
        (folder / "gray" / "c.png").rename(folder / "c.png")
    assert str(noisy) in refusal([(noisy, clean)], tmp_path / "bank")


def test_a_bank_is_not_filled_in_two_ways(tmp_path: Path) -> None:
    first = replace(NOTHING, classical=1, pictures=2, side=300)
    assert len(list(prepare(tmp_path, Sources(first)))) == 1
    for other in (replace(first, seed=9), replace(first, classical=2)):
        with pytest.raises(UsageError, match=r"another (seed|classical); give the same"):
            list(prepare(tmp_path, Sources(other)))
    assert list(prepare(tmp_path, Sources(first))) == []
