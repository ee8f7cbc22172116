"""An actor of a Ray cluster: a process, on any of its machines, that makes items.

It reads the clean pictures and writes the pairs itself; only items and outcomes go through Ray.
"""

from __future__ import annotations

import socket
import tempfile
from pathlib import Path

import torch

from noisegen.dataset.folder import Folder
from noisegen.dataset.journal import Done
from noisegen.dataset.pairs import PairMaker
from noisegen.dataset.plan import Item
from noisegen.dataset.ray_cluster import ClusterError
from noisegen.dataset.recipe import Recipe, load_profiles, make_recipe
from noisegen.errors import OutputError
from noisegen.model.weights import load_weights
from noisegen.synthesis.synthesizer import Synthesizer


class PairActor:
    """Makes items; its methods may be called from several threads at once.

    Args:
        recipe: of the dataset, with the driver's versions and kind of device.
        folder: of the dataset, absolute.
        threads: of the network.
        tile: tile side in pixels: memory against speed.
    """

    def __init__(self, recipe: Recipe, folder: Folder, threads: int, tile: int) -> None:
        self._recipe, self._folder, self._threads, self._tile = recipe, folder, threads, tile
        self._node = socket.gethostname()

    def prepare(self, weights: bytes) -> None:
        """Makes ready for items; not in the constructor, whose errors come as a page of Ray's.

        Args:
            weights: their file, for machines that have no others.

        Raises:
            OutputError: this machine does not see the dataset's folder.
            ClusterError: this machine would make other pixels than the driver's.
        """
        recipe, folder = self._recipe, self._folder
        if not folder.recipe.is_file():
            raise OutputError(
                f"{folder.root}: cannot be seen on {self._node}, a machine of the Ray cluster; "
                "name a folder for --out that all of them share"
            )
        torch.set_num_threads(self._threads)
        with tempfile.TemporaryDirectory() as scratch:
            file = Path(scratch) / "weights.safetensors"
            file.write_bytes(weights)
            loaded = load_weights(str(file))
        profiles = load_profiles(recipe, folder.root)
        here = make_recipe(recipe.options, profiles, loaded, recipe.device, drawn=recipe.drawn)
        if recipe.is_of_raw:
            here = here.of_raw()
        others = here.differences(recipe) + here.other_machine(recipe)
        if others:
            raise ClusterError(
                f"{self._node}: would make other pixels than this machine ({'; '.join(others)}); "
                "install the same versions on all machines of the cluster"
            )
        synthesizer = Synthesizer(loaded, recipe.device, self._tile, self._threads)
        self._maker = PairMaker(
            profiles, synthesizer, recipe.options, folder.root, folder.temporary
        )

    def make(self, item: Item) -> tuple[Done, str | None]:
        """An item's outcome, and this machine's name where it does not see the clean.

        Raises:
            OutputError: its pairs cannot be written.
        """
        done = self._maker.make(item)
        unseen = done.skipped is not None and not item.file.path.exists()
        return done, self._node if unseen else None

    def sign_of_life(self) -> None:
        """Answers, as long as the actor can."""
