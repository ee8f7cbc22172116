"""Networks small enough for tests."""

from __future__ import annotations

from dataclasses import replace

from noisegen.model.config import EncoderConfig, GeneratorConfig, ModelConfig

SMALL = ModelConfig(
    EncoderConfig(width=16, components=4, global_tokens=2, local_tokens=2, token_width=16)
)

GENERATOR = GeneratorConfig(latent_width=32, heads=2, decoder_width=16)

TRAINED = replace(SMALL, generator=GENERATOR)
"""With the generator that a training run makes."""
