"""Damaged files of every format: noisegen reads them, or refuses with its own error."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import tifffile
from forks import Child
from PIL import Image

from noisegen.dataset.manifest import read_lines
from noisegen.dataset.recipe import read_recipe
from noisegen.errors import NoisegenError
from noisegen.files import open_image
from noisegen.model.weights import find_weights, load_weights
from noisegen.profiles.profile import NoiseProfile

HANG = 20.0
"""Seconds after which reading one damaged file hangs."""
BATCH = 200
"""Files that one child reads."""
_EXTREMES = (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\x80", b"\0\1\0\0")


@dataclass
class Seen:
    """Outcomes counted, and an example of each that may not be."""

    seen: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)


def valid_files(folder: Path, profile: Path) -> dict[str, bytes]:
    """A valid file of every format, by its name."""
    folder.mkdir()
    noise = np.random.default_rng(0).integers(0, 255, (24, 32, 3), np.uint8)
    picture = Image.fromarray(noise)
    for name in ("p.png", "p.jpg", "p.bmp", "p.ppm", "p.gif", "p.webp"):
        picture.save(folder / name)
    deep = noise.astype(np.uint16) * 257
    found = {
        "deep.png": imagecodecs.png_encode(deep),
        "p.avif": imagecodecs.avif_encode(noise),
        "p.jp2": imagecodecs.jpeg2k_encode(noise, level=0),
        "deep.jp2": imagecodecs.jpeg2k_encode(deep, level=0),
        "p.jxl": imagecodecs.jpegxl_encode(noise),
    }
    layouts: dict[str, dict[str, Any]] = {
        "p.tif": {}, "deflate.tif": {"compression": "zlib", "predictor": True},
        "tiles.tif": {"tile": (16, 16)}, "lzw.tif": {"compression": "lzw"},
    }  # fmt: skip
    for name, options in layouts.items():
        tifffile.imwrite(folder / name, noise, photometric="rgb", **options)
    tifffile.imwrite(folder / "pages.ome.tif", deep[..., 0][None].repeat(3, 0), ome=True)
    try:
        import pillow_heif
    except ImportError:
        pass
    else:
        pillow_heif.from_pillow(picture).save(folder / "p.heic")
    made = {name: bytes(data) for name, data in found.items()}
    made |= {path.name: path.read_bytes() for path in folder.iterdir()}
    made["camera.safetensors"] = profile.read_bytes()
    made["weights.safetensors"] = find_weights("base").read_bytes()
    return made | _manifests(folder, profile)


def _manifests(folder: Path, profile: Path) -> dict[str, bytes]:
    """A recipe and a manifest, as a run writes them."""
    out = folder / "pairs"
    arguments = [
        "synth",
        "--quiet",
        "--profile",
        profile,
        "--clean",
        folder / "p.png",
        "--out",
        out,
    ]
    ended = Child([str(part) for part in arguments]).ended()
    if ended.code:
        raise RuntimeError(ended.said)
    return {name: (out / name).read_bytes() for name in ("noisegen.json", "metadata.jsonl")}


def mutated(data: bytes, draw: random.Random) -> bytes:
    """Some of: bytes changed, extreme numbers, a part cut out, doubled or moved, an early end."""
    changed = bytearray(data)
    # The heads of files are where their structure is.
    near = min(len(changed), 400) if draw.random() < 0.6 else len(changed)
    for _ in range(draw.choice((1, 1, 2, 4, 16))):
        at, long = draw.randrange(near), draw.choice((1, 2, 4, 16, 64))
        kind = draw.randrange(6)
        if kind == 0:
            changed[at : at + 1] = bytes([draw.randrange(256)])
        elif kind == 1:
            changed[at : at + 4] = draw.choice(_EXTREMES)
        elif kind == 2:
            del changed[at : at + long]
        elif kind == 3:
            changed[at:at] = changed[at : at + long]
        elif kind == 4 and at < len(changed):
            changed[at] ^= 1 << draw.randrange(8)
        elif draw.random() < 0.3:
            del changed[at:]
        near = min(near, len(changed)) or 1
    return bytes(changed)


def read_anything(path: Path) -> str:
    """Reads a file as what its name says; how it went."""
    try:
        if path.name == "noisegen.json":
            read_recipe(path)
        elif path.name == "metadata.jsonl":
            list(read_lines(path))
        elif path.name == "weights.safetensors":
            load_weights(str(path))
        elif path.suffix == ".safetensors":
            NoiseProfile.load(path)
        else:
            with open_image(path) as image:
                image.planes()
    except NoisegenError as error:
        return "refused" if len(str(error).splitlines()) == 1 else "refused in many lines"
    except Exception as error:
        return f"{type(error).__name__}"
    return "read"


def fuzz(
    valid: dict[str, bytes], work: Path, seconds: float, draw: random.Random, most_mb: float
) -> Seen:
    """Reads damaged files for so long, in children that are watched."""
    result, until = Seen(), time.monotonic() + seconds
    folder, log = work / "damaged", work / "fuzz.jsonl"
    folder.mkdir()
    while time.monotonic() < until:
        seed = draw.randrange(2**32)
        log.write_text("")
        child = Child(partial(_read_batch, valid, folder, log, seed))
        length, since = 0, time.monotonic()
        while child.running() and time.monotonic() < since + HANG:
            if (now := log.stat().st_size) != length:
                length, since = now, time.monotonic()
            time.sleep(0.02)
        hung = child.running()
        child.kill()
        ended = child.ended()
        lines = [json.loads(line) for line in log.read_text().splitlines() if line.endswith("]")]
        for at, kind in lines:
            result.seen[kind] += 1
            if kind not in ("read", "refused"):
                result.examples.setdefault(kind, f"seed {seed}, file {at}")
        for bad, kind in ((hung, "hang"), (ended.code and not hung, f"crash {ended.code}")):
            if bad:
                result.seen[kind] += 1
                where = f"seed {seed}, file {len(lines)} {ended.said}"
                result.examples.setdefault(kind, where)
        if ended.peak_mb > most_mb:
            result.seen["memory"] += 1
            result.examples.setdefault("memory", f"seed {seed}, {ended.peak_mb:.0f} MB")
    return result


def _read_batch(valid: dict[str, bytes], folder: Path, log: Path, seed: int) -> None:
    """Damages and reads files, and writes down how each went."""
    draw = random.Random(seed)
    # Weights are read slowly, because they are large.
    names = [name for name in valid if name != "weights.safetensors"] * 8 + ["weights.safetensors"]
    with log.open("a") as file:
        for number in range(BATCH):
            path = folder / draw.choice(names)
            path.write_bytes(mutated(valid[path.name], draw))
            file.write(json.dumps([f"{number} {path.name}", read_anything(path)]) + "\n")
            file.flush()
