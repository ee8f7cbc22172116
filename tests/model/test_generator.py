"""The networks: where they start, how far they see, what they are conditioned by."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from pictures import add_gaussian, scene
from small_network import TRAINED
from torch.nn import functional as F

from noisegen.files import to_float
from noisegen.model.classical import shape_field
from noisegen.model.conditioning import Conditioning, Statistics
from noisegen.model.config import KERNEL
from noisegen.model.encoder import ReferenceWindows
from noisegen.model.weights import NoiseModel, Weights, untrained_model
from noisegen.noise.record import Recording
from noisegen.noise.statistics import measure
from noisegen.noise.windows import Windows, join
from noisegen.profiles.tensors import encode, statistics_tensors, window_tensors
from noisegen.references.misplaced import paired_windows


def windows_of(height: int, width: int, sigma: float = 10, seed: int = 0) -> Windows:
    clean = scene(height, width, seed=seed)
    noisy = add_gaussian(clean, sigma, seed)
    return paired_windows(to_float(noisy, 255), to_float(clean, 255), Recording.even(3, 1 / 255))


def conditioning_of(weights: Weights, windows: Windows) -> Conditioning:
    measured = measure(windows)
    tokens = encode(windows, measured, weights)
    return Conditioning(torch.from_numpy(tokens).unsqueeze(0), statistics_tensors(measured))


def inputs(side: int) -> tuple[torch.Tensor, torch.Tensor]:
    clean = torch.from_numpy(scene(side, side)).permute(2, 0, 1).unsqueeze(0).float() / 255
    generator = torch.Generator().manual_seed(0)
    field = torch.randn(1, 4, side + KERNEL - 1, side + KERNEL - 1, generator=generator)
    return clean, field


@pytest.fixture(scope="module")
def trained() -> NoiseModel:
    """A generator with random output weights: every path through it acts on the pixels."""
    model = untrained_model(TRAINED, seed=1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        torch.nn.init.normal_(model.pixel_generator.output.weight, std=0.1)
    return model.eval()


def test_untrained_it_is_the_classical_model(weights: Weights) -> None:
    conditioning = conditioning_of(weights, windows_of(96, 96))
    clean, field = inputs(64)
    generator = untrained_model(TRAINED).pixel_generator
    with torch.inference_mode():
        noise = generator(clean, field, conditioning)
        shaped = shape_field(field[:, :3], clean, conditioning.statistics)
    torch.testing.assert_close(noise, shaped.noise, rtol=1e-5, atol=1e-6)


def test_a_clean_pixel_acts_within_the_receptive_field_and_not_beyond(
    weights: Weights, trained: NoiseModel
) -> None:
    generator = trained.pixel_generator
    conditioning = conditioning_of(weights, windows_of(96, 96))
    clean, field = inputs(160)
    reach = generator.receptive_field
    assert generator.context >= reach
    assert generator.context % 8 == 0
    farthest = 0
    for y, x in ((80, 80), (87, 87), (83, 81)):
        changed = clean.clone()
        changed[:, :, y, x] = 1 - changed[:, :, y, x]
        with torch.inference_mode():
            difference = generator(changed, field, conditioning) - generator(
                clean, field, conditioning
            )
        rows, columns = torch.nonzero(difference[0].abs().sum(0), as_tuple=True)
        farthest = max(farthest, int((rows - y).abs().max()), int((columns - x).abs().max()))
    assert 0.75 * reach <= farthest <= reach


@pytest.mark.parametrize("sizes", [[(32, 32)], [(256, 192)], [(64, 96), (32, 160), (96, 96)]])
def test_the_prompt_has_one_size(weights: Weights, sizes: list[tuple[int, int]]) -> None:
    windows = join([windows_of(*size, seed=i) for i, size in enumerate(sizes)])
    tokens = encode(windows, measure(windows), weights)
    config = weights.config.encoder
    assert tokens.shape == (config.global_tokens + config.local_tokens, config.token_width)
    assert np.isfinite(tokens).all()


def test_the_prompt_does_not_depend_on_the_order_of_references(weights: Weights) -> None:
    first, second = windows_of(64, 64, seed=1), windows_of(96, 64, seed=2)
    prompts = [
        encode(windows, measure(windows), weights)
        for windows in (join([first, second]), join([second, first]))
    ]
    np.testing.assert_allclose(prompts[0], prompts[1], rtol=0, atol=2e-4)


def in_doubles(statistics: Statistics) -> Statistics:
    return Statistics(*(value.double() for value in vars(statistics).values()))


def test_padding_does_not_change_the_prompt(weights: Weights) -> None:
    small, large = windows_of(64, 64), windows_of(128, 128)
    measured = statistics_tensors(measure(small))
    both = type(measured).stack([measured, statistics_tensors(measure(large))])
    few, many = (window_tensors(windows) for windows in (small, large))
    missing = many.valid.shape[1] - few.valid.shape[1]
    batch = ReferenceWindows(
        torch.cat([F.pad(few.residual, (*[0] * 7, missing)), many.residual]),
        torch.cat([F.pad(few.clean, (*[0] * 7, missing)), many.clean]),
        torch.cat([F.pad(few.valid, (0, missing)), many.valid]),
        torch.cat([few.estimated, many.estimated]),
    )
    encoder = copy.deepcopy(weights.encoder).double()
    with torch.inference_mode():
        alone = encoder(few, in_doubles(measured)).tokens
        padded = encoder(batch, in_doubles(both)).tokens[:1]
    torch.testing.assert_close(alone, padded, rtol=0, atol=1e-9)


def test_the_prompt_acts_on_the_noise(weights: Weights, trained: NoiseModel) -> None:
    generator = trained.pixel_generator
    conditioning = conditioning_of(weights, windows_of(96, 96))
    clean, field = inputs(64)
    other = Conditioning(-conditioning.tokens, conditioning.statistics)
    with torch.inference_mode():
        difference = generator(clean, field, conditioning) - generator(clean, field, other)
    assert difference.abs().max() > 1e-4
