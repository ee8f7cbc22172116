"""Runs that are killed or asked to stop, and go on."""

from __future__ import annotations

import random
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import filelock
import imagecodecs
import numpy as np
import pictures
import pytest
import tifffile
from dataset_runs import Camera, files_in, forked, run

from noisegen.dataset.folder import Folder
from noisegen.dataset.plan import Shard


@pytest.fixture(scope="module")
def whole(
    camera: Camera, photos: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, bytes]:
    """What an uninterrupted run makes."""
    out = tmp_path_factory.mktemp("whole") / "pairs"
    ran = forked([{"arguments": camera.synth(photos, out, "--variants", 2)}])
    assert ran.codes == [3]
    files = files_in(out)
    assert len([name for name in files if name.startswith("noisy/")]) == 20
    return files


@pytest.mark.parametrize(
    ("folders", "kills"), [(1, 4), pytest.param(10, 5, marks=pytest.mark.slow)]
)
def test_runs_killed_at_random_moments(
    camera: Camera, photos: Path, whole: dict[str, bytes], tmp_path: Path, folders: int, kills: int
) -> None:
    draw = random.Random(0)
    asked = []
    for folder in range(folders):
        command = camera.synth(photos, tmp_path / f"{folder}", "--variants", 2, "--quiet")
        for kill in range(kills):
            files, copy = draw.randrange(1, 9), str(tmp_path / f"{folder}-{kill}")
            asked.append({"arguments": command, "files": files, "copy": copy})
        asked.append({"arguments": command})
    codes = forked(asked).codes
    assert set(codes) == {3, -signal.SIGKILL}
    assert codes.count(-signal.SIGKILL) >= folders * kills // 2
    begun = 0
    for folder in range(folders):
        assert files_in(tmp_path / f"{folder}") == whole
        for kill in range(kills):
            begun += _is_whole_so_far(tmp_path / f"{folder}-{kill}", whole)
    assert begun


def _is_whole_so_far(copy: Path, expected: dict[str, bytes]) -> bool:
    """Nothing torn, no half pair; whether there are some pairs, but not all."""
    if not copy.exists():
        return False
    found = {name: data for name, data in files_in(copy).items() if not name.startswith(".noise")}
    for name, data in found.items():
        assert expected[name] == data, name
        if name.startswith("noisy/"):
            assert name.replace("noisy/", "clean/", 1) in found
    pairs = sum(name.startswith("noisy/") for name in found)
    return 0 < pairs < 20


@pytest.mark.parametrize(("number", "files"), [(signal.SIGINT, 6), (signal.SIGTERM, 20)])
def test_a_request_to_stop_leaves_whole_pairs_and_says_how_to_go_on(
    camera: Camera,
    photos: Path,
    whole: dict[str, bytes],
    tmp_path: Path,
    number: signal.Signals,
    files: int,
) -> None:
    command = camera.synth(photos, tmp_path / "pairs", "--variants", 2)
    copy = tmp_path / "copy"
    stop = {"arguments": command, "files": files, "signal": number, "copy": str(copy)}
    ran = forked([stop, {"arguments": command}])
    assert ran.codes == [130, 3]
    (said,) = (line for line in ran.said.splitlines() if line.startswith("interrupted"))
    assert "same command" in said
    assert _is_whole_so_far(copy, whole)
    assert not list(copy.rglob("*.part"))
    assert files_in(tmp_path / "pairs") == whole


def test_a_second_run_is_refused_while_the_first_is_at_work(
    camera: Camera, photos: Path, tmp_path: Path
) -> None:
    folder = Folder(tmp_path / "pairs")
    with folder.locked():
        other = filelock.FileLock(folder.work / "lock", blocking=False)
        with pytest.raises(filelock.Timeout):
            other.acquire()
        code, out, err = run(*camera.synth(photos, tmp_path / "pairs"))
        assert (code, out) == (1, "")
        assert "another run" in err
    assert run(*camera.synth(photos, tmp_path / "pairs"))[0] == 3


