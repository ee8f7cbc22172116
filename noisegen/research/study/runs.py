"""Training of one arm from one seed, and what came of it; goes on where it was killed."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from pickle import PickleError

import numpy as np
import torch
from safetensors.torch import save as serialise

from noisegen.errors import OutputError
from noisegen.evaluation.denoiser import (
    Denoiser,
    DenoiserConfig,
    DenoiserTraining,
    Pair,
    denoised_psnr,
    denoised_quality,
    for_denoiser,
)
from noisegen.evaluation.protocol import Target
from noisegen.evaluation.side_by_side import evenly
from noisegen.files import write_atomically, write_together
from noisegen.model.tensor_file import METADATA_KEY
from noisegen.research.study.pictures import StudyData

SIZES = {
    # Trains in about a minute on one core: 7 layers, 32 channels.
    "small": DenoiserConfig(he_start=True, steps=1000),
    # A stronger network that takes half as long again: NAFNet of 16 channels and three scales.
    "nafnet": DenoiserConfig(kind="nafnet", layers=2, channels=16, steps=1000, rate=2e-3),
    # PNG's (arXiv 2603.04870): DnCNN as published, 20 layers, 64 channels. For a GPU.
    "full": DenoiserConfig(
        layers=20, channels=64, batch_norm=True, he_start=True, steps=20_000, crops=64, side=64
    ),
}
"""Name → denoiser and its training, the same for every arm."""


@dataclass(frozen=True)
class StudyConfig:
    """Training of an arm, and how often it is looked at.

    Attributes:
        denoiser: its size and training; the seed is each run's own.
        looks: how often, evenly over the steps, the learning curve is taken and a checkpoint
            written.
        watched: test pictures, evenly chosen of each test, that the curve is taken from.
    """

    denoiser: DenoiserConfig = field(default_factory=lambda: SIZES["small"])
    looks: int = 10
    watched: int = 6

    @property
    def steps(self) -> tuple[int, ...]:
        """Steps at which the curve is taken, the last one included."""
        total = self.denoiser.steps
        return tuple(
            sorted({max(1, total * look // self.looks) for look in range(1, self.looks + 1)})
        )


DAMAGE = (OSError, EOFError, ValueError, LookupError, TypeError, RuntimeError, PickleError)
"""What reading a damaged file may raise."""

NOISY = "noisy"
"""Name of the line of pictures that nothing has denoised."""


@dataclass(frozen=True)
class Score:
    """Quality of one denoised test picture.

    Attributes:
        test: name of the test.
        name: of the picture.
        scene: that it is cut from.
        psnr: in dB.
        ssim: at most 1.
    """

    test: str
    name: str
    scene: str
    psnr: float
    ssim: float


@dataclass(frozen=True)
class Point:
    """One point of a learning curve: mean PSNR in dB on the watched pictures of a test."""

    step: int
    test: str
    psnr: float


@dataclass(frozen=True)
class ArmRun:
    """One arm from one seed, finished.

    Attributes:
        arm: its name.
        seed: of network and crops.
        scores: of all test pictures.
        curve: by step and test.
    """

    arm: str
    seed: int
    scores: tuple[Score, ...]
    curve: tuple[Point, ...] = ()


class ArmRuns:
    """The runs of a study in their folder.

    ``ARM-SEED.json`` holds what a finished run came to, ``ARM-SEED.safetensors`` its denoiser;
    ``ARM-SEED.checkpoint.pt`` is there while it is trained.

    Args:
        folder: of the files; it is there.
        data: pictures to test on.
        config: of every run.
        device: where the denoisers are trained.
    """

    def __init__(
        self, folder: Path, data: StudyData, config: StudyConfig, device: torch.device | str
    ) -> None:
        self._folder, self._config, self._device = folder, config, device
        self._tests = data.tests

    def untouched(self) -> ArmRun:
        """The run of the noisy pictures as they are."""
        return ArmRun(NOISY, 0, self._scores(None))

    def finished(self, arm: str, seed: int) -> ArmRun | None:
        """A run that was finished before, or None; its checkpoint is taken away.

        Raises:
            OutputError: its file is damaged.
        """
        path = self._folder / f"{arm}-{seed}.json"
        if not path.exists():
            return None
        self._checkpoint(arm, seed).unlink(missing_ok=True)
        return read_run(path)

    def train(self, arm: str, seed: int, pairs: Sequence[Pair]) -> Iterator[int]:
        """Trains a run to its end; yields the steps of each look, of those before a checkpoint too.

        Args:
            arm: its name.
            seed: of network and crops.
            pairs: that it learns from.

        Raises:
            OutputError: a file cannot be written, or the checkpoint is damaged.
        """
        config = replace(self._config.denoiser, seed=seed)
        training = DenoiserTraining(pairs, config, self._device)
        checkpoint = self._checkpoint(arm, seed)
        curve = _restore(training, checkpoint) if checkpoint.exists() else []
        for step in self._config.steps:
            if step > training.step:
                training.advance(step)
                curve += self._watch(training.denoiser, step)
                _save(training, curve, checkpoint)
            yield step
        run = ArmRun(arm, seed, self._scores(training.denoiser), tuple(curve))
        self._finish(run, training.denoiser)

    def _checkpoint(self, arm: str, seed: int) -> Path:
        return self._folder / f"{arm}-{seed}.checkpoint.pt"

    def _finish(self, run: ArmRun, denoiser: Denoiser) -> None:
        tensors = {n: t.detach().cpu().contiguous() for n, t in denoiser.state_dict().items()}
        card = {
            "content": "denoiser",
            "arm": run.arm,
            "config": asdict(replace(self._config.denoiser, seed=run.seed)),
        }
        stem = f"{run.arm}-{run.seed}"
        weights = serialise(tensors, {METADATA_KEY: json.dumps(card)})
        scores = json.dumps(asdict(run), indent=1).encode()
        # The scores last: they are what a finished run is known by.
        write_together(
            [
                (self._folder / f"{stem}.safetensors", weights),
                (self._folder / f"{stem}.json", scores),
            ]
        )

    def _scores(self, denoiser: Denoiser | None) -> tuple[Score, ...]:
        return tuple(
            Score(
                test, shot.name, shot.scene, *vars(denoised_quality(denoiser, _pair(shot))).values()
            )
            for test, shots in self._tests.items()
            for shot in shots
        )

    def _watch(self, denoiser: Denoiser, step: int) -> list[Point]:
        points = []
        for test, shots in self._tests.items():
            watched = evenly(shots, self._config.watched)
            found = [denoised_psnr(denoiser, _pair(shot)) for shot in watched]
            points.append(Point(step, test, float(np.mean(found))))
        return points


def _pair(shot: Target) -> Pair:
    return for_denoiser(shot.noisy, shot.clean, shot.white_level)


def read_run(path: Path) -> ArmRun:
    """Reads a finished run.

    Raises:
        OutputError: the file is damaged.
    """
    try:
        values = json.loads(path.read_bytes())
        return ArmRun(
            str(values["arm"]),
            int(values["seed"]),
            tuple(Score(**score) for score in values["scores"]),
            tuple(Point(**point) for point in values["curve"]),
        )
    except DAMAGE as error:
        raise _damaged(path, error) from error


def _save(training: DenoiserTraining, curve: Sequence[Point], path: Path) -> None:
    file = io.BytesIO()
    torch.save({**training.state(), "curve": [asdict(point) for point in curve]}, file)
    write_atomically(path, file.getvalue())


def _restore(training: DenoiserTraining, path: Path) -> list[Point]:
    """Brings the training to where the checkpoint was written; returns the curve so far."""
    try:
        state = torch.load(path, weights_only=True)
        training.restore(state)
        return [Point(**point) for point in state["curve"]]
    except DAMAGE as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> OutputError:
    reason = " ".join(str(error).split())[:120]
    return OutputError(f"{path}: is damaged ({reason}); delete it to have it trained again")
