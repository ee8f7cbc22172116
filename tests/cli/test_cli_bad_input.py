"""Every bad input: one line that names the file and the way out, an exit code, nothing written."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from noisegen.files import ImageFile, open_image
from noisegen.model.config import ModelConfig
from noisegen.model.weights import NoiseModel, save_weights, untrained_model

Synth = Callable[..., Any]
Write = Callable[[Path, Any], Path]


def test_missing_reference(refused: Synth, camera: Path) -> None:
    refused("--ref", camera / "none.png", code=2, words=("none.png", "--ref"))


def test_a_name_with_colons_is_told_as_it_is(refused: Synth, camera: Path) -> None:
    refused("--ref", camera / "iso:a:smile:.png", code=2, words=("iso:a:smile:.png",))


def test_a_link_to_nowhere(refused: Synth, tmp_path: Path) -> None:
    (tmp_path / "link.png").symlink_to("nowhere.png")
    refused("--ref", tmp_path / "link.png", code=1, words=("link.png: a link that leads nowhere",))


def test_glob_that_matches_nothing(refused: Synth, camera: Path) -> None:
    refused("--ref", camera / "*.tif", code=2, words=("*.tif",))


def test_folder_without_pictures(refused: Synth, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    refused("--ref", tmp_path / "empty", code=2, words=("empty",))


def test_unreadable_reference(refused: Synth, tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\nnot really")
    refused("--ref", tmp_path / "bad.png", code=1, words=("bad.png",))


def test_reference_that_is_no_picture(refused: Synth, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello there, this is text")
    refused("--ref", tmp_path / "notes.txt", code=1, words=("notes.txt", "PNG"))


def test_missing_clean_of_a_reference(refused: Synth, camera: Path) -> None:
    refused(
        "--ref", camera / "noisy.png", "--ref-clean", camera / "no.png",
        code=2, words=("no.png", "--ref-clean"),
    )  # fmt: skip


def test_clean_of_another_size(
    refused: Synth, camera: Path, tmp_path: Path, scene: Any, write_png: Write
) -> None:
    other = write_png(tmp_path / "other.png", scene(128, 96))
    refused(
        "--ref", camera / "noisy.png", "--ref-clean", other,
        code=1, words=("noisy.png", "128×128", "96×128"),
    )  # fmt: skip


def test_identical_pair(refused: Synth, camera: Path, tmp_path: Path) -> None:
    twin = tmp_path / "twin.png"
    shutil.copyfile(camera / "noisy.png", twin)
    refused(
        "--ref", camera / "noisy.png", "--ref-clean", twin,
        code=1, words=("noisy.png", "identical"),
    )  # fmt: skip


def test_reference_smaller_than_a_window(
    refused: Synth, tmp_path: Path, noisy: Any, write_png: Write
) -> None:
    small = write_png(tmp_path / "small.png", noisy(31, 64))
    refused("--ref", small, code=1, words=("small.png", "32"))


def test_one_file_as_reference_and_clean(refused: Synth, camera: Path) -> None:
    refused("--ref", camera, "--ref-clean", camera, code=2, words=("clean.png", "--ref-clean"))


def test_references_of_two_depths(
    refused: Synth, camera: Path, tmp_path: Path, scene: Any, write_png: Write
) -> None:
    deep = write_png(tmp_path / "deep.png", scene(64, 64, dtype=np.uint16))
    refused("--ref", camera / "noisy.png", "--ref", deep, code=1, words=("deep.png", "uint16"))


def test_what_would_be_passed_over_is_refused(
    refused: Synth, run: Any, rgb_profile: Path, camera: Path, cleans: Path, tmp_path: Path
) -> None:
    shot, no = camera / "noisy.png", tmp_path / "no"
    twice = ("--clean", cleans, f"--clean={cleans / 'a.png'}", "--out", no)
    ran = run("synth", "--profile", rgb_profile, *twice)
    assert (ran.code, len(ran.err.splitlines())) == (2, 1)
    assert "--clean is there more than once" in ran.err
    refused("--ref", shot, "--no-repair", code=2, words=("--no-repair", "lone"))
    burst = ("--ref-burst", camera, "--ref-clean", shot)
    refused(*burst, code=2, words=("--ref-burst beside --ref-clean",))
    refused("--profile", tmp_path, code=1, words=("is a folder",))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--strength", "much"), ("--strength", "much")),
        (("--strength", "-1"), ("--strength",)),
        (("--strength", "0"), ("--strength",)),
        (("--strength", "nan"), ("--strength",)),
        (("--strength", "1e300"), ("--strength",)),
        (("--strength", "inf"), ("--strength",)),
        (("--strength", "2:0.5"), ("--strength",)),
        (("--strength", "0.5:"), ("--strength",)),
        (("--variants", "0"), ("--variants",)),
        (("--patch", "0"), ("--patch",)),
        (("--patch", "32", "--per-image", "0"), ("--per-image",)),
        (("--per-image", "4"), ("--per-image", "--patch")),
        (("--white-level", "0"), ("--white-level",)),
        (("--white-level", "nan"), ("--white-level",)),
        (("--white-level", "5000000000"), ("--white-level",)),
        (("--device", "tpu"), ("--device", "tpu")),
    ],
)
def test_options_that_cannot_be_right(
    refused: Synth, rgb_profile: Path, options: tuple[str, ...], words: tuple[str, ...]
) -> None:
    refused("--profile", rgb_profile, *options, code=2, words=words)


def test_no_noise_or_two_kinds_of_it(refused: Synth, camera: Path, rgb_profile: Path) -> None:
    refused(code=2, words=("--ref", "--profile"))
    refused("--ref-clean", camera / "clean.png", code=2, words=("--ref",))
    refused("--ref", camera / "noisy.png", "--profile", rgb_profile, code=2, words=("--profile",))
    refused(
        "--profile", rgb_profile, "--ref-clean", camera / "clean.png",
        code=2, words=("--ref-clean",),
    )  # fmt: skip


@pytest.mark.parametrize("content", [None, b"", b"no profile at all", b"\x08" + bytes(7) + b"{}"])
def test_profile_that_is_none(refused: Synth, tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "camera.safetensors"
    if content is not None:
        path.write_bytes(content)
    refused("--profile", path, code=1, words=("camera.safetensors",))


def test_profile_of_other_weights(refused: Synth, rgb_profile: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.safetensors"
    save_weights(other, untrained_model(seed=3), ModelConfig(), {})
    refused(
        "--profile", rgb_profile, "--weights", other,
        code=1, words=("colour.safetensors", "other", "--weights"),
    )  # fmt: skip


def test_unknown_weights(refused: Synth, rgb_profile: Path) -> None:
    refused("--profile", rgb_profile, "--weights", "huge", code=1, words=("huge", "no such"))


@pytest.mark.parametrize("content", [b"", b"garbage" * 9])
def test_damaged_weights(refused: Synth, rgb_profile: Path, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(content)
    refused("--profile", rgb_profile, "--weights", path, code=1, words=("w.safetensors",))


def test_weights_of_another_version(
    refused: Synth, rgb_profile: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "old.safetensors"
    monkeypatch.setattr("noisegen.model.weights.FORMAT", 0)
    save_weights(path, NoiseModel(ModelConfig()), ModelConfig(), {})
    monkeypatch.undo()
    refused(
        "--profile", rgb_profile, "--weights", path,
        code=1, words=("old.safetensors", "version 0"),
    )  # fmt: skip


def test_missing_cleans(refused: Synth, rgb_profile: Path, tmp_path: Path) -> None:
    refused("--profile", rgb_profile, "--clean", tmp_path / "no", code=2, words=("--clean", "no"))


def test_cleans_folder_without_pictures(refused: Synth, rgb_profile: Path, tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text("a")
    refused("--profile", rgb_profile, "--clean", tmp_path / "texts", code=2, words=("texts",))


def test_no_clean_can_be_used(refused: Synth, rgb_profile: Path, tmp_path: Path) -> None:
    (tmp_path / "bad").mkdir()
    for name in ("x.png", "y.jpg"):
        (tmp_path / "bad" / name).write_bytes(b"nothing")
    refused("--profile", rgb_profile, "--clean", tmp_path / "bad", code=1, words=("x.png", "PNG"))


def test_a_damaged_clean_alone(
    refused: Synth, rgb_profile: Path, cleans: Path, tmp_path: Path
) -> None:
    """Its header reads well: the damage shows only when its pixels are decoded."""
    path = tmp_path / "cut.png"
    path.write_bytes((cleans / "b.png").read_bytes()[:200])
    refused("--profile", rgb_profile, "--clean", path, code=1, words=("cut.png",))


def test_gray_cleans_for_a_colour_camera(
    refused: Synth, rgb_profile: Path, tmp_path: Path, scene: Any, write_png: Write
) -> None:
    path = write_png(tmp_path / "gray.png", scene(channels=1))
    refused("--profile", rgb_profile, "--clean", path, code=1, words=("gray.png", "gray", "RGB"))


def test_colour_cleans_for_a_gray_camera(refused: Synth, gray_profile: Path, cleans: Path) -> None:
    refused("--profile", gray_profile, code=1, words=("a.png", "gray", "RGB"))


def test_cleans_smaller_than_the_crops(refused: Synth, rgb_profile: Path) -> None:
    refused("--profile", rgb_profile, "--patch", 200, code=1, words=("a.png", "--patch 200"))


def test_one_bad_clean_does_not_stop_the_rest(
    synth: Synth, cleans: Path, tmp_path: Path, contents: Callable[[Path], dict[str, bytes]]
) -> None:
    whole = (cleans / "b.png").read_bytes()
    (cleans / "bad.png").write_bytes(b"")
    (cleans / "cut.png").write_bytes(whole[: len(whole) // 2])
    ran = synth(cleans)
    assert ran.code == 3
    assert ran.out.startswith("wrote 3 pairs")
    for name in ("bad.png", "cut.png"):
        assert [name in line for line in ran.err.splitlines()].count(True) == 1
    names = set(contents(tmp_path / "pairs" / "noisy"))
    assert names == set(contents(tmp_path / "pairs" / "clean")) == {"a.png", "b.png", "sub/c.png"}


@pytest.mark.parametrize("is_open", [False, True])
def test_a_clean_that_vanishes_does_not_stop_the_rest(
    is_open: bool, synth: Synth, cleans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is gone when it is to be opened; or later, when it was open already."""
    clean = (cleans / "b.png").read_bytes()

    @contextmanager
    def open_and_remove(path: Path) -> Iterator[ImageFile]:
        if path.name == "b.png" and not is_open:
            path.unlink()
        with open_image(path) as image:
            if path.name == "b.png":
                path.unlink()
            yield image

    monkeypatch.setattr("noisegen.dataset.pairs.open_image", open_and_remove)
    ran = synth(cleans)
    copy = tmp_path / "pairs" / "clean" / "b.png"
    if is_open:
        assert ran.code == 0
        assert copy.read_bytes() == clean
    else:
        assert ran.code == 3
        assert ran.out.startswith("wrote 2 pairs")
        assert "b.png" in ran.err
        assert not copy.exists()


