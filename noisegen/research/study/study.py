"""A study from its pictures to its tables; the same call again goes on where it stopped.

::

    OUT/study.json     what was asked for, and so the mark of a study
    OUT/pairs/         noisy pictures that were made, as safetensors
    OUT/runs/          each arm from each seed: checkpoint, denoiser, scores
    OUT/results.json   everything the tables show, when it is finished
    OUT/table.md       the table
    OUT/summary.csv    its figures
    OUT/scores.csv     every test picture's scores
    OUT/curves.csv     the learning curves
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

import noisegen
from noisegen.dataset.folder import WORK, make_folder
from noisegen.errors import OutputError
from noisegen.files import write_atomically
from noisegen.model.weights import Weights
from noisegen.research.study.arms import Arm, Pools
from noisegen.research.study.noises import Maker
from noisegen.research.study.pictures import StudyData, orders_digest, shots_digest
from noisegen.research.study.runs import ArmRun, ArmRuns, StudyConfig
from noisegen.research.study.tables import Results

MARK = "study.json"
PAIRS, RUNS, PART = "pairs", "runs", ".part"


def check_study_folder(out: Path) -> None:
    """Refuses a folder that holds anything but a study.

    Raises:
        OutputError: it does, or it is a file.
    """
    if out.exists() and not out.is_dir():
        raise OutputError(f"{out}: is a file; name a folder for --out")
    if (out / MARK).is_file() or not out.is_dir():
        return
    # A run may have been killed while it wrote the mark.
    if any(entry.name != WORK and entry.suffix != PART for entry in out.iterdir()):
        raise OutputError(f"{out}: is not empty and not a study; name another folder")


def begin(out: Path, identity: Mapping[str, Any]) -> None:
    """Makes the folder, or checks that it was begun with the same.

    Raises:
        OutputError: it was begun with something else, is damaged or cannot be written.
    """
    mark, folders = out / MARK, [out, out / PAIRS, out / RUNS]
    make_folder(out)
    known = mark.exists()
    if not known:
        # First of all: a folder without it is refused.
        write_atomically(mark, json.dumps(identity, indent=1).encode())
    for folder in folders:
        make_folder(folder)
        # What a killed run was writing.
        for part in folder.glob(f".*{PART}"):
            part.unlink()
    if not known:
        return
    try:
        before = dict(json.loads(mark.read_bytes()))
    except (ValueError, TypeError) as error:
        raise OutputError(f"{mark}: is damaged; name another folder") from error
    names = [name for name in {**before, **identity} if before.get(name) != identity.get(name)]
    if names:
        shown = "; ".join(
            f"{name} {_short(before.get(name))}, now {_short(identity.get(name))}" for name in names
        )
        raise OutputError(
            f"{out}: was begun with other settings ({shown}); give the same, or another --out"
        )


def identity_of(data: StudyData, weights: Weights, config: StudyConfig) -> dict[str, Any]:
    """Everything that decides a run's numbers, but for its arm and seed."""
    denoiser = {name: value for name, value in asdict(config.denoiser).items() if name != "seed"}
    return {
        "noisegen": noisegen.__version__,
        "weights": weights.sha256,
        **denoiser,
        "looks": config.looks,
        "watched": config.watched,
        "white level": data.white_level,
        "real pairs": shots_digest(data.real),
        "references": orders_digest(data.references),
        "without references": orders_digest(data.blind),
        "few": shots_digest(data.few),
        "generated from the few": orders_digest(data.from_few),
        "generated beside real pairs": orders_digest(data.extra),
        "new camera": data.new_camera,
        **{f"test {name}": shots_digest(shots) for name, shots in data.tests.items()},
    }


def _short(value: object) -> str:
    """Shortens a hash to its first digits."""
    return "none" if value is None else str(value)[:12]


@dataclass
class Study:
    """A study: what is trained and tested.

    Args:
        data: pictures.
        weights: of the generator.
        config: of every run.
        arms: that are trained; later more of them may be.
        seeds: runs of each arm; later more of them may be.
        out: the folder.
        device: where generator and denoisers run. Resumed runs are equal to the bit on one CPU.
        say: takes what there is to tell.

    Attributes:
        done: runs that are finished, the untouched pictures first.
    """

    data: StudyData
    weights: Weights
    config: StudyConfig
    arms: Sequence[Arm]
    seeds: int
    out: Path
    device: torch.device | str
    say: Callable[[str], None]
    done: list[ArmRun] = field(default_factory=list)

    @property
    def results(self) -> Results:
        """Findings, once it has run."""
        return Results(self.data, self.arms, self.done)

    @property
    def steps(self) -> int:
        """Looks that :meth:`run` takes."""
        return len(self.arms) * self.seeds * len(self.config.steps)

    def run(self) -> Iterator[str]:
        """Trains what is not trained yet; yields the run's name at each look.

        Raises:
            OutputError: the folder was begun with something else, or cannot be written.
            BadReferenceError: no profile can be made of the references.
        """
        begin(self.out, identity_of(self.data, self.weights, self.config))
        maker = Maker(self.weights, self.device, self.out / PAIRS, self.data.white_level, self.say)
        pools = Pools(self.data, maker)
        runs = ArmRuns(self.out / RUNS, self.data, self.config, self.device)
        self.done = [runs.untouched()]
        # All arms from one seed, then from the next: an early look at the files compares them all.
        for seed in range(self.seeds):
            for arm in self.arms:
                name = f"{arm.name}, seed {seed}"
                if runs.finished(arm.name, seed) is None:
                    for _ in runs.train(arm.name, seed, pools.pairs(arm)):
                        yield name
                else:
                    yield from [name] * len(self.config.steps)
                finished = runs.finished(arm.name, seed)
                if finished is not None:
                    self.done.append(finished)
                    self.say(_told(finished))


def _told(run: ArmRun) -> str:
    tests = dict.fromkeys(score.test for score in run.scores)
    means = {test: [score.psnr for score in run.scores if score.test == test] for test in tests}
    shown = ", ".join(f"{test} {sum(psnrs) / len(psnrs):.3f} dB" for test, psnrs in means.items())
    return f"{run.arm}, seed {run.seed}: {shown}"
