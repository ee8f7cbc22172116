"""Items made by actors of a Ray cluster: the driver's side.

Ray places the actors (:mod:`.ray_actor`), hands them items one by one and tells when one has died.
It does not tell when an actor is stopped or cut off, so each is asked for signs of life as well.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from noisegen.dataset.journal import Done
from noisegen.dataset.plan import Item, ItemName, RunOptions
from noisegen.dataset.ray_actor import PairActor
from noisegen.dataset.ray_cluster import Actors, ClusterError, actors_of, first_line, open_cluster
from noisegen.dataset.run import Run
from noisegen.errors import NoisegenError

POLL_SECONDS = 0.2

BEAT_SECONDS = 1.0
"""Seconds between an actor's answer and the next question."""


@dataclass(frozen=True)
class Patience:
    """Seconds after which a run is given up.

    Attributes:
        start: without one actor that has begun: it may wait for a machine, and loads torch.
        silence: of an actor that had begun.
    """

    start: float = 600.0
    silence: float = 120.0


@dataclass(frozen=True)
class RayEngine:
    """Makes a run's items on a cluster, as :data:`noisegen.dataset.run.Engine`.

    Attributes:
        run: that the items are of; all machines must see its folder under one path.
        weights: their file.
        options: address, workers and tile.
        patience: with silent actors.
    """

    run: Run
    weights: Path
    options: RunOptions
    patience: Patience = field(default_factory=Patience)

    def __call__(self, items: Sequence[Item], asked_to_stop: threading.Event) -> Iterator[Done]:
        """Makes items, and yields them as they come.

        After the first error, or when asked to stop, the actors finish what they have in hand.

        Raises:
            OutputError: one could not be written, or a machine does not see the folders.
            ClusterError: no cluster, no room in it, or its actors died or fell silent.
        """
        if not items:
            return
        with open_cluster(self.options.address, torch.get_num_threads()) as ray:
            actors = actors_of(ray, self.run.recipe.device == "cuda")
            crew = Crew(ray, self, replace(actors, count=min(actors.count, len(items))))
            yield from crew.outcomes(items, asked_to_stop)


class Watch:
    """Gives up on actors that give no sign of life.

    Args:
        patience: with them.
    """

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._begun = time.monotonic()
        self._heard: dict[int, float] = {}

    def hear(self, actor: int) -> None:
        """Notes that an actor answered."""
        self._heard[actor] = time.monotonic()

    def check(self) -> None:
        """Looks how long ago each actor answered.

        Raises:
            ClusterError: too long.
        """
        now = time.monotonic()
        if not self._heard and now - self._begun > self._patience.start:
            raise ClusterError(
                f"no actor of the Ray cluster began within {now - self._begun:.0f} s: it is busy, "
                "or its free cores lie on too many machines; see `ray status`"
            )
        silent = now - min(self._heard.values(), default=now)
        if silent > self._patience.silence:
            raise ClusterError(
                f"an actor of the Ray cluster gave no sign of life for {silent:.0f} s; run the "
                "same command again to go on"
            )


class Crew:
    """Actors, and what each of them has in hand.

    ``ray.util.ActorPool`` is not enough: an actor in it has one item at a time, and all of them
    must be there from the beginning.

    Args:
        ray: the package, connected.
        engine: what they work for.
        actors: how many there are to be.
    """

    def __init__(self, ray: ModuleType, engine: RayEngine, actors: Actors) -> None:
        recipe, folder, options = engine.run.recipe, engine.run.folder, engine.options
        workers = options.workers or actors.cores + 1
        hired = ray.remote(PairActor).options(
            num_cpus=actors.cores,
            num_gpus=actors.gpus,
            # A picture that kills one actor would kill the next as well.
            max_restarts=0,
            max_task_retries=0,
            # One thread answers while the others work.
            max_concurrency=workers + 1,
        )
        told = recipe, replace(folder, root=folder.root.absolute()), actors.cores, options.tile
        self._ray, self._workers = ray, workers
        self._watch = Watch(engine.patience)
        self._actors = [hired.remote(*told) for _ in range(actors.count)]
        # Each takes part as soon as it is ready.
        weights = ray.put(engine.weights.read_bytes())
        self._asked: dict[Any, tuple[int, Item | None]] = {
            actor.prepare.remote(weights): (number, None)
            for number, actor in enumerate(self._actors)
        }
        self._starting = set(range(actors.count))
        self._free: deque[int] = deque()
        # When each is asked for the next sign of life; until it answers, it is not asked again.
        self._due = [math.inf] * actors.count
        self._failure: NoisegenError | None = None

    def outcomes(self, items: Sequence[Item], asked_to_stop: threading.Event) -> Iterator[Done]:
        """Hands out items and yields their outcomes, until all are made or one fails."""
        todo = deque(items)
        missing: dict[ItemName, Item] = {item.name: item for item in items}
        while True:
            if self._failure or asked_to_stop.is_set():
                todo.clear()
            self._hand_out(todo)
            if not todo and not any(item for _, item in self._asked.values()):
                break
            self._ask_for_signs()
            ready, _ = self._ray.wait(list(self._asked), num_returns=1, timeout=POLL_SECONDS)
            for answer in ready:
                done = self._answered(answer, asked_to_stop)
                if done is not None:
                    yield _of_driver(done, missing[done.item.name])
            if not ready:
                self._watch.check()
        if self._failure is not None:
            raise self._failure

    def _hand_out(self, todo: deque[Item]) -> None:
        while todo and self._free:
            number, item = self._free.popleft(), todo.popleft()
            sent = replace(item, file=replace(item.file, path=item.file.path.absolute()))
            self._asked[self._actors[number].make.remote(sent)] = number, item

    def _ask_for_signs(self) -> None:
        for number, due in enumerate(self._due):
            if time.monotonic() >= due:
                self._due[number] = math.inf
                self._asked[self._actors[number].sign_of_life.remote()] = number, None

    def _answered(self, answer: Any, asked_to_stop: threading.Event) -> Done | None:  # noqa: ANN401
        """Takes an answer: of an item its outcome; None of others, and where there is an error."""
        number, item = self._asked.pop(answer)
        try:
            value = self._ray.get(answer)
        except Exception as error:
            # A run that is ended from outside may take Ray's own processes with it.
            if not asked_to_stop.is_set() or isinstance(error, NoisegenError):
                self._failure = self._failure or _failure(error)
            return None
        self._watch.hear(number)
        if item is None:
            self._due[number] = time.monotonic() + BEAT_SECONDS
            if number in self._starting:
                self._starting.remove(number)
                self._free.extend([number] * self._workers)
        else:
            self._free.append(number)
            done: Done
            done, unseen = value
            if not unseen or not item.file.path.exists():
                return done
            self._failure = self._failure or ClusterError(
                f"{item.file.path}: cannot be seen on {unseen}, a machine of the Ray cluster; name "
                "a folder for --clean that all of them share"
            )
        return None


def _of_driver(done: Done, item: Item) -> Done:
    """An outcome with the driver's own item, whose path may be relative."""
    skipped = done.skipped and replace(done.skipped, path=item.file.path)
    return replace(done, item=item, skipped=skipped)


def _failure(error: Exception) -> NoisegenError:
    """What an actor's error means: its own where it raised one of ours, else that it is lost."""
    cause = getattr(error, "cause", None)
    if isinstance(cause, NoisegenError):
        return cause
    said = first_line(cause or error)
    return ClusterError(
        f"an actor of the Ray cluster failed ({said}); it may have run out of memory: run "
        "the same command again to go on, with fewer --workers if it fails again"
    )
