"""Fills the bank: every source of episodes in compact shards, each once, each from its own seed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from noisegen.errors import UsageError
from noisegen.files import write_atomically
from noisegen.model.denoiser import Denoiser
from noisegen.model.weights import load_weights
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
    polyu_training_scenes,
    settings_of,
    user_groups,
    w2s_group,
)

Bytes = NDArray[np.uint8]
Rng = np.random.Generator
Make = Callable[[Rng], tuple[list[Setting], str]]

HELD_OUT = "validation"
"""Shards of this kind are for validation while training, never for training."""


@dataclass(frozen=True)
class BankConfig:
    """What the bank holds.

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
    """More or fewer drawn settings."""
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
    """What a bank is filled from.

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
        UsageError: a folder of pairs is not what it should be.
    """
    bank.mkdir(parents=True, exist_ok=True)
    names = [name for name, _ in _jobs(sources) if not (bank / f"{name}.npz").exists()]
    fill = partial(_fill, bank, sources)
    if processes == 1:
        yield from _reported(bank, map(fill, names))
        return
    with ProcessPoolExecutor(processes, get_context("spawn"), _one_thread) as workers:
        yield from _reported(bank, workers.map(fill, names))


def _one_thread() -> None:
    torch.set_num_threads(1)


def _fill(bank: Path, sources: Sources, name: str) -> Packed:
    """Makes one shard."""
    make = dict(_jobs(sources))[name]
    settings, note = make(np.random.default_rng([sources.config.seed, *name.encode()]))
    settings = [setting for setting in settings if len(setting.targets)]
    if settings:
        Shard.pack(settings).save(bank / f"{name}.npz")
    return Packed(name, len(settings), f"{note}; cleans are estimated by {sources.denoiser}")


def _reported(bank: Path, packed: Iterable[Packed]) -> Iterator[Packed]:
    """Each shard's note joins those in the bank's report."""
    report = bank / "report.json"
    for one in packed:
        written = json.loads(report.read_text()) if report.exists() else {}
        text = json.dumps({**written, one.name: asdict(one)}, indent=1)
        write_atomically(report, text.encode())
        yield one


def _jobs(sources: Sources) -> Iterator[tuple[str, Make]]:
    config, data = sources.config, sources.data
    seen: set[str] = set()
    for noisy, clean in sources.pairs:
        for group in _user_groups(noisy, clean):
            if group.name in seen:
                raise UsageError(f"{noisy}: a second {group.name}; give folders of other names")
            seen.add(group.name)
            yield group.name, partial(_real, sources.denoiser, partial(_given, group))
    if data is not None:
        for channel in range(3):
            yield (
                f"w2s-ch{channel}",
                partial(_real, sources.denoiser, partial(w2s_group, data, channel)),
            )
        for scene in polyu_training_scenes(data):
            yield (
                f"polyu-{scene}",
                partial(_real, sources.denoiser, partial(polyu_group, data, scene)),
            )
    leaves = partial(_leaves, config.pictures, config.side, config.seed)
    kinds: list[tuple[str, int, Drawer, Callable[[], list[Bytes]]]] = [
        (f"{HELD_OUT}-leaves", config.validation, simulated_settings, leaves),
        (f"{HELD_OUT}-classical", config.validation, classical_settings, leaves),
        ("leaves", config.leaves, simulated_settings, leaves),
        ("classical", config.classical, classical_settings, leaves),
    ]
    if data is not None:
        kinds.append(("photos", config.photos, simulated_settings, partial(_photographs, data)))
    for kind, total, draw, pictures in kinds:
        for start in range(0, total, config.a_shard):
            count = min(config.a_shard, total - start)
            yield f"{kind}-{start:05d}", partial(_drawn, sources.denoiser, draw, pictures, count)


def _given(group: Group) -> Group:
    return group


# Once a process, however many shards it makes.
_leaves, _photographs = cache(dead_leaves), cache(photographs)


@cache
def _user_groups(noisy: Path, clean: Path) -> tuple[Group, ...]:
    return tuple(user_groups(noisy, clean))


@cache
def _denoiser(name: str) -> Denoiser:
    return load_weights(name).denoiser


def _real(denoiser: str, load: Callable[[], Group], rng: Rng) -> tuple[list[Setting], str]:
    report = Report()
    settings = list(settings_of(load(), rng, report, _denoiser(denoiser)))
    return settings, str(report)


def _drawn(
    denoiser: str, draw: Drawer, pictures: Callable[[], list[Bytes]], count: int, rng: Rng
) -> tuple[list[Setting], str]:
    return list(draw(pictures(), count, rng, _denoiser(denoiser))), "drawn"
