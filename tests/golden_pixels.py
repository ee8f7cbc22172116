"""Pixels of ``noisegen synth`` over a matrix of ways to call it, as they were once recorded.

``python tests/golden_pixels.py`` records them anew, after a change that is meant to change noise.
"""

from __future__ import annotations

import io
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lmdb
import numpy as np
import tifffile
from dataset_runs import run
from numpy.typing import NDArray
from pictures import Pixels, add_gaussian, scene
from PIL import Image

RECORDED = Path(__file__).with_suffix(".npz")

HEIGHT, WIDTH = 40, 56
"""Of every clean."""

CASES: dict[str, str] = {
    "pair": "--ref {r}/pair/noisy.png --ref-clean {r}/pair/clean.png --clean {r}/rgb",
    "pair, sim": "--ref {r}/pair/noisy.png --ref-clean {r}/pair/clean.png --clean {r}/rgb "
    "--weights sim",
    "burst": "--ref-burst {r}/burst --clean {r}/rgb",
    "lone": "--ref {r}/lone.png --clean {r}/rgb",
    "profile": "--profile {r}/a.safetensors --clean {r}/rgb --seed 7 --variants 2",
    "two profiles": "--profile {r}/a.safetensors --profile {r}/b.safetensors --clean {r}/rgb",
    "blend": "--blend {r}/a.safetensors:1,{r}/b.safetensors:2 --clean {r}/rgb",
    "strength": "--profile {r}/a.safetensors --strength 0.5:2 --clean {r}/rgb",
    "crops": "--profile {r}/a.safetensors --patch 16 --per-image 3 --clean {r}/rgb",
    "small tiles": "--profile {r}/a.safetensors --tile 16 --workers 3 --clean {r}/rgb",
    "16 bit": "--profile {r}/deep.safetensors --clean {r}/deep",
    "float": "--profile {r}/float.safetensors --clean {r}/float",
    "gray": "--profile {r}/gray.safetensors --clean {r}/gray",
    "gray as RGB": "--ref {r}/same/noisy.png --ref-clean {r}/same/clean.png --clean {r}/asrgb",
    "stack": "--ref {r}/stack/noisy.tif --ref-clean {r}/stack/clean.tif --clean {r}/stack/more.tif",
    "shards": "--profile {r}/a.safetensors --clean {r}/rgb --shard 2/2",
    "webdataset": "--profile {r}/a.safetensors --clean {r}/rgb --layout webdataset",
    "lmdb": "--profile {r}/a.safetensors --clean {r}/rgb --layout lmdb",
    "hf": "--profile {r}/a.safetensors --clean {r}/rgb --layout hf",
    "ray": "--profile {r}/a.safetensors --clean {r}/rgb --engine ray",
}
"""Arguments of the command; ``{r}`` is the folder of :func:`write_inputs`."""


def write_inputs(root: Path) -> None:
    """References, profiles and cleans that all cases share, written by other libraries."""
    for folder in ("pair", "burst", "rgb", "deep", "float", "gray", "same", "asrgb", "stack"):
        (root / folder).mkdir(parents=True)
    clean = scene(128, 160, seed=11)
    _png(root / "pair/clean.png", clean)
    _png(root / "pair/noisy.png", _noisy(clean, 5))
    _png(root / "lone.png", _noisy(scene(128, 160, seed=12), 9))
    for shot in range(3):
        _png(root / f"burst/{shot}.png", _noisy(clean, 20 + shot))
    for number in range(2):
        small = scene(HEIGHT, WIDTH, seed=30 + number)
        _png(root / f"rgb/{number}.png", small)
        _png(root / f"gray/{number}.png", small[..., 0])
        _png(root / f"asrgb/{number}.png", np.repeat(small[..., :1], 3, 2))
        tifffile.imwrite(root / f"deep/{number}.tif", small.astype(np.uint16) * 13)
        tifffile.imwrite(root / f"float/{number}.tif", small.astype(np.float32) / 255)
    _png(root / "same/clean.png", np.repeat(clean[..., :1], 3, 2))
    _png(root / "same/noisy.png", np.repeat(_noisy(clean, 6)[..., :1], 3, 2))
    planes = np.stack([clean[..., 0], clean[..., 1]])
    tifffile.imwrite(root / "stack/clean.tif", planes, photometric="minisblack")
    noisy = np.stack([_noisy(plane, 7 + page) for page, plane in enumerate(planes)])
    tifffile.imwrite(root / "stack/noisy.tif", noisy, photometric="minisblack")
    tifffile.imwrite(root / "stack/more.tif", planes[:, :HEIGHT, :WIDTH], photometric="minisblack")
    _profile(root, "a", clean, _noisy(clean, 5))
    _profile(root, "b", clean, _noisy(clean, 5, 2.0))
    _profile(root, "gray", clean[..., 0], _noisy(clean, 5)[..., 0])
    _profile(root, "deep", clean.astype(np.uint16) * 13, _noisy(clean, 5).astype(np.uint16) * 13)
    _profile(root, "float", *(x.astype(np.float32) / 255 for x in (clean, _noisy(clean, 5))))


