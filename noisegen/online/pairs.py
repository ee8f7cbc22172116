"""A dataset of PyTorch's whose pairs are made when they are asked for.

The way of one pair, top to bottom: :meth:`NoisyPairs._clean` (read) → :meth:`NoisyPairs._crop` →
:meth:`.camera.Camera.noisy` (draws, generator) → tensors in [0, 1].
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from noisegen.dataset.clean_levels import look_at_levels
from noisegen.dataset.cleans import find_cleans
from noisegen.dataset.folder import RECIPE
from noisegen.dataset.plan import CleanFile
from noisegen.dataset.survey import Declared, first_of, read_headers, too_small, without_profile
from noisegen.errors import UsageError, in_python
from noisegen.files import VolumeHeader, open_image, to_float
from noisegen.online.camera import (
    DrawnCameras,
    SharedEpoch,
    Strength,
    make_camera,
    profiles_or_draw,
)
from noisegen.online.tensors import Pixels, pixels_of
from noisegen.profiles.sources import Profiles
from noisegen.synthesis import draws
from noisegen.synthesis.synthesizer import CleanError

NO_VOLUMES = (
    "is a TIFF of several planes, of 32-bit integers, or larger than memory; make its pairs with "
    "noisegen synth"
)


class NoisyPair(NamedTuple):
    """One pair, C×H×W float32 in [0, 1] of the white level, with the steps of the clean's type."""

    noisy: Tensor
    clean: Tensor


