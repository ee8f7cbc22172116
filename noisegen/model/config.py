"""Sizes of the networks, stored as JSON inside the weights file."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from enum import Enum
from typing import Any, TypeVar

WINDOW = 32
"""Side of the square windows that references are cut into, in pixels (four JPEG blocks)."""

BINS = 16
"""Nodes of every curve against intensity; node i stands at intensity i / (BINS − 1)."""

NODES = 32
"""Nodes of every measured curve against intensity; they lie where the references' pixels are."""

OUTSIDE = 12
"""Nodes that completed curves have beside those, where the references show nothing."""

STRIPE_KERNEL = 15
"""Lines that the offset of a row or column is correlated over, in both directions together."""

MARGINALS = 6
"""Intensities at which the marginal is tabulated."""

ACTIVITY_NODES = 8
"""Nodes of the level against local activity; node i stands at 2^(i − 1) steps of 8 bits."""

MOST_FEATURES = 64
"""Maps of a clean that a profile can hold numbers for."""

BESIDE_MAPS = 3
"""Numbers of a profile beside those: what is added, and the least and the most of all together."""

KERNEL = 15
"""Side of the colouring kernel, in pixels: correlation reaches about as far."""

QUANTILE_NODES = 65
"""Nodes of the marginal's table, evenly spaced in the Gaussian variable over ±QUANTILE_REACH."""

QUANTILE_REACH = 4.0
"""The table's ends, in standard deviations of the Gaussian field."""


class Precision(str, Enum):
    """What the denoiser of lone shots computes in."""

    FLOAT32 = "float32"
    BFLOAT16 = "bf16"


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
class ContentConfig:
    """Network that shows what the noise level may follow; at half resolution."""

    width: int = 16
    dilations: tuple[int, ...] = (1, 2, 1)
    """One 3×3 convolution an entry."""
    features: int = 8
    """Maps for each channel."""


@dataclass(frozen=True)
class BlindSpotConfig:
    """Denoiser that estimates the clean of a noisy reference; both branches at half resolution."""

    blind_width: int = 48
    blind_dilations: tuple[int, ...] = (1, 1, 2, 4, 2)
    """One convolution over a half plane an entry."""
    full_width: int = 80
    full_dilations: tuple[int, ...] = (1, 1, 2, 2, 4, 2, 2, 1, 1)
    """One 3×3 convolution an entry."""
    spots: tuple[int, ...] = (1, 2, 3)
    """Half widths of the blind spot that it is trained with, in cells of 2×2 pixels."""
    spot: int = 2
    """The one that it is used with."""


@dataclass(frozen=True)
class ModelConfig:
    """Everything that decides the shapes of the tensors in a weights file."""

    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    generator: GeneratorConfig | None = None
    """Of research alone: no shipped weights have one."""
    denoiser: BlindSpotConfig = field(default_factory=BlindSpotConfig)
    content: ContentConfig = field(default_factory=ContentConfig)

    def to_json(self) -> dict[str, Any]:
        """The configuration as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Any) -> ModelConfig:  # noqa: ANN401 (whatever a file holds)
        """The configuration that :meth:`to_json` wrote.

        Raises:
            ValueError: a field is unknown or no size that a network can have.
        """
        if not isinstance(values, dict) or set(values) != {part.name for part in fields(cls)}:
            raise ValueError("its configuration is not that of a network")
        config = cls(
            _checked(EncoderConfig, values["encoder"]),
            None if values["generator"] is None else _checked(GeneratorConfig, values["generator"]),
            _checked(BlindSpotConfig, values["denoiser"]),
            _checked(ContentConfig, values["content"]),
        )
        if config.encoder.global_tokens + config.encoder.local_tokens == 0:
            raise ValueError("its encoder has no tokens")
        if config.generator and config.generator.latent_width % config.generator.heads:
            raise ValueError("its latent_width cannot be divided among its heads")
        return config


_WIDTH, _COUNT, _REACH = (1, 2048), (0, 64), (1, 64)

_RANGES: dict[str, tuple[int, int]] = {
    "width": _WIDTH,
    "components": _WIDTH,
    "global_tokens": _COUNT,
    "local_tokens": _COUNT,
    "token_width": _WIDTH,
    "radius": (0, WINDOW // 2 - 1),
    "latent_width": _WIDTH,
    "heads": _WIDTH,
    "decoder_width": _WIDTH,
    "decoder_blocks": _COUNT,
    "blind_width": _WIDTH,
    "dilations": _REACH,
    "features": (1, MOST_FEATURES),
    "blind_dilations": _REACH,
    "full_width": _WIDTH,
    "full_dilations": _REACH,
    "spots": _REACH,
    "spot": _REACH,
}
"""Smallest and largest value of each number, or of each entry of a list."""

LONGEST = 64
"""Entries of a list."""

_Part = TypeVar("_Part", EncoderConfig, GeneratorConfig, BlindSpotConfig, ContentConfig)


def _checked(part: type[_Part], values: Any) -> _Part:  # noqa: ANN401 (whatever a file holds)
    # What a file leaves out was added later, with a default that means what was before.
    if not isinstance(values, dict) or not set(values) <= {entry.name for entry in fields(part)}:
        raise ValueError(f"its configuration has other entries than {part.__name__}")
    default = part()
    found: dict[str, Any] = {}
    for name, value in values.items():
        wanted = getattr(default, name)
        # JSON has lists only.
        entries = value if isinstance(wanted, tuple) else [value]
        kind = type(wanted[0]) if isinstance(wanted, tuple) else type(wanted)
        if not isinstance(entries, list) or not 0 < len(entries) <= LONGEST:
            raise ValueError(f"its {name} is no list of 1 to {LONGEST} entries")
        low, high = _RANGES.get(name, (False, True))
        if not all(type(entry) is kind and low <= entry <= high for entry in entries):
            raise ValueError(f"its {name} is beyond {low} to {high}")
        found[name] = tuple(entries) if isinstance(wanted, tuple) else value
    return part(**found)
