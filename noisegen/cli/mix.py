"""``FILE:SHARE,FILE:SHARE``: noise profiles and their shares of a mix."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from noisegen.errors import UsageError


@dataclass(frozen=True)
class Mix:
    """Files of noise profiles, each with its share of a mix.

    Attributes:
        files: one or more.
        shares: of each; only their ratios count.
    """

    files: tuple[Path, ...]
    shares: tuple[float, ...]

    @property
    def name(self) -> str:
        """Of files' stems and shares, as ``iso100-0.5+iso800-0.5``."""
        parts = zip(self.files, self.shares, strict=True)
        return "+".join(f"{file.stem}-{share:g}" for file, share in parts)


def parse_mix(text: str) -> Mix:
    """The mix that ``FILE:SHARE,FILE:SHARE`` names; nothing is read yet.

    Raises:
        UsageError: it names none.
    """
    files, shares = [], []
    for part in text.split(","):
        file, colon, share = part.rpartition(":")
        try:
            shares.append(float(share))
        except ValueError:
            colon = ""
        if not colon or not file:
            raise UsageError(f"{text}: give FILE:SHARE,FILE:SHARE, as a.safetensors:0.5,b…:0.5")
        files.append(Path(file))
    return Mix(tuple(files), tuple(shares))
