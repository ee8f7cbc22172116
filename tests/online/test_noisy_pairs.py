"""Pairs on the fly: what synth writes, whatever the loader does."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pictures
import pytest
import tifffile
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from typer.testing import CliRunner

import noisegen
from noisegen.cli.app import app
from noisegen.errors import ImageError, NoisegenError, ProfileError, UsageError
from noisegen.files import read_picture
from noisegen.model.weights import Weights
from noisegen.online import NoisyPair, NoisyPairs
from noisegen.profiles.profile import NoiseProfile
from noisegen.synthesis import draws
from noisegen.synthesis.synthesizer import CleanError, Synthesizer

Make = Callable[..., NoisyPairs]


@pytest.fixture
def make(cleans: Path, profiles: list[NoiseProfile], weights_file: Path) -> Make:
    def build(source: Any = None, **options: Any) -> NoisyPairs:
        given = {"weights": weights_file, "strength": (0.5, 2.0), "seed": 3, **options}
        return NoisyPairs(cleans if source is None else source, profiles, **given)

    return build


def _collected(loader: DataLoader[Any]) -> list[NoisyPair]:
    """Pairs of a loader whose batches are lists."""
    return [NoisyPair(*pair) for batch in loader for pair in batch]


def _as_list(batch: list[NoisyPair]) -> list[NoisyPair]:
    return batch


def _equal(one: list[NoisyPair], other: list[NoisyPair]) -> bool:
    return len(one) == len(other) and all(
        torch.equal(a.noisy, b.noisy) and torch.equal(a.clean, b.clean)
        for a, b in zip(one, other, strict=True)
    )


def test_epoch_n_is_variant_n_of_synth(
    make: Make, cleans: Path, profiles: list[NoiseProfile], weights_file: Path, tmp_path: Path
) -> None:
    out = tmp_path / "pairs"
    arguments = ["synth", "--clean", cleans, "--out", out, "--weights", weights_file]
    arguments += ["--variants", 3, "--strength", "0.5:2", "--seed", 3, "--device", "cpu"]
    for index, profile in enumerate(profiles):
        profile.save(tmp_path / f"{index}.safetensors")
        arguments += ["--profile", tmp_path / f"{index}.safetensors"]
    assert CliRunner().invoke(app, list(map(str, arguments))).exit_code == 0
    pairs = make()
    assert len(pairs) == 3
    for epoch in range(3):
        pairs.set_epoch(epoch)
        for index, name in enumerate(("a", "b", "sub/ü")):
            for side, tensor in zip(("noisy", "clean"), pairs[index], strict=True):
                written = read_picture(out / side / f"{name}_v{epoch}.png").pixels
                assert torch.equal(tensor, torch.from_numpy(written).permute(2, 0, 1) / 255)


def test_tiffs_of_floats(
    cleans: Path, profiles: list[NoiseProfile], weights_file: Path, tmp_path: Path
) -> None:
    clean = pictures.scene(40, 56, 3).astype(np.float32) / 255
    tifffile.imwrite(cleans / "c.tif", clean, photometric="rgb")
    profiles[0].save(tmp_path / "camera.safetensors")
    arguments = ["synth", "--clean", cleans, "--out", tmp_path / "pairs", "--seed", 3]
    arguments += ["--weights", weights_file, "--profile", tmp_path / "camera.safetensors"]
    assert CliRunner().invoke(app, [*map(str, arguments), "--device", "cpu"]).exit_code == 0
    pair = NoisyPairs(cleans, profiles[:1], weights=weights_file, seed=3)[2]
    written = tifffile.imread(tmp_path / "pairs/noisy/c.tif")
    assert torch.equal(pair.noisy, torch.from_numpy(written).permute(2, 0, 1))
    assert torch.equal(pair.clean, torch.from_numpy(clean).permute(2, 0, 1))


@pytest.mark.parametrize(
    "options",
    [
        {"num_workers": 1},
        {"num_workers": 2, "batch_size": 2},
        {"num_workers": 2, "persistent_workers": True},
        pytest.param(
            {"num_workers": 2, "persistent_workers": True, "multiprocessing_context": "spawn"},
            marks=pytest.mark.slow,
        ),
    ],
    ids=["one worker", "two workers", "persistent", "spawned"],
)
def test_loaders_change_nothing(make: Make, options: dict[str, Any]) -> None:
    here, loaded = make(patch=32), make(patch=32)
    loader = DataLoader(loaded, collate_fn=_as_list, **options)
    # The generator is used here first, so that forked workers inherit a process with its threads.
    assert _equal([loaded[0]], [here[0]])
    for epoch in (0, 1, 5):
        here.set_epoch(epoch)
        loaded.set_epoch(epoch)
        assert _equal(_collected(loader), [here[index] for index in range(3)])


def test_a_worker_s_error_is_the_dataset_s(make: Make, cleans: Path) -> None:
    """Of a file that is gone by now; a loader makes the error anew of its words."""
    pairs = make()
    for path in cleans.rglob("*.png"):
        path.unlink()
    with pytest.raises(ImageError, match=r"\.png"):
        list(DataLoader(pairs, collate_fn=_as_list, num_workers=1))


def test_order_and_batches_change_nothing(make: Make) -> None:
    pairs = make(patch=24)
    backwards = [pairs[index] for index in (2, 1, 0)]
    (batch,) = DataLoader(pairs, batch_size=3)
    assert isinstance(batch, NoisyPair)
    assert batch.noisy.shape == (3, 3, 24, 24)
    assert all(torch.equal(batch.noisy[i], backwards[2 - i].noisy) for i in range(3))


def test_epochs_and_seeds_differ(make: Make) -> None:
    pairs, other = make(), make(seed=4)
    first = pairs[0].noisy
    assert not torch.equal(first, other[0].noisy)
    pairs.set_epoch(1)
    assert not torch.equal(first, pairs[0].noisy)
    pairs.set_epoch(0)
    assert torch.equal(first, pairs[0].noisy)


def test_profiles_and_strengths_are_drawn(make: Make) -> None:
    pairs = make([torch.full((3, 32, 32), 0.5)] * 24)
    levels = sorted(
        float((pair.noisy - pair.clean).std()) for pair in map(pairs.__getitem__, range(24))
    )
    assert levels[-1] > 3 * levels[0]


def test_crops_walk_over_the_grid(make: Make, cleans: Path) -> None:
    pairs = make(patch=56)
    whole = torch.from_numpy(read_picture(cleans / "b.png").pixels).permute(2, 0, 1) / 255
    assert len(pairs) == 1
    assert "a.png" in pairs.skipped[0]
    seen = set()
    for epoch in range(18):
        pairs.set_epoch(epoch)
        (place,) = (
            (y, x)
            for y in range(0, 17, 8)
            for x in range(0, 41, 8)
            if torch.equal(whole[:, y : y + 56, x : x + 56], pairs[0].clean)
        )
        seen.add(place)
    assert len(seen) == 18
    wanted = draws.corners(72, 96, 56, 1, 3, "b.png")
    pairs.set_epoch(18)
    y, x = wanted[0]
    assert torch.equal(pairs[0].clean, whole[:, y : y + 56, x : x + 56])


class _Deep(Dataset[Tensor]):
    """A dataset of clean uint16 tensors."""

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int) -> Tensor:
        picture = torch.from_numpy(pictures.scene(40, 24, 3, index).astype(np.int32))
        return (picture.permute(2, 0, 1) * 16).to(torch.uint16)


def test_a_dataset_of_tensors(make: Make, profiles: list[NoiseProfile], weights: Weights) -> None:
    pairs = make(_Deep(), white_level=4095, strength=1.0)
    clean = pairs[1].clean
    assert torch.equal(clean, _Deep()[1].float() / 4095)
    key, picture = "1", _Deep()[1].permute(1, 2, 0).numpy()
    chosen = profiles[draws.choice(2, 3, key, 0)]
    fake = Synthesizer(weights).synthesize(picture, chosen, seed=3, key=key, white_level=4095)
    assert torch.equal(
        pairs[1].noisy, torch.from_numpy(fake.astype(np.float32) / 4095).permute(2, 0, 1)
    )


def test_gray_and_colour(
    make: Make, gray: NoiseProfile, profiles: list[NoiseProfile], weights_file: Path
) -> None:
    pairs = NoisyPairs(
        [torch.full((16, 16), 0.5), torch.full((3, 16, 16), 0.5)],
        [gray, *profiles],
        weights=weights_file,
    )
    assert [pair.noisy.shape[0] for pair in (pairs[0], pairs[1])] == [1, 3]
    with pytest.raises(CleanError, match="clean picture 0: is gray"):
        make([torch.full((16, 16), 0.5)])[0]


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda pairs: pickle.loads(pickle.dumps(pairs))])
def test_copies(make: Make, copied: Callable[[NoisyPairs], NoisyPairs]) -> None:
    pairs = make(patch=16)
    pairs.set_epoch(2)
    twin = copied(pairs)
    assert _equal([twin[0]], [pairs[0]])
    loader = DataLoader(twin, collate_fn=_as_list, num_workers=1, persistent_workers=True)
    for epoch in (1, 4):
        twin.set_epoch(epoch)
        loaded = _collected(loader)
        assert _equal(loaded, [twin[index] for index in range(3)])


def test_indices(make: Make) -> None:
    pairs = make()
    assert _equal([pairs[-1]], [pairs[2]])
    with pytest.raises(IndexError):
        pairs[3]


def test_pictures_that_cannot_be_used_are_counted(make: Make, cleans: Path) -> None:
    (cleans / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    tifffile.imwrite(cleans / "stack.tif", np.zeros((2, 40, 40), np.uint16))
    with pytest.warns(UserWarning, match=r"2 of 5 clean pictures are left out.*broken\.png"):
        pairs = make()
    assert len(pairs) == 3
    assert "stack.tif: is a TIFF of several planes" in pairs.skipped[1]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"patch": 0}, UsageError, "patch 0"),
        ({"patch": 500}, UsageError, r"smaller than patch=500.*nor can the other 2"),
        ({"strength": 0.0}, UsageError, "strength"),
        ({"weights": "base"}, ProfileError, "other weights"),
        ({"weights": "none"}, NoisegenError, "no such weights"),
        ({"source": "nowhere"}, UsageError, "nowhere"),
        ({"device": "abacus"}, UsageError, "abacus"),
    ],
)
def test_errors_come_at_once(
    make: Make, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message) as caught:
        make(**options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("tensor", "message"),
    [
        (torch.zeros(3, 8, 8, dtype=torch.int64), "clean picture 0: has int64 samples"),
        (torch.full((3, 8, 8), 2.0), "clean picture 0: has values"),
        (torch.full((3, 8, 8), float("nan")), "clean picture 0: holds NaN"),
        (torch.zeros(4, 8, 8), "clean picture 0: is of 4 channels"),
        (torch.zeros(8), "clean picture 0: has shape"),
        ("picture", "clean picture 0: has <class 'str'>"),
    ],
)
def test_tensors_that_are_no_clean_pictures(make: Make, tensor: Any, message: str) -> None:
    with pytest.raises(NoisegenError, match=message):
        make([tensor])[0]


def test_no_profiles(cleans: Path) -> None:
    with pytest.raises(UsageError, match="none given"):
        NoisyPairs(cleans, [])
    with pytest.raises(ProfileError, match="no such profile"):
        NoisyPairs(cleans, "none.safetensors")
    for none in (5, [None], b"camera.safetensors"):
        with pytest.raises(UsageError, match=r"^profiles: .* is none; give noise profiles or"):
            # Python hands on what types forbid.
            NoisyPairs(cleans, none)  # type: ignore[arg-type]


def test_a_usage_error_names_the_argument(make: Make, cleans: Path) -> None:
    """Python's, not the command line's option."""
    with pytest.raises(UsageError, match=r"^clean .*none: no such file or folder"):
        make(cleans / "none")
    with pytest.raises(UsageError, match=r"^strength 0:0: give a factor .*\(low, high\)$"):
        make(strength=0.0)


@pytest.mark.parametrize("epoch", [-1, 1.5, "2", None, 2**63])
def test_what_is_no_epoch(make: Make, epoch: Any) -> None:
    pairs = make()
    with pytest.raises(UsageError, match=f"epoch {epoch!r}: give a whole number"):
        pairs.set_epoch(epoch)
    third: Any = np.int64(3)
    pairs.set_epoch(third)
    assert int(pairs.epoch) == 3


@settings(max_examples=25, deadline=None)
@given(
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    epoch=st.integers(0, 10**6),
    patch=st.integers(1, 16),
    deep=st.booleans(),
)
def test_any_size(
    height: int,
    width: int,
    epoch: int,
    patch: int,
    deep: bool,
    profiles: list[NoiseProfile],
    weights_file: Path,
) -> None:
    largest, dtype = (65535, np.uint16) if deep else (255, np.uint8)
    clean = (pictures.scene(height, width).astype(np.int64) * largest // 255).astype(dtype)
    source = [torch.from_numpy(clean).permute(2, 0, 1)]
    fits = min(height, width) >= patch
    pairs = NoisyPairs(source, profiles, weights=weights_file, patch=patch if fits else None)
    pairs.set_epoch(epoch)
    pair = pairs[0]
    assert (
        pair.noisy.shape == pair.clean.shape == (3, *((patch, patch) if fits else (height, width)))
    )
    assert pair.noisy.dtype == torch.float32
    assert 0 <= float(pair.noisy.min()) <= float(pair.noisy.max()) <= 1
    steps = pair.noisy.double() * largest
    assert torch.allclose(steps, steps.round(), atol=0.01)


def test_exported_lazily() -> None:
    assert noisegen.NoisyPairs is NoisyPairs


def test_a_level_that_was_only_found_is_not_passed(
    profiles: list[NoiseProfile], weights_file: Path
) -> None:
    """Pairs are scaled by one white level, which a brighter clean would change."""
    found = [replace(profile, dtype="uint16", white_level=1023.0) for profile in profiles]
    bright = [torch.full((3, 40, 40), 3000, dtype=torch.uint16)]
    with pytest.raises(CleanError, match=r"white 1023, found.*white_level=4095"):
        NoisyPairs(bright, found, weights=weights_file)[0]
    pair = NoisyPairs(bright, found, weights=weights_file, white_level=4095)[0]
    assert float(pair.clean.max()) == pytest.approx(3000 / 4095)


def test_a_dataset_of_tensors_is_asked_once_a_pair(make: Make) -> None:
    asked = []

    class Counted(Dataset[Tensor]):
        def __len__(self) -> int:
            return 3

        def __getitem__(self, index: int) -> Tensor:
            asked.append(index)
            return torch.full((3, 32, 32), 100, dtype=torch.uint8)

    make(Counted())[1]
    assert asked == [1]
