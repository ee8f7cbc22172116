"""Philox 4×64 with ten rounds (Salmon et al., SC 2011) as tensor operations, on any device.

The integers are those of ``numpy.random.Philox``, which is several times as quick on a CPU. torch
has no unsigned 64-bit products, so they are put together from halves; signed ones wrap alike.
"""

from __future__ import annotations

import torch
from torch import Tensor

ROUNDS = 10
MULTIPLIERS = 0xD2E7470EE14C6C93, 0xCA5A826395121157
WEYL = 0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B
"""What the two words of the key grow by after each round."""

_HALF, _WHOLE = 2**32 - 1, 2**64 - 1


def philox(low: Tensor, high: Tensor, key: tuple[int, int]) -> tuple[Tensor, ...]:
    """Encrypt counters: four words each, of which the last two are 0.

    Args:
        low: first word of the counters, int64.
        high: second word, the same shape.
        key: two unsigned words.

    Returns:
        The four output words, int64 that hold the unsigned ones' bits.
    """
    zero = torch.zeros_like(low)
    words = (low, high, zero, zero)
    for turn in range(ROUNDS):
        one, other = (_signed(k + turn * w) for k, w in zip(key, WEYL, strict=True))
        (high_0, low_0), (high_2, low_2) = (
            _product(words[index], multiplier)
            for index, multiplier in zip((0, 2), MULTIPLIERS, strict=True)
        )
        words = (high_2 ^ words[1] ^ one, low_2, high_0 ^ words[3] ^ other, low_0)
    return words


def _product(words: Tensor, multiplier: int) -> tuple[Tensor, Tensor]:
    """Upper and lower 64 bits of unsigned products."""
    small, large = multiplier & _HALF, multiplier >> 32
    lower, upper = words & _HALF, _shifted(words)
    cross = upper * small + _shifted(lower * small)
    rest = lower * large + (cross & _HALF)
    return upper * large + _shifted(cross) + _shifted(rest), words * _signed(multiplier)


def _shifted(words: Tensor) -> Tensor:
    """Upper halves of unsigned words."""
    return (words >> 32) & _HALF


def _signed(word: int) -> int:
    """The signed number of an unsigned word's bits, whatever is beyond 64 of them."""
    word &= _WHOLE
    return word - 2**64 if word >> 63 else word
