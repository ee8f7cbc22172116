"""``noisegen train``: fills the bank of episodes, trains from it, resumes, compares objectives.

Networks that are trained by themselves are in :mod:`.train_network`.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from pprint import pformat

import numpy as np
import torch
from PIL import Image

from noisegen.cli.jobs import begin_job, check_training_data, follow
from noisegen.cli.output import Output, check_file, check_png
from noisegen.cli.train_commands import Ablation, ContactSheet, Prepare, Prior, Train
from noisegen.errors import UsageError, counted
from noisegen.evaluation.held_out import all_splits
from noisegen.files import read_picture
from noisegen.model.camera_prior import save_cameras
from noisegen.model.device import select_device
from noisegen.references.discover import find_pictures
from noisegen.research import ablation as table
from noisegen.research.generator import config as configuration
from noisegen.research.generator.loop import train as train_steps
from noisegen.training import contact_sheet as sheets
from noisegen.training import prepare as banks
from noisegen.training.prior import CHUNK, draw_activities, draw_cameras, draw_sensors

SPLITS = ("polyu-seen", "polyu-unseen", "w2s", "simulated", "gaussian")
"""Splits that an ablation is scored on."""


def train(asked: Train, output: Output) -> None:
    """Trains weights from a bank."""
    config = configuration.TrainingConfig(seed=asked.seed)
    if asked.stages:
        config = replace(config, stages=configuration.chosen_stages(asked.stages))
    if asked.dry_run:
        output.result(pformat(asdict(config)), asdict(config))
        return
    if asked.run is None:
        raise UsageError("--run is missing: name a folder for checkpoint and weights")
    begin_job(asked.threads, output)
    steps = train_steps(config, asked.bank, asked.run, select_device(asked.device))
    last = follow(
        steps,
        config.steps,
        asked.run,
        output,
        lambda step: (
            f"{step.stage}: loss {step.loss:.4f}"
            + (f", {step.validation}" if step.validation else "")
        ),
    )
    written = asked.run / f"noisegen-{config.stages[-1].name}.safetensors"
    output.result(
        f"trained {counted(config.steps, 'step')}: {written}",
        {"steps": config.steps, "loss": last, "weights": str(written)},
    )


def prepare(asked: Prepare, output: Output) -> None:
    """Fills a bank."""
    torch.set_num_threads(asked.threads or torch.get_num_threads())
    if asked.data is not None:
        check_training_data(asked.data)
    folders = tuple(_two_folders(spec) for spec in asked.pairs)
    config = banks.scaled(banks.BankConfig(seed=asked.seed), asked.drawn)
    sources = banks.Sources(config, asked.data, folders, asked.denoiser)
    shards = 0
    for packed in banks.prepare(asked.bank, sources, asked.processes):
        shards += 1
        output.note(f"{packed.name}: {counted(packed.settings, 'setting')}, {packed.note}")
    output.result(
        f"{counted(shards, 'new shard')} in {asked.bank}",
        {"bank": str(asked.bank), "shards": shards},
    )


def _two_folders(spec: str) -> tuple[Path, Path]:
    noisy, _, clean = spec.partition(":")
    for folder in (noisy, clean):
        if not folder or not Path(folder).is_dir():
            raise UsageError(f"--pairs {spec}: {folder or 'CLEAN'} is no folder; use NOISY:CLEAN")
    return Path(noisy), Path(clean)


def ablation(asked: Ablation, output: Output) -> None:
    """Trains and scores the rows of the table."""
    begin_job(asked.threads, output)
    place = select_device(asked.device)
    wanted = asked.rows.lower().split(",") if asked.rows else [""]
    chosen = tuple(
        row
        for row in (table.SIZES if asked.sizes else table.ROWS)
        if any(part in row.name.lower() for part in wanted)
    )
    if not chosen:
        raise UsageError(f"--rows {asked.rows}: no row of that name")
    with output.progress(len(chosen)) as advance:
        trained = table.train_rows(chosen, asked.bank, asked.run, asked.steps, asked.seed, place)
        for name in trained:
            advance(1)
            output.note(f"trained: {name}")
    known = all_splits(asked.crops)
    cases = {name: partial(known[name], asked.data) for name in SPLITS}
    first = None if asked.sizes else "polyu-seen"
    scores = table.score_rows(chosen, asked.run, cases, first, str(place))
    if asked.sizes:
        scores["costs"] = table.cost_rows(chosen, asked.run)
    table.save_scores(asked.run / "scores.json", scores)
    output.result(table.markdown(scores), scores)


def prior(asked: Prior, output: Output) -> None:
    """Draws cameras into a file."""
    check_file(asked.out, asked.overwrite)
    place = str(select_device(asked.device))
    colour, activities = [], []
    with output.progress(asked.cameras + asked.followed) as advance:
        for chunk in draw_cameras(asked.cameras, asked.seed, place, asked.processes):
            colour.append(chunk)
            advance(CHUNK)
        for rows in draw_activities(asked.followed, asked.seed, place):
            activities.append(rows)
            advance(CHUNK)
    drawn, sensors = np.concatenate(colour), draw_sensors(asked.sensors, asked.seed)
    save_cameras(asked.out, drawn, sensors, np.concatenate(activities))
    output.result(
        f"{len(drawn)} cameras that are loud enough and {asked.sensors} sensors: {asked.out}",
        {"cameras": len(drawn), "sensors": asked.sensors, "file": str(asked.out)},
    )


def contact_sheet(asked: ContactSheet, output: Output) -> None:
    """Draws simulated cameras on pictures."""
    check_png(asked.out, "--out")
    check_file(asked.out, asked.overwrite)
    pictures = [read_picture(path).pixels for path in find_pictures(asked.clean, "--clean")]
    pictures = [p for p in pictures if p.dtype == "uint8" and p.ndim == 3 and p.shape[2] == 3]
    if not pictures or any(min(picture.shape[:2]) < 256 for picture in pictures):
        raise UsageError("--clean: give 8-bit RGB pictures of 256×256 and more")
    drawn = sheets.contact_sheet(pictures, asked.seed, asked.columns, asked.rows)
    Image.fromarray(drawn).save(asked.out, "PNG")
    output.result(f"wrote {asked.out}", {"out": str(asked.out)})
