"""One call makes a dataset: clean pictures, noise profiles and options in, outcomes out.

:func:`plan_dataset` refuses what cannot be before anything slow or lasting is done. Its plan knows
what there is to say, and makes the dataset (:mod:`.run`) when told to.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from noisegen.dataset.clean_levels import LevelsTaken, look_at_levels
from noisegen.dataset.cleans import Cleans, find_cleans
from noisegen.dataset.cost import Cost, cost_of
from noisegen.dataset.export import require_packages
from noisegen.dataset.folder import Folder, check_inputs, check_output
from noisegen.dataset.journal import Done
from noisegen.dataset.noise import NoiseSource, profiles_or_cameras
from noisegen.dataset.pairs import PairMaker
from noisegen.dataset.plan import DatasetOptions, EngineName, RunOptions
from noisegen.dataset.recipe import Recipe, load_profiles, make_recipe, named_apart, read_recipe
from noisegen.dataset.run import Engine, Run, check_recipe, write_dataset
from noisegen.dataset.survey import Survey, first_of, survey
from noisegen.dataset.threads import default_workers, made_by_threads
from noisegen.errors import NoisegenError, UsageError, in_python
from noisegen.files.raw import SUFFIXES as RAW
from noisegen.model.device import select_device, select_devices
from noisegen.model.weights import Weights, find_weights, load_weights
from noisegen.profiles.profile import NoiseProfile
from noisegen.profiles.sources import Profiles
from noisegen.synthesis.synthesizer import Synthesizer


@dataclass(frozen=True)
class Workshop:
    """What a run is made with.

    Attributes:
        options: engine, devices, workers.
        weights: of the network.
        name: that they were loaded by.
    """

    options: RunOptions
    weights: Weights
    name: str

    def sample(self) -> Synthesizer:
        """A synthesizer of this machine, to measure its speed by."""
        options = self.options
        device = "auto" if options.engine is EngineName.RAY else options.device
        return Synthesizer(self.weights, select_device(device), options.tile)

    def engine(self, run: Run) -> Engine:
        """What makes the items of a run."""
        if self.options.engine is EngineName.RAY:
            from noisegen.dataset.ray_engine import RayEngine

            return RayEngine(run, find_weights(self.name), self.options)
        devices = select_devices(self.options.device)
        # The first device has the weights as they are loaded, the others their own.
        networks = [self.weights, *(load_weights(self.name) for _ in devices[1:])]
        makers = [
            PairMaker(
                run.profiles,
                Synthesizer(network, device, self.options.tile),
                run.recipe.options,
                run.folder.root,
                run.folder.temporary,
            )
            for network, device in zip(networks, devices, strict=True)
        ]
        count = self.options.workers or default_workers()
        return lambda items, stop: made_by_threads(items, makers, count, stop)


@dataclass(frozen=True)
class Plan:
    """A dataset that is ready to be made.

    Attributes:
        run: what is made, and where.
        surveyed: the clean pictures, as their headers tell.
        passed_over: how many files are not taken for pictures, by ending.
        levels: what there is to say of the cleans' white levels.
        elsewhere: how this machine differs from the one that the dataset was begun on, in words.
        workshop: that makes it.
        measured: profiles that were made of references just now.
    """

    run: Run
    surveyed: Survey
    passed_over: dict[str, int]
    levels: LevelsTaken
    elsewhere: tuple[str, ...]
    workshop: Workshop
    measured: Sequence[NoiseProfile] = ()

    def cost(self) -> Cost:
        """Pairs, time and disk that the run's part takes, from headers and one timed block."""
        headers = [
            header
            for file, header in zip(self.surveyed.files, self.surveyed.headers, strict=True)
            if self.run.folder.shard.holds(file.key)
        ]
        return cost_of(headers, self.run.profiles, self.workshop.sample(), self.run.recipe.options)

    def make(
        self,
        asked_to_stop: threading.Event | None = None,
        note_gone: Callable[[int], None] = lambda pairs: None,
    ) -> Iterator[Done]:
        """Makes the dataset; see :func:`noisegen.dataset.run.write_dataset`."""
        return write_dataset(self.run, self.workshop.engine(self.run), asked_to_stop, note_gone)


