"""The output folder: nothing of the user's is lost, and a pair is whole or not there."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

Synth = Callable[..., Any]


def test_output_that_is_not_empty(
    synth: Synth, cleans: Path, tmp_path: Path, contents: Callable[[Path], dict[str, bytes]]
) -> None:
    out = tmp_path / "pairs"
    out.mkdir()
    (out / "thesis.txt").write_text("years of work")
    for options in ((), ("--overwrite",)):
        ran = synth(cleans, *options)
        assert ran.code == 1
        assert str(out) in ran.err
        assert contents(out) == {"thesis.txt": b"years of work"}


def test_output_that_holds_a_dataset_names_the_way_out(
    synth: Synth, cleans: Path, tmp_path: Path, contents: Callable[[Path], dict[str, bytes]]
) -> None:
    assert synth(cleans).code == 0
    before = contents(tmp_path / "pairs")
    ran = synth(cleans, "--seed", 1)
    assert ran.code == 1
    assert "--overwrite" in ran.err
    assert contents(tmp_path / "pairs") == before


def test_output_that_is_a_file(synth: Synth, cleans: Path, tmp_path: Path) -> None:
    (tmp_path / "pairs").write_text("x")
    ran = synth(cleans)
    assert ran.code == 1
    assert (tmp_path / "pairs").read_text() == "x"


def test_output_below_a_file(synth: Synth, cleans: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    ran = synth(cleans, out=tmp_path / "file" / "pairs")
    assert ran.code == 1
    assert len(ran.err.splitlines()) == 1


@pytest.mark.parametrize("inside", ["clean", "clean/sub", "noisy/b.png"])
def test_overwriting_never_takes_the_cleans_away(
    synth: Synth,
    cleans: Path,
    tmp_path: Path,
    contents: Callable[[Path], dict[str, bytes]],
    inside: str,
) -> None:
    out = tmp_path / "pairs"
    assert synth(cleans).code == 0
    before = contents(out)
    ran = synth(out / inside, "--overwrite")
    assert ran.code == 2
    assert "--out" in ran.err
    assert contents(out) == before


def test_overwriting_never_takes_the_references_away(
    run: Callable[..., Any], synth: Synth, cleans: Path, tmp_path: Path, weights_file: Path,
    contents: Callable[[Path], dict[str, bytes]],
) -> None:  # fmt: skip
    out = tmp_path / "pairs"
    assert synth(cleans).code == 0
    before = contents(out)
    for noise in (
        ("--profile", out / "profiles" / "colour.safetensors"),
        ("--ref", out / "noisy" / "b.png", "--ref-clean", out / "clean" / "b.png"),
    ):
        ran = run(
            "synth", *noise, "--clean", cleans, "--out", out, "--overwrite",
            "--weights", weights_file,
        )  # fmt: skip
        assert ran.code == 2
        assert "--out" in ran.err
        assert contents(out) == before


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 160 KB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=160k", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a small file system cannot be mounted here: that takes root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.slow
def test_a_checkpoint_that_does_not_fit_on_the_disk_leaves_nothing(
    run: Callable[..., Any], small_disk: Path
) -> None:
    tiny = ("--start", "sim", "--steps", 1, "--cameras", 1, "--pictures", 4)
    ran = run("train", "content", "--run", small_disk / "run", *tiny)
    assert ran.code == 1
    assert "No space left on device): free some space" in ran.err.splitlines()[-1]
    assert not list((small_disk / "run").iterdir())


def test_a_full_disk_leaves_whole_pairs_and_the_next_run_goes_on(
    synth: Synth,
    tmp_path: Path,
    small_disk: Path,
    scene: Callable[..., Any],
    write_png: Callable[..., Path],
    contents: Callable[[Path], dict[str, bytes]],
) -> None:
    cleans = tmp_path / "photos"
    for name in "abcdef":
        write_png(cleans / f"{name}.png", scene(72, 96))
    out = small_disk / "pairs"
    ran = synth(cleans, out=out)
    assert ran.code == 1
    assert ran.out == ""
    assert len(ran.err.splitlines()) == 1
    assert "No space left" in ran.err
    assert synth(cleans).code == 0
    whole = contents(tmp_path / "pairs")
    written = {name: data for name, data in contents(out).items() if not name.startswith(".")}
    assert 0 < len(written) < len(whole)
    assert all(whole[name] == data for name, data in written.items())
    for name in written:
        if name.startswith("noisy/"):
            assert name.replace("noisy/", "clean/") in written
    assert not list(out.rglob("*.part"))
    subprocess.run(["mount", "-o", "remount,size=4m", str(small_disk)], check=True)
    assert synth(cleans, out=out).code == 0
    assert contents(out) == whole


def test_a_disk_that_became_read_only(
    synth: Synth, cleans: Path, small_disk: Path, contents: Callable[[Path], dict[str, bytes]]
) -> None:
    out = small_disk / "pairs"
    assert synth(cleans, out=out).code == 0
    (out / "noisy" / "b.png").unlink()
    before = contents(small_disk)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    for folder in (out, small_disk / "new"):
        ran = synth(cleans, out=folder)
        assert ran.code == 1
        assert ran.out == ""
        assert len(ran.err.splitlines()) == 1
        assert "ead-only" in ran.err
    assert contents(small_disk) == before


def test_a_dataset_is_not_taken_for_cleans(
    synth: Synth, cleans: Path, tmp_path: Path, contents: Callable[[Path], dict[str, bytes]]
) -> None:
    """Its noisy side would get noise a second time."""
    assert synth(cleans).code == 0
    ran = synth(tmp_path / "pairs", out=tmp_path / "again")
    assert ran.code == 2
    assert "clean/" in ran.err
    assert synth(tmp_path / "pairs" / "clean", out=tmp_path / "again").code == 0
    shutil.move(tmp_path / "pairs", cleans / "earlier")
    assert synth(cleans, out=cleans / "now").code == 0
    assert set(contents(cleans / "now" / "clean")) == {"a.png", "b.png", "sub/c.png"}


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES, errno.EROFS])
def test_a_disk_that_takes_nothing(
    synth: Synth, cleans: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def fsync(descriptor: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", fsync)
    ran = synth(cleans)
    assert ran.code == 1
    assert ran.out == ""
    assert len(ran.err.splitlines()) == 1
    assert os.strerror(code) in ran.err
