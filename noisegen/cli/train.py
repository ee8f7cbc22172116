"""``noisegen train``: fills the bank of episodes, trains from it, resumes, compares objectives.

Networks that are trained by themselves are in :mod:`.train_network`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from noisegen.cli import options
from noisegen.cli.jobs import LOG_EVERY, log_to_stderr, stoppable
from noisegen.cli.output import Output, user_errors
from noisegen.cli.train_network import content, denoiser, pack
from noisegen.errors import UsageError

app = typer.Typer(help="Train weights.", invoke_without_command=True)
for command in (pack, denoiser, content):
    app.command()(command)

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
    from noisegen.research.generator.config import TrainingConfig, chosen_stages
    from noisegen.research.generator.loop import train as train_steps

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
    log_to_stderr(quiet)
    last = 0.0
    with stoppable(output, run), output.progress(config.steps) as advance:
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

    from noisegen.evaluation.held_out import all_splits
    from noisegen.model.device import select_device
    from noisegen.research import ablation as table

    output = Output(json, quiet)
    log_to_stderr(quiet)
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
        scores["costs"] = table.cost_rows(chosen, run)
    table.save_scores(run / "scores.json", scores)
    output.result(table.markdown(scores), scores)


@app.command()
@user_errors
def prior(
    out: Annotated[Path, typer.Option(help="File of drawn cameras to write.")],
    cameras: Annotated[int, typer.Option(min=100, help="Simulated colour cameras.")] = 3200,
    sensors: Annotated[int, typer.Option(min=100, help="Gray sensors.")] = 1500,
    followed: Annotated[
        int, typer.Option(min=32, help="Simulated cameras that are seen on content.")
    ] = 320,
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
    from noisegen.training.prior import CHUNK, draw_activities, draw_cameras, draw_sensors

    output = Output(json, quiet)
    place = str(select_device(device))
    colour, activities = [], []
    with output.progress(cameras + followed) as advance:
        for chunk in draw_cameras(cameras, seed, place, processes):
            colour.append(chunk)
            advance(CHUNK)
        for rows in draw_activities(followed, seed, place):
            activities.append(rows)
            advance(CHUNK)
    drawn = np.concatenate(colour)
    save_cameras(out, drawn, draw_sensors(sensors, seed), np.concatenate(activities))
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

    from noisegen.files import read_picture
    from noisegen.references.discover import find_pictures
    from noisegen.training.contact_sheet import contact_sheet as draw

    pictures = [read_picture(path).pixels for path in find_pictures(clean, "--clean")]
    pictures = [p for p in pictures if p.dtype == "uint8" and p.ndim == 3 and p.shape[2] == 3]
    if not pictures or any(min(picture.shape[:2]) < 256 for picture in pictures):
        raise UsageError("--clean: give 8-bit RGB pictures of 256×256 and more")
    Image.fromarray(draw(pictures, seed, columns, rows)).save(out, "PNG")
