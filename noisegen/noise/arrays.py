"""Names of the arrays that all of the mathematics of noise is about."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[Any]
"""As files or users hand them over: integers, or floats in any range."""

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Bytes = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Places = NDArray[np.int64]
Rng = np.random.Generator
