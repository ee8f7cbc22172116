"""Everything that a dataset may hold goes through ``synth``, or is left out by name."""

from __future__ import annotations

import json
import os
import unicodedata
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pictures
import pytest
import tifffile
from dataset_runs import Camera, run
from fitted import create_profile
from numpy.typing import NDArray
from PIL import Image
from raw_files import write_dng

from noisegen.files import file_hash
from noisegen.model.weights import Weights
from noisegen.references.check import Reference

Pixels = NDArray[Any]


@pytest.fixture(scope="session")
def gray_camera(
    camera: Camera, weights: Weights, tmp_path_factory: pytest.TempPathFactory
) -> Camera:
    clean = pictures.scene(96, 96, 1)
    noisy = pictures.add_gaussian(clean, 8)
    path = tmp_path_factory.mktemp("gray") / "gray.safetensors"
    create_profile([Reference("r.png", noisy, clean)], weights, name="gray").save(path)
    return Camera(camera.weights, path)


def _gray(dtype: str, *shape: int) -> Pixels:
    picture = pictures.scene(shape[-2], shape[-1], 1)[..., 0] / 255
    stack = np.broadcast_to(picture, shape)
    if dtype.startswith("float"):
        return stack.astype(dtype)
    return (stack * np.iinfo(np.dtype(dtype)).max).astype(dtype)


def _lines(out: Path) -> dict[str, dict[str, Any]]:
    text = (out / "metadata.jsonl").read_text(encoding="utf-8")
    return {line["seed_key"]: line for line in map(json.loads, text.splitlines())}


def test_gray_files_of_every_kind(gray_camera: Camera, tmp_path: Path) -> None:
    cleans = tmp_path / "cleans"
    cleans.mkdir()
    Image.fromarray(_gray("uint8", 40, 48) > 100).save(cleans / "bits.png")
    Image.fromarray(_gray("uint8", 40, 48)).convert("LA").save(cleans / "gray_alpha.png")
    (cleans / "gray16.png").write_bytes(imagecodecs.png_encode(_gray("uint16", 40, 48)))
    Image.fromarray(_gray("uint8", 40, 48)).save(cleans / "lossy.jpg")
    tifffile.imwrite(cleans / "float.tif", _gray("float32", 40, 48))
    tifffile.imwrite(cleans / "half.tif", _gray("float16", 40, 48))
    tifffile.imwrite(cleans / "pages.tif", _gray("uint16", 3, 40, 48), photometric="minisblack")
    tifffile.imwrite(cleans / "big.tif", _gray("uint16", 40, 48), bigtiff=True, tile=(16, 16))
    tifffile.imwrite(cleans / "lzw.tif", _gray("uint8", 40, 48), compression="lzw")
    tifffile.imwrite(
        cleans / "imagej.tif", _gray("uint16", 2, 3, 40, 48), imagej=True,
        metadata={"axes": "ZCYX", "unit": "um"},
    )  # fmt: skip
    tifffile.imwrite(
        cleans / "cells.ome.tif", _gray("uint16", 2, 40, 48), ome=True,
        metadata={"axes": "CYX", "Channel": {"Name": ["DAPI", "GFP"]}},
    )  # fmt: skip
    out = tmp_path / "pairs"
    code, _, err = run(*gray_camera.synth(cleans, out))
    assert code == 0, err
    lines = _lines(out)
    assert set(lines) == {path.name for path in cleans.iterdir()}
    assert {key: line.get("planes", 1) for key, line in lines.items() if "planes" in line} == {
        "pages.tif": 3, "imagej.tif": 6, "cells.ome.tif": 2,
    }  # fmt: skip
    for key in ("float.tif", "half.tif", "pages.tif", "imagej.tif", "cells.ome.tif"):
        noisy, clean = (tifffile.imread(out / side / key) for side in ("noisy", "clean"))
        assert noisy.shape == clean.shape
        assert noisy.dtype == clean.dtype
        assert (noisy != clean).mean() > 0.5
        assert (out / "clean" / key).read_bytes() == (cleans / key).read_bytes()
        assert lines[key]["noisy_sha256"] == file_hash(out / "noisy" / key)
    stack = tifffile.imread(out / "noisy" / "pages.tif").astype(float)
    residual = stack - tifffile.imread(out / "clean" / "pages.tif")
    assert abs(np.corrcoef(residual[0].ravel(), residual[1].ravel())[0, 1]) < 0.15
    with tifffile.TiffFile(out / "noisy" / "imagej.tif") as file:
        assert file.imagej_metadata is not None
        assert file.imagej_metadata["unit"] == "um"
        assert file.series[0].axes == "ZCYX"
    with tifffile.TiffFile(out / "noisy" / "cells.ome.tif") as file:
        assert "DAPI" in (file.ome_metadata or "")
    assert run("verify", out)[0] == 0
    (out / "noisy" / "pages.tif").write_bytes((out / "clean" / "pages.tif").read_bytes())
    code, _, err = run("verify", out)
    assert code == 1
    assert "noisy/pages.tif" in err


