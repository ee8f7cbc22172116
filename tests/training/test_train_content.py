"""The content network's training: a regression on some crops foretells others; resuming."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from pictures import scene
from torch import Tensor
from typer.testing import CliRunner

from noisegen.cli.app import app
from noisegen.model.config import ContentConfig
from noisegen.model.content_network import ContentNetwork
from noisegen.model.surroundings import Surroundings
from noisegen.model.weights import load_weights
from noisegen.training.content import (
    ContentTraining,
    content_loss,
    train_content,
    trained_content,
)
from noisegen.training.crops import CropConfig

CPU = torch.device("cpu")
TINY = ContentConfig(8, (1,), 2)
SMALL = ContentTraining(
    steps=2,
    warmup=1,
    cameras=2,
    given=0.5,
    pixels=2048,
    model=TINY,
    drawn=CropConfig(settings=2, scenes=4, held=16, batches=2, exposures=2, black=0.0),
)


@pytest.fixture(scope="module")
def pictures() -> list[NDArray[np.uint8]]:
    return [scene(288, 272, seed=seed) for seed in range(2)]


def pairs_that_follow(network: ContentNetwork, strength: float) -> Tensor:
    """3×4×2×3×64×64 in [0, 1]: noise whose variance follows a network's first map."""
    generator = torch.Generator().manual_seed(0)
    shown = [scene(64, 64, seed=seed).transpose(2, 0, 1) for seed in range(12)]
    clean = torch.from_numpy(np.stack(shown)).float() / 255 * 0.8 + 0.1
    clean = (clean * 255).round() / 255
    level = torch.full_like(clean, 0.03)
    with torch.no_grad():
        first = network(clean, Surroundings.of(clean), level)[:, :, 0]
    factor = (strength * (first - first.mean()) / first.std()).clamp(-3, 3)
    noise = level * (factor / 2).exp() * torch.randn(clean.shape, generator=generator)
    noisy = ((clean + noise) * 255).round() / 255
    return torch.stack([noisy, clean], 1).view(3, 4, 2, 3, 64, 64)


def test_the_maps_that_noise_follows_are_likelier_than_none() -> None:
    torch.manual_seed(2)
    network, none = ContentNetwork(TINY), ContentNetwork(TINY)
    torch.nn.init.zeros_(none.outputs.weight)
    pairs = pairs_that_follow(network, 1.0)
    with torch.no_grad():
        gained = content_loss(none, pairs, 2) - content_loss(network, pairs, 2)
    assert gained > 0.03


def test_noise_that_follows_nothing_is_as_likely_with_maps() -> None:
    torch.manual_seed(2)
    network, none = ContentNetwork(TINY), ContentNetwork(TINY)
    torch.nn.init.zeros_(none.outputs.weight)
    pairs = pairs_that_follow(network, 0.0)
    with torch.no_grad():
        gained = content_loss(none, pairs, 2) - content_loss(network, pairs, 2)
    assert abs(float(gained)) < 1e-3


def test_the_network_learns() -> None:
    torch.manual_seed(0)
    network = ContentNetwork(TINY)
    pairs = pairs_that_follow(ContentNetwork(ContentConfig(16, (1,), 2)), 1.5)
    optimiser = torch.optim.Adam(network.parameters(), 1e-2)
    losses = []
    for _ in range(25):
        loss = content_loss(network, pairs, 2)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0] - 0.01


def test_a_run_goes_on_where_it_stopped(pictures: list[NDArray[np.uint8]], tmp_path: Path) -> None:
    real = np.stack([np.stack([pictures[0][:128, :128].transpose(2, 0, 1)] * 2)] * 8)[None]
    first = [s.step for s in train_content(SMALL, pictures, real, tmp_path, CPU)]
    onward = replace(SMALL, steps=4)
    assert first == [1, 2]
    assert [s.step for s in train_content(onward, pictures, real, tmp_path, CPU)] == [3, 4]
    network, card = trained_content(tmp_path)
    assert card["steps"] == 4
    assert network.config == TINY


@pytest.mark.parametrize("changed", ["pack", "pictures", "onward"])
def test_a_run_goes_on_with_what_it_learned_from_alone(
    pictures: list[NDArray[np.uint8]], tmp_path: Path, changed: str
) -> None:
    """Else weights that name no pack, and bind nobody, could have learned from one."""
    learned = {"pack": "0" * 64, "pictures": 9, "onward": "0" * 64}
    config = replace(SMALL, steps=1, pictures=2)
    # A field of one type or another, by its name.
    config = replace(config, **{changed: learned[changed]})  # type: ignore[arg-type]
    list(train_content(config, pictures, None, tmp_path, CPU))
    arguments = ["train", "content", "--run", str(tmp_path), "--start", "sim"]
    result = CliRunner().invoke(app, [*arguments, "--pictures", "2", "--device", "cpu"])
    assert result.exit_code == 2
    assert changed in result.stderr.split("was trained with another")[1].split(";")[0]
    assert not [*tmp_path.glob("*.safetensors")]


@pytest.mark.slow
def test_the_command_writes_weights_with_the_network(tmp_path: Path) -> None:
    arguments = ["train", "content", "--run", str(tmp_path), "--start", "sim", "--steps", "1"]
    sizes = ["--cameras", "1", "--pictures", "2", "--device", "cpu"]
    result = CliRunner().invoke(app, [*arguments, *sizes])
    assert result.exit_code == 0, result.output
    written = load_weights(str(tmp_path / "noisegen-sim.safetensors"))
    assert written.card["content"]["steps"] == 1
    assert written.card["content"]["pack"] is None
    assert written.config.content == ContentConfig()
    old = load_weights("sim").denoiser.state_dict()
    assert all(torch.equal(v, old[k]) for k, v in written.denoiser.state_dict().items())


def test_a_run_begins_with_a_network_trained_before(
    pictures: list[NDArray[np.uint8]], tmp_path: Path
) -> None:
    torch.manual_seed(7)
    before = ContentNetwork(TINY)
    old = {name: tensor.clone() for name, tensor in before.state_dict().items()}
    still = replace(SMALL, rate=1e-12)
    list(train_content(still, pictures, None, tmp_path, CPU, before))
    network, _ = trained_content(tmp_path)
    for name, tensor in network.state_dict().items():
        torch.testing.assert_close(tensor, old[name])
