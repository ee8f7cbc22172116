"""Finding references, and matching noisy ones with their cleans: by name, by order, or not."""

from __future__ import annotations

from pathlib import Path

import pytest

from noisegen.errors import ImageError, UsageError
from noisegen.references.discover import find_bursts, find_pictures, find_references
from noisegen.references.matching import match, matched_by_order


def _paths(folder: str, names: str) -> list[Path]:
    return [Path(folder) / name for name in names.split()]


@pytest.mark.parametrize(
    ("noisies", "cleans", "expected"),
    [
        ("a.png", "b.png", "b.png"),
        ("a.png b.png", "b.png a.png", "a.png b.png"),
        ("a.jpg b.tif", "a.png b.png", "a.png b.png"),
        ("s1_noisy.png s2_noisy.png", "s2_clean.png s1_clean.png", "s1_clean.png s2_clean.png"),
        ("Canon_toy_Real.JPG Sony_a_Real.JPG", "Sony_a_mean.JPG Canon_toy_mean.JPG",
         "Canon_toy_mean.JPG Sony_a_mean.JPG"),
        ("01_NOISY_SRGB_010.PNG 02_NOISY_SRGB_010.PNG", "02_GT_SRGB_010.PNG 01_GT_SRGB_010.PNG",
         "01_GT_SRGB_010.PNG 02_GT_SRGB_010.PNG"),
        ("w2s001_ch0_noisy.png w2s001_ch1_noisy.png", "w2s001_ch1_clean.png w2s001_ch0_clean.png",
         "w2s001_ch0_clean.png w2s001_ch1_clean.png"),
        ("noisy-7.png noisy-8.png", "clean-8.png clean-7.png", "clean-7.png clean-8.png"),
        ("a.png b_noisy.png", "b_clean.png a.png", "a.png b_clean.png"),
        ("shot1.png shot2.png", "x.png y.png", "x.png y.png"),
        ("0/NOISY_SRGB_010.PNG 1/NOISY_SRGB_010.PNG", "1/GT_SRGB_010.PNG 0/GT_SRGB_010.PNG",
         "0/GT_SRGB_010.PNG 1/GT_SRGB_010.PNG"),
        ("a/noisy/1.png b/noisy/1.png", "b/gt/1.png a/gt/1.png", "a/gt/1.png b/gt/1.png"),
        ("a/1.png a/2.png b/1.png", "b/x.png a/2.png a/1.png", "a/1.png a/2.png b/x.png"),
        ("noisy_002.png noisy_010.png", "gt_10.png gt_2.png", "gt_2.png gt_10.png"),
        ("s01/n_02.png s2/n_02.png", "s2/m_2.png s1/m_2.png", "s1/m_2.png s2/m_2.png"),
        ("DSC0011.png DSC0009.png", "mean_9.png mean_11.png", "mean_11.png mean_9.png"),
        ("s1/input/a.png s2/input/a.png", "s2/target/a.png s1/target/a.png",
         "s1/target/a.png s2/target/a.png"),
        ("s1/x/a.png s2/x/a.png", "s2/a.png s1/a.png", "s1/a.png s2/a.png"),
        ("shot1/a.png shot010/a.png", "mean10/a.png mean1/a.png", "mean1/a.png mean10/a.png"),
    ],
)  # fmt: skip
def test_matches(noisies: str, cleans: str, expected: str) -> None:
    found = match(_paths("n", noisies), _paths("c", cleans))
    assert found == list(zip(_paths("n", noisies), _paths("c", expected), strict=True))


@pytest.mark.parametrize(
    ("noisies", "cleans", "named"),
    [
        ("a.png b.png", "a.png c.png", ("n/b.png", "c/c.png")),
        ("a.png b.png c.png", "a.png b.png", ("n/c.png",)),
        ("a.png b.png", "a.png b.png c.png", ("c/c.png",)),
        ("a.png b.png", "a.png a.jpg", ("c/a.png", "c/a.jpg")),
        ("a.png a.jpg", "a.png b.png", ("n/a.png", "n/a.jpg")),
        ("a.png b.png", "a.png b.png b_clean.png", ("c/b.png", "c/b_clean.png")),
        ("a_noisy.png b_noisy.png", "a_clean.png c_clean.png", ("b_noisy.png", "c_clean.png")),
        ("x.png y.png z.png", "1.png 2.png", ("3 references", "2 cleans")),
        ("x.png y.png", "1.png", ("2 references", "1 clean,")),
        ("a/1.png b/1.png c/1.png", "a/1.png b/1.png", ("n/c/1.png", "folder")),
        ("a/1.png a/01.png b/1.png", "a/1.png a/2.png b/1.png", ("n/a/1.png", "n/a/01.png")),
        ("noisy_1.png noisy_2.png", "gt_2.png gt_3.png", ("noisy_1.png", "gt_3.png")),
        ("DSC1.png DSC2.png", "mean2.png mean3.png", ("DSC1.png", "mean3.png")),
        ("a_clean.png", "a_noisy.png", ("a_clean.png", "a_noisy.png", "swap")),
        ("a/x.png b/y.png", "a/y.png b/x.png", ("n/a/x.png", "c/b/x.png", "c/a/y.png")),
    ],
)
def test_what_would_be_a_guess_is_refused_by_name(
    noisies: str, cleans: str, named: tuple[str, ...]
) -> None:
    with pytest.raises(UsageError) as refusal:
        match(_paths("n", noisies), _paths("c", cleans))
    for name in named:
        assert name in str(refusal.value)


