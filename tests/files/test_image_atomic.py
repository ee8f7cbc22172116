"""A written file is whole or not there, and nothing else is left behind."""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest

from noisegen.errors import ImageError, OutputError
from noisegen.files import open_image, write_atomically, write_together

Write = Callable[[Path], None]
NEW = b"BM, told as an image by its first bytes"


def copy(source: Path, target: Path) -> None:
    with open_image(source) as image:
        write_together([(target, image.copy_to)])


@pytest.fixture(params=["write", "copy"])
def write(request: pytest.FixtureRequest, tmp_path: Path) -> Write:
    """Writes :data:`NEW` to a path, one way or the other."""
    if request.param == "write":
        return lambda path: write_atomically(path, NEW)
    source = tmp_path / "source"
    source.write_bytes(NEW)
    return lambda path: copy(source, path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "target"
    path.mkdir()
    return path


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def test_the_file_is_there_alone(write: Write, folder: Path) -> None:
    write(folder / "a.png")
    assert (folder / "a.png").read_bytes() == NEW
    assert names_in(folder) == ["a.png"]


def test_an_old_file_is_replaced(write: Write, folder: Path) -> None:
    (folder / "a.png").write_bytes(NEW + b", older and longer")
    write(folder / "a.png")
    assert (folder / "a.png").read_bytes() == NEW


def test_a_large_copy_is_exact(tmp_path: Path) -> None:
    data = b"BM" + os.urandom(3 * 2**20 + 17)
    (tmp_path / "a").write_bytes(data)
    copy(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == data


@pytest.mark.skipif(sys.platform == "win32", reason="no file modes")
def test_the_copy_has_ordinary_permissions(tmp_path: Path) -> None:
    source = tmp_path / "a"
    source.write_bytes(NEW)
    source.chmod(0o400)
    copy(source, tmp_path / "b")
    write_atomically(tmp_path / "c", b"x")
    plain = tmp_path / "d"
    plain.write_bytes(b"x")
    modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in "bcd"}
    assert modes == {stat.S_IMODE(plain.stat().st_mode)}


def test_the_longest_name_can_be_written(write: Write, folder: Path) -> None:
    name = "a" * 251 + ".png"
    write(folder / name)
    assert names_in(folder) == [name]


def test_a_missing_folder(write: Write, folder: Path) -> None:
    path = folder / "none" / "a.png"
    with pytest.raises(OutputError, match="make the folder first") as caught:
        write(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert names_in(folder) == []


def test_a_name_that_is_too_long(write: Write, folder: Path) -> None:
    with pytest.raises(OutputError, match="shorter name"):
        write(folder / ("a" * 300))
    assert names_in(folder) == []


def test_a_folder_in_the_way(write: Write, folder: Path) -> None:
    (folder / "a.png").mkdir()
    with pytest.raises(OutputError, match=r"a\.png"):
        write(folder / "a.png")
    assert names_in(folder) == ["a.png"]


@pytest.mark.parametrize(
    ("number", "way_out"),
    [
        (errno.ENOSPC, "free some space"),
        (errno.EDQUOT, "free some space"),
        (errno.EACCES, "may write to"),
        (errno.EROFS, "may write to"),
        (errno.EIO, "choose another folder"),
    ],
)
def test_a_full_disk_leaves_the_old_file_alone(
    number: int, way_out: str, write: Write, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "a.png").write_bytes(b"old")
    seen: list[list[str]] = []

    def fail(_: int) -> None:
        seen.append(sorted(names_in(folder)))
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OutputError, match=way_out) as caught:
        write(folder / "a.png")
    assert os.strerror(number) in str(caught.value)
    assert str(folder / "a.png") in str(caught.value)
    assert (folder / "a.png").read_bytes() == b"old"
    assert names_in(folder) == ["a.png"]
    (names,) = seen
    (temporary,) = set(names) - {"a.png"}
    assert temporary.startswith(".")
    assert temporary.endswith(".part")


def test_an_interruption_leaves_nothing(
    write: Write, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write(folder / "a.png")
    assert names_in(folder) == []


@pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() == 0, reason="root may write everywhere"
)
def test_a_read_only_folder(write: Write, folder: Path) -> None:
    folder.chmod(0o500)
    try:
        with pytest.raises(OutputError, match="may write to"):
            write(folder / "a.png")
    finally:
        folder.chmod(0o700)


def test_a_missing_source_is_the_sources_fault(folder: Path) -> None:
    source = folder / "none.png"
    with pytest.raises(ImageError) as caught:
        copy(source, folder / "a.png")
    assert caught.value.path == source
    assert names_in(folder) == []


def test_contents_that_write_themselves(folder: Path) -> None:
    def content(file: BinaryIO) -> None:
        file.write(b"0123")
        file.seek(1)
        file.write(b"new")

    write_together([(folder / "a", content), (folder / "b", b"other")])
    assert (folder / "a").read_bytes() == b"0new"
    assert sorted(names_in(folder)) == ["a", "b"]


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (ImageError("x.tif", "damaged"), ImageError),
        (OSError(errno.ENOSPC, "No space left"), OutputError),
        (KeyboardInterrupt(), KeyboardInterrupt),
    ],
)
def test_contents_that_fail_leave_nothing(
    raised: BaseException, expected: type[BaseException], folder: Path
) -> None:
    def content(file: BinaryIO) -> None:
        file.write(b"part")
        raise raised

    with pytest.raises(expected):
        write_together([(folder / "a", b"whole"), (folder / "b", content)])
    assert names_in(folder) == []
