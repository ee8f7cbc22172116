"""Which files are cleans, and what their outputs are called."""

from __future__ import annotations

import os
import subprocess
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

from noisegen.dataset.cleans import find_cleans
from noisegen.dataset.plan import DatasetOptions
from noisegen.errors import ImageError
from noisegen.files import Container

Fill = Callable[..., Path]


@pytest.fixture
def fill(tmp_path: Path) -> Fill:
    """A folder with empty files of these names: names alone decide."""

    def make(*names: str) -> Path:
        for name in names:
            path = tmp_path / "photos" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        return tmp_path / "photos"

    return make


def _outputs(folder: Path, out: Path | None = None) -> dict[str, str]:
    files = find_cleans(folder, out or folder.parent / "out").files
    return {file.key: file.output.as_posix() for file in files}


def test_lossless_files_keep_their_names_and_others_become_png(fill: Fill) -> None:
    folder = fill("a.PNG", "b.tif", "c.TIFF", "d.bmp", "e.jpg", "f.JPEG", "g.webp", "s/h.i.jpg")
    assert _outputs(folder) == {
        "a.PNG": "a.PNG", "b.tif": "b.tif", "c.TIFF": "c.TIFF", "d.bmp": "d.bmp",
        "e.jpg": "e.png", "f.JPEG": "f.png", "g.webp": "g.png", "s/h.i.jpg": "s/h.i.png",
    }  # fmt: skip
    assert [file.container for file in find_cleans(folder, folder / "out").files] == [
        Container.PNG, Container.TIFF, Container.TIFF, Container.BMP,
        Container.PNG, Container.PNG, Container.PNG, Container.PNG,
    ]  # fmt: skip


def test_every_converted_file_of_a_taken_name_uses_its_full_name(fill: Fill) -> None:
    folder = fill("a.jpg", "a.png", "b.jpg", "b.webp", "C.jpg", "c.PNG", "d.jpg", "s/d.png")
    assert _outputs(folder) == {
        "a.jpg": "a.jpg.png", "a.png": "a.png", "b.jpg": "b.jpg.png", "b.webp": "b.webp.png",
        "C.jpg": "C.jpg.png", "c.PNG": "c.PNG", "d.jpg": "d.png", "s/d.png": "s/d.png",
    }  # fmt: skip


@pytest.mark.parametrize(
    "names",
    [
        ("a.jpg", "a.png", "a.jpg.png"),
        ("A.png", "a.png"),
        ("S/a.png", "s/a.png"),
        (unicodedata.normalize("NFC", "é.png"), unicodedata.normalize("NFD", "é.png")),
    ],
)
def test_of_names_that_still_collide_the_first_is_made(fill: Fill, names: tuple[str, ...]) -> None:
    folder = fill(*names)
    if len(list(folder.rglob("*.*"))) < len(names):
        pytest.skip("these are one file on this file system")
    found = find_cleans(folder, folder / "out")
    (twin,) = found.skipped
    assert len(found.files) == len(names) - 1
    assert "rename one" in twin.reason
    assert any(file.key in twin.reason for file in found.files)


def test_numbered_names_of_different_files_never_meet(fill: Fill) -> None:
    folder = fill("a.png", "a_v0.png", "a_p0.png", "a_p0_v0.png", "a_v0_v0.png")
    for patch, crops, variants in ((None, 1, 12), (8, 12, 1), (8, 12, 12)):
        options = DatasetOptions(patch=patch, per_image=crops, variants=variants)
        names = [
            options.numbered(file, crop, variant).as_posix()
            for file in find_cleans(folder, folder / "out").files
            for crop in range(crops)
            for variant in range(variants)
        ]
        assert len(names) == len(set(names))


def test_numbers_stand_before_the_ending(fill: Fill) -> None:
    folder = fill("s/a.b.png", "s/a.b.jpg")
    jpeg, png = find_cleans(folder, folder / "out").files
    both = DatasetOptions(patch=8, variants=2)
    assert both.numbered(png, 1, 2).as_posix() == "s/a.b_p1_v2.png"
    assert DatasetOptions(variants=2).numbered(png, 0, 0).as_posix() == "s/a.b_v0.png"
    assert DatasetOptions(patch=8).numbered(jpeg, 0, 0).as_posix() == "s/a.b.jpg_p0.png"


def test_files_come_in_the_order_of_their_relative_paths(fill: Fill) -> None:
    folder = fill("b.png", "a/z.png", "a.png", "A/y.png", "a/b/x.png")
    keys = [file.key for file in find_cleans(folder, folder / "out").files]
    assert keys == ["A/y.png", "a.png", "a/b/x.png", "a/z.png", "b.png"]


