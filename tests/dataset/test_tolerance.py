"""``regenerate --tolerance``: what another machine may round otherwise, in files of every kind."""

from __future__ import annotations

import io
import json
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pictures
import pytest
import tifffile
from dataset_runs import Camera, run

Edit = Callable[[Any], Any]


def _forget_hash(dataset: Path, name: str) -> None:
    """The manifest then says that these pixels came out otherwise."""
    path = dataset / "metadata.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:
        if line["noisy_file_name"] == f"noisy/{name}":
            line["noisy_sha256"] = "0" * 64
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def _judged(dataset: Path, camera: Camera, cleans: Path) -> tuple[int, str, str]:
    shutil.rmtree(dataset.parent / "new", ignore_errors=True)
    return run(
        "regenerate", dataset / "noisegen.json", "--clean", cleans, "--tolerance",
        "--out", dataset.parent / "new", "--weights", camera.weights,
    )  # fmt: skip


def _a_float(samples: Any) -> Any:
    samples[3, 3, 0] += 0.003
    return samples


def _last_bits(samples: Any) -> Any:
    return samples + np.float32(1e-6)


def _many_floats(samples: Any) -> Any:
    samples[:, :, 1] += 0.002
    return samples


def _three_steps(samples: Any) -> Any:
    samples[3, 3, 0] += 0.012
    return samples


def _nan(samples: Any) -> Any:
    samples[3, 3, 0] = np.nan
    return samples


@pytest.mark.parametrize(
    ("edit", "accepted"),
    [(_a_float, True), (_last_bits, True), (_many_floats, False), (_three_steps, False),
     (_nan, False)],
)  # fmt: skip
def test_tiffs_of_floats(camera: Camera, tmp_path: Path, edit: Edit, accepted: bool) -> None:
    cleans, dataset = tmp_path / "photos", tmp_path / "pairs"
    cleans.mkdir()
    clean = pictures.scene(40, 40, 3).astype(np.float32) / 255
    tifffile.imwrite(cleans / "a.tif", clean, photometric="rgb")
    assert run(*camera.synth(cleans, dataset))[0] == 0
    noisy = dataset / "noisy" / "a.tif"
    tifffile.imwrite(noisy, edit(tifffile.imread(noisy)), photometric="rgb")
    _forget_hash(dataset, "a.tif")
    code, out, err = _judged(dataset, camera, cleans)
    assert (code == 0) is accepted, err
    assert ("1 within the tolerance" in out) is accepted


@pytest.mark.parametrize(("change", "code"), [(7, 0), (2000, 1)])
def test_stacks(camera: Camera, tmp_path: Path, change: int, code: int) -> None:
    cleans, dataset = tmp_path / "photos", tmp_path / "pairs"
    cleans.mkdir()
    stack = np.stack([pictures.scene(40, 40, 3, seed) for seed in (1, 2)]).astype(np.uint16) * 257
    tifffile.imwrite(cleans / "a.tif", stack, photometric="rgb")
    assert run(*camera.synth(cleans, dataset))[0] == 0
    noisy = dataset / "noisy" / "a.tif"
    samples = tifffile.imread(noisy)
    sample = int(samples[1, 5, 5, 2])
    samples[1, 5, 5, 2] = sample + change if sample < 2**15 else sample - change
    tifffile.imwrite(noisy, samples, photometric="rgb")
    _forget_hash(dataset, "a.tif")
    assert _judged(dataset, camera, cleans)[0] == code


@pytest.mark.parametrize(("change", "code"), [(13, 0), (24, 1)])
def test_a_step_of_12_bits_in_16(camera: Camera, tmp_path: Path, change: int, code: int) -> None:
    """Is a 255th of what the picture uses, 13 levels and not 257."""
    cleans, dataset = tmp_path / "photos", tmp_path / "pairs"
    cleans.mkdir()
    clean = pictures.scene(40, 40, 3).astype(np.uint16) * 16
    (cleans / "a.png").write_bytes(imagecodecs.png_encode(clean))
    assert run(*camera.synth(cleans, dataset, "--white-level", 4095))[0] == 0
    noisy = dataset / "noisy" / "a.png"
    samples = imagecodecs.imread(noisy)
    sample = int(samples[5, 5, 2])
    samples[5, 5, 2] = sample + change if sample < 2048 else sample - change
    noisy.write_bytes(imagecodecs.png_encode(samples))
    _forget_hash(dataset, "a.png")
    assert _judged(dataset, camera, cleans)[0] == code


def _changed(png: bytes, change: int) -> bytes:
    picture = imagecodecs.png_decode(png)
    picture[3, 3, 0] ^= change
    return bytes(imagecodecs.png_encode(picture))


def _edit_tar(dataset: Path, change: int) -> None:
    path = dataset / "pairs-000000.tar"
    edited = io.BytesIO()
    with tarfile.open(path) as old, tarfile.open(fileobj=edited, mode="w") as new:
        for member in old.getmembers():
            file = old.extractfile(member)
            assert file is not None
            data = file.read()
            if member.name.startswith("1.") and "noisy" in member.name:
                data = _changed(data, change)
                member.size = len(data)
            new.addfile(member, io.BytesIO(data))
    path.write_bytes(edited.getvalue())


def _edit_lmdb(dataset: Path, change: int) -> None:
    lmdb = pytest.importorskip("lmdb")
    with (
        lmdb.open(str(dataset / "input_crops.lmdb"), map_size=2**26) as database,
        database.begin(write=True) as transaction,
    ):
        (key,) = (key for key, _ in transaction.cursor() if key.startswith(b"1"))
        transaction.put(key, _changed(transaction.get(key), change))


@pytest.mark.parametrize(("layout", "edit"), [("webdataset", _edit_tar), ("lmdb", _edit_lmdb)])
def test_archives(
    camera: Camera,
    photos: Path,
    tmp_path: Path,
    layout: str,
    edit: Callable[[Path, int], None],
) -> None:
    dataset = tmp_path / "pairs"
    assert run(*camera.synth(photos, dataset, "--layout", layout))[0] == 3
    _forget_hash(dataset, "1.png")
    edit(dataset, 1)
    code, out, err = _judged(dataset, camera, photos)
    assert code == 0, err
    assert "1 within the tolerance" in out
    edit(dataset, 1 ^ 4)
    code, _, err = _judged(dataset, camera, photos)
    assert code == 1
    assert "noisy/1.png: came out otherwise: by up to 4 steps" in err


def test_a_former_archive_that_is_gone(camera: Camera, photos: Path, tmp_path: Path) -> None:
    dataset = tmp_path / "pairs"
    assert run(*camera.synth(photos, dataset, "--layout", "webdataset"))[0] == 3
    _forget_hash(dataset, "1.png")
    (dataset / "pairs-000000.tar").unlink()
    code, _, err = _judged(dataset, camera, photos)
    assert code == 1
    assert "the former one is not there" in err