@in_python()
def make_dataset(
    clean: str | Path,
    out: str | Path,
    profiles: Profiles | None = None,
    *,
    draw: str | None = None,
    per_camera: int = 1,
    weights: str = "base",
    options: DatasetOptions | None = None,
    run: RunOptions | None = None,
) -> Iterator[Done]:
    """Puts the noise of one or more cameras on clean pictures, as ``noisegen synth`` does.

    The dataset is checked and planned at once and made while the outcomes are taken. It is whole at
    any moment: whoever stops taking them, or is killed, calls again with the same arguments to go
    on.

    Args:
        clean: a picture, a folder of them, or a pattern.
        out: the dataset's folder; one begun there goes on.
        profiles: noise profiles or their files; one that fits is drawn for each picture.
        draw: simulated cameras instead, as ``phone:800-6400,dslr``.
        per_camera: with ``draw``, pictures to a camera, on average.
        weights: that they were made with: ``base``, ``sim`` or a file.
        options: what decides the files: seed, variants, strength, crops, layout.
        run: what it is made with: engine, workers, device, shard.

    Returns:
        An outcome a noisy version of a picture: its pairs, or why it was skipped. First come those
        that an earlier run made.

    Raises:
        NoisegenError: what ``noisegen synth`` would say, before or while it is made.
    """
    for name, value, kind in (("options", options, DatasetOptions), ("run", run, RunOptions)):
        if not isinstance(value, kind | None):
            raise UsageError(f"{name}={value!r}: give noisegen.{kind.__name__}(…)")
    source = profiles_or_cameras(profiles, draw, per_camera, options or DatasetOptions())
    plan = plan_dataset(Path(clean), Path(out), source, weights, options, run)
    plan.levels.warn()
    return _in_python(plan.make())


def _in_python(made: Iterator[Done]) -> Iterator[Done]:
    with in_python():
        yield from made


def plan_dataset(
    clean: Path,
    out: Path,
    noise: NoiseSource,
    weights: str = "base",
    options: DatasetOptions | None = None,
    run: RunOptions | None = None,
) -> Plan:
    """Checks all that can be known before a dataset is made, the quick things first.

    Args:
        clean: a picture, a folder of them, or a pattern.
        out: the dataset's folder.
        noise: where its profiles come from.
        weights: shipped ones by name, or a file.
        options: what decides its files.
        run: what it is made with.

    Raises:
        NoisegenError: it cannot be made; nothing was written.
    """
    options, run = options or DatasetOptions(), run or RunOptions()
    kind = check_engine(run)
    require_packages(options.layout)
    is_there = check_output(out) and not run.overwrite
    begun = read_recipe(Folder(out).recipe) if is_there else None
    cleans = find_cleans(clean, out)
    check_inputs(out, [file.path for file in cleans.files])
    if run.overwrite:
        check_inputs(out, noise.files)
    loaded = load_weights(weights)
    request = noise.request(loaded)
    lent = _lent(begun, request, out)
    profiles = named_apart(noise.make(loaded, cleans.files)) if lent is None else lent
    recipe = make_recipe(options, profiles, loaded, kind, request, noise.drawn)
    folder, workshop = Folder(out, run.shard), Workshop(run, loaded, weights)
    plan = plan_run(recipe, profiles, cleans, folder, workshop)
    if not plan.surveyed.files:
        raise NoisegenError(first_of(plan.run.skipped))
    return replace(plan, measured=profiles if request and lent is None else ())


def _lent(begun: Recipe | None, request: str | None, out: Path) -> list[NoiseProfile] | None:
    """Profiles of a dataset that was begun by the same request; None where there are none."""
    if begun is None or not request or any(one.made_from != request for one in begun.profiles):
        return None
    # One that is lost is measured again.
    there = all((out / one.file).is_file() for one in begun.profiles)
    return load_profiles(begun, out) if there else None


def plan_run(
    recipe: Recipe,
    profiles: Sequence[NoiseProfile],
    cleans: Cleans,
    folder: Folder,
    workshop: Workshop,
) -> Plan:
    """The plan of a recipe, once its profiles and clean pictures are known.

    Raises:
        OutputError: the folder holds a dataset of another recipe.
        ManifestError: the recipe there is damaged.
    """
    if any(file.path.suffix.lower() in RAW for file in cleans.files):
        recipe = recipe.of_raw()
    chosen, elsewhere = workshop.options, list[str]()
    if folder.recipe.exists() and not chosen.overwrite:
        check_recipe(recipe, folder)
        elsewhere = recipe.other_machine(read_recipe(folder.recipe))
    surveyed = survey(cleans.files, profiles, recipe.options)
    skipped = [*cleans.skipped, *surveyed.skipped]
    levels = look_at_levels(surveyed, profiles, recipe.options.white_level)
    changes = chosen.overwrite, chosen.prune
    run = Run(recipe, profiles, surveyed.files, skipped, folder, *changes, cleans.others)
    return Plan(run, surveyed, cleans.passed_over, levels, tuple(elsewhere), workshop)


def check_engine(options: RunOptions) -> str:
    """Refuses an engine or device that cannot be used, before anything is made.

    Returns:
        Kind of device that the noise is made on: ``cpu``, ``cuda`` or ``mps``.

    Raises:
        UsageError: an unknown device, or one that this machine does not have (another machine of a
            cluster may have it), or that Ray does not know.
        ClusterError: Ray is not installed.
    """
    if options.engine is EngineName.RAY:
        if options.device == "mps":
            raise UsageError("--device mps: Ray knows no such devices; use --engine threads")
        from noisegen.dataset.ray_cluster import require_ray

        require_ray()
    elsewhere = options.address is not None and options.device == "cuda"
    return "cuda" if elsewhere else select_device(options.device).type
