"""``noisegen train``: fills the bank of episodes, trains from it, resumes, compares objectives."""

from __future__ import annotations

import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from noisegen.cli import options
from noisegen.cli.output import Output, user_errors
from noisegen.errors import UsageError

app = typer.Typer(help="Train weights.", invoke_without_command=True)

LOG_EVERY = 50

Bank = Annotated[Path, typer.Option(help="Folder of the episode bank.")]
Seed = Annotated[int, typer.Option(help="Of everything that is drawn.")]
Threads = Annotated[int | None, typer.Option(help="CPU threads.")]


@app.callback()
@user_errors
def train(
    context: typer.Context,
    run: Annotated[
        Path | None, typer.Option(help="Folder of checkpoint, logs and weights.")
    ] = None,
    bank: Bank = Path("bank"),
    stages: Annotated[
        str | None, typer.Option(help="Stages, in order, with their steps: sim:2600,base:2600.")
    ] = None,
    threads: Threads = None,
    seed: Seed = 0,
    device: options.Device = "auto",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the configuration.")] = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Train weights from a bank, stage by stage; the same command again resumes.

    On several GPUs: torchrun --nproc-per-node N -m -- noisegen train …
    """
    if context.invoked_subcommand is not None:
        return
    from dataclasses import asdict, replace
    from pprint import pformat

    import torch

    from noisegen.model.device import select_device
    from noisegen.training.config import TrainingConfig, chosen_stages
    from noisegen.training.loop import train as train_steps

    output = Output(json, quiet)
    config = TrainingConfig(seed=seed)
    config = replace(config, stages=chosen_stages(stages)) if stages else config
    if dry_run:
        output.result(pformat(asdict(config)), asdict(config))
        return
    if run is None:
        raise UsageError("--run is missing: name a folder for checkpoint and weights")
    if threads is not None:
        torch.set_num_threads(threads)
    _log_to_stderr(quiet)
    last = 0.0
    with _stoppable(output, run), output.progress(config.steps) as advance:
        for step in train_steps(config, bank, run, select_device(device)):
            last = step.loss
            scores = f", {step.validation}" if step.validation else ""
            advance(1, note=f"{step.stage}: loss {last:.3f}{scores}")
            if step.step % LOG_EVERY == 0:
                text = f"step {step.step} of {config.steps}, stage {step.stage}"
                output.note(f"{text}: loss {last:.4f}")
    written = run / f"noisegen-{config.stages[-1].name}.safetensors"
    output.result(
        f"trained {config.steps} steps: {written}",
        {"steps": config.steps, "loss": last, "weights": str(written)},
    )


@app.command()
@user_errors
def prepare(
    bank: Bank = Path("bank"),
    data: Annotated[
        Path | None,
        typer.Option(help="Folder of polyu/, w2s/ and clean/; without it only what is drawn."),
    ] = None,
    pairs: Annotated[
        list[str] | None,
        typer.Option(help="NOISY:CLEAN, folders of your own 8-bit pairs; a subfolder a setting."),
    ] = None,
    drawn: Annotated[
        float, typer.Option(help="Factor on the number of simulated and textbook settings.")
    ] = 1.0,
    estimator: Annotated[
        str, typer.Option("--denoiser", help="Weights whose denoiser estimates cleans.")
    ] = "sim",
    processes: Annotated[int, typer.Option(min=1, help="That make shards.")] = 1,
    threads: Threads = None,
    seed: Seed = 0,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Pack real pairs and clean pictures into a bank; the same command again goes on.

    Real pairs are cleaned of drift; crops whose residual follows the clean's gradient are left
    out, and counted in BANK/report.json.
    """
    import torch

    from noisegen.training.prepare import BankConfig, Sources, scaled
    from noisegen.training.prepare import prepare as fill

    output = Output(json, quiet)
    if data is not None and not (data / "polyu").is_dir():
        raise UsageError(f"--data {data}: does not hold the training data (polyu/, w2s/, clean/)")
    folders = tuple(_two_folders(spec) for spec in pairs or [])
    sources = Sources(scaled(BankConfig(seed=seed), drawn), data, folders, estimator)
    torch.set_num_threads(threads or torch.get_num_threads())
    shards = 0
    for packed in fill(bank, sources, processes):
        shards += 1
        output.note(f"{packed.name}: {packed.settings} settings, {packed.note}")
    output.result(f"{shards} new shards in {bank}", {"bank": str(bank), "shards": shards})


def _two_folders(spec: str) -> tuple[Path, Path]:
    noisy, _, clean = spec.partition(":")
    for folder in (noisy, clean):
        if not folder or not Path(folder).is_dir():
            raise UsageError(f"--pairs {spec}: {folder or 'CLEAN'} is no folder; use NOISY:CLEAN")
    return Path(noisy), Path(clean)


@app.command()
@user_errors
def pack(
    data: Annotated[Path, typer.Option(help="Folder of polyu/, w2s/ and clean/.")],
    out: Annotated[Path, typer.Option(help="File to write, under 50 MB.")],
    seed: Seed = 0,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Pack photographs and real pairs for the training of a denoiser."""
    from noisegen.training.pack import write_pack

    if not (data / "polyu").is_dir():
        raise UsageError(f"--data {data}: does not hold the training data (polyu/, w2s/, clean/)")
    packed = write_pack(data, out, seed)
    pictures, crops = len(packed.pictures), len(packed.crops)
    Output(json, quiet).result(
        f"{pictures} pictures and {crops} real crops in {out}",
        {"pack": str(out), "pictures": pictures, "crops": crops},
    )


@app.command()
@user_errors
def denoiser(
    run: Annotated[Path, typer.Option(help="Folder of checkpoint and weights.")],
    start: Annotated[
        str, typer.Option(help="Weights whose other networks are kept: base, sim or a file.")
    ],
    packed: Annotated[
        Path | None,
        typer.Option("--pack", help="Of `train pack`; without it only what binds nobody."),
    ] = None,
    onward: Annotated[
        str | None, typer.Option(help="Weights whose denoiser it begins with; anew without.")
    ] = None,
    steps: Annotated[int, typer.Option(min=1)] = 8000,
    crops: Annotated[int, typer.Option(min=2, help="In a batch.")] = 64,
    rate: Annotated[float, typer.Option(min=1e-6, help="Peak learning rate.")] = 1e-3,
    minutes: Annotated[float, typer.Option(min=0.1, help="After which it ends.")] = 600.0,
    pictures: Annotated[int, typer.Option(min=2, help="Procedural pictures.")] = 240,
    threads: Threads = None,
    seed: Seed = 0,
    device: options.Device = "auto",
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Train the denoiser of references without a clean; the same command again resumes."""
    import hashlib
    from dataclasses import replace

    import numpy as np
    import torch

    from noisegen.model.device import select_device
    from noisegen.model.weights import NoiseModel, find_weights, load_weights, save_weights
    from noisegen.training.denoise import DenoiserTraining, train_denoiser, trained_denoiser
    from noisegen.training.drawn_settings import dead_leaves
    from noisegen.training.given_crops import classical_crops
    from noisegen.training.pack import read_pack

    output = Output(json, quiet)
    weights = load_weights(start)
    if packed and weights.name == find_weights("sim").stem:
        raise UsageError(
            f"--pack {packed}: its pictures bind what is trained on them, and {weights.name} binds "
            "nobody; use --start base, or leave --pack out"
        )
    if threads is not None:
        torch.set_num_threads(threads)
    _log_to_stderr(quiet)
    config = DenoiserTraining(steps, minutes, crops, rate=rate, seed=seed)
    first = load_weights(onward) if onward else None
    if first is not None:
        config = replace(config, model=first.config.denoiser)
    given = read_pack(packed) if packed else None
    leaves = dead_leaves(pictures, 320, seed)
    fixed = classical_crops(leaves, 16 * pictures, np.random.default_rng(seed))
    if given is not None:
        repeated = max(1, len(fixed) // len(given.crops))
        fixed = np.concatenate([fixed, *[given.crops] * repeated])
        leaves = leaves + given.pictures
    begun = first.denoiser if first else None
    last = 0.0
    with _stoppable(output, run), output.progress(steps) as advance:
        for step in train_denoiser(config, leaves, fixed, run, select_device(device), begun):
            last = step.loss
            advance(1, note=f"loss {last:.3f}")
            if step.step % LOG_EVERY == 0:
                output.note(f"step {step.step} of {steps}: loss {last:.4f}")
    network, card = trained_denoiser(run)
    sizes = replace(weights.config, denoiser=network.config)
    model = NoiseModel(sizes)
    model.encoder, model.generator = weights.encoder, weights.generator
    model.denoiser = network
    written = run / f"{weights.name}.safetensors"
    card |= {
        "start": {"name": weights.name, "sha256": weights.sha256},
        "onward": {"name": first.name, "sha256": first.sha256} if first else None,
        "pack": hashlib.sha256(packed.read_bytes()).hexdigest() if packed else None,
        "pictures": pictures,
    }
    # Scores were another denoiser's.
    kept = {name: value for name, value in weights.card.items() if name != "scores"}
    save_weights(written, model, sizes, kept | {"denoiser": card})
    output.result(
        f"trained {card['steps']} steps: {written}",
        {"steps": card["steps"], "loss": last, "weights": str(written)},
    )


@app.command()
@user_errors
def ablation(
    run: Annotated[Path, typer.Option(help="Folder of the rows' runs and of the table.")],
    bank: Bank = Path("bank"),
    data: options.DataFolder = Path("../shared/data"),
    rows: Annotated[
        str | None, typer.Option(help="Only rows whose names hold one of these, comma-separated.")
    ] = None,
    sizes: Annotated[
        bool, typer.Option("--sizes", help="Three sizes of the network instead.")
    ] = False,
    steps: Annotated[int, typer.Option(min=2, help="Of every row.")] = 300,
    crops: Annotated[int, typer.Option(min=1, help="Targets a PolyU scene.")] = 4,
    threads: Threads = None,
    seed: Seed = 0,
    device: options.Device = "auto",
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Train every row on one small budget and score it on the validation splits."""
    from functools import partial

    import torch

    from noisegen.model.device import select_device
    from noisegen.training import ablation as table
    from noisegen.training.held_out import all_splits

    output = Output(json, quiet)
    _log_to_stderr(quiet)
    if threads is not None:
        torch.set_num_threads(threads)
    place = select_device(device)
    chosen = table.SIZES if sizes else table.ROWS
    wanted = rows.lower().split(",") if rows else [""]
    chosen = tuple(row for row in chosen if any(part in row.name.lower() for part in wanted))
    if not chosen:
        raise UsageError(f"--rows {rows}: no row of that name")
    with output.progress(len(chosen)) as advance:
        for name in table.train_rows(chosen, bank, run, steps, seed, place):
            advance(1)
            output.note(f"trained: {name}")
    known = all_splits(crops)
    names = ("polyu-seen", "polyu-unseen", "w2s", "simulated", "gaussian")
    cases = {name: partial(known[name], data) for name in names}
    scores = table.score_rows(chosen, run, cases, None if sizes else "polyu-seen", str(place))
    if sizes:
        scores["costs"] = table.cost_rows(chosen, run, str(place))
    table.save_scores(run / "scores.json", scores)
    output.result(table.markdown(scores), scores)


@app.command()
@user_errors
def prior(
    out: Annotated[Path, typer.Option(help="File of drawn cameras to write.")],
    cameras: Annotated[int, typer.Option(min=100, help="Simulated colour cameras.")] = 3200,
    sensors: Annotated[int, typer.Option(min=100, help="Gray sensors.")] = 1500,
    processes: Annotated[int, typer.Option(min=1, help="That draw, one thread each.")] = 1,
    seed: Seed = 0,
    device: options.Device = "auto",
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Draw the cameras that profiles are completed by where references show nothing.

    A few minutes for every thousand cameras on one core; a few seconds on a GPU.
    """
    import numpy as np

    from noisegen.model.camera_prior import save_cameras
    from noisegen.model.device import select_device
    from noisegen.training.prior import CHUNK, draw_cameras, draw_sensors

    output = Output(json, quiet)
    colour = []
    with output.progress(cameras) as advance:
        for chunk in draw_cameras(cameras, seed, str(select_device(device)), processes):
            colour.append(chunk)
            advance(CHUNK)
    drawn = np.concatenate(colour)
    save_cameras(out, drawn, draw_sensors(sensors, seed))
    text = f"{len(drawn)} cameras that are loud enough and {sensors} sensors: {out}"
    output.result(text, {"cameras": len(drawn), "sensors": sensors, "file": str(out)})


@app.command("contact-sheet")
@user_errors
def contact_sheet(
    out: Annotated[Path, typer.Option(help="PNG to write.")],
    clean: Annotated[list[str], typer.Option(help="Clean pictures, 256² or more.")],
    columns: Annotated[int, typer.Option(min=1)] = 4,
    rows: Annotated[int, typer.Option(min=1)] = 3,
    seed: Seed = 0,
) -> None:
    """Draw a sheet of simulated cameras."""
    from PIL import Image

    from noisegen.images import read_picture
    from noisegen.references.discover import find_pictures
    from noisegen.training.contact_sheet import contact_sheet as draw

    pictures = [read_picture(path).pixels for path in find_pictures(clean, "--clean")]
    pictures = [p for p in pictures if p.dtype == "uint8" and p.ndim == 3 and p.shape[2] == 3]
    if not pictures or any(min(picture.shape[:2]) < 256 for picture in pictures):
        raise UsageError("--clean: give 8-bit RGB pictures of 256×256 and more")
    Image.fromarray(draw(pictures, seed, columns, rows)).save(out, "PNG")


@contextmanager
def _stoppable(output: Output, run: Path) -> Iterator[None]:
    """A job that is told to stop writes its checkpoint first, as on Ctrl-C."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        output.note(f"stopped; run the same command again to go on from {run}")
        raise typer.Exit(130) from None


def _log_to_stderr(quiet: bool) -> None:
    logging.basicConfig(level=logging.WARNING if quiet else logging.INFO, format="%(message)s")