def test_32_bits_need_their_white_level(gray_camera: Camera, tmp_path: Path) -> None:
    cleans = tmp_path / "cleans"
    cleans.mkdir()
    deep = (_gray("float64", 40, 48) * 100_000).astype(np.uint32)
    tifffile.imwrite(cleans / "deep.tif", deep)
    code, _, err = run(*gray_camera.synth(cleans, tmp_path / "pairs"))
    assert code == 1
    assert "--white-level" in err
    code, _, err = run(*gray_camera.synth(cleans, tmp_path / "pairs", "--white-level", 131071))
    assert code == 0, err
    noisy = tifffile.imread(tmp_path / "pairs" / "noisy" / "deep.tif")
    assert noisy.dtype == np.uint32
    deviation = (noisy.astype(float) - deep).std() / 131071 * 255
    assert 4 < deviation < 20


def test_crops_of_stacks(gray_camera: Camera, tmp_path: Path) -> None:
    cleans = tmp_path / "cleans"
    cleans.mkdir()
    stack = _gray("uint16", 3, 64, 80)
    tifffile.imwrite(cleans / "stack.tif", stack, photometric="minisblack")
    more = ("--patch", 32, "--per-image", 2)
    assert run(*gray_camera.synth(cleans, tmp_path / "crops", *more))[0] == 0
    assert run(*gray_camera.synth(cleans, tmp_path / "whole"))[0] == 0
    whole = tifffile.imread(tmp_path / "whole" / "noisy" / "stack.tif")
    text = (tmp_path / "crops" / "metadata.jsonl").read_text()
    for line in map(json.loads, text.splitlines()):
        y, x = line["crop"]
        for side, source in (("noisy", whole), ("clean", stack)):
            crop = tifffile.imread(tmp_path / "crops" / line[f"{side}_file_name"])
            assert (crop == source[:, y : y + 32, x : x + 32]).all()
    assert run("verify", tmp_path / "crops")[0] == 0


def test_each_channel_has_the_profile_of_its_name(
    gray_camera: Camera, weights: Weights, tmp_path: Path
) -> None:
    cleans = tmp_path / "cleans"
    cleans.mkdir()
    tifffile.imwrite(
        cleans / "cells.ome.tif", np.full((2, 64, 64), 100, np.uint8), ome=True,
        metadata={"axes": "CYX", "Channel": {"Name": ["DAPI", "GFP"]}},
    )  # fmt: skip
    clean = pictures.scene(96, 96, 1)
    arguments = gray_camera.synth(cleans, tmp_path / "pairs")
    place = arguments.index("--profile")
    del arguments[place : place + 2]
    for name, sigma in (("GFP", 20), ("DAPI", 4)):
        reference = Reference("r.png", pictures.add_gaussian(clean, sigma), clean)
        path = tmp_path / f"scope-{name}.safetensors"
        create_profile([reference], weights, name=f"scope-{name}").save(path)
        arguments += ["--profile", str(path)]
    code, _, err = run(*arguments)
    assert code == 0, err
    noisy = tifffile.imread(tmp_path / "pairs" / "noisy" / "cells.ome.tif").astype(float)
    assert noisy[1].std() > 3 * noisy[0].std()
    assert _lines(tmp_path / "pairs")["cells.ome.tif"]["profile"] == "scope-DAPI,scope-GFP"


def _bomb(path: Path) -> None:
    """A PNG that declares 60000² pixels in a few bytes."""
    data = bytearray(imagecodecs.png_encode(np.zeros((8, 8), np.uint8)))
    data[16:24] = (60000).to_bytes(4, "big") * 2
    path.write_bytes(data)