def pixels_of(case: str, root: Path, out: Path) -> dict[str, Pixels]:
    """Noisy pictures of a case, by name."""
    arguments = CASES[case].format(r=root).split()
    code, _, said = run("synth", *arguments, "--out", out, "--quiet", "--device", "cpu")
    assert code == 0, said
    found = {name: _decoded(data) for name, data in _stored(out) if "noisy" in name}
    assert found
    return found


def _noisy(clean: Pixels, seed: int, factor: float = 1.0) -> Pixels:
    """A clean with noise that grows with its brightness and spans pixels."""
    noise = add_gaussian(np.full_like(clean, 128), 1, seed).astype(np.float64) - 128
    wide = add_gaussian(np.full_like(clean, 128), 6, seed + 100).astype(np.float64) - 128
    grain = wide + 0.5 * np.roll(wide, 1, 0) + 0.5 * np.roll(wide, 1, 1) + noise
    level = factor * (0.2 + np.sqrt(clean / 255))
    return np.rint(clean + level * grain).clip(0, 255).astype(np.uint8)


def _png(path: Path, pixels: Pixels) -> None:
    Image.fromarray(pixels).save(path)


def _profile(root: Path, name: str, clean: NDArray[Any], noisy: NDArray[Any]) -> None:
    files = [root / f"{name}-{side}.tif" for side in ("noisy", "clean")]
    for file, pixels in zip(files, (noisy, clean), strict=True):
        tifffile.imwrite(file, pixels)
    out = root / f"{name}.safetensors"
    code, _, said = run(
        "profile", "create", "--ref", files[0], "--ref-clean", files[1], "--out", out, "--quiet"
    )
    assert code == 0, said


def _stored(out: Path) -> Iterator[tuple[str, bytes]]:
    """Names and bytes of what a dataset holds, however it lies on the disk."""
    for path in sorted(out.rglob("*")):
        relative = path.relative_to(out).as_posix()
        if path.suffix == ".tar":
            with tarfile.open(path) as tar:
                for member in tar.getmembers():
                    data = tar.extractfile(member)
                    if data is not None and member.name.endswith("png"):
                        yield member.name, data.read()
        elif path.parent.name == "input_crops.lmdb" and path.name == "data.mdb":
            with (
                lmdb.open(str(path.parent), readonly=True, lock=False) as base,
                base.begin() as seen,
            ):
                yield from ((f"noisy/{bytes(k).decode()}", bytes(v)) for k, v in seen.cursor())
        elif path.suffix in (".png", ".tif"):
            yield relative, path.read_bytes()


def _decoded(data: bytes) -> Pixels:
    if data[:4] == b"\x89PNG":
        return np.asarray(Image.open(io.BytesIO(data)))
    return np.asarray(tifffile.imread(io.BytesIO(data)))


def record() -> None:
    """Writes what all cases make now."""
    found: dict[str, Pixels] = {}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "in"
        write_inputs(root)
        for number, case in enumerate(CASES):
            made = pixels_of(case, root, Path(folder) / str(number))
            found |= {f"{case}: {name}": pixels for name, pixels in made.items()}
    np.savez_compressed(RECORDED, allow_pickle=False, **found)


if __name__ == "__main__":
    record()
