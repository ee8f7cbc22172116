"""The command in this process, a small camera, and folders of clean pictures."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pictures
import pytest
from fitted import create_profile
from numpy.typing import DTypeLike, NDArray
from typer.testing import CliRunner

from noisegen.cli.app import app
from noisegen.model.weights import Weights
from noisegen.references.check import Reference

Pixels = NDArray[Any]


@dataclass(frozen=True)
class Ran:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        values: dict[str, Any] = json.loads(self.out)
        return values


Run = Callable[..., Ran]


@pytest.fixture(scope="session")
def run() -> Run:
    """Runs ``noisegen`` with arguments; an uncaught error of ours fails the test."""

    def invoke(*arguments: object) -> Ran:
        result = CliRunner().invoke(app, [str(argument) for argument in arguments])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            shown = "".join(traceback.format_exception(result.exception))
            pytest.fail(f"uncaught: {shown}")
        return Ran(result.exit_code, result.stdout, result.stderr)

    return invoke


@pytest.fixture
def create(run: Run, weights_file: Path, tmp_path: Path) -> Run:
    """``profile create`` of ``camera.safetensors``, or of another name."""

    def invoke(*arguments: object, out: str = "camera.safetensors") -> Ran:
        fixed = ("--out", tmp_path / out, "--weights", weights_file)
        return run("profile", "create", *fixed, *arguments)

    return invoke


@pytest.fixture(scope="session")
def scene() -> Callable[..., Pixels]:
    """A smooth picture with an edge, away from black and white."""

    def make(
        height: int = 72, width: int = 96, channels: int = 3, dtype: DTypeLike = np.uint8
    ) -> Pixels:
        y, x = np.mgrid[:height, :width]
        planes = [
            0.5 + 0.2 * np.sin(y / 20 + shift) + 0.1 * np.cos(x / 15 + shift)
            for shift in range(channels)
        ]
        picture = np.stack(planes, -1)
        picture[height // 2 :, width // 2 :] *= 0.7
        samples: Pixels = np.rint(picture * np.iinfo(np.dtype(dtype)).max).astype(dtype)
        return samples

    return make


@pytest.fixture(scope="session")
def noisy(scene: Callable[..., Pixels]) -> Callable[..., Pixels]:
    """The scene with Gaussian noise of σ 8 of 255."""

    def make(height: int = 128, width: int = 128, channels: int = 3, seed: int = 0) -> Pixels:
        clean = scene(height, width, channels)
        noise = np.random.default_rng(seed).normal(0, 8, clean.shape)
        return np.clip(np.rint(clean + noise), 0, 255).astype(np.uint8)

    return make


@pytest.fixture(scope="session")
def write_png() -> Callable[[Path, Pixels], Path]:
    def write(path: Path, pixels: Pixels) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(imagecodecs.png_encode(pixels.squeeze()))
        return path

    return write


@pytest.fixture(scope="session")
def camera(
    tmp_path_factory: pytest.TempPathFactory,
    noisy: Callable[..., Pixels],
    scene: Callable[..., Pixels],
    write_png: Callable[[Path, Pixels], Path],
) -> Path:
    """A folder with ``noisy.png`` and ``clean.png``."""
    folder = tmp_path_factory.mktemp("camera")
    write_png(folder / "noisy.png", noisy())
    write_png(folder / "clean.png", scene(128, 128))
    return folder


@pytest.fixture(scope="session")
def make_profile(
    tmp_path_factory: pytest.TempPathFactory,
    weights: Weights,
    noisy: Callable[..., Pixels],
    scene: Callable[..., Pixels],
) -> Callable[..., Path]:
    """A saved profile of the small weights."""

    def make(name: str, channels: int = 3, seed: int = 0) -> Path:
        reference = Reference(name, noisy(channels=channels, seed=seed), scene(128, 128, channels))
        path = tmp_path_factory.mktemp("profiles") / f"{name}.safetensors"
        create_profile([reference], weights, name=name).save(path)
        return path

    return make


@pytest.fixture(scope="session")
def rgb_profile(make_profile: Callable[..., Path]) -> Path:
    return make_profile("colour")


@pytest.fixture(scope="session")
def gray_profile(make_profile: Callable[..., Path]) -> Path:
    return make_profile("gray", channels=1)


@pytest.fixture
def cleans(
    tmp_path: Path, scene: Callable[..., Pixels], write_png: Callable[[Path, Pixels], Path]
) -> Path:
    """Three RGB pictures, one in a subfolder."""
    folder = tmp_path / "photos"
    write_png(folder / "b.png", scene(72, 96))
    write_png(folder / "a.png", scene(40, 33))
    write_png(folder / "sub" / "c.png", scene(96, 72))
    return folder


@pytest.fixture
def synth(run: Run, weights_file: Path, rgb_profile: Path, tmp_path: Path) -> Run:
    """``noisegen synth`` with the small weights and the colour profile, into ``tmp_path/pairs``."""

    def invoke(clean: Path, *arguments: object, out: Path | None = None) -> Ran:
        given = {"--profile", "--blend"} & set(arguments)
        noise: list[object] = [] if given else ["--profile", rgb_profile]
        target = tmp_path / "pairs" if out is None else out
        fixed = ("--clean", clean, "--out", target, "--weights", weights_file, "--device", "cpu")
        return run("synth", *fixed, *noise, *arguments)

    return invoke


@pytest.fixture
def refused(run: Run, weights_file: Path, cleans: Path, tmp_path: Path) -> Callable[..., None]:
    """Runs ``synth``; checks that it failed in one line that says ``words`` and wrote nothing."""

    def check(*arguments: object, code: int, words: tuple[str, ...]) -> None:
        out = tmp_path / "pairs"
        given = [str(argument) for argument in arguments]
        fixed: list[object] = ["--out", out, "--device", "cpu"]
        if "--clean" not in given:
            fixed += ["--clean", cleans]
        if "--weights" not in given:
            fixed += ["--weights", weights_file]
        ran = run("synth", *fixed, *given)
        assert ran.code == code, ran.err
        assert ran.out == ""
        assert len(ran.err.splitlines()) == 1, ran.err
        assert ran.err.startswith("error: ")
        for word in words:
            assert word in ran.err
        assert not out.exists()

    return check


def lines_of(out: Path) -> list[dict[str, Any]]:
    """The dataset's metadata."""
    text = (out / "metadata.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture(scope="session")
def metadata() -> Callable[[Path], list[dict[str, Any]]]:
    return lines_of


def files_in(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, hidden ones too, by relative path."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="session")
def contents() -> Callable[[Path], dict[str, bytes]]:
    return files_in


@pytest.fixture
def settings(tmp_path: Path, weights: Weights) -> tuple[Path, Path]:
    """Profiles of a quiet and a loud setting, both of one name."""
    clean = pictures.scene(96, 96)
    files = []
    for name, sigma in (("low", 4), ("high", 20)):
        reference = Reference("r.png", pictures.add_gaussian(clean, sigma), clean)
        made = create_profile([reference], weights)
        made.save(tmp_path / f"{name}.safetensors")
        files.append(tmp_path / f"{name}.safetensors")
    return files[0], files[1]
