"""What a denoiser learns from beside procedural pictures, in one file that travels to a GPU."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from noisegen.errors import UsageError
from noisegen.training.bank import TARGET
from noisegen.training.drawn_settings import photographs
from noisegen.training.given_crops import real_crops

Bytes = NDArray[np.uint8]

SMALL_PHOTOGRAPHS = 150
"""Photographs of half size in a pack, beside all whole ones: under 50 MB together."""

_MAKE = "make it by noisegen train pack"

OF_A_SCENE = 9
OF_A_CHANNEL = 90
"""Real crops of each photographed scene, and of each microscopy channel."""


@dataclass(frozen=True)
class Pack:
    """Clean photographs and real pairs.

    Attributes:
        pictures: H×W×3 each.
        crops: N×2×3×128×128, noisy and clean.
    """

    pictures: list[Bytes]
    crops: Bytes


def write_pack(data: Path, out: Path, seed: int) -> Pack:
    """Packs photographs and real crops of ``data`` (``clean``, ``polyu``, ``w2s``)."""
    rng = np.random.default_rng(seed)
    pictures = photographs(data)
    small = [p for p in pictures if min(p.shape[:2]) < 256]
    chosen = [small[i] for i in rng.permutation(len(small))[:SMALL_PHOTOGRAPHS]]
    whole = [p for p in pictures if min(p.shape[:2]) >= 256]
    pack = Pack(whole + chosen, real_crops(data, OF_A_SCENE, OF_A_CHANNEL, rng))
    gray = (pack.crops == pack.crops[:, :, :1]).all((1, 2, 3, 4))
    arrays = {f"picture-{index}": picture for index, picture in enumerate(pack.pictures)}
    arrays |= {"colour": pack.crops[~gray], "gray": pack.crops[gray][:, :, 0]}
    temporary = out.with_name(f".{out.name}.npz")
    np.savez_compressed(temporary, **arrays)  # type: ignore[arg-type]  # numpy's stub lacks this
    temporary.replace(out)
    return pack


def read_pack(path: Path) -> Pack:
    """Reads what :func:`write_pack` wrote; no pickle.

    Raises:
        UsageError: it is no pack.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            pictures = [file[name] for name in file.files if name.startswith("picture-")]
            gray = np.repeat(file["gray"][:, :, None], 3, 2)
            pack = Pack(pictures, np.concatenate([file["colour"], gray]))
    except FileNotFoundError:
        raise UsageError(f"--pack {path}: does not exist; {_MAKE}") from None
    except (OSError, EOFError, ValueError, KeyError, TypeError, IndexError, BadZipFile):
        raise UsageError(f"--pack {path}: is no pack; {_MAKE}") from None
    colour = all(p.dtype == np.uint8 and p.ndim == 3 and p.shape[2] == 3 for p in pictures)
    if not (colour and len(pack.crops) and pack.crops.shape[1:] == (2, 3, TARGET, TARGET)):
        raise UsageError(f"--pack {path}: holds no pictures or no crops; {_MAKE}")
    return pack
