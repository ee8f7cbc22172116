"""Noise on the fly: pairs made while a network trains on them.

:class:`.pairs.NoisyPairs` is a dataset of PyTorch's, :class:`.transform.AddCameraNoise` a transform
that composes with those of torchvision. Both are deterministic whatever loads them.
"""

from noisegen.online.camera import DrawnCameras
from noisegen.online.pairs import NoisyPair, NoisyPairs
from noisegen.online.transform import AddCameraNoise

__all__ = ["AddCameraNoise", "DrawnCameras", "NoisyPair", "NoisyPairs"]
