"""The dataset card: front matter that Hugging Face takes, and that makes its loader find all."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from noisegen.dataset.layouts.huggingface import dataset_card
from noisegen.dataset.layouts.sample import Sample
from noisegen.files import read_picture

RECIPE: dict[str, Any] = {
    "format": 2,
    "options": {"seed": 3},
    "profiles": [
        {"name": "iso: 800", "sha256": "ab" * 32},
        {"name": "iso3200", "sha256": "cd" * 32},
    ],
    "weights": {"name": "noisegen-base", "sha256": "ef" * 32},
    "licence": "any use; clean pictures keep their own",
    "versions": {"noisegen": "0.1.0"},
}


@pytest.fixture
def datasets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    for name in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "HF_HUB_DISABLE_TELEMETRY"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "cache"))
    return pytest.importorskip("datasets")


@pytest.mark.parametrize("folders", [("",), ("train/", "test/", "valid/sub/")])
def test_datasets_loads_the_folder(
    folders: tuple[str, ...],
    make_sample: Callable[..., Sample],
    tmp_path: Path,
    datasets: Any,
) -> None:
    samples = [make_sample(f"{folder}{name}.png") for folder in folders for name in "ab"]
    pairs = tmp_path / "pairs"
    lines = [json.dumps(sample.line) + "\n" for sample in samples]
    (pairs / "metadata.jsonl").write_text("".join(lines))
    (pairs / "noisegen.json").write_text(json.dumps(RECIPE))
    (pairs / "profiles").mkdir()
    (pairs / "profiles" / "p.safetensors").write_bytes(b"not read")
    (pairs / "README.md").write_text(dataset_card(RECIPE, len(samples)))
    loaded = datasets.load_dataset(str(pairs), cache_dir=str(tmp_path / "cache"))
    assert list(loaded) == ["train"]
    assert len(loaded["train"]) == len(samples)
    expected = {s.noisy.read_bytes(): s for s in samples}
    assert len(expected) == len(samples)
    for row in loaded["train"]:
        noisy, clean = np.asarray(row["noisy"]), np.asarray(row["clean"])
        assert any(
            np.array_equal(noisy, read_picture(s.noisy).pixels)
            and np.array_equal(clean, read_picture(s.clean).pixels)
            for s in samples
        )


def test_the_hub_takes_the_front_matter() -> None:
    hub = pytest.importorskip("huggingface_hub")
    card = hub.DatasetCard(dataset_card(RECIPE, 1234))
    assert card.data.pretty_name == "Noisy/clean pairs"
    assert card.data.task_categories == ["image-to-image"]
    assert card.data.size_categories == ["1K<n<10K"]
    (config,) = card.data.configs
    assert config["config_name"] == "default"
    assert [entry["split"] for entry in config["data_files"]] == ["train"]


@pytest.mark.parametrize(
    ("pairs", "size"), [(0, "n<1K"), (999, "n<1K"), (1000, "1K<n<10K"), (10**6, "1M<n<10M")]
)
def test_sizes(pairs: int, size: str) -> None:
    assert f"- {size}\n" in dataset_card(RECIPE, pairs)


def test_it_says_what_made_it() -> None:
    card = dataset_card(RECIPE, 7)
    assert card == dataset_card(RECIPE, 7)
    for word in ("7 matched pairs", "noisegen 0.1.0", "noisegen-base", "iso: 800", "iso3200"):
        assert word in card
    start = card.index("```json\n") + len("```json\n")
    assert json.loads(card[start : card.index("```", start)]) == RECIPE