def test_order_is_told_from_names() -> None:
    by_order = match(_paths("n", "a.png b.png"), _paths("c", "x.png y.png"))
    by_name = match(_paths("n", "a_noisy.png b.png"), _paths("c", "a_clean.png b.png"))
    assert matched_by_order(by_order)
    assert not matched_by_order(by_name)
    assert not matched_by_order([(Path("a.png"), None), (Path("b.png"), None)])
    assert not matched_by_order(match(_paths("n", "a.png"), _paths("c", "x.png")))
    by_number = match(_paths("n", "DSC01.png DSC02.png"), _paths("c", "m2.png m1.png"))
    by_folder = match(_paths("n", "a/n.png b/n.png"), _paths("c", "b/x.png a/x.png"))
    assert not matched_by_order(by_number)
    assert not matched_by_order(by_folder)


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    for name in ("b.png", "a.JPG", "s/c.tif", "._a.JPG", ".old/d.png", "notes.txt"):
        path = tmp_path / "shots" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path / "shots"


@pytest.mark.parametrize(
    ("specs", "expected"),
    [
        ([""], ["a.JPG", "b.png", "s/c.tif"]),
        (["*.*[gG]"], ["a.JPG", "b.png"]),
        (["**/*.tif"], ["s/c.tif"]),
        (["s*"], ["s/c.tif"]),
        (["b.png", ""], ["b.png", "a.JPG", "s/c.tif"]),
        (["s", "a.JPG", "s/c.tif"], ["s/c.tif", "a.JPG"]),
    ],
)
def test_files_folders_and_globs(shots: Path, specs: list[str], expected: list[str]) -> None:
    found = find_pictures([str(shots / spec) for spec in specs], "--ref")
    assert [path.relative_to(shots).as_posix() for path in found] == expected


def test_a_file_with_a_globs_characters_is_a_file(shots: Path) -> None:
    (shots / "b[1].png").touch()
    assert find_pictures([str(shots / "b[1].png")], "--ref") == [shots / "b[1].png"]


@pytest.mark.parametrize("spec", ["none.png", "*.webp", "empty"])
def test_nothing_there_is_an_error_that_names_it(shots: Path, spec: str) -> None:
    (shots / "empty").mkdir()
    with pytest.raises(UsageError, match="--ref-clean") as refusal:
        find_references([str(shots)], [str(shots / spec)])
    assert spec in str(refusal.value)


def test_one_file_on_both_sides(shots: Path) -> None:
    with pytest.raises(UsageError, match=r"b\.png"):
        find_references([str(shots / "b.png")], [str(shots / "s" / ".." / "b.png")])


def test_no_cleans(shots: Path) -> None:
    assert find_references([str(shots / "b.png")], []) == [(shots / "b.png", None)]


def test_links_are_followed_like_what_they_lead_to(shots: Path, tmp_path: Path) -> None:
    snapshot = tmp_path / "snapshot"
    snapshot.mkdir()
    (tmp_path / "0a1b").touch()
    (snapshot / "photo.png").symlink_to("../0a1b")
    (snapshot / "more").symlink_to(shots, target_is_directory=True)
    expected = ["more/a.JPG", "more/b.png", "more/s/c.tif", "photo.png"]
    for spec in ("", "**/*.*"):
        found = find_pictures([str(snapshot / spec)], "--ref")
        named = [path.relative_to(snapshot).as_posix() for path in found]
        assert [name for name in named if not name.endswith(".txt")] == expected
    (burst,) = find_bursts([snapshot])
    assert burst.files == (snapshot / "photo.png",)


def test_what_is_no_file_is_refused_by_name(shots: Path) -> None:
    broken = shots / "s" / "broken.png"
    broken.symlink_to(shots / "nowhere.png")
    for find in (lambda: find_pictures([str(shots)], "--ref"), lambda: find_bursts([shots / "s"])):
        with pytest.raises(ImageError, match=r"broken\.png: a link that leads nowhere"):
            find()
    broken.unlink()
    (shots / "s" / "round").symlink_to(shots, target_is_directory=True)
    with pytest.raises(ImageError, match="round: a link to a folder that it lies in"):
        find_pictures([str(shots)], "--ref")
    assert find_pictures([str(shots / "**" / "*.tif")], "--ref") == [shots / "s" / "c.tif"]


def test_numbers_come_in_their_order(shots: Path) -> None:
    for name in ("n/10.png", "n/9.png", "n/010.png", "n/x10y2.png", "n/x9y10.png"):
        (shots / name).parent.mkdir(exist_ok=True)
        (shots / name).touch()
    found = find_pictures([str(shots / "n")], "--ref")
    names = [path.name for path in found]
    assert names == ["9.png", "010.png", "10.png", "x9y10.png", "x10y2.png"]
