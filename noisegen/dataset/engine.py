"""What makes a dataset's items: threads of this process, or actors of a Ray cluster."""

from __future__ import annotations

from dataclasses import dataclass

from noisegen.dataset.pairs import PairMaker
from noisegen.dataset.plan import EngineName, RunOptions
from noisegen.dataset.run import Engine, Run
from noisegen.dataset.threads import default_workers, made_by_threads
from noisegen.errors import UsageError
from noisegen.model.device import select_device, select_devices
from noisegen.model.weights import Weights, find_weights, load_weights
from noisegen.synthesis.synthesizer import Synthesizer


def check_engine(options: RunOptions) -> None:
    """Finds out early what cannot be.

    Raises:
        UsageError: Ray knows no such devices.
        ClusterError: Ray is not installed.
    """
    if options.engine is EngineName.THREADS:
        return
    if options.device == "mps":
        raise UsageError("--device mps: Ray knows no such devices; use --engine threads")
    from noisegen.dataset.ray_cluster import require_ray

    require_ray()


def device_kind(options: RunOptions) -> str:
    """Kind of device that the noise is made on: ``cpu``, ``cuda`` or ``mps``.

    Raises:
        UsageError: an unknown name, or a device that this machine does not have; another machine of
            a cluster may have it.
    """
    elsewhere = options.address is not None and options.device == "cuda"
    return "cuda" if elsewhere else select_device(options.device).type


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
        return self._ray(run) if self.options.engine is EngineName.RAY else self._threads(run)

    def _ray(self, run: Run) -> Engine:
        from noisegen.dataset.ray_engine import RayEngine

        return RayEngine(run, find_weights(self.name), self.options)

    def _threads(self, run: Run) -> Engine:
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
