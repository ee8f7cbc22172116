"""Workers and devices change no pixel, and their errors are not lost."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from dataset_runs import Camera, files_in, run

from noisegen.dataset.cleans import find_cleans
from noisegen.dataset.folder import Folder
from noisegen.dataset.journal import Done
from noisegen.dataset.pairs import PairMaker
from noisegen.dataset.plan import DatasetOptions, Item
from noisegen.dataset.recipe import make_recipe
from noisegen.dataset.run import Run, write_dataset
from noisegen.dataset.survey import survey
from noisegen.dataset.threads import made_by_threads
from noisegen.errors import OutputError
from noisegen.model.weights import Weights
from noisegen.profiles.profile import NoiseProfile
from noisegen.synthesis.synthesizer import Synthesizer


@pytest.fixture
def dataset(camera: Camera, weights: Weights, photos: Path, tmp_path: Path) -> Run:
    profiles = [NoiseProfile.load(camera.profile)]
    options = DatasetOptions()
    recipe = make_recipe(options, profiles, weights, "cpu")
    surveyed = survey(find_cleans(photos, tmp_path / "out").files, profiles, options)
    return Run(recipe, profiles, surveyed.files, surveyed.skipped, Folder(tmp_path / "out"))


def _maker(dataset: Run, weights: Weights, threads: int) -> PairMaker:
    synthesizer = Synthesizer(weights, threads=threads)
    return PairMaker(
        dataset.profiles, synthesizer, dataset.recipe.options,
        dataset.folder.root, dataset.folder.temporary,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("threads", "workers"), [((1,), 1), ((3,), 5), ((1, 2), 2), ((1, 1, 1), 7)]
)
def test_workers_and_several_devices_make_the_same_files(
    dataset: Run,
    weights: Weights,
    camera: Camera,
    photos: Path,
    tmp_path: Path,
    threads: tuple[int, ...],
    workers: int,
) -> None:
    makers = [_maker(dataset, weights, count) for count in threads]

    def engine(items: Sequence[Item], stop: threading.Event) -> Iterator[Done]:
        return made_by_threads(items, makers, workers, stop)

    outcomes = list(write_dataset(dataset, engine))
    assert [done.item for done in outcomes] == dataset.items
    assert run(*camera.synth(photos, tmp_path / "command"))[0] == 3
    assert files_in(tmp_path / "out") == files_in(tmp_path / "command")


def test_a_pair_that_cannot_be_written_ends_the_run_with_the_rest_whole(
    dataset: Run, weights: Weights, tmp_path: Path
) -> None:
    # A file lies where a folder of the pairs should be.
    (tmp_path / "out" / "noisy").mkdir(parents=True)
    (tmp_path / "out" / "noisy" / "sub").write_bytes(b"mine")
    maker = _maker(dataset, weights, 1)

    def engine(items: Sequence[Item], stop: threading.Event) -> Iterator[Done]:
        return made_by_threads(items, [maker], 2, stop)

    with pytest.raises(OutputError, match="sub"):
        list(write_dataset(dataset, engine))
    written = files_in(tmp_path / "out")
    assert "metadata.jsonl" not in written
    assert not [name for name in written if name.endswith(".part")]
    (tmp_path / "out" / "noisy" / "sub").unlink()
    assert sum(done.pairs for done in write_dataset(dataset, engine)) == 10
