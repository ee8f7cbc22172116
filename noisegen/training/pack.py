"""What single networks learn from beside procedural pictures: real crops, textbook noise.

Photographs and real crops lie in one file that travels to a GPU.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from noisegen.errors import UsageError
from noisegen.noise.arrays import Bytes, Rng
from noisegen.training import classical_noise
from noisegen.training.bank import TARGET, stack_targets
from noisegen.training.crops import random_place
from noisegen.training.drawn_settings import photographs
from noisegen.training.real_pairs import (
    Report,
    polyu_group,
    registered_crops,
    w2s_group,
)
from noisegen.training.realdata import polyu_scenes


def classical_crops(pictures: Sequence[Bytes], count: int, rng: Rng) -> Bytes:
    """Textbook noise over random places of pictures: count×2×3×128×128, noisy and clean."""
    pairs = []
    for _ in range(count):
        picture = pictures[int(rng.integers(len(pictures)))]
        clean = _lit(picture[random_place(picture.shape[:2], TARGET, rng, grid=8)], rng)
        pairs.append(classical_noise.shoot(clean, classical_noise.draw_setting(rng), rng))
    return stack_targets(pairs)


def real_crops(
    data: Path, scenes: Sequence[str], photographs: int, microscopy: int, rng: Rng
) -> tuple[Bytes, NDArray[np.int64]]:
    """Registered crops of PolyU's and W2S's training pictures, and of which camera each is.

    Args:
        data: folder that holds ``polyu`` and ``w2s``.
        scenes: of PolyU.
        photographs: crops of each PolyU scene.
        microscopy: crops of each W2S channel.
        rng: what decides.

    Returns:
        N×2×3×128×128, noisy and clean, and N numbers: of the same one, scene and setting are one.
    """
    groups = [(polyu_group(data, scene), photographs) for scene in scenes]
    groups += [(w2s_group(data, channel), microscopy) for channel in range(3)]
    pairs, members = [], []
    for number, (group, count) in enumerate(groups):
        each = -(-count // len(group))
        crops = [c for pair in group for c in registered_crops(pair, each, rng, Report())]
        pairs += crops[:count]
        members += [number] * len(crops[:count])
    return stack_targets(pairs), np.array(members)


def _lit(clean: Bytes, rng: Rng) -> Bytes:
    """Dims a third of pictures as microscopes' are; blackens a channel or two of a sixth."""
    factor = 2 ** -rng.uniform(0, 4) if rng.random() < 1 / 3 else 1.0
    channels = np.ones(3)
    if rng.random() < 1 / 6:
        channels[rng.permutation(3)[: rng.integers(1, 3)]] = 0
    return np.rint(clean * (factor * channels)).astype(np.uint8)


SMALL_PHOTOGRAPHS = 150
"""Photographs of half size in a pack, beside all whole ones: under 50 MB together."""

_MAKE = "make it by noisegen train pack"

OF_A_SCENE = 16
OF_A_CHANNEL = 90
"""Real crops of each photographed scene, and of each microscopy channel."""


@dataclass(frozen=True)
class Pack:
    """Clean photographs and real pairs.

    Attributes:
        pictures: H×W×3 each.
        crops: N×2×3×128×128, noisy and clean.
        cameras: N, the same number for crops of one scene by one camera.
    """

    pictures: list[Bytes]
    crops: Bytes
    cameras: NDArray[np.int64]

    def sets(self, count: int) -> Bytes | None:
        """Crops of each camera that has as many, M×count×2×3×128×128; None if none has."""
        places = [np.flatnonzero(self.cameras == camera) for camera in np.unique(self.cameras)]
        sets = [
            self.crops[place[first : first + count]]
            for place in places
            for first in range(0, len(place) - count + 1, count)
        ]
        return np.stack(sets) if sets else None


def write_pack(data: Path, out: Path, seed: int, without: Sequence[str] = ()) -> Pack:
    """Packs photographs and real crops of ``data`` (``clean``, ``polyu``, ``w2s``).

    Raises:
        UsageError: a brand to be left ``without`` has no scene.
    """
    scenes = _scenes(data, without)
    rng = np.random.default_rng(seed)
    pictures = photographs(data)
    small = [p for p in pictures if min(p.shape[:2]) < 256]
    chosen = [small[i] for i in rng.permutation(len(small))[:SMALL_PHOTOGRAPHS]]
    whole = [p for p in pictures if min(p.shape[:2]) >= 256]
    crops, cameras = real_crops(data, scenes, OF_A_SCENE, OF_A_CHANNEL, rng)
    pack = Pack(whole + chosen, crops, cameras)
    gray = (pack.crops == pack.crops[:, :, :1]).all((1, 2, 3, 4))
    arrays = {f"picture-{index}": picture for index, picture in enumerate(pack.pictures)}
    arrays |= {"colour": pack.crops[~gray], "gray": pack.crops[gray][:, :, 0]}
    arrays["cameras"] = np.concatenate([cameras[~gray], cameras[gray]])
    temporary = out.with_name(f".{out.name}.npz")
    np.savez_compressed(temporary, **arrays)  # type: ignore[arg-type]  # numpy's stub lacks this
    temporary.replace(out)
    return pack


def _scenes(data: Path, without: Sequence[str]) -> list[str]:
    """Names of PolyU's training scenes but those that begin with a brand to be left out."""
    scenes = polyu_scenes(data, "train")
    for brand in without:
        if not any(scene.startswith(brand) for scene in scenes):
            raise UsageError(f"--without {brand}: no scene begins so; they are {', '.join(scenes)}")
    return [scene for scene in scenes if not scene.startswith(tuple(without))]


def read_pack(path: Path) -> Pack:
    """Reads what :func:`write_pack` wrote; no pickle.

    Raises:
        UsageError: it is no pack.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            pictures = [file[name] for name in file.files if name.startswith("picture-")]
            gray = np.repeat(file["gray"][:, :, None], 3, 2)
            crops, cameras = np.concatenate([file["colour"], gray]), file["cameras"]
            pack = Pack(pictures, crops, cameras)
    except FileNotFoundError:
        raise UsageError(f"--pack {path}: does not exist; {_MAKE}") from None
    except (OSError, EOFError, ValueError, KeyError, TypeError, IndexError, BadZipFile):
        raise UsageError(f"--pack {path}: is no pack; {_MAKE}") from None
    colour = all(p.dtype == np.uint8 and p.ndim == 3 and p.shape[2] == 3 for p in pictures)
    alike = cameras.shape == (len(crops),) and cameras.dtype == np.int64
    if not (colour and alike and len(crops) and crops.shape[1:] == (2, 3, TARGET, TARGET)):
        raise UsageError(f"--pack {path}: holds no pictures or no crops; {_MAKE}")
    return pack
