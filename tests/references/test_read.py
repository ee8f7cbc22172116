"""Reference files: stacks, channels and bursts of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from noisegen.errors import BadReferenceError, ImageError, UsageError
from noisegen.references.discover import find_bursts
from noisegen.references.load import read_bursts, read_references
from noisegen.references.matching import Matches

SAMPLES: NDArray[Any] = np.random.default_rng(0).integers(0, 4000, (3, 2, 8, 9)).astype(np.uint16)
"""Three moments of two channels."""


def write(path: Path, samples: NDArray[Any], axes: str = "TYX", **metadata: Any) -> Path:
    metadata = {"axes": axes, **metadata}
    tifffile.imwrite(path, samples, ome=True, metadata=metadata, photometric="minisblack")
    return path


def test_a_stack_is_many_references(tmp_path: Path) -> None:
    noisy = write(tmp_path / "stack.tif", SAMPLES[:, 0])
    single = write(tmp_path / "one.tif", SAMPLES[0, 1], "YX")
    (references,) = read_references([(noisy, None), (single, None)]).values()
    names = ["stack.tif[0]", "stack.tif[1]", "stack.tif[2]", "one.tif"]
    assert [reference.name for reference in references] == names
    for reference, samples in zip(references, SAMPLES[:, 0], strict=False):
        np.testing.assert_array_equal(reference.noisy[..., 0], samples)
        assert reference.clean is None


def test_a_clean_stack_or_one_clean_for_all(tmp_path: Path) -> None:
    noisy = write(tmp_path / "noisy.tif", SAMPLES[:, 0])
    stack = write(tmp_path / "clean.tif", SAMPLES[:, 1])
    mean = write(tmp_path / "mean.tif", SAMPLES[0, 1], "YX")
    (each,) = read_references([(noisy, stack)]).values()
    (shared,) = read_references([(noisy, mean)]).values()
    for index in range(3):
        clean, same = each[index].clean, shared[index].clean
        assert clean is not None and same is not None
        np.testing.assert_array_equal(clean[..., 0], SAMPLES[index, 1])
        np.testing.assert_array_equal(same[..., 0], SAMPLES[0, 1])
    two = write(tmp_path / "two.tif", SAMPLES[:2, 1])
    for shots, clean_file in ((noisy, two), (mean, stack)):
        with pytest.raises(
            BadReferenceError, match=r"a stack of \d, but .* holds \d; give a stack"
        ):
            read_references([(shots, clean_file)])


def test_channels_stay_apart(tmp_path: Path) -> None:
    names = {"Name": ["DAPI", "GFP"]}
    noisy = write(tmp_path / "noisy.tif", SAMPLES, "TCYX", Channel=names)
    clean = write(tmp_path / "clean.tif", SAMPLES[:1] + 1, "TCYX", Channel=names)
    read = read_references([(noisy, clean)])
    assert list(read) == ["DAPI", "GFP"]
    for index, (channel, references) in enumerate(read.items()):
        expected = [f"noisy.tif[{channel}][{frame}]" for frame in range(3)]
        assert [reference.name for reference in references] == expected
        for reference, samples in zip(references, SAMPLES[:, index], strict=True):
            np.testing.assert_array_equal(reference.noisy[..., 0], samples)
            assert reference.clean is not None
            np.testing.assert_array_equal(reference.clean[..., 0], SAMPLES[0, index] + 1)


def test_files_of_other_channels_are_refused(tmp_path: Path) -> None:
    two = write(tmp_path / "two.tif", SAMPLES[0], "CYX")
    one = write(tmp_path / "one.tif", SAMPLES[0, 0], "YX")
    several: list[Matches] = [[(two, one)], [(two, None), (one, None)]]
    for matches in several:
        with pytest.raises(BadReferenceError, match=r"one\.tif: has one channel, but two\.tif has"):
            read_references(matches)


def test_a_stack_is_a_burst(tmp_path: Path) -> None:
    stack = write(tmp_path / "still.ome.tif", SAMPLES[:, 0])
    (bursts,) = read_bursts(find_bursts([stack])).values()
    (burst,) = bursts
    assert burst.name == "still.ome"
    assert burst.names == tuple(f"still.ome.tif[{index}]" for index in range(3))
    np.testing.assert_array_equal(np.stack(burst.shots)[..., 0], SAMPLES[:, 0])


def test_stacks_in_a_folder_are_one_burst(tmp_path: Path) -> None:
    (tmp_path / "evening").mkdir()
    write(tmp_path / "evening" / "a.tif", SAMPLES[:2], "TCYX")
    write(tmp_path / "evening" / "b.tif", SAMPLES[2], "CYX")
    read = read_bursts(find_bursts([tmp_path / "evening"]))
    assert list(read) == ["c0", "c1"]
    (burst,) = read["c1"]
    assert (burst.name, burst.names) == ("evening", ("a.tif[c1][0]", "a.tif[c1][1]", "b.tif[c1]"))
    np.testing.assert_array_equal(np.stack(burst.shots)[..., 0], SAMPLES[:, 1])


def test_shots_that_the_file_calls_channels_are_told_so(tmp_path: Path) -> None:
    """tifffile writes an ImageJ stack without axes as one of channels."""
    tifffile.imwrite(tmp_path / "still.tif", SAMPLES[:, 0], imagej=True)
    with pytest.raises(BadReferenceError, match="still: one picture of the channels c0, c1, c2, "):
        read_bursts(find_bursts([tmp_path / "still.tif"]))


def test_what_is_no_burst(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no folder and no file"):
        find_bursts([tmp_path / "none"])
    (tmp_path / "notes.txt").write_text("no picture")
    with pytest.raises(ImageError, match=r"notes\.txt"):
        read_bursts(find_bursts([tmp_path / "notes.txt"]))


def test_references_of_one_name_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    places = [tmp_path / "far" / "Data" / f"000{scene}_S6" / "NOISY.tif" for scene in range(2)]
    for place in places:
        place.parent.mkdir(parents=True)
        write(place, SAMPLES[0, 0], "YX")
    (references,) = read_references([(place, None) for place in places]).values()
    assert [one.name for one in references] == ["0000_S6/NOISY.tif", "0001_S6/NOISY.tif"]
    (bursts,) = read_bursts(find_bursts([place.parent for place in places])).values()
    assert [burst.name for burst in bursts] == ["0000_S6", "0001_S6"]
    deeper = tmp_path / "far" / "other" / "0000_S6"
    deeper.mkdir(parents=True)
    write(deeper / "NOISY.tif", SAMPLES[0, 0], "YX")
    (bursts,) = read_bursts(find_bursts([places[0].parent, deeper])).values()
    assert [burst.name for burst in bursts] == ["Data/0000_S6", "other/0000_S6"]