def test_hidden_files_and_the_output_are_passed_over(fill: Fill) -> None:
    folder = fill("a.png", ".b.png", "._a.png", ".cache/c.png", "out/noisy/d.png", "outer/e.png")
    assert set(_outputs(folder, folder / "out")) == {"a.png", "outer/e.png"}
    assert set(_outputs(folder, folder / "outer" / ".." / "out")) == {"a.png", "outer/e.png"}


def test_other_endings_are_counted(fill: Fill) -> None:
    folder = fill("a.png", "a.txt", "b.psd", "s/c.PSD", "README", ".hidden", "out/x.json")
    assert find_cleans(folder, folder / "out").passed_over == {".psd": 2, ".txt": 1, "": 1}


def test_links_are_followed_and_circles_are_told(fill: Fill, tmp_path: Path) -> None:
    folder = fill("a.png", "s/b.png")
    elsewhere = tmp_path / "blobs"
    (elsewhere / "in").mkdir(parents=True)
    for name in ("0a1b", "c.png", "in/d.png"):
        (elsewhere / name).touch()
    (elsewhere / "in" / "up").symlink_to(elsewhere, target_is_directory=True)
    (folder / "linked.png").symlink_to(folder / "a.png")
    (folder / "photo.png").symlink_to("../blobs/0a1b")
    (folder / "one").symlink_to(elsewhere, target_is_directory=True)
    (folder / "s" / "round").symlink_to(folder, target_is_directory=True)
    (folder / "broken.png").symlink_to(tmp_path / "nowhere.png")
    (folder / "circle.png").symlink_to(folder / "circle.png")
    found = find_cleans(folder, tmp_path / "pairs")
    assert {file.key for file in found.files} == {
        "a.png", "linked.png", "s/b.png", "photo.png", "one/c.png", "one/in/d.png",
    }  # fmt: skip
    reasons = {skipped.file: skipped.reason for skipped in found.skipped}
    assert set(reasons) == {"broken.png", "circle.png", "s/round", "one/in/up"}
    assert "nowhere" in reasons["broken.png"]
    assert "circle" in reasons["circle.png"]
    assert "a folder that it lies in" in reasons["s/round"]


def test_no_file_is_taken_twice_by_a_circle_of_two_links(fill: Fill) -> None:
    folder = fill("x/a.png", "y/b.png")
    (folder / "x" / "to_y").symlink_to(folder / "y", target_is_directory=True)
    (folder / "y" / "to_x").symlink_to(folder / "x", target_is_directory=True)
    assert set(_outputs(folder)) == {"x/a.png", "y/b.png"}


def test_two_links_to_one_folder_are_two_folders(fill: Fill) -> None:
    folder = fill("gt/a.png")
    for camera in ("cam1", "cam2"):
        (folder / camera).symlink_to("gt", target_is_directory=True)
    assert set(_outputs(folder)) == {"gt/a.png", "cam1/a.png", "cam2/a.png"}


def test_a_circle_takes_no_linked_folder_of_elsewhere_away(fill: Fill, tmp_path: Path) -> None:
    folder = fill("a.png")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "b.png").touch()
    for name in ("one", "two"):
        (folder / name).symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    (folder / "round").symlink_to(folder, target_is_directory=True)
    assert set(_outputs(folder)) == {"a.png", "one/b.png", "two/b.png"}


def test_a_link_into_the_output_is_passed_over(fill: Fill) -> None:
    folder = fill("a.png", "out/clean/b.png", "out/noisegen.json")
    (folder / "again").symlink_to("out", target_is_directory=True)
    assert set(_outputs(folder, folder / "out")) == {"a.png"}


@pytest.mark.skipif(sys.platform != "linux", reason="file names are UTF-8 there always")
def test_names_that_a_locale_misreads_draw_no_other_noise(fill: Fill) -> None:
    folder = fill("a.png", "é.png")
    script = (
        "import sys, pathlib; from noisegen.dataset.cleans import find_cleans;"
        "found = find_cleans(pathlib.Path(sys.argv[1]), pathlib.Path('out'));"
        "print([file.key for file in found.files], *(one.reason for one in found.skipped))"
    )
    locale = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    ran = subprocess.run(
        [sys.executable, "-c", script, str(folder)],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **locale},
    )
    assert ran.stdout.startswith("['a.png'] its name is read as "), ran.stderr
    assert "set PYTHONUTF8=1" in ran.stdout


def test_a_folder_that_cannot_be_searched_is_not_left_out_in_silence(
    fill: Fill, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = fill("a.png", "s/b.png")
    real = os.scandir

    def scandir(path: str) -> object:
        if str(path).endswith("s"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    # As root nothing is forbidden, so the refusal itself is what is put in place.
    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(ImageError, match="Permission denied"):
        find_cleans(folder, folder / "out")
