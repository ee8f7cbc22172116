"""Windows that do not lie on their clean are told from noise that follows edges."""

from __future__ import annotations

import numpy as np
import pytest
from known_noise import windows_of
from pictures import scene
from scipy.ndimage import gaussian_filter, shift

from noisegen.references.misplaced import LARGEST_MISPLACED, misplaced, registered

SIDE = 384


def detailed(seed: int = 0) -> np.ndarray:
    """A scene with texture of several scales, H×W×3 in units of the white level."""
    rng = np.random.default_rng(seed)
    clean = scene(SIDE, SIDE, seed=seed) / 255 * 0.7 + 0.1
    for scale in (1.5, 4):
        texture = gaussian_filter(rng.normal(size=(SIDE, SIDE, 1)), (scale, scale, 0))
        clean += 0.04 * texture / texture.std()
    return clean.clip(0.02, 0.98).astype(np.float32)


def noise(clean: np.ndarray, kind: str) -> np.ndarray:
    made: np.ndarray
    rng = np.random.default_rng(1)
    white = rng.normal(size=clean.shape)
    if kind == "shot":
        made = np.sqrt(0.002 * clean) * white
    elif kind == "grainy":
        grain = gaussian_filter(white, (1, 1, 0))
        made = 0.02 * grain / grain.std()
    elif kind == "edges":
        # In-camera denoising: three times as strong where the picture is busy.
        gray = clean.mean(2)
        edges = gaussian_filter(np.hypot(*np.gradient(gray)), 1)
        made = 0.01 * (1 + 2 * np.minimum(edges / np.quantile(edges, 0.8), 1))[..., None] * white
    else:
        made = 0.02 * white
    return made


@pytest.mark.parametrize("kind", ["white", "shot", "grainy", "edges"])
@pytest.mark.parametrize("seed", [0, 1])
def test_what_lies_on_its_clean_is_kept(kind: str, seed: int) -> None:
    clean = detailed(seed)
    windows = windows_of(clean, noise(clean, kind))
    share = misplaced(windows)
    assert share.max() < LARGEST_MISPLACED
    assert registered(windows, share).all()


@pytest.mark.parametrize(("down", "across"), [(0.3, 0), (0, -0.3), (0.2, 0.25), (1, 0)])
@pytest.mark.parametrize("kind", ["white", "edges"])
def test_a_shift_is_seen(down: float, across: float, kind: str) -> None:
    clean = detailed()
    moved = shift(clean, (down, across, 0), order=3, mode="nearest")
    windows = windows_of(clean, moved - clean + noise(moved, kind))
    share = misplaced(windows)
    assert np.median(share) > 2 * LARGEST_MISPLACED
    assert registered(windows, share).mean() <= 0.35


def test_only_the_shifted_part_is_left_out() -> None:
    clean = detailed()
    moved = shift(clean, (0, 0.6, 0), order=3, mode="nearest")
    noisy = np.where(np.arange(SIDE)[None, :, None] < SIDE // 2, clean, moved)
    windows = windows_of(clean, noisy - clean + noise(clean, "white"))
    kept = registered(windows, misplaced(windows))
    left, right = windows.places[:, 2] < 4, windows.places[:, 2] >= 8
    assert kept[left].all()
    assert not kept[right].any()


def test_no_brightness_is_left_out_whole() -> None:
    """Bright windows that all lie badly keep those that lie best."""
    clean = np.full((SIDE, SIDE, 1), 0.1, np.float32)
    clean[:, SIDE // 2 :] = 0.8
    windows = windows_of(clean, np.zeros_like(clean))
    bright = windows.clean.mean((1, 2, 3)) > 0.5
    share = np.where(bright, np.linspace(0.03, 0.9, len(windows)), 0.0)
    kept = registered(windows, share)
    assert kept[~bright].all()
    assert 0.05 <= kept[bright].mean() <= 0.3
    assert share[kept].max() < share[bright & ~kept].max()


def test_a_shift_does_not_hide_in_a_picture_without_edges() -> None:
    flat = np.full((SIDE, SIDE, 1), 0.5, np.float32)
    share = misplaced(windows_of(flat, 0.02 * np.random.default_rng(0).normal(size=flat.shape)))
    np.testing.assert_array_equal(share, 0)
