"""A study from its pictures to its tables; the same call again goes on where it stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch

from noisegen.model.weights import Weights
from noisegen.research.study.arms import Arm, Pools
from noisegen.research.study.making import Maker
from noisegen.research.study.pictures import StudyData
from noisegen.research.study.runs import ArmRun, ArmRuns, StudyConfig
from noisegen.research.study.study_folder import PAIRS, RUNS, begin, identity_of
from noisegen.research.study.tables import Results


@dataclass
class Study:
    """What is trained and tested.

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
        """What was found, once it has run."""
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
