"""The arms of a study: who learns from what, at equal steps and equal crops."""

from __future__ import annotations

from dataclasses import dataclass

from noisegen.evaluation.denoiser import Pair, for_denoiser
from noisegen.research.study.noises import Maker, NoiseKind
from noisegen.research.study.pictures import StudyData


@dataclass(frozen=True)
class Arm:
    """One way to train the denoiser.

    Attributes:
        name: as the options and the files have it.
        parts: share of the crops and name of the pairs that they are taken from.
        says: what it learns from, for the table.
    """

    name: str
    parts: tuple[tuple[int, str], ...]
    says: str


ARMS = (
    Arm("real", ((1, "real"),), "real pairs"),
    Arm("gaussian", ((1, "gaussian"),), "Gaussian noise of the references' σ, same cleans"),
    Arm("classical", ((1, "classical"),), "classical model of the references, same cleans"),
    Arm("start", ((1, "start"),), "generated so with the network off, same cleans"),
    Arm("generated", ((1, "generated"),), "generated from the references, same cleans"),
    Arm("lone", ((1, "lone"),), "generated from one shot each without its clean, same cleans"),
    Arm("drawn", ((1, "drawn"),), "noise of drawn cameras of all kinds, same cleans"),
    Arm("gaussian-0-50", ((1, "gaussian-0-50"),), "Gaussian noise, σ from 0 to 50, same cleans"),
    Arm("mixed-drawn", ((1, "real"), (1, "drawn")), "real + 50 % of drawn cameras"),
    Arm("mixed-25", ((3, "real"), (1, "extra")), "real + 25 % generated{new}"),
    Arm("mixed-50", ((1, "real"), (1, "extra")), "real + 50 % generated{new}"),
    Arm("mixed-75", ((1, "real"), (3, "extra")), "real + 75 % generated{new}"),
    Arm("new", ((1, "extra"),), "generated{new} alone"),
    Arm("few", ((1, "few"),), "a few real pairs alone"),
    Arm(
        "few+gaussian",
        ((1, "few"), (1, "gaussian from few")),
        "these few + 50 % with Gaussian noise of their σ on other cleans",
    ),
    Arm(
        "few+generated",
        ((1, "few"), (1, "from few")),
        "these few + 50 % generated from them on other cleans",
    ),
)

CONTRASTS = (
    ("generated", "gaussian"),
    ("generated", "classical"),
    ("generated", "start"),
    ("lone", "generated"),
    ("drawn", "gaussian-0-50"),
    ("few+generated", "few"),
    ("few+generated", "few+gaussian"),
)
"""Arms that are compared with each other, beside each with ``real``."""


def possible_arms(data: StudyData) -> tuple[Arm, ...]:
    """The arms that the pictures allow."""
    there = {"extra", *(kind.value for kind in NoiseKind)}
    there |= {"real"} if data.real else set()
    if not any(r.clean is not None for o in data.references for r in o.source.references):
        # Every shot is alone, so that "generated" is this already.
        there -= {NoiseKind.LONE.value}
    there |= {"few"} if data.few else set()
    there |= {"from few", "gaussian from few"} if data.from_few else set()
    return tuple(
        arm
        for arm in ARMS
        if all(pool in there for _, pool in arm.parts) and (data.new_camera or arm.name != "new")
    )


def described(arm: Arm, data: StudyData) -> str:
    """What an arm learns from, in words."""
    return arm.says.format(new=" from the new camera's references" if data.new_camera else "")


class Pools:
    """Training pairs by name, each made when it is first asked for."""

    def __init__(self, data: StudyData, maker: Maker) -> None:
        self._data, self._maker = data, maker
        self._made: dict[str, list[Pair]] = {}

    def pairs(self, arm: Arm) -> list[Pair]:
        """An arm's training pairs: as many of each part as its share of the crops demands."""
        parts = [(share, self._pool(name)) for share, name in arm.parts]
        longest = max(len(pool) for _, pool in parts)
        # A pair is drawn evenly of the list, so a small part is repeated to have its share.
        return [
            pair
            for share, pool in parts
            for pair in pool * (share * max(1, round(longest / len(pool))))
        ]

    def _pool(self, name: str) -> list[Pair]:
        if name not in self._made:
            self._made[name] = self._make(name)
        return self._made[name]

    def _make(self, name: str) -> list[Pair]:
        data, white_level = self._data, self._data.white_level
        if name in ("real", "few"):
            shots = data.real if name == "real" else data.few
            return [for_denoiser(shot.noisy, shot.clean, white_level) for shot in shots]
        kind, orders = {
            "extra": (NoiseKind.GENERATED, data.extra),
            "from few": (NoiseKind.GENERATED, data.from_few),
            "gaussian from few": (NoiseKind.GAUSSIAN, data.from_few),
            **{kind.value: (kind, data.references) for kind in NoiseKind},
            **{
                kind.value: (kind, data.blind)
                for kind in (NoiseKind.DRAWN, NoiseKind.BLIND_GAUSSIAN)
            },
        }[name]
        noisies = self._maker.noisy(kind, orders)
        made = zip(noisies, orders, strict=True)
        return [for_denoiser(noisy, order.clean, white_level) for noisy, order in made]
