"""Shards: parts of a dataset that are made apart, on one machine or many."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from noisegen.errors import UsageError


@dataclass(frozen=True)
class Shard:
    """Part ``index`` (from 1) of ``count``; the whole is part 1 of 1."""

    index: int = 1
    count: int = 1

    @property
    def whole(self) -> bool:
        """There are no other parts."""
        return self.count == 1

    @property
    def suffix(self) -> str:
        """What the part's own files are told by: nothing for the whole."""
        return "" if self.whole else f"-{self.index}-of-{self.count}"

    def holds(self, key: str) -> bool:
        """Whether a clean file's noisy versions belong to this part: by a hash of its key alone."""
        digest = hashlib.sha256(f"noisegen shard\0{key}".encode("utf-8", "surrogatepass")).digest()
        return int.from_bytes(digest[:8], "little") % self.count == self.index - 1


WHOLE = Shard()


def parse_shard(text: str) -> Shard:
    """``K/N`` → the shard.

    Raises:
        UsageError: not two numbers, or K is not from 1 to N.
    """
    matched = re.fullmatch(r"(\d{1,9})/(\d{1,9})", text)
    shard = Shard(*map(int, matched.groups())) if matched else Shard(0, 0)
    if not 1 <= shard.index <= shard.count:
        raise UsageError(f"--shard {text}: give K/N with K from 1 to N, as 3/8")
    return shard
