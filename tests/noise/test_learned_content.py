"""What the content network's maps add to a profile: where noise follows content, and only there."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from fitted import create_profile
from known_noise import windows_of
from numpy.typing import NDArray
from pictures import scene

from noisegen.errors import ProfileError
from noisegen.model.classical import content_factor, find_places
from noisegen.model.content_network import ContentNetwork
from noisegen.model.surroundings import Surroundings
from noisegen.model.weights import load_weights
from noisegen.noise.content import window_maps
from noisegen.noise.statistics import NoiseStatistics, measure
from noisegen.profiles.blend import blend
from noisegen.profiles.profile import NoiseProfile
from noisegen.profiles.tensors import statistics_tensors
from noisegen.references.check import Reference
from noisegen.simulator import draw_setting, simulate
from noisegen.simulator.dead_leaves import draw_picture
from noisegen.synthesis.blocks import Region
from noisegen.synthesis.synthesizer import Synthesizer, Version

Bytes = NDArray[np.uint8]


@pytest.fixture(scope="module")
def network() -> ContentNetwork:
    return load_weights().content


@cache
def processed(seed: int) -> tuple[Bytes, Bytes]:
    """Noisy and clean of a camera that denoises and saves small JPEGs."""
    rng = np.random.default_rng(0)
    setting = draw_setting(rng)
    while not (setting.luma_blur > 0.5 and (setting.quality or 99) < 70 and setting.resize == 1):
        setting = draw_setting(rng)
    picture = draw_picture(np.random.default_rng(seed), 512, 512)
    clean = torch.from_numpy(picture.transpose(2, 0, 1).copy())[None, None] / 255
    pair = simulate(clean, [setting], torch.Generator().manual_seed(seed), 512)
    noisy, pure = (x[0, 0].permute(1, 2, 0).numpy() for x in pair)
    return noisy, pure


@cache
def following(channels: int) -> NoiseProfile:
    """A profile whose network is on."""
    noisy, shown = (x[..., :channels] for x in processed(1))
    return create_profile([Reference("r", noisy, shown)], load_weights())


def noise_of(noisy: Bytes, clean: Bytes) -> NDArray[np.float32]:
    return (noisy.astype(np.float32) - clean) / np.float32(255)


def statistics_of(pair: tuple[Bytes, Bytes], network: ContentNetwork | None) -> NoiseStatistics:
    noisy, clean = pair
    shown = (clean / 255).astype(np.float32)
    return measure(windows_of(shown, noise_of(noisy, clean), 1 / 255), network)


def test_one_camera_s_factor_is_its_numbers_times_the_maps(network: ContentNetwork) -> None:
    rng = torch.Generator().manual_seed(0)
    clean, level = torch.rand(1, 3, 40, 36, generator=rng), torch.full((1, 3, 40, 36), 0.02)
    numbers = torch.randn(1, 3, network.config.features + 3, generator=rng)
    numbers[..., -2:] = torch.tensor([-9.0, 12.0])
    around = Surroundings.of(clean)
    with torch.no_grad():
        maps = network(clean, around, level)
        found = network.log_factor(clean, around, level, numbers)
        gray = clean[:, :1], Surroundings.of(clean[:, :1]), level[:, :1]
        as_colour = clean[:, :1].expand(-1, 3, -1, -1)
        alike = network(as_colour, Surroundings.of(as_colour), level)[:, :1]
        torch.testing.assert_close(network(*gray), alike)
    together = torch.einsum("bckhw,bck->bchw", maps, numbers[..., :-3])
    expected = together + numbers[..., -3:-2, None]
    inside = (expected > -9) & (expected < 12)
    assert inside.float().mean() > 0.01
    # Both are made of whole parts, each of its own.
    assert float((found - expected.clamp(-9, 12)).std() / expected.std()) < 0.005


def test_a_map_sees_no_further_than_its_context(network: ContentNetwork) -> None:
    rng = torch.Generator().manual_seed(0)
    clean, level = torch.rand(1, 3, 96, 96, generator=rng), torch.full((1, 3, 96, 96), 0.02)
    reach, part = network.context, slice(20, 76)
    whole = network(clean, Surroundings.of(clean), level)[..., part, part]
    cut = clean[..., part, part]
    alone = network(cut, Surroundings.of(cut), level[..., part, part])
    inner = slice(reach, -reach)
    beside, edge = whole[..., 0, 0], alone[..., 0, 0]
    whole, alone = whole[..., inner, inner], alone[..., inner, inner]
    torch.testing.assert_close(whole, alone, rtol=1e-3, atol=1e-3)
    assert not torch.allclose(beside, edge)


@pytest.mark.slow
def test_a_processing_camera_s_noise_is_better_foretold(network: ContentNetwork) -> None:
    """On another picture: by how much the power of 8×8 blocks is off, in natural logarithms."""
    reference, target = processed(1), processed(2)
    start, learned = (statistics_of(reference, n) for n in (None, network))
    assert not start.features.any()
    assert learned.features.any()
    off = []
    for statistics in (start, learned):
        counts = network if statistics.features.any() else None
        profile_noise = standard_deviation(statistics, target[1], counts)
        square = (noise_of(*target) / profile_noise)[16:-16, 16:-16] ** 2
        blocks = square.reshape(60, 8, 60, 8, 3).mean((1, 3))
        off.append(float(np.abs(np.log(np.maximum(blocks, 0.01))).mean()))
    assert off[1] < 0.97 * off[0]


def standard_deviation(
    statistics: NoiseStatistics, clean: Bytes, network: ContentNetwork | None
) -> NDArray[np.float32]:
    """What a profile says of each pixel, H×W×3."""
    tensors = statistics_tensors(statistics)
    planes = torch.from_numpy(clean.transpose(2, 0, 1)[None] / np.float32(255))
    places = find_places(tensors.nodes, planes)
    with torch.no_grad():
        factor = content_factor(planes, tensors, places.read(tensors.usual), network)
        variance = places.read(tensors.level.square()) * factor.exp() + (1 / 255) ** 2 / 12
    return np.asarray(variance.sqrt()[0].permute(1, 2, 0).numpy())


def test_noise_that_follows_nothing_is_left_alone(network: ContentNetwork) -> None:
    clean = (scene(384, 384) / 255).astype(np.float32)
    noise = 0.03 * np.random.default_rng(0).normal(size=clean.shape)
    learned = measure(windows_of(clean, noise), network)
    shown = windows_of(clean, noise).clean[:64]
    maps = window_maps(network, shown, np.full_like(shown, 0.03))
    factor = np.einsum("nckhw,ck->nchw", maps, learned.features[:, :-3])
    assert np.std(factor - factor.mean((0, 2, 3), keepdims=True)) < 0.08


@pytest.mark.parametrize("channels", [1, 3])
def test_pixels_do_not_depend_on_blocks_tiles_or_threads(channels: int) -> None:
    weights = load_weights()
    profile = following(channels)
    assert profile.follows_content
    clean = scene(301, 533, channels, seed=5)
    whole = Synthesizer(weights).synthesize(clean, profile)
    tiled = Synthesizer(weights, tile=256, threads=1).synthesize(clean, profile)
    assert np.array_equal(tiled, whole)
    region = Region(37, 61, 100, 300)
    (part,) = Synthesizer(weights).synthesize_regions(clean, profile, [region], Version())
    assert np.array_equal(part, whole[37:137, 61:361])
    none = replace(profile.measured, features=0 * profile.measured.features)
    start = replace(profile, measured=none)
    assert not np.array_equal(Synthesizer(weights).synthesize(clean, start), whole)


def test_profiles_are_made_as_before_once_a_synthesizer_is_on_another_device() -> None:
    weights = load_weights()
    noisy, shown = processed(1)
    reference = Reference("r", noisy[:256, :256], shown[:256, :256])
    before = create_profile([reference], weights).to_bytes()
    Synthesizer(weights, "meta")
    assert create_profile([reference], weights).to_bytes() == before


@pytest.mark.parametrize("count", [2, 5])
def test_a_profile_of_another_number_of_maps_is_refused(count: int) -> None:
    weights, profile = load_weights(), following(3)
    fewer = replace(profile.measured, features=profile.measured.features[:, :count])
    strange = replace(profile, measured=fewer)
    with pytest.raises(ProfileError, match="numbers for"):
        Synthesizer(weights).synthesize(scene(64, 64), strange)
    with pytest.raises(ProfileError, match="its maps"):
        blend([profile, strange], [1, 1], "mix")
