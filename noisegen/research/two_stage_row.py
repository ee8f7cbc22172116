"""PNG's row of the ablation: training in two stages, and one-step drawing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from noisegen.evaluation.rows import Row
from noisegen.model.conditioning import Conditioning
from noisegen.model.config import EncoderConfig
from noisegen.model.generator import GRID
from noisegen.model.weights import NoiseModel, Weights, save_weights
from noisegen.research.generator.config import TrainingConfig
from noisegen.research.generator.loop import load_sources
from noisegen.research.generator.terms import expected_level
from noisegen.research.network_row import network_row
from noisegen.research.two_stage import (
    LatentConsistency,
    NoiseAutoencoder,
    TwoStageConfig,
    autoencoder_stage_loss,
    consistency_stage_loss,
    sample,
)
from noisegen.training.bank import batches, to_device
from noisegen.training.schedule import schedule

LATENT_PENALTY = 1e-3
NETWORKS = "two-stage.pt"


def train_two_stages(config: TrainingConfig, bank: Path, run: Path, device: torch.device) -> None:
    """Half of the steps for the autoencoder, half for consistency in its latent.

    Writes the encoder into a weights file, as the other rows do, and both networks beside it.
    """
    if (run / NETWORKS).exists():
        return
    run.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(config.seed)
    model = NoiseModel(config.model).to(device)
    sizes = TwoStageConfig(token_width=config.model.encoder.token_width)
    autoencoder = NoiseAutoencoder(sizes).to(device)
    consistency = LatentConsistency(sizes).to(device)
    stage = config.stages[0]
    rng = np.random.default_rng([config.seed, 0])
    sources = load_sources(bank, stage.shares)
    stream = batches(sources, config.sets, config.targets, config.crop, rng)
    half = stage.steps // 2
    for first, trained in ((True, autoencoder), (False, consistency)):
        parameters = [*model.encoder.parameters(), *trained.parameters()]
        optimiser = torch.optim.AdamW(parameters, weight_decay=config.decay)
        for step in range(half):
            for group in optimiser.param_groups:
                group["lr"] = stage.rate * schedule(step, half, config.warmup)
            batch = to_device(next(stream), device)
            with torch.autocast(device.type, torch.bfloat16):
                encoded = model.encoder(batch.windows, batch.statistics)
                repeated = encoded.repeat(config.targets)
                level = expected_level(batch.clean, repeated.statistics)
                noise = (batch.noisy - batch.clean) / level
                if first:
                    loss = autoencoder_stage_loss(
                        autoencoder, batch.clean, noise, repeated.tokens, LATENT_PENALTY
                    )
                else:
                    loss = consistency_stage_loss(
                        autoencoder, consistency, batch.clean, noise, repeated.tokens, step, half
                    )
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(parameters, config.clip)
            optimiser.step()
        if first:
            with torch.no_grad(), torch.autocast(device.type, torch.bfloat16):
                latents = autoencoder.encode(noise, batch.clean, repeated.tokens)
            autoencoder.calibrate(latents)
    save_weights(run / "noisegen-row.safetensors", model, config.model, {"steps": stage.steps})
    torch.save([autoencoder.state_dict(), consistency.state_dict()], run / NETWORKS)


def two_stage_row(name: str, weights: Weights, run: Path, device: str) -> Row:
    """The row's one-step noise."""
    encoder: EncoderConfig = weights.config.encoder
    sizes = TwoStageConfig(token_width=encoder.token_width)
    autoencoder, consistency = NoiseAutoencoder(sizes), LatentConsistency(sizes)
    states = torch.load(run / NETWORKS, map_location=device, weights_only=True)
    for network, state in zip((autoencoder, consistency), states, strict=True):
        network.load_state_dict(state)
        network.to(device).eval()

    def noise_of(clean: Tensor, camera: Conditioning, rng: np.random.Generator) -> Tensor:
        rows, columns = clean.shape[-2] // GRID, clean.shape[-1] // GRID
        drawn = rng.standard_normal((1, sizes.latent_channels, rows, columns), np.float32)
        noise = sample(autoencoder, consistency, clean, torch.from_numpy(drawn).to(device), camera)
        return noise * expected_level(clean, camera.statistics)

    return network_row(name, weights, noise_of, device)
