"""InfoNCE ranks, pulls positives together, and its queue is a ring."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from noisegen.research.objectives.adversarial import KeyQueue, info_nce, momentum_update


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