class CleanTensors(Protocol):
    """A dataset of clean pictures: tensors C×H×W or H×W, by number."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Tensor: ...


class NoisyPairs(Dataset[NoisyPair]):
    """Pairs of clean pictures and fresh noise: a function of the arguments, index and epoch.

    Neither the order of the indices, nor batches, nor the number of workers, nor how they are
    started changes a pixel.

    Whole pictures of a folder are those that ``noisegen synth`` writes of it with the same
    profiles, weights, seed and strength: epoch *n* is variant *n*. A crop is a picture of its own:
    its place is that of ``synth --patch``'s crop *n*, on the 8×8 grid, but noise is made for its
    pixels alone, which takes a fraction of the time.

    Args:
        cleans: a picture, a folder of pictures (with its subfolders), or a dataset of tensors C×H×W
            or H×W, uint8, uint16 or float in [0, 1].
        profiles: a noise profile or its path, or several; one that fits is drawn for each pair.
        draw: simulated cameras instead of profiles: kinds and ISO as for ``noisegen synth --draw``,
            ``"phone:800-6400,dslr"``, for 16 cameras of RGB pictures, or :class:`DrawnCameras`.
            They are drawn here by the seed, which takes about 3 s each on a core.
        patch: side of square crops, None for whole pictures. After each epoch another crop of a
            picture is given, until there is no other.
        weights: that the profiles were made with: ``base``, ``sim`` or a path.
        seed: of every draw.
        strength: factor on the noise, or the lowest and highest; one is drawn for each pair, evenly
            in its logarithm.
        white_level: the count that is white in uint16 and float cleans, as for
            :meth:`Synthesizer.synthesize`; where not given, float tensors are in [0, 1].
        device: ``cpu``; any other only with ``num_workers=0``.

    Attributes:
        skipped: files of a folder that cannot be used, each with its reason; they have no index.

    Raises:
        ProfileError: a profile is missing, damaged, or of other weights.
        WeightsError: the weights are unknown or damaged.
        UsageError: an option cannot be, or there is no picture that can be used.
    """

    def __init__(
        self,
        cleans: str | Path | CleanTensors,
        profiles: Profiles | None = None,
        *,
        draw: str | DrawnCameras | None = None,
        patch: int | None = None,
        weights: str | Path = "base",
        seed: int = 0,
        strength: Strength = 1.0,
        white_level: float | None = None,
        device: str = "cpu",
    ) -> None:
        chosen = profiles_or_draw(profiles, draw)
        self.camera = make_camera(
            chosen, weights, device, strength, seed=seed, white_level=white_level, patch=patch
        )
        self.epoch = SharedEpoch()
        self.skipped: tuple[str, ...] = ()
        self._in_files = isinstance(cleans, (str, Path))
        self._cleans: CleanTensors | list[CleanFile] = (
            self._usable(Path(cleans)) if isinstance(cleans, (str, Path)) else cleans
        )

    def set_epoch(self, epoch: int) -> None:
        """Chooses the noise and crops of all pairs from now on, in every worker.

        Call it between epochs, before the loader is iterated over: workers fetch ahead.

        Raises:
            UsageError: it is negative.
        """
        self.epoch.set(epoch)

    def __len__(self) -> int:
        return len(self._cleans)

    def __getitem__(self, index: int) -> NoisyPair:
        """The pair of a clean picture, at the present epoch.

        Raises:
            IndexError: there is no such picture.
            ImageError: a file cannot be read any more.
            CleanError: no noise can be put on the picture.
        """
        index = range(len(self))[index]
        epoch = int(self.epoch)
        name, key, clean = self._clean(index)
        try:
            whole, clean = clean, self._crop(clean, key, epoch)
            noisy, white = self.camera.noisy(
                clean, key, epoch, whole=whole, in_counts=self._in_files
            )
        except CleanError as error:
            raise CleanError(f"{name}: {error}") from None
        return NoisyPair(_unit(noisy, white), _unit(clean, white))

    def _clean(self, index: int) -> tuple[str, str, Pixels]:
        """Name, key and H×W×C pixels of a picture."""
        clean = self._cleans[index]
        if isinstance(clean, CleanFile):
            return str(clean.path), clean.key, _pixels(clean.path)
        return f"clean picture {index}", str(index), pixels_of(clean, f"clean picture {index}")

    def _crop(self, clean: Pixels, key: str, epoch: int) -> Pixels:
        height, width = clean.shape[:2]
        side, seed = self.camera.options.patch, self.camera.options.seed
        if side is None:
            return clean
        if (reason := too_small(width, height, side)) is not None:
            raise CleanError(reason)
        number = epoch % draws.crop_places(width, height, side)
        y, x = draws.corners(height, width, side, number + 1, seed, key)[number]
        return clean[y : y + side, x : x + side]

    @in_python()
    def _usable(self, folder: Path) -> list[CleanFile]:
        """Pictures that can be used as far as their headers tell; a warning counts the others."""
        # There is no output to be passed over; a folder of this name would be refused anyway.
        found = find_cleans(folder, folder / RECIPE)
        surveyed = read_headers(found.files, self._unfit)
        skipped = [*found.skipped, *surveyed.skipped]
        if not surveyed.files:
            raise UsageError(first_of(skipped))
        if skipped:
            total = len(surveyed.files) + len(skipped)
            warnings.warn(
                f"{len(skipped)} of {total} clean pictures are left out; the first is {skipped[0]}",
                stacklevel=4,
            )
        self.skipped = tuple(map(str, skipped))
        look_at_levels(surveyed, self.camera.profiles, self.camera.options.white_level).warn()
        return list(surveyed.files)

    def _unfit(self, _: CleanFile, header: Declared) -> str | None:
        # One plane of floats is a picture all the same.
        if isinstance(header, VolumeHeader) and (
            header.dtype.kind != "f" or len(header.planes) > 1
        ):
            return NO_VOLUMES
        return without_profile(header.plane_channels, self.camera.profiles) or too_small(
            header.width, header.height, self.camera.options.patch
        )


def _pixels(path: Path) -> Pixels:
    """H×W×C samples of a plain picture or of a TIFF of floats."""
    with open_image(path) as image:
        if image.volume is None:
            return image.picture().pixels
        return image.volume.plane(0).rows(0, image.volume.header.height)


def _unit(pixels: Pixels, white: float) -> Tensor:
    """H×W×C → C×H×W float32 in [0, 1]."""
    return torch.from_numpy(np.ascontiguousarray(to_float(pixels, white).transpose(2, 0, 1)))
