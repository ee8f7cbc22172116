"""Adversaries, alignment and contrastive prompts at known values, and what a few steps do."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from noisegen.research.objectives.adversarial import (
    KeyQueue,
    PixelDiscriminator,
    alignment_loss,
    feature_matching,
    hinge_losses,
    info_nce,
    momentum_update,
    relativistic_losses,
)

Losses = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


def blurred(noise: Tensor) -> Tensor:
    """Grain across, at unit variance: only the correlation differs."""
    kernel = torch.full((3, 1, 1, 3), 3**-0.5)
    return F.conv2d(F.pad(noise, (1, 1, 0, 0), mode="circular"), kernel, groups=3)


def test_relativistic_losses_of_equal_scores_are_log_two() -> None:
    scores = torch.full((2, 1, 4, 4), 3.0)
    for loss in relativistic_losses(scores, scores):
        assert float(loss) == pytest.approx(math.log(2), abs=1e-6)


def test_relativistic_losses_by_hand() -> None:
    """Real one above fake everywhere: log(1 + e^∓1) twice, halved."""
    discriminator, generator = relativistic_losses(torch.ones(1, 1, 2, 2), torch.zeros(1, 1, 2, 2))
    assert float(discriminator) == pytest.approx(math.log(1 + math.exp(-1)), abs=1e-6)
    assert float(generator) == pytest.approx(math.log(1 + math.exp(1)), abs=1e-6)


def test_hinge_losses_by_hand() -> None:
    """Real 2 and 0 cost 0 and 1, fake −1 and 1 cost 0 and 2; the generator sees their mean."""
    discriminator, generator = hinge_losses(torch.tensor([2.0, 0.0]), torch.tensor([-1.0, 2.0]))
    assert float(discriminator) == pytest.approx(0.5 + 1.5)
    assert float(generator) == pytest.approx(-0.5)


@pytest.mark.parametrize("losses", [relativistic_losses, hinge_losses])
def test_a_few_steps_separate_two_noises(losses: Losses) -> None:
    torch.manual_seed(0)
    network = PixelDiscriminator(width=8)
    optimiser = torch.optim.Adam(network.parameters(), lr=3e-3)
    clean = torch.rand(8, 3, 24, 24)
    for _ in range(60):
        real, fake = torch.randn(8, 3, 24, 24), blurred(torch.randn(8, 3, 24, 24))
        optimiser.zero_grad()
        losses(network(real, clean)[0], network(fake, clean)[0])[0].backward()
        optimiser.step()
    with torch.no_grad():
        clean = torch.rand(50, 3, 24, 24)
        real, _ = network(torch.randn(50, 3, 24, 24), clean)
        fake, _ = network(blurred(torch.randn(50, 3, 24, 24)), clean)
    real, fake = real.mean((1, 2, 3)), fake.mean((1, 2, 3))
    threshold = torch.cat([real, fake]).median()
    accuracy = torch.cat([real > threshold, fake <= threshold]).float().mean()
    assert accuracy > 0.9


def test_every_pixel_has_a_score_also_in_bfloat16() -> None:
    network = PixelDiscriminator(width=8)
    noise, clean = torch.randn(2, 3, 16, 24), torch.rand(2, 3, 16, 24)
    with torch.autocast("cpu", torch.bfloat16):
        scores, features = network(noise, clean)
    assert scores.shape == (2, 1, 16, 24)
    assert scores.dtype == torch.float32
    assert [f.shape[-1] for f in features] == [24, 12, 6, 12, 24]


def test_the_summary_acts_on_the_score() -> None:
    network = PixelDiscriminator(width=8, summary_width=5)
    noise, clean, summary = torch.randn(2, 3, 8, 8), torch.rand(2, 3, 8, 8), torch.randn(2, 5)
    with torch.no_grad():
        zero = network(noise, clean, torch.zeros(2, 5))[0]
        one, other = (network(noise, clean, sign * summary)[0] for sign in (1, -1))
    # The projection is linear in the summary.
    torch.testing.assert_close(one + other, 2 * zero)
    assert (one - other).abs().max() > 1e-3
    with pytest.raises(ValueError, match="summary"):
        network(noise, clean)


def test_feature_matching_by_hand() -> None:
    """Means of 1 against 3 and of 0 against 0, over two layers: (2 + 0) / 2."""
    real = [torch.ones(1, 1, 2, 2), torch.zeros(1, 1, 4, 4)]
    fake = [torch.tensor([2.0, 4.0, 2.0, 4.0]).view(1, 1, 2, 2), torch.zeros(1, 1, 4, 4)]
    assert float(feature_matching(real, fake)) == pytest.approx(1)


def test_feature_matching_prefers_another_draw_to_no_noise() -> None:
    torch.manual_seed(0)
    network = PixelDiscriminator(width=8)
    clean = torch.rand(8, 3, 64, 64)
    with torch.no_grad():
        real, draw = (network(torch.randn(8, 3, 64, 64), clean)[1] for _ in range(2))
        nothing = network(torch.zeros(8, 3, 64, 64), clean)[1]
    assert feature_matching(real, draw) < 0.3 * feature_matching(real, nothing)


def blur() -> nn.Conv2d:
    """Mean over 3×3, channel by channel."""
    layer = nn.Conv2d(3, 3, 3, groups=3, bias=False)
    nn.init.constant_(layer.weight, 1 / 9)
    return layer


def test_through_the_identity_it_is_the_mean_absolute_difference() -> None:
    torch.manual_seed(0)
    real = torch.rand(2, 3, 8, 8)
    assert float(alignment_loss(nn.Identity(), real + 0.25, real)) == pytest.approx(0.25, abs=1e-6)


def test_what_the_denoiser_removes_costs_nothing() -> None:
    """Stripes of period 3 that sum to zero vanish under the blur; an offset does not."""
    real = torch.rand(1, 3, 12, 12)
    stripes = torch.tensor([1.0, 1.0, -2.0]).repeat(4)
    assert float(alignment_loss(blur(), real + stripes, real)) == pytest.approx(0, abs=1e-5)
    assert float(alignment_loss(blur(), real - 0.5, real)) == pytest.approx(0.5, abs=1e-5)


def test_gradient_reaches_the_fake_and_not_the_denoiser() -> None:
    denoiser = blur()
    fake = torch.rand(1, 3, 8, 8, requires_grad=True)
    real = torch.rand(1, 3, 8, 8, requires_grad=True)
    alignment_loss(denoiser, fake, real).backward()
    assert fake.grad is not None
    assert fake.grad.abs().sum() > 0
    assert real.grad is None
    assert denoiser.weight.grad is None
    assert denoiser.weight.requires_grad


def test_an_uninformative_embedding_costs_log_of_the_choices() -> None:
    same = torch.ones(3, 8)
    loss = info_nce(same, same, torch.ones(15, 8), 0.07)
    assert loss == pytest.approx(math.log(16), abs=1e-5)


def test_value_by_hand() -> None:
    """Similarity 1 with the positive, 0 with one negative: log(1 + exp(−1/τ))."""
    query, other = torch.tensor([[2.0, 0.0]]), torch.tensor([[0.0, 5.0]])
    loss = info_nce(query, 3 * query, other, 0.5)
    assert loss == pytest.approx(math.log(1 + math.exp(-2)), abs=1e-6)


def test_a_nearer_positive_costs_less() -> None:
    torch.manual_seed(0)
    query, far, queue = torch.randn(8, 16), torch.randn(8, 16), torch.randn(64, 16)
    losses = [float(info_nce(query, query.lerp(far, t), queue, 0.2)) for t in (0.0, 0.4, 0.8, 1.0)]
    assert losses == sorted(losses)


def test_gradient_steps_pull_positives_together() -> None:
    torch.manual_seed(0)
    encoder, queue = nn.Linear(16, 8), torch.randn(64, 8)
    scenes = torch.randn(8, 16)
    first, second = scenes + torch.randn(8, 16), scenes + torch.randn(8, 16)
    optimiser = torch.optim.Adam(encoder.parameters(), lr=0.02)

    @torch.no_grad()
    def similarity() -> float:
        return float(F.cosine_similarity(encoder(first), encoder(second)).mean())

    before = similarity()
    for _ in range(50):
        optimiser.zero_grad()
        info_nce(encoder(first), encoder(second), queue, 0.2).backward()
        optimiser.step()
    assert similarity() > before + 0.2


def test_autocast_does_not_round_the_similarities() -> None:
    torch.manual_seed(0)
    query, key, queue = torch.randn(8, 16), torch.randn(8, 16), torch.randn(64, 16)
    exact = info_nce(query, key, queue, 0.07)
    with torch.autocast("cpu", torch.bfloat16):
        assert float(info_nce(query, key, queue, 0.07)) == pytest.approx(float(exact), abs=1e-6)


def test_the_queue_is_a_ring() -> None:
    axes = F.one_hot(torch.arange(5), 5).float()
    queue = KeyQueue(4, 5)
    queue.push(2 * axes[:3])
    queue.push(axes[3:])
    torch.testing.assert_close(queue.keys, axes[[4, 1, 2, 3]])
    assert int(queue.position) == 1


def test_of_more_keys_than_fit_the_last_stay() -> None:
    axes = F.one_hot(torch.arange(5), 5).float()
    queue = KeyQueue(2, 5)
    queue.push(axes)
    assert sorted(queue.keys.argmax(1).tolist()) == [3, 4]


def test_momentum_update_by_hand() -> None:
    slow, fast = nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)
    nn.init.constant_(slow.weight, 1.0)
    nn.init.constant_(fast.weight, 3.0)
    momentum_update(slow, fast, 0.75)
    assert float(slow.weight.detach()) == pytest.approx(1.5)
    assert float(fast.weight.detach()) == 3.0
