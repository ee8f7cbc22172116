"""Weights files: safetensors in half precision, the configuration inside."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save as serialise
from torch import nn

from noisegen.errors import WeightsError
from noisegen.files import write_atomically
from noisegen.model.config import ModelConfig, Precision
from noisegen.model.content_network import ContentNetwork
from noisegen.model.denoiser import Denoiser
from noisegen.model.encoder import ReferenceEncoder
from noisegen.model.generator import Generator
from noisegen.model.tensor_file import METADATA_KEY, all_finite, read_tensor_file
from noisegen.model.vector_math import begin_vector_math

FORMAT = 3
"""Version of the weights file; raised when an older file can no longer be read."""

CONTENT = "weights"
LARGEST = 2**30
"""Bytes of a weights file; the shipped ones have 3 million."""

_LICENCES = {
    "be33287d1be9fb75709cbd0c9bef6d8a09b223ccbee89039dcac4401284f25cc": (
        "non-commercial research use (noisegen-base has seen PolyU's pictures)"
    ),
    "ab2e299a59f6f7aeac58618edde6e00109ac96895b8c272fa9bf58b76c0dbba9": (
        "any use (noisegen-sim has seen nobody's pictures)"
    ),
}
"""What binds the pictures made with shipped weights, by their SHA-256; see their card."""


class NoiseModel(nn.Module):
    """The four networks that training optimises and a weights file holds."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.encoder = ReferenceEncoder(config.encoder)
        self.generator: Generator | None = None
        if config.generator:
            self.generator = Generator(config.generator, config.encoder)
        self.denoiser = Denoiser(config.denoiser)
        self.content = ContentNetwork(config.content)

    @property
    def pixel_generator(self) -> Generator:
        """The generator of a training run.

        Raises:
            WeightsError: the model has none, as none of the shipped ones has.
        """
        if self.generator is None:
            raise WeightsError("these weights have no generator; name those of a training run")
        return self.generator


@dataclass(frozen=True)
class Weights:
    """A loaded weights file, ready for inference.

    Attributes:
        name: the file's stem.
        sha256: hash of the file's bytes; recorded in profiles and recipes.
        config: sizes of the networks.
        model: all networks, float32, in evaluation mode, on the CPU.
        card: what training recorded: data, steps, seed, scores.
    """

    name: str
    sha256: str
    config: ModelConfig
    model: NoiseModel
    card: dict[str, Any]

    @property
    def encoder(self) -> ReferenceEncoder:
        """The reference-noise encoder."""
        return self.model.encoder

    @property
    def generator(self) -> Generator:
        """The pixel network of a training run.

        Raises:
            WeightsError: the weights have none, as none of the shipped ones has.
        """
        return self.model.pixel_generator

    @property
    def denoiser(self) -> Denoiser:
        """Denoiser that estimates the clean of a reference that has none."""
        return self.model.denoiser

    @property
    def content(self) -> ContentNetwork:
        """Content network: maps that show where a camera's noise may be stronger."""
        return self.model.content

    def at(self, precision: Precision) -> Weights:
        """The same weights, whose denoiser estimates references in another precision."""
        if precision is self.denoiser.precision:
            return self
        model = copy.deepcopy(self.model)
        model.denoiser.precision = precision
        return replace(self, model=model)


def weights_folders() -> tuple[Path, ...]:
    """Folders of shipped weights: inside the package (a wheel), beside it (a checkout)."""
    package = Path(__file__).resolve().parent.parent
    return package / "weights", package.parent / "weights"


def find_weights(name_or_path: str) -> Path:
    """The file of shipped weights (``base`` or ``noisegen-base``) or of a path.

    Raises:
        WeightsError: there is none; the message lists the shipped names.
    """
    shipped = {
        path.stem.removeprefix("noisegen-"): path
        for folder in reversed(weights_folders())
        for path in sorted(folder.glob("noisegen-*.safetensors"))
    }
    found = shipped.get(name_or_path.removeprefix("noisegen-"))
    if found is not None:
        return found
    path = Path(name_or_path)
    if path.is_file():
        return path
    names = ", ".join(sorted(shipped)) or "none"
    raise WeightsError(
        f"{name_or_path}: no such weights; name a .safetensors file or a shipped one ({names})"
    )


