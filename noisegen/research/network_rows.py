"""Rows of networks in a table of scores: a pixel generator's, and PNG's two stages and training."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from noisegen.dataset.folder import make_folder
from noisegen.evaluation.protocol import Target
from noisegen.evaluation.rows import Known, Row
from noisegen.evaluation.speed import COUNTED_SIDE, Cost, count_cost
from noisegen.files import quantise, to_float
from noisegen.model.conditioning import Conditioning
from noisegen.model.config import (
    KERNEL,
    EncoderConfig,
)
from noisegen.model.generator import FIELD_CHANNELS, GRID
from noisegen.model.weights import NoiseModel, Weights, save_weights
from noisegen.noise.arrays import Bytes
from noisegen.profiles.tensors import statistics_tensors
from noisegen.research.generator.config import TrainingConfig
from noisegen.research.generator.loop import load_sources
from noisegen.research.generator.terms import expected_level
from noisegen.research.two_stage import (
    LatentConsistency,
    NoiseAutoencoder,
    Shown,
    TwoStageConfig,
    autoencoder_loss,
    latent_consistency_loss,
    sample,
)
from noisegen.training.bank import (
    KEPT_WINDOWS,
    Batch,
    batches,
    measure_references,
    reference_windows,
    to_device,
)
from noisegen.training.loop import (
    descend,
    schedule,
)

Draw = Callable[[Tensor, Conditioning, np.random.Generator], Tensor]
"""Clean, 1×3×H×W with H and W multiples of GRID, camera and chance → noise of the same shape."""

SEED = 0
"""Seed of the noise that rows draw."""


def network_row(name: str, weights: Weights, noise_of: Draw, device: str) -> Row:
    """The row of a network's noise on 8-bit pictures.

    Args:
        name: of the row.
        weights: whose encoder makes the prompts.
        noise_of: the network.
        device: where it runs.
    """

    @torch.inference_mode()
    def draw(target: Target, known: Known) -> Bytes:
        picture = torch.from_numpy(to_float(target.clean, 255)).permute(2, 0, 1)[None]
        height, width, channels = target.clean.shape
        clean = picture.expand(1, 3, height, width).to(device)
        clean = F.pad(clean, (0, -width % GRID, 0, -height % GRID), mode="replicate")
        camera = Conditioning(
            torch.from_numpy(known.profile.tokens)[None].to(device),
            statistics_tensors(known.profile.measured).to(device),
        )
        rng = np.random.default_rng([SEED, *target.name.encode()])
        noisy = (clean + noise_of(clean, camera, rng))[0, :, :height, :width]
        pixels = noisy.permute(1, 2, 0)[..., :channels].cpu().numpy()
        return quantise(pixels, 255, np.uint8).astype(np.uint8)

    return Row(name, weights, draw)


def generator_row(name: str, weights: Weights, device: str) -> Row:
    """The row of weights' own generator."""
    generator = weights.generator.to(device)

    def noise_of(clean: Tensor, camera: Conditioning, rng: np.random.Generator) -> Tensor:
        height, width = (side + KERNEL - 1 for side in clean.shape[2:])
        field = rng.standard_normal((1, FIELD_CHANNELS, height, width), np.float32)
        noise: Tensor = generator(clean, torch.from_numpy(field).to(device), camera)
        return noise

    return network_row(name, weights, noise_of, device)


LATENT_PENALTY = 1e-3
NETWORKS = "two-stage.pt"


def train_two_stages(config: TrainingConfig, bank: Path, run: Path, device: torch.device) -> None:
    """Trains the autoencoder for half of the steps, then consistency in its latent for the others.

    Writes the encoder into a weights file, as the other rows do, and both networks beside it.
    """
    if (run / NETWORKS).exists():
        return
    make_folder(run)
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
            shown = _shown(model, to_device(next(stream), device), config.targets)
            with torch.autocast(device.type, torch.bfloat16):
                if first:
                    loss = autoencoder_loss(autoencoder, shown, LATENT_PENALTY)
                else:
                    loss = latent_consistency_loss(autoencoder, consistency, shown, (step, half))
            rate = stage.rate * schedule(step, half, config.warmup)
            descend(optimiser, loss, config.clip, rate)
        if first:
            clean, noise, tokens = shown
            with torch.no_grad(), torch.autocast(device.type, torch.bfloat16):
                autoencoder.calibrate(autoencoder.encode(noise, clean, tokens))
    save_weights(run / "noisegen-row.safetensors", model, config.model, {"steps": stage.steps})
    torch.save([autoencoder.state_dict(), consistency.state_dict()], run / NETWORKS)


def _shown(model: NoiseModel, batch: Batch, targets: int) -> Shown:
    with torch.autocast(batch.clean.device.type, torch.bfloat16):
        encoded = model.encoder(batch.windows, batch.statistics).repeat(targets)
        level = expected_level(batch.clean, encoded.statistics)
        return batch.clean, (batch.noisy - batch.clean) / level, encoded.tokens


def two_stage_row(name: str, weights: Weights, run: Path, device: str) -> Row:
    """The row of the two stages' noise, drawn in one step."""
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


def generator_cost(weights: Weights) -> Cost:
    """Counts one pass of a training run's generator on a blank square."""
    side, encoder, generator = COUNTED_SIDE, weights.config.encoder, weights.generator
    clean = torch.full((1, 3, side, side), 0.5)
    field = torch.zeros(1, FIELD_CHANNELS, side + KERNEL - 1, side + KERNEL - 1)
    tokens = torch.zeros(1, encoder.global_tokens + encoder.local_tokens, encoder.token_width)
    # The camera's numbers do not matter.
    shown = np.random.default_rng(0).integers(100, 150, (64, 64, 3), np.uint8)
    windows = reference_windows(shown, np.full_like(shown, 125), None, KEPT_WINDOWS)
    camera = Conditioning(tokens, measure_references([windows], gray=False).statistics)
    return count_cost(generator, lambda: generator(clean, field, camera))
