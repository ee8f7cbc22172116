"""Hugging Face's ``datasets`` reads what ``synth`` writes as two image columns."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from noisegen.files import read_picture


def _offline_datasets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    for name in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "HF_HUB_DISABLE_TELEMETRY"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "cache"))
    return pytest.importorskip("datasets")


def test_imagefolder_has_two_image_columns(
    synth: Callable[..., Any],
    cleans: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    datasets = _offline_datasets(tmp_path, monkeypatch)
    assert synth(cleans, "--patch", 32, "--per-image", 2).code == 0
    out = tmp_path / "pairs"
    loaded = datasets.load_dataset(
        "imagefolder", data_dir=str(out), split="train", cache_dir=str(tmp_path / "cache")
    )
    features = loaded.features
    assert isinstance(features["noisy"], datasets.Image)
    assert isinstance(features["clean"], datasets.Image)
    assert len(loaded) == 6
    for row in loaded:
        stem = row["seed_key"].removesuffix(".png")
        pair = {side: np.asarray(row[side]) for side in ("noisy", "clean")}
        expected = {
            side: [read_picture(path).pixels for path in sorted((out / side).glob(f"{stem}_p*"))]
            for side in pair
        }
        (index,) = (
            i for i, clean in enumerate(expected["clean"]) if np.array_equal(clean, pair["clean"])
        )
        assert np.array_equal(expected["noisy"][index], pair["noisy"])


def test_folders_named_like_splits_need_data_files(
    synth: Callable[..., Any], cleans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder ``test`` makes the loader look for splits, and miss the metadata beside them."""
    datasets = _offline_datasets(tmp_path, monkeypatch)
    (cleans / "sub").rename(cleans / "test")
    assert synth(cleans).code == 0
    loaded = datasets.load_dataset(
        "imagefolder",
        data_dir=str(tmp_path / "pairs"),
        data_files="**",
        split="train",
        cache_dir=str(tmp_path / "cache"),
    )
    assert len(loaded) == 3
    assert {"noisy", "clean"} <= set(loaded.features)
