"""The sheet of simulated cameras."""

from __future__ import annotations

import numpy as np
from pictures import scene

from noisegen.training.contact_sheet import contact_sheet


def test_shows_noisy_crops_in_a_grid() -> None:
    sheet = contact_sheet([scene(300, 280)], seed=0, columns=3, rows=2)
    assert sheet.dtype == np.uint8
    assert sheet.shape[1] > 3 * 128
    assert sheet.shape[0] > 2 * 128
    np.testing.assert_array_equal(sheet, contact_sheet([scene(300, 280)], 0, 3, 2))
