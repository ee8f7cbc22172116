"""``noisegen train denoiser`` and ``content``: networks trained by themselves, the others kept."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from noisegen.cli import options
from noisegen.cli.jobs import LOG_EVERY, log_to_stderr, stoppable
from noisegen.cli.output import Output, user_errors
from noisegen.errors import UsageError

if TYPE_CHECKING:
    from noisegen.model.weights import Weights
    from noisegen.training.loop import TrainingStep
    from noisegen.training.pack import Pack

Run = Annotated[Path, typer.Option(help="Folder of checkpoint and weights.")]
Start = Annotated[
    str, typer.Option(help="Weights whose other networks are kept: base, sim or a file.")
]
Packed = Annotated[
    Path | None,
    typer.Option("--pack", help="Of `train pack`; without it only what binds nobody."),
]
Rate = Annotated[float, typer.Option(min=1e-6, help="Peak learning rate.")]
Minutes = Annotated[float, typer.Option(min=0.1, help="After which it ends.")]
Pictures = Annotated[int, typer.Option(min=2, help="Procedural pictures.")]
Threads = Annotated[int | None, typer.Option(help="CPU threads.")]
Seed = Annotated[int, typer.Option(help="Of everything that is drawn.")]


@user_errors
def pack(
    data: Annotated[Path, typer.Option(help="Folder of polyu/, w2s/ and clean/.")],
    out: Annotated[Path, typer.Option(help="File to write, under 50 MB.")],
    seed: Seed = 0,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Pack photographs and real pairs for the training of single networks."""
    from noisegen.training.pack import write_pack

    if not (data / "polyu").is_dir():
        raise UsageError(f"--data {data}: does not hold the training data (polyu/, w2s/, clean/)")
    packed = write_pack(data, out, seed)
    pictures, crops = len(packed.pictures), len(packed.crops)
    Output(json, quiet).result(
        f"{pictures} pictures and {crops} real crops in {out}",
        {"pack": str(out), "pictures": pictures, "crops": crops},
    )


