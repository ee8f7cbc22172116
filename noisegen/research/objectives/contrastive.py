"""Contrastive learning of prompts: one camera and setting together, others apart.

NoiseTransfer (Lee and Kim, ACCV 2022) learns noise embeddings by InfoNCE (van den Oord et al.,
arXiv 1807.03748, Eq. 4) with momentum keys and a queue of negatives (MoCo: He et al., CVPR 2020,
Sec. 3).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def info_nce(queries: Tensor, keys: Tensor, queue: Tensor, temperature: float) -> Tensor:
    """InfoNCE on cosine similarities (MoCo, Eq. 1); a scalar, log(1 + Q) where nothing is learnt.

    Args:
        queries: B×D.
        keys: B×D, the positives, row by row. Gradients pass; MoCo's keys come from the momentum
            encoder, under ``no_grad``.
        queue: Q×D, the negatives of every query.
        temperature: divides the similarities; MoCo takes 0.07.
    """
    # Autocast would round the product to bfloat16: 1 % on logits that are divided by 0.07.
    with torch.autocast(queries.device.type, enabled=False):
        queries, keys, queue = (F.normalize(x.float(), dim=1) for x in (queries, keys, queue))
        positive = (queries * keys).sum(1, keepdim=True)
        logits = torch.cat([positive, queries @ queue.T], 1) / temperature
        target = torch.zeros(len(logits), dtype=torch.long, device=logits.device)
        return F.cross_entropy(logits, target)


class KeyQueue(nn.Module):
    """The last keys, first in, first out (MoCo, Sec. 3.2); it starts with random directions.

    Attributes:
        keys: size×D, of unit length.
        position: where the next key goes.
    """

    keys: Tensor
    position: Tensor

    def __init__(self, size: int, width: int) -> None:
        super().__init__()
        self.register_buffer("keys", F.normalize(torch.randn(size, width), dim=1))
        self.register_buffer("position", torch.zeros((), dtype=torch.long))

    @torch.no_grad()
    def push(self, keys: Tensor) -> None:
        """Puts B×D keys in the place of the oldest; of more than fit, the last stay."""
        size = len(self.keys)
        kept = F.normalize(keys.detach().float(), dim=1)[-size:]
        places = (self.position + torch.arange(len(kept), device=self.keys.device)) % size
        self.keys[places] = kept
        self.position.copy_((self.position + len(kept)) % size)


@torch.no_grad()
def momentum_update(key_encoder: nn.Module, encoder: nn.Module, momentum: float) -> None:
    """Moves the key encoder's parameters towards the encoder's (MoCo, Eq. 2).

    Args:
        key_encoder: changed in place; of the same architecture.
        encoder: the one that is trained.
        momentum: share that is kept, in [0, 1]; MoCo takes 0.999.
    """
    for slow, fast in zip(key_encoder.parameters(), encoder.parameters(), strict=True):
        slow.lerp_(fast.to(slow.dtype), 1 - momentum)
