"""Sizes of the networks, stored as JSON inside the weights file."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

WINDOW = 32
"""Side of the square windows that references are cut into, in pixels (four JPEG blocks)."""

BINS = 16
"""Nodes of every curve against intensity; node i stands at intensity i / (BINS − 1)."""

ACTIVITY_NODES = 8
"""Nodes of the level against local activity; node i stands at 2^(i − 1) steps of 8 bits."""

KERNEL = 15
"""Side of the colouring kernel, in pixels: correlation reaches about as far."""

QUANTILE_NODES = 65
"""Nodes of the marginal's table, evenly spaced in the Gaussian variable over ±QUANTILE_REACH."""

QUANTILE_REACH = 4.0
"""The table's ends, in standard deviations of the Gaussian field."""


@dataclass(frozen=True)
class EncoderConfig:
    """Reference-noise encoder."""

    width: int = 48
    """Channels of the convolutional features."""
    components: int = 32
    """Learned components that each prompt block weighs."""
    global_tokens: int = 8
    """Of the global prompt block; 0 leaves it out."""
    local_tokens: int = 8
    """Of the local prompt block; 0 leaves it out."""
    token_width: int = 64
    """Length of a prompt token."""
    radius: int = 3
    """Correlations are taken within ±radius pixels (PNG's ρ = 2·radius + 1)."""


@dataclass(frozen=True)
class GeneratorConfig:
    """One-pass generator: latent tokens on the 8×8 grid, then a decoder at half resolution."""

    latent_width: int = 128
    mixing: tuple[bool, ...] = (True, False, True, False)
    """One latent block an entry; True: it mixes neighbouring tokens by a 3×3 convolution."""
    heads: int = 4
    attention: bool = True
    """Latent tokens attend to the prompt's tokens; else only its summary reaches them."""
    decoder_width: int = 48
    decoder_blocks: int = 1
    """Residual blocks (two 3×3 convolutions each) at half resolution."""


@dataclass(frozen=True)
class BlindSpotConfig:
    """Denoiser that estimates the clean of a noisy reference; both branches at half resolution."""

    blind_width: int = 32
    blind_dilations: tuple[int, ...] = (1, 1, 2, 4, 2)
    """One convolution over a half plane an entry."""
    full_width: int = 48
    full_dilations: tuple[int, ...] = (1, 1, 2, 2, 1, 1)
    """One 3×3 convolution an entry."""
    spots: tuple[int, ...] = (1, 2, 3)
    """Half widths of the blind spot that it is trained with, in cells of 2×2 pixels."""
    spot: int = 2
    """The one that it is used with."""


@dataclass(frozen=True)
class ModelConfig:
    """Everything that decides the shapes of the tensors in a weights file."""

    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    generator: GeneratorConfig = field(default_factory=GeneratorConfig)
    denoiser: BlindSpotConfig = field(default_factory=BlindSpotConfig)

    def to_json(self) -> dict[str, Any]:
        """The configuration as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> ModelConfig:
        """The configuration that :meth:`to_json` wrote.

        Raises:
            TypeError, KeyError: a field is missing or unknown (another version's file).
        """
        return cls(
            EncoderConfig(**values["encoder"]),
            GeneratorConfig(**_with_tuples(values["generator"])),
            BlindSpotConfig(**_with_tuples(values["denoiser"])),
        )


def _with_tuples(values: dict[str, Any]) -> dict[str, Any]:
    """JSON has lists only."""
    return {
        name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
    }
