"""Fills the bank: every source of episodes in compact shards, each once, each from its own seed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch

from noisegen.dataset.folder import make_folder
from noisegen.errors import UsageError
from noisegen.files import write_atomically
from noisegen.model.denoiser import Denoiser
from noisegen.model.weights import load_weights
from noisegen.noise.arrays import Bytes, Rng
from noisegen.training.bank import Setting, Shard
from noisegen.training.drawn_settings import (
    Drawer,
    classical_settings,
    dead_leaves,
    photographs,
    simulated_settings,
)
from noisegen.training.real_pairs import (
    Group,
    Report,
    polyu_group,
    settings_of,
    user_groups,
    w2s_group,
)
from noisegen.training.realdata import polyu_scenes

Make = Callable[[Rng, Denoiser], tuple[list[Setting], str]]
Item = TypeVar("Item")
Result = TypeVar("Result")

FILLED = "filled.json"
"""Name of the file in the bank that says how it was filled."""

HELD_OUT = "validation"
"""Shards of this kind are for validation while training, never for training."""


@dataclass(frozen=True)
class BankConfig:
    """Contents of the bank.

    Attributes:
        leaves: simulated cameras over procedural pictures.
        photos: simulated cameras over photographs, where there are any.
        classical: settings of textbook noise, over procedural pictures.
        validation: settings of each drawn kind for the scores while training.
        a_shard: settings in a shard.
        pictures: procedural pictures, each of ``side``² pixels.
        seed: of everything.
    """

    leaves: int = 800
    photos: int = 800
    classical: int = 400
    validation: int = 24
    a_shard: int = 100
    pictures: int = 160
    side: int = 512
    seed: int = 0


def scaled(config: BankConfig, factor: float) -> BankConfig:
    """Scales the number of drawn settings."""
    sizes = {
        name: round(getattr(config, name) * factor) for name in ("leaves", "photos", "classical")
    }
    return replace(config, **sizes)


@dataclass(frozen=True)
class Packed:
    """A shard that is written: its name, settings and what was dropped."""

    name: str
    settings: int
    note: str


@dataclass(frozen=True)
class Sources:
    """Sources that a bank is filled from.

    Attributes:
        config: how much of what.
        data: folder of PolyU, W2S and clean photographs; None for only what is drawn.
        pairs: a user's noisy and clean folders.
        denoiser: weights whose denoiser estimates cleans: what is trained then has seen what they
            have seen.
    """

    config: BankConfig
    data: Path | None = None
    pairs: tuple[tuple[Path, Path], ...] = ()
    denoiser: str = "sim"


def prepare(bank: Path, sources: Sources, processes: int = 1) -> Iterator[Packed]:
    """Writes every shard that the bank does not hold yet.

    Each shard is made from its own seed, so the processes' number changes nothing.

    Args:
        bank: folder of the shards.
        sources: to fill it from.
        processes: that make shards.

    Raises:
        UsageError: a folder of pairs is not what it should be, or the bank was filled otherwise.
    """
    make_folder(bank)
    report = bank / "report.json"
    names = [name for name in _jobs(sources) if not (bank / f"{name}.npz").exists()]
    _refuse_another(bank / FILLED, {**asdict(sources.config), "denoiser": sources.denoiser})
    for one in in_processes(partial(_fill, bank, sources), names, processes):
        written = json.loads(report.read_text()) if report.exists() else {}
        text = json.dumps({**written, one.name: asdict(one)}, indent=1)
        write_atomically(report, text.encode())
        yield one


def _refuse_another(file: Path, now: dict[str, Any]) -> None:
    """Refuses to go on filling a bank in another way than its first shards."""
    before = json.loads(file.read_text()) if file.exists() else now
    differing = [name for name in now if before.get(name) != now[name]]
    if differing:
        raise UsageError(
            f"{file.parent}: was filled with another {', '.join(differing)}; give the same --seed, "
            "--drawn and --denoiser, or another --bank"
        )
    if not file.exists():
        write_atomically(file, json.dumps(now, indent=1).encode())


def in_processes(
    work: Callable[[Item], Result], items: Iterable[Item], processes: int
) -> Iterator[Result]:
    """Works through items in order, here or by processes of one thread each."""
    if processes == 1:
        yield from map(work, items)
        return
    # Not forked: torch's threads and devices do not survive it.
    start = get_context("spawn")
    with ProcessPoolExecutor(processes, start, torch.set_num_threads, (1,)) as pool:
        yield from pool.map(work, items)


def _fill(bank: Path, sources: Sources, name: str) -> Packed:
    """Makes one shard."""
    rng = np.random.default_rng([sources.config.seed, *name.encode()])
    found, note = _jobs(sources)[name](rng, _denoiser(sources.denoiser))
    settings = [setting for setting in found if len(setting.targets)]
    if settings:
        Shard.pack(settings).save(bank / f"{name}.npz")
    return Packed(name, len(settings), f"{note}; cleans are estimated by {sources.denoiser}")


def _jobs(sources: Sources) -> dict[str, Make]:
    """Shards by name, each with what makes it."""
    config, data = sources.config, sources.data
    jobs: dict[str, Make] = {}
    for noisy, clean in sources.pairs:
        for name, group in _user_groups(noisy, clean).items():
            if name in jobs:
                raise UsageError(f"{noisy}: a second {name}; give folders of other names")
            jobs[name] = partial(_real, group)
    leaves = partial(_leaves, config.pictures, config.side, config.seed)
    kinds: list[tuple[str, int, Drawer, Callable[[], list[Bytes]]]] = [
        (f"{HELD_OUT}-leaves", config.validation, simulated_settings, leaves),
        (f"{HELD_OUT}-classical", config.validation, classical_settings, leaves),
        ("leaves", config.leaves, simulated_settings, leaves),
        ("classical", config.classical, classical_settings, leaves),
    ]
    if data is not None:
        for channel in range(3):
            jobs[f"w2s-ch{channel}"] = partial(_real, partial(w2s_group, data, channel))
        for scene in polyu_scenes(data, "train"):
            jobs[f"polyu-{scene}"] = partial(_real, partial(polyu_group, data, scene))
        kinds.append(("photos", config.photos, simulated_settings, partial(_photographs, data)))
    for kind, total, draw, pictures in kinds:
        for start in range(0, total, config.a_shard):
            count = min(config.a_shard, total - start)
            jobs[f"{kind}-{start:05d}"] = partial(_drawn, draw, pictures, count)
    return jobs


# Once a process, however many shards it makes.
_leaves, _photographs = cache(dead_leaves), cache(photographs)
_user_groups = cache(user_groups)


@cache
def _denoiser(name: str) -> Denoiser:
    return load_weights(name).denoiser


def _real(
    group: Group | Callable[[], Group], rng: Rng, denoiser: Denoiser
) -> tuple[list[Setting], str]:
    report = Report()
    pairs = group() if callable(group) else group
    return list(settings_of(pairs, rng, report, denoiser)), str(report)


def _drawn(
    draw: Drawer, pictures: Callable[[], list[Bytes]], count: int, rng: Rng, denoiser: Denoiser
) -> tuple[list[Setting], str]:
    return list(draw(pictures(), count, rng, denoiser)), "drawn"
