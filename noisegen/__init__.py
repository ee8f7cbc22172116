"""noisegen: matched noisy/clean pairs whose noise is your camera's.

Three steps::

    generator = noisegen.load_generator()
    profile = generator.profile(noisy, clean)  # arrays; clean=None estimates it
    fake = generator.synthesize(picture, profile, seed=0, key="picture.png")

and, for a folder of pictures::

    for done in noisegen.make_dataset("photos/", "pairs/", profile):
        print(done.item.file.key, done.pairs, done.skipped or "")

Importing this package is quick: torch is imported by :func:`load_generator`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from noisegen.errors import NoisegenError

if TYPE_CHECKING:
    from noisegen.api import NoiseGenerator, load_generator
    from noisegen.dataset.make import make_dataset
    from noisegen.dataset.plan import DatasetOptions, RunOptions
    from noisegen.online import AddCameraNoise, DrawnCameras, NoisyPair, NoisyPairs
    from noisegen.profiles.profile import NoiseProfile

__version__ = "0.2.0"

__all__ = [
    "AddCameraNoise",
    "DatasetOptions",
    "DrawnCameras",
    "NoiseGenerator",
    "NoiseProfile",
    "NoisegenError",
    "NoisyPair",
    "NoisyPairs",
    "RunOptions",
    "__version__",
    "load_generator",
    "make_dataset",
]

_LAZY = {
    "DatasetOptions": "noisegen.dataset.plan",
    "RunOptions": "noisegen.dataset.plan",
    "make_dataset": "noisegen.dataset.make",
    "AddCameraNoise": "noisegen.online",
    "DrawnCameras": "noisegen.online",
    "NoisyPair": "noisegen.online",
    "NoisyPairs": "noisegen.online",
    "NoiseGenerator": "noisegen.api",
    "load_generator": "noisegen.api",
    "NoiseProfile": "noisegen.profiles.profile",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