@pytest.mark.parametrize(
    ("more", "word"),
    [
        (("--seed", "1"), "seed"),
        (("--variants", "2"), "variants"),
        (("--strength", "1.5"), "strength"),
        (("--patch", "32"), "patch"),
        (("--compression", "6"), "compression"),
        (("--layout", "hf"), "layout"),
    ],
)
def test_another_recipe_is_refused_with_what_differs(
    camera: Camera, photos: Path, tmp_path: Path, more: tuple[str, ...], word: str
) -> None:
    out = tmp_path / "pairs"
    assert run(*camera.synth(photos, out))[0] == 3
    before = files_in(out)
    code, said, err = run(*camera.synth(photos, out, *more))
    assert (code, said) == (1, "")
    assert len(err.splitlines()) == 1
    assert word in err
    assert "--overwrite" in err
    assert files_in(out) == before
    assert run(*camera.synth(photos, out, *more, "--overwrite"))[0] == 3


def test_another_profile_is_refused_by_name(camera: Camera, photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "pairs"
    assert run(*camera.synth(photos, out))[0] == 3
    mixed = f"{camera.profile}:1,{camera.profile}:2"
    arguments = camera.synth(photos, out)
    place = arguments.index("--profile")
    arguments[place : place + 2] = ["--blend", mixed]
    code, _, err = run(*arguments)
    assert code == 1
    assert "profiles are" in err


def test_what_was_lost_or_altered_is_made_again(
    camera: Camera, photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "pairs"
    command = camera.synth(photos, out)
    assert run(*command)[0] == 3
    expected = files_in(out)
    (out / "noisy" / "1.png").unlink()
    (out / "clean" / "2.png").write_bytes(b"cut short")
    (out / "skipped.jsonl").unlink()
    code, said, _ = run(*command)
    assert code == 3
    assert "8 of them made before" in said
    assert files_in(out) == expected


@pytest.mark.parametrize(
    ("more", "damaged"),
    [
        ((), lambda lines: lines + lines[:2]),
        (("--layout", "webdataset"), lambda lines: lines + lines[:2]),
        (("--patch", 32, "--per-image", 3), lambda lines: lines[:2] + lines[3:]),
        (("--patch", 32, "--per-image", 3), lambda lines: lines[::-1]),
        (("--patch", 32, "--per-image", 3), lambda lines: lines[:-1]),
    ],
    ids=["doubled", "doubled, packed", "crop lost", "reversed", "cut short"],
)
def test_a_manifest_whose_lines_were_lost_or_doubled_is_mended(
    camera: Camera,
    photos: Path,
    tmp_path: Path,
    more: tuple[object, ...],
    damaged: Callable[[list[str]], list[str]],
) -> None:
    out = tmp_path / "pairs"
    command = camera.synth(photos, out, *more)
    assert run(*command)[0] == 3
    expected = files_in(out)
    lines = (out / "metadata.jsonl").read_text().splitlines(keepends=True)
    (out / "metadata.jsonl").write_text("".join(damaged(lines)))
    assert run(*command)[0] == 3
    assert files_in(out) == expected


@pytest.mark.parametrize("more", [(), ("--patch", "40", "--per-image", "99")])
def test_nothing_is_made_twice(
    camera: Camera, photos: Path, tmp_path: Path, more: tuple[str, ...]
) -> None:
    out = tmp_path / "pairs"
    command = camera.synth(photos, out, *more)
    assert run(*command)[0] == 3
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.png")}
    code, said, err = run(*command)
    assert code == 3
    assert "nothing to do" in said
    assert "broken.png" in err
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*.png")} == before


def test_a_dataset_grows_with_its_folder_of_cleans(camera: Camera, tmp_path: Path) -> None:
    cleans = tmp_path / "photos"
    cleans.mkdir()
    for name in ("b", "d"):
        (cleans / f"{name}.png").write_bytes(imagecodecs.png_encode(pictures.scene(40, 40)))
    assert run(*camera.synth(cleans, tmp_path / "grown"))[0] == 0
    for name in ("a", "c"):
        (cleans / f"{name}.png").write_bytes(imagecodecs.png_encode(pictures.scene(48, 40)))
    assert run(*camera.synth(cleans, tmp_path / "grown"))[0] == 0
    assert run(*camera.synth(cleans, tmp_path / "at once"))[0] == 0
    assert files_in(tmp_path / "grown") == files_in(tmp_path / "at once")


def test_profiles_made_by_the_clock_serve_the_run_that_goes_on(
    camera: Camera, photos: Path, tmp_path: Path
) -> None:
    clean = pictures.scene(96, 96)
    noisy = pictures.add_gaussian(clean, 8)
    for name, picture in (("noisy", noisy), ("clean", clean)):
        (tmp_path / f"{name}.png").write_bytes(imagecodecs.png_encode(picture))
    arguments = camera.synth(photos, tmp_path / "pairs")
    place = arguments.index("--profile")
    arguments[place : place + 2] = [
        "--ref", str(tmp_path / "noisy.png"), "--ref-clean", str(tmp_path / "clean.png"),
    ]  # fmt: skip
    assert run(*arguments)[0] == 3
    expected = files_in(tmp_path / "pairs")
    (tmp_path / "pairs" / "noisy" / "1.png").unlink()
    assert run(*arguments)[0] == 3
    assert files_in(tmp_path / "pairs") == expected
    # Another shot is another camera.
    (tmp_path / "noisy.png").write_bytes(imagecodecs.png_encode(pictures.add_gaussian(clean, 9)))
    code, _, err = run(*arguments)
    assert code == 1
    assert "profile noisy is another" in err


def _cleans(folder: Path, *names: str) -> Path:
    folder.mkdir(exist_ok=True)
    for seed, name in enumerate(names):
        picture = pictures.scene(40, 40, seed=seed)
        encoded = imagecodecs.jpeg_encode(picture) if name.endswith("jpg") else None
        (folder / name).write_bytes(encoded or imagecodecs.png_encode(picture))
    return folder


def test_cleans_that_are_gone_take_their_pairs_with_them(camera: Camera, tmp_path: Path) -> None:
    """And the name that one had may be another's then."""
    cleans = _cleans(tmp_path / "photos", "a.jpg", "a.png", "b.png")
    assert run(*camera.synth(cleans, tmp_path / "pairs"))[0] == 0
    (cleans / "a.png").unlink()
    (cleans / "b.png").write_bytes(b"")
    before = files_in(tmp_path / "pairs")
    code, _, err = run(*camera.synth(cleans, tmp_path / "pairs"))
    assert code == 1
    assert "holds pairs of a.png and 1 more (which the clean images have no more)" in err
    assert files_in(tmp_path / "pairs") == before
    code, out, _ = run(*camera.synth(cleans, tmp_path / "pairs", "--prune"))
    assert code == 3
    # a.jpg takes the name a.png, and is made anew.
    assert "took away" in out
    assert run(*camera.synth(cleans, tmp_path / "anew"))[0] == 3
    assert files_in(tmp_path / "pairs") == files_in(tmp_path / "anew")
    assert run("verify", tmp_path / "pairs")[0] == 0


def test_a_clean_that_cannot_be_read_any_more_costs_no_pairs(
    camera: Camera, tmp_path: Path
) -> None:
    """A link into a disk that is not there, or a file that was damaged since."""
    cleans = _cleans(tmp_path / "photos", "a.png", "b.png", "c.png")
    assert run(*camera.synth(cleans, tmp_path / "pairs"))[0] == 0
    made = files_in(tmp_path / "pairs")
    for name, said in (("b.png", "a link that leads nowhere"), ("a.png", "is empty")):
        (cleans / name).unlink()
        if name == "b.png":
            (cleans / name).symlink_to(tmp_path / "unmounted" / name)
        else:
            (cleans / name).write_bytes(b"")
        code, _, err = run(*camera.synth(cleans, tmp_path / "pairs"))
        assert code == 1
        assert f"holds pairs of {name}" in err
        assert said in err
        assert files_in(tmp_path / "pairs") == made
    assert run(*camera.synth(cleans, tmp_path / "pairs", "--prune"))[0] == 3
    assert [*(tmp_path / "pairs" / "noisy").iterdir()] == [tmp_path / "pairs" / "noisy" / "c.png"]


def test_a_mistyped_folder_of_cleans_costs_no_pairs(camera: Camera, tmp_path: Path) -> None:
    out = tmp_path / "pairs"
    assert run(*camera.synth(_cleans(tmp_path / "photos", "a.png", "b.png"), out))[0] == 0
    before = files_in(out)
    code, _, err = run(*camera.synth(_cleans(tmp_path / "others", "c.png"), out))
    assert code == 1
    assert "a.png and 1 more" in err
    assert "--prune" in err
    assert files_in(out) == before


@pytest.mark.parametrize(
    ("layout", "archive"), [("webdataset", "pairs-000000.tar"), ("lmdb", "gt_crops.lmdb")]
)
def test_a_lost_archive_is_made_again(
    camera: Camera, photos: Path, tmp_path: Path, layout: str, archive: str
) -> None:
    out = tmp_path / "pairs"
    command = camera.synth(photos, out, "--layout", layout)
    assert run(*command)[0] == 3
    expected = files_in(out)
    path = out / archive
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
    assert run(*command)[0] == 3
    assert files_in(out) == expected


def test_an_archive_with_a_file_that_fails_late_is_complete(camera: Camera, tmp_path: Path) -> None:
    cleans = _cleans(tmp_path / "photos", "a.png")
    holes = np.full((40, 40, 3), 0.5, np.float32)
    holes[3, 4] = np.nan
    tifffile.imwrite(cleans / "nan.tif", holes, photometric="rgb")
    command = camera.synth(cleans, tmp_path / "pairs", "--layout", "webdataset")
    assert run(*command)[0] == 3
    expected = files_in(tmp_path / "pairs")
    code, said, err = run(*command)
    assert code == 3
    assert "nothing to do" in said
    assert "nan.tif" in err
    assert files_in(tmp_path / "pairs") == expected


def test_pairs_that_were_packed_may_be_half_taken_away(
    camera: Camera, photos: Path, tmp_path: Path
) -> None:
    """A run was killed while it did."""
    out = tmp_path / "pairs"
    command = camera.synth(photos, out, "--layout", "webdataset")
    assert run(*command)[0] == 3
    expected = files_in(out)
    (out / "noisy" / "sub").mkdir(parents=True)
    (out / "noisy" / "7.png").write_bytes(b"left")
    assert run(*command)[0] == 3
    assert files_in(out) == expected


def test_a_run_that_was_killed_before_its_recipe(
    camera: Camera, photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "pairs"
    (out / "profiles").mkdir(parents=True)
    (out / "profiles" / "camera.safetensors").write_bytes(b"")
    assert run(*camera.synth(photos, out))[0] == 3
    assert run("verify", out)[0] == 0


def test_the_whole_and_its_shards_keep_out_each_other(
    camera: Camera, photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "pairs"
    with Folder(out, Shard(1, 2)).locked():
        assert "another run" in run(*camera.synth(photos, out))[2]
        assert run(*camera.synth(photos, out, "--shard", "2/2"))[0] == 3
    shutil.rmtree(out)
    with Folder(out).locked():
        assert "another run" in run(*camera.synth(photos, out, "--shard", "2/2"))[2]


def test_work_folders_that_are_links_are_refused(
    camera: Camera, photos: Path, tmp_path: Path
) -> None:
    target = tmp_path / "target"
    (target / "temporary").mkdir(parents=True)
    (target / "temporary" / "thesis.txt").write_text("years of work")
    (tmp_path / "pairs").mkdir()
    (tmp_path / "pairs" / ".noisegen").symlink_to(target, target_is_directory=True)
    code, _, err = run(*camera.synth(photos, tmp_path / "pairs"))
    assert code == 1
    assert "a link" in err
    assert set(files_in(target)) == {"temporary/thesis.txt"}


def test_a_folder_of_a_pairs_name(camera: Camera, tmp_path: Path) -> None:
    cleans = _cleans(tmp_path / "photos", "a.jpg", "b.png")
    _cleans(cleans / "a.png", "c.png")
    code, _, err = run(*camera.synth(cleans, tmp_path / "pairs"))
    assert code == 3
    assert "a.jpg" in err
    assert run("verify", tmp_path / "pairs")[0] == 0


def test_a_profile_that_is_lost_is_written_again(
    camera: Camera, photos: Path, tmp_path: Path
) -> None:
    command = camera.synth(photos, tmp_path / "out")
    assert run(*command)[0] == 3
    before = files_in(tmp_path / "out")
    shutil.rmtree(tmp_path / "out" / "profiles")
    assert run(*command)[0] == 3
    assert files_in(tmp_path / "out") == before
