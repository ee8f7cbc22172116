"""The bench's instruments are what their physics says, and its judge sees what is wrong."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from noisegen.evaluation.instruments.bench import BenchConfig, BenchLine, Kind, run_bench
from noisegen.evaluation.instruments.cameras import Camera
from noisegen.evaluation.instruments.catalogue import INSTRUMENTS
from noisegen.evaluation.instruments.judge import (
    Judged,
    Truth,
    find_truth,
    judge,
    mean_by_clipping,
    shown_by,
)
from noisegen.evaluation.instruments.sensors import (
    ElectronMultiplying,
    Instrument,
    PhotonCounter,
    Scientific,
    Textbook,
)
from noisegen.model.weights import Weights

BY_NAME = {instrument.name: instrument for instrument in INSTRUMENTS}
RAMP = np.linspace(0.2, 0.8, 128)[None, :, None] * np.ones((128, 1, 1))


def truth_of(instrument: Instrument, side: int = 96, shots: int = 16) -> Truth:
    return find_truth(instrument, instrument.scene(2, side), shots, np.random.default_rng(0))


@pytest.mark.parametrize("name", BY_NAME)
def test_shots_fit_their_clean_and_are_possible(name: str) -> None:
    instrument = BY_NAME[name]
    scene = instrument.scene(1, 96)
    clean = instrument.process.clean(scene)
    one, same, other = (
        instrument.process.shoot(scene, np.random.default_rng(seed)) for seed in (0, 0, 1)
    )
    assert one.shape == clean.shape
    assert one.dtype == clean.dtype
    assert max(one.max(), clean.max()) <= instrument.white_level
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)
    assert instrument.possible(one).all()
    assert not np.array_equal(clean, instrument.process.clean(instrument.scene(2, 96)))


@pytest.mark.parametrize(
    "process", [Scientific(), Scientific(largest=65535), ElectronMultiplying(gain=10)]
)
def test_truth_is_the_variance_in_closed_form(process: Scientific | ElectronMultiplying) -> None:
    instrument = Instrument("x", process, lambda _, side: 400 * RAMP, process.largest)
    truth = truth_of(instrument, shots=48)
    known = process.variance(400 * RAMP) / process.largest**2
    for part in np.array_split(np.arange(128), 4):
        ratio = truth.variance[:, part].mean() / known[:, part].mean()
        assert ratio == pytest.approx(1, abs=0.03)
    assert abs(truth.mean.mean() * process.largest) < 0.3


def test_textbook_truth_and_rows() -> None:
    process = Textbook(photons=100, gaussian=0.02, row=0.03)
    noise = process.shoot(RAMP, np.random.default_rng(0)) / 255 - RAMP
    expected = RAMP.mean() / 100 + 0.02**2 + 0.03**2
    assert noise.var() == pytest.approx(expected, rel=0.1)
    rows, columns = noise.mean(1).std(), noise.mean(0).std()
    assert rows == pytest.approx(0.03, rel=0.2)
    assert columns < 0.3 * rows


def test_coarse_steps_shifts_counts_and_copies() -> None:
    rng = np.random.default_rng(0)
    coarse = Textbook(90, 0.02, coarse=8).shoot(RAMP, rng)
    assert set(np.unique(coarse % 8)) == {0}
    assert len(np.unique(Textbook(90, 0.02, coarse=8).clean(RAMP) % 8)) == 8
    assert not (Scientific(shift=16).shoot(400 * RAMP, rng) % 16).any()
    counts = PhotonCounter().shoot(50 * RAMP, rng)
    assert counts.dtype == np.float32
    assert not (counts % 1).any()
    assert counts.var() == pytest.approx(50 * RAMP.mean() + np.var(50 * RAMP), rel=0.05)
    gray = Textbook(250, 0.014, copies=3).shoot(RAMP, rng)
    assert gray.shape[2] == 3
    assert np.array_equal(gray[..., 0], gray[..., 2])


def test_impossible_values_are_found() -> None:
    for name, wrong in (
        ("stretched 8 bit", np.full((4, 4, 1), 12, np.uint8)),
        ("12 in 16 bit", np.full((4, 4, 1), 1601, np.uint16)),
        ("photon counts", np.full((4, 4, 1), 3.5, np.float32)),
        ("gray as RGB", np.tile(np.array([1, 1, 2], np.uint8), (4, 4, 1))),
    ):
        assert not BY_NAME[name].possible(wrong).any(), name
    blue = np.tile(np.array([1, 1, 2], np.uint8), (4, 4, 1))
    assert BY_NAME["blue is black"].possible(blue).mean() == pytest.approx(2 / 3)


def test_the_dark_scene_is_three_quarters_unclipped() -> None:
    instrument = BY_NAME["dark scene"]
    shot = instrument.process.shoot(instrument.scene(1, 256), np.random.default_rng(0))
    assert 0.15 < (shot == 0).mean() < 0.4
    assert np.median(shot) < 60


def test_a_camera_develops_what_it_saw() -> None:
    """Smooth scenes come back, whichever demosaicing; chroma noise is blurred away."""
    y, x = np.mgrid[:128, :128] / 128
    scene = np.stack([0.3 + 0.4 * x, 0.3 + 0.4 * y, 0.5 + 0 * x], -1)
    for gradients in (False, True):
        plain = Camera(full_well=2000, read=5, gradients=gradients)
        assert np.abs(plain.clean(scene) / 255 - scene).max() < 0.02
    smooth = replace(plain, chroma_blur=4.0)
    rng = np.random.default_rng(0)
    chroma = [
        (camera.shoot(scene, rng).astype(float) - camera.clean(scene)) @ [0.5, 0, -0.5]
        for camera in (plain, smooth)
    ]
    assert chroma[1].std() < 0.3 * chroma[0].std()


def test_mean_by_clipping() -> None:
    """Half-normal noise at black: σ of s·√(½ − 1/2π), mean of s/√2π."""
    shown = 0.1 * np.sqrt(0.5 - 1 / (2 * np.pi))
    assert mean_by_clipping(0.0, shown) == pytest.approx(0.1 / np.sqrt(2 * np.pi), rel=0.02)
    assert mean_by_clipping(0.5, 0.05) == pytest.approx(0, abs=1e-4)
    assert mean_by_clipping(1.0, shown) < -0.03


def test_what_a_reference_shows() -> None:
    reference = np.repeat(np.array([20, 200], np.uint8), 5000).reshape(100, 100, 1)
    asked = np.array([[[20], [24], [40], [120], [203]]], np.uint8)
    assert shown_by(reference, asked, 255)[0, :, 0].tolist() == [True, True, False, False, True]


def test_the_judge_sees_strength_offset_and_lost_rows() -> None:
    instrument = BY_NAME["row banding RGB"]
    truth = truth_of(instrument, 192)
    everywhere = np.ones(truth.clean.shape, bool)
    again = truth_of(instrument, 192).shots
    right = judge(instrument, truth, again, everywhere)
    assert right.median_ratio == pytest.approx(1, abs=0.05)
    assert right.stripes[0] == pytest.approx(1, abs=0.15)
    rng = np.random.default_rng(1)
    sigma = np.sqrt(truth.variance)
    white = [
        np.rint(truth.clean + 255 * (1.3 * sigma * rng.standard_normal(sigma.shape) + 0.02))
        .clip(0, 255)
        .astype(np.uint8)
        for _ in range(3)
    ]
    wrong = judge(instrument, truth, white, everywhere)
    assert wrong.median_ratio == pytest.approx(1.3, abs=0.06)
    assert wrong.stripes[0] < 0.3
    assert wrong.mean_off > 4
    assert wrong.distances.kld > right.distances.kld + 0.02
    assert right.floor.kld < 0.003


@pytest.mark.slow
def test_the_bench_tries_every_kind(weights: Weights) -> None:
    chosen = [BY_NAME["Gauss-Poisson"]]
    lines = list(run_bench(chosen, weights, config=BenchConfig(160, 96, 6, 3)))
    assert [line.kind for line in lines] == list(Kind)
    assert all(line.judged is not None or line.refused for line in lines)
    for line in lines[:3]:
        assert line.missed == ()
        assert line.judged is not None
        assert line.judged.median_ratio == pytest.approx(1, abs=0.1)
    assert BenchLine("x", Kind.LONE, None, "why").missed == ("refused",)
    off = replace(lines[0], kind=Kind.PAIR, judged=_louder(lines[0]))
    assert "σ" in off.missed
    assert "KLD" in off.missed


def _louder(line: BenchLine) -> Judged:
    assert line.judged is not None
    first, *rest = line.judged.deciles
    loud = replace(first, sigma=(1.2 * first.sigma[1], first.sigma[1]))
    distances = replace(line.judged.distances, kld=line.judged.floor.kld + 0.01)
    return replace(line.judged, deciles=(loud, *rest), distances=distances)


@pytest.mark.parametrize("name", ["phone JPEG", "row banding raw", "dark scene", "EMCCD"])
def test_the_instrument_itself_meets_the_targets(name: str) -> None:
    """Real shots in the place of generated ones: what is left is the bench's own uncertainty."""
    instrument = BY_NAME[name]
    truth = truth_of(instrument, 256, shots=24)
    rng = np.random.default_rng(5)
    scene = instrument.scene(2, 256)
    shots = [instrument.process.shoot(scene, rng) for _ in range(3)]
    judged = judge(instrument, truth, shots, np.ones(truth.clean.shape, bool))
    assert BenchLine(name, Kind.PAIR, judged).missed == ()
    assert judged.stripes == pytest.approx((1, 1), abs=0.25)
