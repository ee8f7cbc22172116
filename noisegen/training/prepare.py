"""Fills the bank: every source of episodes in compact shards, each once, each from its own seed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from noisegen.errors import UsageError
from noisegen.images.write import write_atomically
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


def prepare(
    bank: Path,
    config: BankConfig,
    data: Path | None = None,
    pairs: Sequence[tuple[Path, Path]] = (),
) -> Iterator[Packed]:
    """Writes every shard that the bank does not hold yet.

    Args:
        bank: folder of the shards.
        config: how much of what.
        data: folder of PolyU, W2S and clean photographs; without it only what is drawn.
        pairs: a user's noisy and clean folders.

    Raises:
        UsageError: a folder of pairs is not what it should be.
    """
    bank.mkdir(parents=True, exist_ok=True)
    report = bank / "report.json"
    for name, make in _jobs(config, data, pairs):
        path = bank / f"{name}.npz"
        if path.exists():
            continue
        settings, note = make(np.random.default_rng([config.seed, *name.encode()]))
        settings = [setting for setting in settings if len(setting.targets)]
        if settings:
            Shard.pack(settings).save(path)
        packed = Packed(name, len(settings), note)
        written = json.loads(report.read_text()) if report.exists() else {}
        write_atomically(report, json.dumps({**written, name: asdict(packed)}, indent=1).encode())
        yield packed


def _jobs(
    config: BankConfig, data: Path | None, pairs: Sequence[tuple[Path, Path]]
) -> Iterator[tuple[str, Make]]:
    seen: set[str] = set()
    for noisy, clean in pairs:
        for group in user_groups(noisy, clean):
            if group.name in seen:
                raise UsageError(f"{noisy}: a second {group.name}; give folders of other names")
            seen.add(group.name)
            yield group.name, partial(_real, partial(_given, group))
    if data is not None:
        for channel in range(3):
            yield f"w2s-ch{channel}", partial(_real, partial(w2s_group, data, channel))
        for scene in polyu_training_scenes(data):
            yield f"polyu-{scene}", partial(_real, partial(polyu_group, data, scene))
    leaves = cache(partial(dead_leaves, config.pictures, config.side, config.seed))
    kinds: list[tuple[str, int, Drawer, Callable[[], list[Bytes]]]] = [
        (f"{HELD_OUT}-leaves", config.validation, simulated_settings, leaves),
        (f"{HELD_OUT}-classical", config.validation, classical_settings, leaves),
        ("leaves", config.leaves, simulated_settings, leaves),
        ("classical", config.classical, classical_settings, leaves),
    ]
    if data is not None:
        photos = cache(partial(photographs, data))
        kinds.append(("photos", config.photos, simulated_settings, photos))
    for kind, total, draw, pictures in kinds:
        for start in range(0, total, config.a_shard):
            count = min(config.a_shard, total - start)
            yield f"{kind}-{start:05d}", partial(_drawn, draw, pictures, count)


def _given(group: Group) -> Group:
    return group


def _real(load: Callable[[], Group], rng: Rng) -> tuple[list[Setting], str]:
    report = Report()
    settings = list(settings_of(load(), rng, report))
    return settings, str(report)


def _drawn(
    draw: Drawer, pictures: Callable[[], list[Bytes]], count: int, rng: Rng
) -> tuple[list[Setting], str]:
    return list(draw(pictures(), count, rng)), "drawn"
