"""A transform that puts a camera's noise on clean tensors."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from noisegen.errors import UsageError
from noisegen.online.camera import (
    DrawnCameras,
    SharedEpoch,
    Strength,
    make_camera,
    profiles_or_draw,
)
from noisegen.online.tensors import Pixels, pixels_of, tensor_like
from noisegen.online.transform_base import Transform, is_picture, tv_tensors, wrapped
from noisegen.profiles.sources import Profiles
from noisegen.synthesis.synthesizer import CleanError

NAME = "AddCameraNoise"


class AddCameraNoise(Transform):
    """Puts a camera's noise on clean pictures, one by one or in batches.

    With torchvision installed it is a transform of ``torchvision.transforms.v2``: it composes,
    takes structures of inputs, and leaves masks, boxes and labels alone. Without torchvision it is
    a module that takes one tensor.

    A transform knows no index. What decides the noise is the clean picture's own content (SHA-256
    of its shape, type and values), the seed and the epoch: the same for any worker, batch or order,
    as long as what comes before gives the same picture. So a crop or flip before it makes other
    noise, and equal pictures get equal noise; for two noisy versions of one picture use two
    transforms with different seeds.

    Inputs are C×H×W or H×W, with any dimensions before for batches and videos; uint8, uint16 or
    float in [0, 1]. It belongs before any normalisation. Outputs have the same shape, type and
    device; integers are quantised.

    Args:
        profiles: a noise profile or its path, or several; one that fits is drawn for each picture.
        draw: simulated cameras instead of profiles: kinds and ISO as for ``noisegen synth --draw``,
            ``"phone:800-6400,dslr"``, for 16 cameras of RGB pictures, or :class:`DrawnCameras`.
            They are drawn here by the seed, which takes about 3 s each on a core.
        weights: that the profiles were made with: ``base``, ``sim`` or a path.
        seed: of every draw.
        strength: factor on the noise, or the lowest and highest; one is drawn for each picture,
            evenly in its logarithm.
        white_level: the count that is white in uint16 and float pictures, as for
            :meth:`Synthesizer.synthesize`; where not given, floats are in [0, 1].
        device: ``cpu``; any other only in the main process.

    Raises:
        ProfileError: a profile is missing, damaged, or of other weights.
        WeightsError: the weights are unknown or damaged.
        UsageError: an option cannot be; when called, an input that is no such tensor.
        CleanError: when called, a picture that no noise can be put on.
    """

    def __init__(
        self,
        profiles: Profiles | None = None,
        *,
        draw: str | DrawnCameras | None = None,
        weights: str | Path = "base",
        seed: int = 0,
        strength: Strength = 1.0,
        white_level: float | None = None,
        device: str = "cpu",
    ) -> None:
        super().__init__()
        chosen = profiles_or_draw(profiles, draw)
        self.camera = make_camera(
            chosen, weights, device, strength, seed=seed, white_level=white_level
        )
        self.epoch = SharedEpoch()

    def set_epoch(self, epoch: int) -> None:
        """Chooses other noise for all pictures from now on, in every worker.

        Call it between epochs, before the loader is iterated over: workers fetch ahead.

        Raises:
            UsageError: it is negative.
        """
        self.epoch.set(epoch)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:  # noqa: ANN401 (torchvision's)
        """The noisy version of one input, or the input itself where it is no picture."""
        if not isinstance(inpt, Tensor):
            way_out = "put v2.ToImage() before it" if tv_tensors else "give a tensor"
            raise UsageError(f"{NAME}: was given {type(inpt)}; {way_out}")
        if not is_picture(inpt):
            return inpt
        if inpt.ndim < 2:
            raise UsageError(f"{NAME}: was given shape {tuple(inpt.shape)}; give C×H×W or H×W")
        leading = inpt.shape[:-3]
        pictures = inpt.reshape(-1, *inpt.shape[-3:]) if leading else inpt.unsqueeze(0)
        noisy = [self._noisy(picture) for picture in pictures.as_subclass(Tensor)]
        stacked = torch.stack(noisy) if noisy else pictures
        return wrapped(stacked.reshape(inpt.shape), inpt)

    def _noisy(self, picture: Tensor) -> Tensor:
        clean = pixels_of(picture, NAME)
        try:
            noisy, _ = self.camera.noisy(clean, content_key(clean), int(self.epoch))
        except CleanError as error:
            raise CleanError(f"{NAME}: a picture {error}") from None
        return tensor_like(noisy, picture)


def content_key(clean: Pixels) -> str:
    """What a picture's noise is drawn from where nothing but its content is known."""
    digest = hashlib.sha256(f"{clean.dtype.name} {clean.shape}\n".encode())
    digest.update(clean.astype(clean.dtype.newbyteorder("<"), copy=False).tobytes())
    return digest.hexdigest()