@user_errors
def denoiser(
    run: Run,
    start: Start,
    packed: Packed = None,
    onward: Annotated[
        str | None, typer.Option(help="Weights whose denoiser it begins with; anew without.")
    ] = None,
    steps: Annotated[int, typer.Option(min=1)] = 8000,
    crops: Annotated[int, typer.Option(min=2, help="In a batch.")] = 64,
    rate: Rate = 1e-3,
    minutes: Minutes = 600.0,
    pictures: Pictures = 240,
    threads: Threads = None,
    seed: Seed = 0,
    device: options.Device = "auto",
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Train the denoiser of references without a clean; the same command again resumes."""
    from dataclasses import replace

    import numpy as np

    from noisegen.model.device import select_device
    from noisegen.model.weights import load_weights
    from noisegen.training.denoise import DenoiserTraining, train_denoiser, trained_denoiser
    from noisegen.training.drawn_settings import dead_leaves
    from noisegen.training.pack import classical_crops

    output = Output(json, quiet)
    weights, given = _begin(start, packed, threads, quiet)
    config = DenoiserTraining(steps=steps, minutes=minutes, rate=rate, seed=seed, crops=crops)
    first = load_weights(onward) if onward else None
    if first is not None:
        config = replace(config, model=first.config.denoiser)
    leaves = dead_leaves(pictures, 320, seed)
    fixed = classical_crops(leaves, 16 * pictures, np.random.default_rng(seed))
    if given is not None:
        repeated = max(1, len(fixed) // len(given.crops))
        fixed = np.concatenate([fixed, *[given.crops] * repeated])
        leaves = leaves + given.pictures
    begun = first.denoiser if first else None
    training = train_denoiser(config, leaves, fixed, run, select_device(device), begun)
    last = _follow(output, run, steps, training)
    network, card = trained_denoiser(run)
    card["onward"] = {"name": first.name, "sha256": first.sha256} if first else None
    card |= _sources(weights, packed, pictures)
    _write(output, run, weights, {"denoiser": network}, card, last)


@user_errors
def content(
    run: Run,
    start: Start,
    packed: Packed = None,
    steps: Annotated[int, typer.Option(min=1)] = 8000,
    cameras: Annotated[int, typer.Option(min=1, help="In a batch.")] = 16,
    rate: Rate = 2e-3,
    minutes: Minutes = 600.0,
    pictures: Pictures = 240,
    threads: Threads = None,
    seed: Seed = 0,
    device: options.Device = "auto",
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Train the network of what noise follows in pictures; the same command again resumes."""
    from noisegen.model.device import select_device
    from noisegen.training.content import ContentTraining, train_content, trained_content
    from noisegen.training.drawn_settings import dead_leaves

    output = Output(json, quiet)
    weights, given = _begin(start, packed, threads, quiet)
    config = ContentTraining(steps=steps, minutes=minutes, rate=rate, seed=seed, cameras=cameras)
    leaves = dead_leaves(pictures, 320, seed) + (given.pictures if given else [])
    sets = given.sets(config.drawn.scenes) if given else None
    training = train_content(config, leaves, sets, run, select_device(device))
    last = _follow(output, run, steps, training)
    network, card = trained_content(run)
    card |= _sources(weights, packed, pictures)
    _write(output, run, weights, {"content": network}, card, last)


def _begin(
    start: str, packed: Path | None, threads: int | None, quiet: bool
) -> tuple[Weights, Pack | None]:
    """The weights whose other networks are kept, and the pack.

    Raises:
        UsageError: the weights bind nobody, and the pack's pictures would.
    """
    import torch

    from noisegen.model.weights import find_weights, load_weights
    from noisegen.training.pack import read_pack

    weights = load_weights(start)
    if packed and weights.name == find_weights("sim").stem:
        raise UsageError(
            f"--pack {packed}: its pictures bind what is trained on them, and {weights.name} binds "
            "nobody; use --start base, or leave --pack out"
        )
    if threads is not None:
        torch.set_num_threads(threads)
    log_to_stderr(quiet)
    return weights, read_pack(packed) if packed else None


def _follow(output: Output, run: Path, steps: int, training: Iterable[TrainingStep]) -> float:
    """Runs a training to its end, and says how it goes; returns the last loss."""
    last = 0.0
    with stoppable(output, run), output.progress(steps) as advance:
        for step in training:
            last = step.loss
            advance(1, note=f"loss {last:.3f}")
            if step.step % LOG_EVERY == 0:
                output.note(f"step {step.step} of {steps}: loss {last:.4f}")
    return last


def _sources(weights: Weights, packed: Path | None, pictures: int) -> dict[str, Any]:
    """What a card says of where a network comes from."""
    import hashlib

    return {
        "start": {"name": weights.name, "sha256": weights.sha256},
        "pack": hashlib.sha256(packed.read_bytes()).hexdigest() if packed else None,
        "pictures": pictures,
    }


def _write(
    output: Output,
    run: Path,
    weights: Weights,
    trained: dict[str, Any],
    card: dict[str, Any],
    loss: float,
) -> None:
    """Writes weights in which one network is new; ``trained`` names it."""
    from dataclasses import replace

    from noisegen.model.weights import NoiseModel, save_weights

    ((name, network),) = trained.items()
    sizes = replace(weights.config, **{name: network.config})
    model = NoiseModel(sizes)
    for part in ("encoder", "generator", "denoiser", "content"):
        setattr(model, part, network if part == name else getattr(weights.model, part))
    written = run / f"{weights.name}.safetensors"
    # Scores were another network's.
    kept = {entry: value for entry, value in weights.card.items() if entry != "scores"}
    save_weights(written, model, sizes, kept | {name: card})
    output.result(
        f"trained {card['steps']} steps: {written}",
        {"steps": card["steps"], "loss": loss, "weights": str(written)},
    )