def test_bad_cleans_are_named_even_when_quiet_and_in_json(
    synth: Synth, cleans: Path, tmp_path: Path
) -> None:
    (cleans / "bad.png").write_bytes(b"")
    ran = synth(cleans, "--quiet", "--variants", 2)
    assert (ran.code, ran.out) == (3, "")
    assert len(ran.err.splitlines()) == 1
    assert "bad.png" in ran.err
    ran = synth(cleans, "--json", out=tmp_path / "second")
    assert ran.code == 3
    assert ran.json["pairs"] == 3
    assert len(ran.json["skipped"]) == 1
    assert "bad.png" in str(ran.json["skipped"])
    assert synth(cleans, "--dry-run", out=tmp_path / "third").code == 3


def test_names_that_would_break_a_line_do_not(
    synth: Synth, cleans: Path, rgb_profile: Path
) -> None:
    (cleans / "two\nlines\x1b[31m.png").write_bytes(b"")
    ran = synth(cleans)
    assert ran.code == 3
    assert len(ran.err.splitlines()) == 1
    assert "\x1b" not in ran.err


@pytest.mark.parametrize(
    ("name", "word"), [(b"caf\xe9.png", "UTF-8"), (b"a:b.png", "drive"), (b"\\a.png", "drive")]
)
def test_a_name_that_no_metadata_can_hold(
    synth: Synth, cleans: Path, name: bytes, word: str
) -> None:
    try:
        shutil.copyfile(cleans / "b.png", cleans / os.fsdecode(name))
    except OSError:
        pytest.skip("this file system does not take such a name")
    ran = synth(cleans)
    assert ran.code == 3
    assert ran.out.startswith("wrote 3 pairs")
    assert word in ran.err
