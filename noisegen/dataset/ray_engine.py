"""Items made by actors of a Ray cluster: the driver's side.

Items → rows → Ray Data's pool of actors (:mod:`.ray_actor`) → rows → outcomes. A thread takes the
rows from Ray, so that this one can watch over signals and silent actors meanwhile.
"""

from __future__ import annotations

import json
import queue
import threading
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from noisegen.dataset.folder import Folder
from noisegen.dataset.journal import Done
from noisegen.dataset.plan import Item, ItemName
from noisegen.dataset.ray_actor import ITEM, OUTCOME, PairActor, Work
from noisegen.dataset.ray_cluster import (
    Actors,
    ClusterError,
    nodes_of,
    open_cluster,
    plan_actors,
)
from noisegen.dataset.ray_meeting import Meeting, Patience, Watch, open_meeting
from noisegen.dataset.ray_rows import item_row, name_of, parse_done
from noisegen.dataset.recipe import Recipe
from noisegen.errors import NoisegenError, OutputError

MOST_TASKS = 1000
"""Tasks of a run: each costs Ray some 10 ms, and a run that is to stop goes through the rest."""

ITEMS_A_TASK = 8
"""Where there are enough: an actor reads and writes some while its network is at others."""

POLL_SECONDS = 0.2


@dataclass(frozen=True)
class RayEngine:
    """Makes a run's items on a cluster, as :data:`noisegen.dataset.run.Engine`.

    Attributes:
        recipe: of the run; its device is the actors' kind.
        folder: of the dataset, which the run holds; all machines must see it under one path.
        weights: their file.
        address: of the cluster; None for one of this machine, that is started and ended.
        workers: items that each actor has in hand at once.
        tile: side of what is prepared at once.
        patience: with silent actors.
    """

    recipe: Recipe
    folder: Folder
    weights: Path
    address: str | None = None
    workers: int | None = None
    tile: int = 1024
    patience: Patience = field(default_factory=Patience)

    def __call__(self, items: Sequence[Item], asked_to_stop: threading.Event) -> Iterator[Done]:
        """Makes items, and yields them as they come.

        Raises:
            OutputError: one could not be written, or a machine does not see the folders.
            ClusterError: no cluster, no room in it, or its actors died or fell silent.
        """
        if not items:
            return
        folder = replace(self.folder, root=self.folder.root.absolute())
        cores = torch.get_num_threads()
        with (
            open_meeting(folder.temporary, self.weights) as meeting,
            open_cluster(self.address, cores) as ray,
        ):
            free = int(ray.available_resources().get("CPU", 0))
            actors = plan_actors(nodes_of(ray), free, self.recipe.device == "cuda")
            work = Work(self.recipe, folder, meeting, actors.cores, self.workers, self.tile)
            rows = _Rows(_dataset(ray, items, work, actors))
            yield from _outcomes(rows, items, meeting, self.patience, asked_to_stop)


def _dataset(ray: ModuleType, items: Sequence[Item], work: Work, actors: Actors) -> Any:  # noqa: ANN401
    """Ray's lazy dataset of outcomes."""
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    # A row leaves its actor as soon as it is there, not with the last of its task.
    context.target_max_block_size = 1
    count = min(actors.count, len(items))
    a_task = max(-(-len(items) // MOST_TASKS), min(ITEMS_A_TASK, -(-len(items) // (4 * count))))
    rows = [{ITEM: item_row(item)} for item in items]
    with warnings.catch_warnings():
        # Ray 2.60 warns that it will look for the last two elsewhere from 2.64 on.
        warnings.simplefilter("ignore")
        return ray.data.from_items(rows, override_num_blocks=-(-len(items) // a_task)).map_batches(
            PairActor,
            batch_size=None,
            batch_format="numpy",
            compute=ray.data.ActorPoolStrategy(size=count),
            num_cpus=actors.cores,
            num_gpus=actors.gpus or None,
            fn_constructor_kwargs={"work": work},
            # A picture that kills one actor would kill the next as well.
            max_restarts=0,
            max_task_retries=0,
        )


class _Rows:
    """Takes rows from Ray in a thread of its own: there they may never come."""

    def __init__(self, dataset: Any) -> None:  # noqa: ANN401
        self._dataset = dataset
        self._rows: queue.Queue[str | Exception | None] = queue.Queue()
        threading.Thread(target=self._take, daemon=True).start()

    def next(self) -> str | Exception | None:
        """The next row, what went wrong in Ray, or None at the end.

        Raises:
            queue.Empty: there is none yet.
        """
        return self._rows.get(timeout=POLL_SECONDS)

    def _take(self) -> None:
        try:
            for batch in self._dataset.iter_batches(batch_size=None, prefetch_batches=0):
                for row in batch[OUTCOME]:
                    self._rows.put(str(row))
        except Exception as error:
            self._rows.put(error)
        else:
            self._rows.put(None)


def _outcomes(
    rows: _Rows,
    items: Sequence[Item],
    meeting: Meeting,
    patience: Patience,
    asked_to_stop: threading.Event,
) -> Iterator[Done]:
    """What comes out of Ray, until it ends, fails or falls silent.

    After the first error, or when asked to stop, the actors finish what they have in hand.
    """
    missing: dict[ItemName, Item] = {item.name: item for item in items}
    watch = Watch(meeting, patience)
    failure: NoisegenError | None = None
    while True:
        if failure or asked_to_stop.is_set():
            meeting.ask_to_stop()
        try:
            row = rows.next()
        except queue.Empty:
            watch.check()
            continue
        watch.row()
        if row is None:
            break
        if isinstance(row, Exception):
            # A run that is ended from outside may take Ray's own processes with it.
            if not asked_to_stop.is_set():
                failure = failure or _lost(row)
            break
        values: dict[str, Any] = json.loads(row)
        problem = _problem(values, missing)
        if problem is None:
            yield parse_done(values, missing.pop(name_of(values)))
        failure = failure or problem
    if failure is None and missing and not asked_to_stop.is_set():
        failure = ClusterError(f"the Ray cluster lost {len(missing)} images; run it again")
    if failure is not None:
        raise failure


def _problem(values: Mapping[str, Any], missing: Mapping[ItemName, Item]) -> NoisegenError | None:
    """The error that a row is, if it is one."""
    if "failed" in values:
        kind = OutputError if values["kind"] == OutputError.__name__ else ClusterError
        return kind(values["failed"])
    path = missing[name_of(dict(values))].file.path
    if values["unseen"] and path.exists():
        return ClusterError(
            f"{path}: cannot be seen on {values['unseen']}, a machine of the Ray cluster; name a "
            "folder for --clean that all of them share"
        )
    return None


def _lost(error: Exception) -> ClusterError:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    # Ray's own errors begin with what happened; others end with it, after a traceback.
    said = lines[0] if "died" in lines[0] else lines[-1]
    return ClusterError(
        f"an actor of the Ray cluster failed ({said.strip()}); it may have run out of memory: run "
        "the same command again to go on, with fewer --workers if it fails again"
    )
