"""``noisegen train denoiser`` and ``content``: networks trained by themselves, the others kept."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import numpy as np

from noisegen.cli.jobs import begin_job, check_training_data, follow
from noisegen.cli.output import Output, check_file
from noisegen.cli.train_commands import OneNetwork, PackPictures, TrainContent, TrainDenoiser
from noisegen.errors import UsageError, counted
from noisegen.model.device import select_device
from noisegen.model.weights import NoiseModel, Weights, find_weights, load_weights, save_weights
from noisegen.training.content import ContentTraining, train_content, trained_content
from noisegen.training.denoise import DenoiserTraining, train_denoiser, trained_denoiser
from noisegen.training.drawn_settings import dead_leaves
from noisegen.training.loop import TrainingStep
from noisegen.training.pack import Pack, classical_crops, read_pack, write_pack


def pack(asked: PackPictures, output: Output) -> None:
    """Packs photographs and real pairs."""
    check_file(asked.out, asked.overwrite)
    check_training_data(asked.data)
    packed = write_pack(asked.data, asked.out, asked.seed, asked.without)
    pictures, crops = len(packed.pictures), len(packed.crops)
    output.result(
        f"{counted(pictures, 'picture')} and {counted(crops, 'real crop')} in {asked.out}",
        {"pack": str(asked.out), "pictures": pictures, "crops": crops},
    )


def denoiser(asked: TrainDenoiser, output: Output) -> None:
    """Trains the denoiser."""
    weights, given = _begin(asked, output)
    first = _first(asked)
    config = DenoiserTraining(**_schedule(asked, first), crops=asked.crops)
    if first is not None:
        config = replace(config, model=first.config.denoiser)
    leaves = dead_leaves(asked.pictures, 320, asked.seed)
    fixed = classical_crops(leaves, 16 * asked.pictures, np.random.default_rng(asked.seed))
    if given is not None:
        repeated = max(1, len(fixed) // len(given.crops))
        fixed = np.concatenate([fixed, *[given.crops] * repeated])
        leaves = leaves + given.pictures
    begun, device = first.denoiser if first else None, select_device(asked.device)
    training = train_denoiser(config, leaves, fixed, asked.run, device, begun)
    loss = follow(training, asked.steps, asked.run, output, _words)
    _write(asked, weights, "denoiser", trained_denoiser(asked.run), first, loss, output)


def content(asked: TrainContent, output: Output) -> None:
    """Trains the network of what noise follows in pictures."""
    weights, given = _begin(asked, output)
    first = _first(asked)
    config = ContentTraining(**_schedule(asked, first), cameras=asked.cameras)
    if first is not None:
        config = replace(config, model=first.config.content)
    leaves = dead_leaves(asked.pictures, 320, asked.seed) + (given.pictures if given else [])
    sets = given.sets(config.drawn.scenes) if given else None
    begun, device = first.content if first else None, select_device(asked.device)
    training = train_content(config, leaves, sets, asked.run, device, begun)
    loss = follow(training, asked.steps, asked.run, output, _words)
    _write(asked, weights, "content", trained_content(asked.run), first, loss, output)


def _first(asked: OneNetwork) -> Weights | None:
    """The weights whose network the training begins with."""
    return load_weights(asked.onward) if asked.onward else None


def _schedule(asked: OneNetwork, first: Weights | None) -> dict[str, Any]:
    """What the trainings of all networks are told, and what tells what they learn from."""
    told = {n: getattr(asked, n) for n in ("steps", "minutes", "rate", "seed", "pictures")}
    pack = hashlib.sha256(asked.pack.read_bytes()).hexdigest() if asked.pack else None
    return told | {"pack": pack, "onward": first.sha256 if first else None}


def _words(step: TrainingStep) -> str:
    return f"loss {step.loss:.4f}"


def _begin(asked: OneNetwork, output: Output) -> tuple[Weights, Pack | None]:
    """The weights whose other networks are kept, and the pack.

    Raises:
        UsageError: the weights bind nobody, and the pack's pictures, or the network that the
            training begins with, would.
    """
    weights, free = load_weights(asked.start), find_weights("sim").stem
    if asked.pack and weights.name == free:
        raise UsageError(
            f"--pack {asked.pack}: its pictures bind what is trained on them, and {weights.name} "
            "binds nobody; use --start base, or leave --pack out"
        )
    if asked.onward and weights.name == free != load_weights(asked.onward).name:
        raise UsageError(
            f"--onward {asked.onward}: what it was trained on binds it, and {weights.name} binds "
            "nobody; use --start base, or go on from --onward sim"
        )
    begin_job(asked.threads, output)
    return weights, read_pack(asked.pack) if asked.pack else None


def _write(
    asked: OneNetwork,
    weights: Weights,
    name: str,
    trained: tuple[Any, dict[str, Any]],
    first: Weights | None,
    loss: float | None,
    output: Output,
) -> None:
    """Writes weights in which one network, of this name, is new."""
    network, card = trained
    card = card | {
        "onward": {"name": first.name, "sha256": first.sha256} if first else None,
        "start": {"name": weights.name, "sha256": weights.sha256},
        **{entry: card["training"][entry] for entry in ("pack", "pictures")},
    }
    sizes = replace(weights.config, **{name: network.config})
    model = NoiseModel(sizes)
    for part in ("encoder", "generator", "denoiser", "content"):
        setattr(model, part, network if part == name else getattr(weights.model, part))
    written = asked.run / f"{weights.name}.safetensors"
    # Scores were another network's.
    kept = {entry: value for entry, value in weights.card.items() if entry != "scores"}
    save_weights(written, model, sizes, kept | {name: card})
    output.result(
        f"trained {counted(card['steps'], 'step')}: {written}",
        {"steps": card["steps"], "loss": loss, "weights": str(written)},
    )
