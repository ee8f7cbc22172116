"""Windows of noise whose truth is known."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from noisegen.noise.record import Recording
from noisegen.noise.windows import Windows
from noisegen.references.misplaced import all_windows

Floats = NDArray[np.float32]
Pixels = NDArray[Any]


def ramp(height: int, width: int, low: float, high: float, channels: int = 1) -> Floats:
    """A clean that brightens to the right, in units of the white level."""
    line = np.linspace(low, high, width, dtype=np.float32)[None, :, None]
    return np.ascontiguousarray(np.broadcast_to(line, (height, width, channels)))


def windows_of(clean: Floats, noise: Pixels, step: float = 0.0, clips: bool = True) -> Windows:
    """Windows of a clean with noise, recorded in steps and, if wanted, clipped at black and white.

    Args:
        clean: H×W×C in units of the white level.
        noise: the same shape.
        step: of the quantisation; 0 for none.
        clips: at 0 and 1; else far beyond.
    """
    even = Recording.even(clean.shape[2], step)
    recording = even if clips else Recording(even.low - 100, even.high + 100, *even_steps(even))
    noisy = recording.record((clean + noise).astype(np.float32), channel_axis=2)
    return all_windows(noisy.astype(np.float32), clean, recording)


def even_steps(recording: Recording) -> tuple[Any, Any]:
    """Step and origin of a recording."""
    return recording.step, recording.origin
