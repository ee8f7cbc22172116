"""The options that say what a dataset is made with: threads of this process, or a Ray cluster."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Annotated

import typer

from noisegen.errors import UsageError

if TYPE_CHECKING:
    import torch

    from noisegen.dataset.run import Engine, Run
    from noisegen.model.weights import Weights
    from noisegen.synthesis.synthesizer import Synthesizer


class EngineName(str, Enum):
    """What makes the pairs."""

    THREADS = "threads"
    RAY = "ray"


EngineOption = Annotated[
    EngineName,
    typer.Option(help="Threads of this process, or actors of a Ray cluster; changes no pixel."),
]
Address = Annotated[
    str | None,
    typer.Option(
        metavar="HOST:PORT",
        help="Head of the Ray cluster, or auto; --engine ray starts one here if left out.",
    ),
]


@dataclass(frozen=True)
class EngineOptions:
    """What was asked for, as the options have it.

    Attributes:
        name: of the engine.
        address: of the Ray cluster.
        workers: images in hand at once; in each actor with Ray.
        device: where the network runs.
        tile: side of what is prepared at once.
    """

    name: EngineName
    address: str | None
    workers: int | None
    device: str
    tile: int

    def check(self) -> None:
        """Finds out early what cannot be.

        Raises:
            UsageError: options that contradict each other.
            ClusterError: Ray is not installed.
        """
        if self.name is EngineName.THREADS:
            if self.address is not None:
                raise UsageError("--address names a Ray cluster; add --engine ray")
            return
        if self.device == "mps":
            raise UsageError("--device mps: Ray knows no such devices; use --engine threads")
        from noisegen.dataset.ray_cluster import require_ray

        require_ray()

    def device_kind(self) -> str:
        """Kind of device that the network runs on: ``cpu``, ``cuda`` or ``mps``.

        Raises:
            UsageError: an unknown name, or a device that this machine does not have; another
                machine of a cluster may have it.
        """
        from noisegen.model.device import select_device

        elsewhere = self.address is not None and self.device == "cuda"
        return "cuda" if elsewhere else select_device(self.device).type

    def sample(self, weights: Weights) -> Synthesizer:
        """A synthesizer of this machine, to measure its speed by."""
        from noisegen.model.device import select_device
        from noisegen.synthesis.synthesizer import Synthesizer

        device = "auto" if self.name is EngineName.RAY else self.device
        return Synthesizer(weights, select_device(device), self.tile)

    def engine(self, run: Run, weights: Weights, name: str) -> Engine:
        """What makes the run's items.

        Args:
            run: that it is for.
            weights: of the network.
            name: that they were loaded by.
        """
        return (
            self._ray(run, name)
            if self.name is EngineName.RAY
            else self._threads(run, weights, name)
        )

    def _ray(self, run: Run, name: str) -> Engine:
        from noisegen.dataset.ray_engine import RayEngine
        from noisegen.model.weights import find_weights

        file = find_weights(name)
        return RayEngine(run.recipe, run.folder, file, self.address, self.workers, self.tile)

    def _threads(self, run: Run, weights: Weights, name: str) -> Engine:
        from noisegen.dataset.pairs import PairMaker
        from noisegen.dataset.threads import default_workers, made_by_threads
        from noisegen.model.device import select_devices

        makers = [
            PairMaker(run.profiles, one, run.recipe.options, run.pairs, run.folder.temporary)
            for one in _synthesizers(select_devices(self.device), weights, name, self.tile)
        ]
        count = self.workers or default_workers()
        return lambda items, stop: made_by_threads(items, makers, count, stop)


def _synthesizers(
    devices: list[torch.device], weights: Weights, name: str, tile: int
) -> list[Synthesizer]:
    """One a device; the first has the weights as they are loaded, the others their own."""
    from noisegen.model.weights import load_weights
    from noisegen.synthesis.synthesizer import Synthesizer

    networks = [weights, *(load_weights(name) for _ in devices[1:])]
    return [Synthesizer(network, one, tile) for network, one in zip(networks, devices, strict=True)]
