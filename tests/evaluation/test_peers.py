"""What users may take instead of noisegen, fitted to noise whose process is known."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray
from pictures import scene
from scipy import ndimage

from noisegen.evaluation import peers
from noisegen.evaluation.av1_grain import draw_grain, fit_grain
from noisegen.evaluation.protocol import Case, Target
from noisegen.evaluation.rows import compare_rows
from noisegen.evaluation.side_by_side import SideBySide
from noisegen.evaluation.split_scores import paces
from noisegen.model.weights import Weights
from noisegen.noise.metrics import correlation_error
from noisegen.noise.record import Recording
from noisegen.references.check import Reference
from noisegen.references.misplaced import all_windows

Doubles = NDArray[np.float64]

RAMP = np.linspace(0.2, 0.8, 320)[None, :, None] * np.ones((320, 1, 3))
NAMES = ["poisson-gaussian", "iso-noise", "av1-grain", "resampled", "drawn"]


def noisy_case(channels: int, lone: bool = False) -> Case:
    """Noise that grows with intensity, on another picture than the reference's."""
    rng = np.random.default_rng(3)
    cleans = [scene(160, 160, channels, seed=seed) for seed in (1, 2)]
    noisies = [
        np.clip(np.rint(x + rng.normal(size=x.shape) * (3 + x / 16)), 0, 255).astype(np.uint8)
        for x in cleans
    ]
    case = Case(
        "c",
        (Reference("r", noisies[0], cleans[0]),),
        (Target("t", "s", noisies[1], cleans[1]),),
    )
    return case.lone() if lone else case


def made(weights: Weights, case: Case) -> Iterator[SideBySide]:
    return compare_rows(peers.peer_rows(weights), [case])


@pytest.mark.parametrize("channels", [1, pytest.param(3, marks=pytest.mark.slow)])
@pytest.mark.parametrize("lone", [False, True], ids=["pair", "lone"])
def test_every_peer_has_about_the_strength_of_the_reference(
    weights: Weights, channels: int, lone: bool
) -> None:
    pytest.importorskip("albumentations")
    rows = {one.row: one for one in made(weights, noisy_case(channels, lone))}
    assert list(rows) == NAMES
    drawn = rows.pop("drawn")
    assert 0.3 < 255 * drawn.fake_noise.std() < 90
    for name, one in rows.items():
        ratio = one.fake_noise.std() / one.real_noise.std()
        assert ratio == pytest.approx(1, abs=0.25), name
        assert one.fake.dtype == one.real.dtype
    assert all(pace.fit >= 0 and pace.draw > 0 for pace in paces([*rows.values(), drawn]).values())


@pytest.mark.slow
def test_a_target_has_the_same_noise_each_time(weights: Weights) -> None:
    for one, again in zip(made(weights, noisy_case(3)), made(weights, noisy_case(3)), strict=True):
        assert np.array_equal(one.fake, again.fake), one.row


def test_a_missing_package_leaves_its_row_out(
    weights: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert [row.name for row in peers.peer_rows(weights)] == [n for n in NAMES if n != "iso-noise"]
    words = peers.missing_peer()
    assert words is not None
    assert "pip install" in words


def grainy(seed: int) -> Doubles:
    """Correlated over a few pixels and between the colours, of unit variance."""
    white = np.random.default_rng(seed).standard_normal(RAMP.shape)
    smooth = ndimage.gaussian_filter(white + 0.7 * white[..., :1], (0.7, 0.9, 0), mode="wrap")
    noise: Doubles = smooth / smooth.std((0, 1))
    return noise


def test_grain_of_av1_has_the_references_colour_and_level() -> None:
    noise = (0.02 + 0.06 * RAMP) * grainy(1)
    recording = Recording.even(3, 0)
    pictures = ((RAMP + noise).astype(np.float32), RAMP.astype(np.float32))
    grain = fit_grain(all_windows(*pictures, recording))
    clean = np.rint(RAMP * 255).astype(np.uint8)
    drawn = draw_grain(grain, clean, 255, np.random.default_rng(5)) / 255 - clean / 255
    for part in np.array_split(np.arange(320), 4):
        ratio = drawn[:, part].std() / noise[:, part].std()
        assert ratio == pytest.approx(1, abs=0.12)
    white = (0.02 + 0.06 * RAMP) * np.random.default_rng(1).standard_normal(RAMP.shape)
    real, drawn32, white32 = (x.astype(np.float32) for x in (noise, drawn, white))
    assert correlation_error(real, drawn32) < 0.5 * correlation_error(real, white32)


def test_poisson_gaussian_noise_has_its_line_back() -> None:
    rng = np.random.default_rng(4)
    noisy = rng.poisson(RAMP * 200) / 200 + 0.02 * rng.standard_normal(RAMP.shape)
    pictures = (noisy.astype(np.float32), RAMP.astype(np.float32))
    fitted = peers.fit_poisson_gaussian(all_windows(*pictures, Recording.even(3, 0)))
    assert fitted.slope == pytest.approx(1 / 200, rel=0.1)
    assert fitted.floor == pytest.approx(0.02**2, rel=0.4)


def test_resampled_patches_are_the_references_own() -> None:
    """Of two halves that differ in noise and brightness, each goes where its brightness is."""
    clean = np.full((128, 128, 1), 0.3, np.float32)
    clean[:, 64:] = 0.7
    residual = np.where(clean < 0.5, np.float32(0.1), np.float32(-0.1))
    patches = peers.cut_patches(all_windows(clean + residual, clean, Recording.even(1, 0)))
    target = np.rint(clean[:50, :100] * 255).astype(np.uint8)
    drawn = peers.resample(patches, target, 255, np.random.default_rng(0)).astype(int) - target
    assert drawn.shape == target.shape
    assert (drawn[:, :64] > 20).all()
    assert (drawn[:, 64:] < -20).all()
