"""No change of the code's structure changes a pixel: the matrix of golden_pixels.py is as recorded.

With ``NOISEGEN_SAME_MACHINE=1`` every pixel must be the same, as it is on the machine that recorded
them; else pixels keep the promise that is made to other machines.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from golden_pixels import CASES, RECORDED, pixels_of, write_inputs

SLOW = ("ray",)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("golden") / "in"
    write_inputs(root)
    return root


@pytest.mark.parametrize(
    "case", [pytest.param(c, marks=pytest.mark.slow if c in SLOW else ()) for c in CASES]
)
def test_pixels_are_as_recorded(case: str, inputs: Path, tmp_path: Path) -> None:
    made = pixels_of(case, inputs, tmp_path / "out")
    with np.load(RECORDED) as recorded:
        names = [name for name in recorded.files if name.startswith(f"{case}: ")]
        assert names == [f"{case}: {name}" for name in made]
        for name, pixels in zip(names, made.values(), strict=True):
            assert pixels.dtype == recorded[name].dtype
            if os.environ.get("NOISEGEN_SAME_MACHINE") == "1":
                np.testing.assert_array_equal(pixels, recorded[name])
            white = 1.0 if pixels.dtype.kind == "f" else float(np.iinfo(pixels.dtype).max)
            off = np.abs(pixels.astype(np.float64) - recorded[name].astype(np.float64))
            assert off.max() <= white / 255 * 1.0001
            assert (off > 1e-5 * white).mean() < 0.001
