"""An actor: a process of its own, on any of a cluster's machines, that makes items.

It reads the clean pictures and writes the pairs itself; only their names and lines go through Ray.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import torch

from noisegen.dataset.folder import Folder
from noisegen.dataset.pairs import PairMaker
from noisegen.dataset.ray_cluster import ClusterError
from noisegen.dataset.ray_meeting import Meeting
from noisegen.dataset.ray_rows import done_row, failure_row, parse_item
from noisegen.dataset.recipe import Recipe, load_profiles, make_recipe
from noisegen.dataset.threads import default_workers, made_by_threads
from noisegen.errors import NoisegenError, OutputError
from noisegen.model.weights import load_weights
from noisegen.synthesis.synthesizer import Synthesizer

ITEM, OUTCOME = "item", "outcome"
"""Columns of what goes into an actor and comes out of it."""


@dataclass(frozen=True)
class Work:
    """What an actor needs to know.

    Attributes:
        recipe: of the dataset, with the driver's versions and kind of device.
        folder: of the dataset, absolute.
        meeting: this run's.
        threads: of the network.
        workers: items in hand at once; as many as threads and one more where not given.
        tile: side of what is prepared at once.
    """

    recipe: Recipe
    folder: Folder
    meeting: Meeting
    threads: int
    workers: int | None
    tile: int


class PairActor:
    """Makes items in several threads, as a run without Ray does.

    Args:
        work: the run's.
    """

    def __init__(self, work: Work) -> None:
        self.node = socket.gethostname()
        self.asked_to_stop = work.meeting.attend(f"{self.node}-{os.getpid()}")
        torch.set_num_threads(work.threads)
        self.workers = work.workers or default_workers()
        self.maker: PairMaker | None = None
        self.refusal: NoisegenError | None = None
        try:
            self.maker = self._prepared(work)
        except NoisegenError as error:
            # An error raised here would reach the driver as a page of Ray's.
            self.refusal = error

    def __call__(self, batch: dict[str, Any]) -> Iterator[dict[str, list[str]]]:
        """Yields the outcome of each item as it comes; an error ends the batch."""
        for row in self._outcomes(batch[ITEM]):
            yield {OUTCOME: [row]}

    def _outcomes(self, rows: Iterable[Any]) -> Iterator[str]:
        if self.maker is None:
            yield failure_row(self.refusal or OutputError("not prepared"))
            return
        items = [parse_item(str(row)) for row in rows]
        try:
            for done in made_by_threads(items, [self.maker], self.workers, self.asked_to_stop):
                yield done_row(done, self.node)
        except NoisegenError as error:
            yield failure_row(error)

    def _prepared(self, work: Work) -> PairMaker:
        recipe, folder = work.recipe, work.folder
        if not work.meeting.weights.is_file():
            raise OutputError(
                f"{folder.root}: cannot be seen on {self.node}, a machine of the Ray cluster; "
                "name a folder for --out that all of them share"
            )
        weights = load_weights(str(work.meeting.weights))
        profiles = load_profiles(recipe, folder.root)
        here = make_recipe(recipe.options, profiles, weights, recipe.device)
        others = here.differences(recipe) + here.other_machine(recipe)
        if others:
            raise ClusterError(
                f"{self.node}: would make other pixels than this machine ({'; '.join(others)}); "
                "install the same versions on all machines of the cluster"
            )
        synthesizer = Synthesizer(weights, recipe.device, work.tile, work.threads)
        pairs = folder.pairs(recipe.options.layout)
        return PairMaker(profiles, synthesizer, recipe.options, pairs, folder.temporary)
