"""The small bank that trainings of several tests read."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_training import write_bank


@pytest.fixture(scope="session")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bank")
    write_bank(folder)
    return folder
