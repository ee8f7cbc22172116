"""Safetensors files that anybody may have written → checked tensors and metadata.

A file is read once, so that what is hashed is what is used; no pickle is ever read, and nothing is
allocated that the file does not hold.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load

METADATA_KEY = "noisegen"
"""All metadata is canonical JSON under one key: several are written in random order."""

_LENGTH_BYTES = 8
_LONGEST_CAUSE = 160


@dataclass(frozen=True)
class TensorFile:
    """Content of a safetensors file.

    Attributes:
        metadata: JSON values under our key; None where there are none.
        tensors: by name.
        sha256: of the file's bytes.
    """

    metadata: Any
    tensors: dict[str, NDArray[Any]]
    sha256: str


def read_tensor_file(path: Path, largest: int) -> TensorFile:
    """Reads a file of at most ``largest`` bytes.

    Raises:
        ValueError: it is larger, damaged, or of another format; the reason is one line.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        if file.seek(0, 2) > largest:
            raise ValueError(f"it has more than {largest} bytes")
        file.seek(0)
        data = file.read(largest)
    try:
        tensors = load(data)
        length = int.from_bytes(data[:_LENGTH_BYTES], "little")
        header = json.loads(data[_LENGTH_BYTES : _LENGTH_BYTES + length])
        text = header.get("__metadata__", {}).get(METADATA_KEY, "null")
        metadata = json.loads(text)
    except KeyError as error:
        raise ValueError(f"it holds tensors of type {error}") from error
    except RecursionError as error:
        raise ValueError("its metadata are nested too deeply") from error
    except (SafetensorError, ValueError) as error:
        raise ValueError(" ".join(str(error).split())[:_LONGEST_CAUSE]) from error
    return TensorFile(metadata, tensors, hashlib.sha256(data).hexdigest())


def all_finite(tensors: dict[str, NDArray[Any]]) -> bool:
    """Whether no tensor holds NaN or infinite values."""
    return all(bool(np.isfinite(values).all()) for values in tensors.values())