def load_weights(name_or_path: str = "base") -> Weights:
    """Loads weights for inference.

    Args:
        name_or_path: shipped name (``base``) or path of a weights file.

    Raises:
        WeightsError: unknown, damaged, or of another version.
    """
    path = find_weights(name_or_path)
    begin_vector_math()
    try:
        found = read_tensor_file(path, LARGEST)
    except (OSError, ValueError) as error:
        raise WeightsError(f"{path}: not a weights file ({error}); download it again") from None
    metadata = found.metadata
    if not isinstance(metadata, dict) or metadata.get("content") != CONTENT:
        raise WeightsError(f"{path}: a safetensors file, but not noisegen weights; name another")
    if metadata.get("format") != FORMAT:
        version = repr(metadata.get("format"))[:20]
        raise WeightsError(
            f"{path}: weights of version {version}, this noisegen reads version {FORMAT}; use the "
            "weights shipped with it"
        )
    try:
        config, model = _build(metadata, found.tensors)
    except ValueError as error:
        raise WeightsError(
            f"{path}: does not fit this noisegen's network ({error}); use another file"
        ) from None
    return Weights(path.stem, found.sha256, config, model, metadata["card"])


def _build(
    metadata: dict[str, Any], tensors: dict[str, NDArray[Any]]
) -> tuple[ModelConfig, NoiseModel]:
    """The network that a file describes, once the file is known to hold just that.

    Raises:
        ValueError: it does not.
    """
    if not isinstance(metadata.get("card"), dict):
        raise ValueError("it has no card")
    config = ModelConfig.from_json(metadata.get("config"))
    # Without memory of its own: a small file may describe a network of many gigabytes.
    with torch.device("meta"):
        model = NoiseModel(config)
    wanted = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    strangers = sorted(set(wanted) ^ set(tensors))
    if strangers:
        raise ValueError(f"tensor {strangers[0][:80]!r} is missing or too many")
    for name, shape in wanted.items():
        if tensors[name].shape != shape or tensors[name].dtype != np.float16:
            raise ValueError(f"tensor {name!r} is not {shape} in half precision")
    if not all_finite(tensors):
        raise ValueError("it holds NaN or infinite values")
    state = {name: torch.from_numpy(value).float() for name, value in tensors.items()}
    model.load_state_dict(state, assign=True)
    return config, model.eval().requires_grad_(False)


def licence_of(sha256: str) -> str:
    """What binds pictures made with weights, in one line."""
    bound = _LICENCES.get(sha256, "what the weights' training data allow (none of noisegen's)")
    return f"{bound}; clean pictures keep theirs"


def save_weights(
    path: str | Path, model: NoiseModel, config: ModelConfig, card: dict[str, Any]
) -> None:
    """Writes a weights file, whole or not at all.

    Tensors in half precision, configuration and card as metadata.

    Raises:
        OutputError: the path cannot be written.
    """
    tensors = {
        key: value.detach().cpu().half().contiguous() for key, value in model.state_dict().items()
    }
    metadata = {"content": CONTENT, "format": FORMAT, "config": config.to_json(), "card": card}
    canonical = json.dumps(metadata, sort_keys=True, separators=(",", ":"))
    write_atomically(path, serialise(tensors, {METADATA_KEY: canonical}))


def untrained_model(config: ModelConfig | None = None, seed: int = 0) -> NoiseModel:
    """A freshly initialised model that adds nothing to the measured one: all its maps are 0."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = NoiseModel(config or ModelConfig())
    nn.init.zeros_(model.content.outputs.weight)
    return model