def test_bad_input_in_bulk(camera: Camera, tmp_path: Path) -> None:
    cleans, outside = tmp_path / "cleans", tmp_path / "outside.png"
    cleans.mkdir()
    good = imagecodecs.png_encode(pictures.scene(40, 48))
    outside.write_bytes(good)
    names = ["fine.png", "new\nline.png", "-leading.png", "x" * 251 + ".png", "wrong_ending.jpg"]
    for name in [*names, "a.png", "a.jpg.png", unicodedata.normalize("NFC", "é.png"), "Case.png"]:
        (cleans / name).write_bytes(good)
    (cleans / unicodedata.normalize("NFD", "é.png")).write_bytes(good)
    (cleans / "case.png").write_bytes(good)
    (cleans / "a.jpg").write_bytes(imagecodecs.jpeg_encode(pictures.scene(40, 48)))
    bad = {
        "truncated.png": good[: len(good) // 2],
        "empty.png": b"",
        "text.png": b"hello, this is no picture",
    }
    for name, data in bad.items():
        (cleans / name).write_bytes(data)
    _bomb(cleans / "bomb.png")
    (cleans / "notes.txt").touch()
    os.mkfifo(cleans / "pipe.png")
    (cleans / "circle.png").symlink_to(cleans / "circle.png")
    (cleans / "leads_out.png").symlink_to(outside)
    (cleans / "nowhere.png").symlink_to(tmp_path / "nothing.png")
    (cleans / "folder").symlink_to(tmp_path, target_is_directory=True)
    Image.fromarray(pictures.scene(40, 48)).convert("CMYK").save(cleans / "cmyk.tif")
    frames = [Image.fromarray(pictures.scene(40, 48, seed=seed)) for seed in (1, 2)]
    frames[0].save(cleans / "moving.webp", save_all=True, append_images=frames[1:], lossless=True)
    holes = np.full((40, 48, 3), 0.5, np.float32)
    holes[3, 4] = np.nan
    tifffile.imwrite(cleans / "nan.tif", holes, photometric="rgb")
    out = tmp_path / "pairs"
    code, said, err = run(*camera.synth(cleans, out, "--json"))
    assert code == 3, err
    passed_over, *warnings = err.splitlines()
    assert "1 .txt" in passed_over
    assert len(json.loads(said)["skipped"]) == len(warnings)
    text = (out / "skipped.jsonl").read_text(encoding="utf-8")
    skipped = {entry["file"]: entry["reason"] for entry in map(json.loads, text.splitlines())}
    assert "ending" in skipped.pop("notes.txt")
    twins = {
        name
        for name in skipped
        if unicodedata.normalize("NFC", name).lower() in ("é.png", "case.png")
    }
    assert len(twins) == 2
    assert set(skipped) - twins == {
        *bad, "bomb.png", "pipe.png", "circle.png", "nowhere.png", "folder", "cmyk.tif",
        "moving.webp", "nan.tif", "a.jpg.png" if "a.jpg.png" in skipped else "a.jpg",
    }  # fmt: skip
    assert all(str(tmp_path) not in reason for reason in skipped.values())
    for name, word in {
        "bomb.png": "declares", "pipe.png": "pipe", "circle.png": "circle", "cmyk.tif": "CMYK",
        "nowhere.png": "leads nowhere", "moving.webp": "animat", "nan.tif": "NaN",
        "empty.png": "empty", "folder": "a link to a folder that it lies in",
    }.items():  # fmt: skip
        assert word in skipped[name], skipped[name]
    assert {*names, "leads_out.png"} <= set(_lines(out))
    assert not any(path.is_symlink() for path in out.rglob("*"))
    assert run("verify", out)[0] == 0
    # Once more: the bad stay bad, nothing is made again.
    assert run(*camera.synth(cleans, out))[0] == 3


def test_a_dataset_of_raw_cleans_records_their_development(camera: Camera, tmp_path: Path) -> None:
    pytest.importorskip("rawpy", reason="rawpy is not installed")
    cleans, out = tmp_path / "cleans", tmp_path / "pairs"
    cleans.mkdir()
    write_dng(cleans / "a.dng", np.tile(np.linspace(0.1, 0.8, 128), (96, 1)))
    assert run(*camera.synth(cleans, out))[0] == 0
    recipe = json.loads((out / "noisegen.json").read_text(encoding="utf-8"))
    assert "white balance of the shot" in recipe["versions"]["camera raw"]
    again = ("regenerate", out / "noisegen.json", "--clean", cleans, "--out", tmp_path / "again")
    assert run(*again, "--weights", camera.weights)[0] == 0
    assert (tmp_path / "again" / "noisegen.json").read_bytes() == (
        out / "noisegen.json"
    ).read_bytes()
