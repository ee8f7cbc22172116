"""The transform: decided by content, seed and epoch, alone and within torchvision."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pictures
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

import noisegen
from noisegen.errors import NoisegenError, UsageError
from noisegen.model.weights import Weights
from noisegen.online import AddCameraNoise
from noisegen.online.transform import content_key
from noisegen.profiles.profile import NoiseProfile
from noisegen.synthesis.synthesizer import Synthesizer

Make = Callable[..., AddCameraNoise]


@pytest.fixture
def make(profiles: list[NoiseProfile], weights_file: Path) -> Make:
    def build(**options: Any) -> AddCameraNoise:
        return AddCameraNoise(profiles, **{"weights": weights_file, **options})

    return build


def _picture(seed: int = 0, height: int = 40, width: int = 24) -> Tensor:
    return torch.from_numpy(pictures.scene(height, width, 3, seed)).permute(2, 0, 1)


def test_one_picture_is_the_synthesizer_s(
    profiles: list[NoiseProfile], weights: Weights, weights_file: Path
) -> None:
    add = AddCameraNoise(profiles[1], weights=weights_file, seed=5, strength=0.7)
    add.set_epoch(3)
    clean = pictures.scene(40, 24)
    expected = Synthesizer(weights).synthesize(
        clean, profiles[1], seed=5, key=content_key(clean), variant=3, strength=0.7
    )
    noisy = add(_picture())
    assert noisy.dtype == torch.uint8
    assert np.array_equal(noisy.permute(1, 2, 0).numpy(), expected)


@pytest.mark.parametrize(
    "dtype", [torch.uint8, torch.uint16, torch.float32, torch.float64, torch.bfloat16]
)
def test_types_and_shapes_stay(
    make: Make, gray: NoiseProfile, weights_file: Path, dtype: Any
) -> None:
    largest = {torch.uint8: 255, torch.uint16: 65535}.get(dtype, 1)
    colour = (_picture().double() / 255 * largest).to(dtype)
    for add, clean in (
        (make(), colour),
        (make(), torch.stack([colour, colour])),
        (make(), colour.reshape(1, 1, *colour.shape)),
        (AddCameraNoise(gray, weights=weights_file), colour[:1]),
        (AddCameraNoise(gray, weights=weights_file), colour[0]),
    ):
        noisy = add(clean)
        assert type(noisy) is Tensor
        assert noisy.shape == clean.shape
        assert noisy.dtype == dtype
        assert noisy.device == clean.device
        assert not torch.equal(noisy.double(), clean.double())


def test_batches_and_their_order_change_nothing(make: Make) -> None:
    add = make(strength=(0.5, 2))
    cleans = [_picture(seed) for seed in range(4)]
    alone = [add(clean) for clean in cleans]
    assert torch.equal(add(torch.stack(cleans)), torch.stack(alone))
    assert torch.equal(add(torch.stack(cleans[::-1])), torch.stack(alone[::-1]))


def test_what_decides(make: Make) -> None:
    clean = _picture()
    add, other = make(), make(seed=1)
    noisy = add(clean)
    assert torch.equal(noisy, make()(clean.clone()))
    assert not torch.equal(noisy, other(clean))
    add.set_epoch(1)
    assert not torch.equal(noisy, add(clean))
    add.set_epoch(0)
    assert torch.equal(noisy, add(clean))
    changed = clean.clone()
    changed[0, 0, 0] ^= 1
    difference = (add(changed).int() - noisy.int()).abs()
    assert float((difference > 1).float().mean()) > 0.3


def test_the_clean_is_left_alone(make: Make) -> None:
    clean = _picture()
    before = clean.clone()
    make()(clean)
    assert torch.equal(clean, before)


class _Transformed(Dataset[Tensor]):
    def __init__(self, add: AddCameraNoise) -> None:
        self.add = add

    def __len__(self) -> int:
        return 5

    def __getitem__(self, index: int) -> Tensor:
        noisy: Tensor = self.add(_picture(index))
        return noisy


@pytest.mark.parametrize(
    "options",
    [
        {"num_workers": 1, "persistent_workers": True},
        {"num_workers": 2, "batch_size": 2},
        {"num_workers": 1, "persistent_workers": True, "multiprocessing_context": "spawn"},
    ],
    ids=["persistent", "two workers", "spawned"],
)
def test_loaders_change_nothing(make: Make, options: dict[str, Any]) -> None:
    add, here = make(), make()
    loader = DataLoader(_Transformed(add), **options)
    for epoch in (0, 2):
        add.set_epoch(epoch)
        here.set_epoch(epoch)
        expected = torch.stack([here(_picture(index)) for index in range(5)])
        assert torch.equal(torch.cat(list(loader)), expected)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda add: pickle.loads(pickle.dumps(add))])
def test_copies(make: Make, copied: Callable[[AddCameraNoise], AddCameraNoise]) -> None:
    add = make()
    add.set_epoch(4)
    assert torch.equal(copied(add)(_picture()), add(_picture()))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (_picture().float(), "AddCameraNoise: a picture has values.*outside"),
        (_picture().long(), "AddCameraNoise: a picture has int64"),
        (torch.zeros(2, 8, 8), "AddCameraNoise: a picture is of 2 channels"),
        (torch.zeros(8), r"AddCameraNoise: was given shape \(8,\)"),
        (np.zeros((8, 8, 3), np.uint8), r"(put v2\.ToImage\(\) before it|give a tensor)$"),
    ],
)
def test_inputs_that_are_no_clean_pictures(make: Make, given: Any, message: str) -> None:
    with pytest.raises(NoisegenError, match=message):
        make().transform(given, {})


def test_negative_epochs(make: Make) -> None:
    with pytest.raises(UsageError, match="epoch -2"):
        make().set_epoch(-2)


@settings(max_examples=20, deadline=None)
@given(
    count=st.integers(0, 3),
    height=st.integers(1, 20),
    width=st.integers(1, 20),
    epoch=st.integers(0),
)
def test_any_batch(
    count: int,
    height: int,
    width: int,
    epoch: int,
    profiles: list[NoiseProfile],
    weights_file: Path,
) -> None:
    add = AddCameraNoise(profiles, weights=weights_file)
    add.set_epoch(epoch % 2**40)
    clean = torch.stack([_picture(seed, height, width) for seed in range(3)])[:count]
    noisy = add(clean)
    assert noisy.shape == clean.shape
    assert noisy.dtype == torch.uint8


def test_exported_lazily() -> None:
    assert noisegen.AddCameraNoise is AddCameraNoise


def test_floats_beyond_1_are_refused_in_python_s_words(make: Make) -> None:
    with pytest.raises(NoisegenError, match=r"outside \[0, 1\]; divide by 255") as caught:
        make()(_picture().float())
    assert "--white-level" not in str(caught.value)
