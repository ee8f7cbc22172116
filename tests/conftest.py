"""What several test folders share: weights and the real data."""

from __future__ import annotations

import os
from pathlib import Path

if "PYTEST_XDIST_WORKER" in os.environ:
    # Before torch is imported: each worker has a core.
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from small_network import SMALL
from small_training import write_bank

from noisegen.model.config import ModelConfig
from noisegen.model.weights import Weights, load_weights, save_weights, untrained_model


@pytest.fixture(scope="session")
def weights_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small encoder of its own; denoiser and content network are the shipped ones.

    Nothing less sees the noise of a picture alone, or where noise follows content.
    """
    model = untrained_model(SMALL, seed=1)
    model.denoiser.load_state_dict(load_weights().denoiser.state_dict())
    model.content.load_state_dict(load_weights().content.state_dict())
    path = tmp_path_factory.mktemp("weights") / "small.safetensors"
    save_weights(path, model, SMALL, {"purpose": "tests"})
    return path


@pytest.fixture(scope="session")
def weights(weights_file: Path) -> Weights:
    return load_weights(str(weights_file))


@pytest.fixture(scope="session")
def classical_weights(tmp_path_factory: pytest.TempPathFactory) -> Weights:
    """An untrained network of the shipped size, the classical model, and the shipped denoiser."""
    path = tmp_path_factory.mktemp("weights") / "untrained.safetensors"
    model = untrained_model()
    model.denoiser.load_state_dict(load_weights().denoiser.state_dict())
    save_weights(path, model, ModelConfig(), {})
    return load_weights(str(path))


@pytest.fixture(scope="session")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small bank that trainings of several tests read."""
    folder = tmp_path_factory.mktemp("bank")
    write_bank(folder)
    return folder


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data, or a skip with the reason."""
    folder = Path(os.environ.get("NOISEGEN_DATA", "../shared/data"))
    if not (folder / "polyu").is_dir():
        pytest.skip(f"no real data at {folder}; set NOISEGEN_DATA")
    return folder
