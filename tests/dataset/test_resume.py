"""Runs that are killed or asked to stop, and go on."""

from __future__ import annotations

import random
import signal
from pathlib import Path

import filelock
import imagecodecs
import pictures
import pytest
from dataset_runs import Camera, files_in, forked, run

from noisegen.synthesis.folder import Folder

KILLS, FOLDERS = 50, 10


@pytest.fixture(scope="module")
def whole(
    camera: Camera, photos: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, bytes], float]:
    """What an uninterrupted run makes, and its seconds."""
    out = tmp_path_factory.mktemp("whole") / "pairs"
    ran = forked([{"arguments": camera.synth(photos, out, "--variants", 2)}])
    assert ran.codes == [3]
    files = files_in(out)
    assert len([name for name in files if name.startswith("noisy/")]) == 20
    return files, ran.seconds[0]


def test_fifty_runs_killed_at_random_moments(
    camera: Camera, photos: Path, whole: tuple[dict[str, bytes], float], tmp_path: Path
) -> None:
    expected, seconds = whole
    draw = random.Random(0)
    asked = []
    for folder in range(FOLDERS):
        command = camera.synth(photos, tmp_path / f"{folder}", "--variants", 2, "--quiet")
        for kill in range(KILLS // FOLDERS):
            after, copy = draw.uniform(0, 0.9 * seconds), str(tmp_path / f"{folder}-{kill}")
            asked.append({"arguments": command, "after": after, "copy": copy})
        asked.append({"arguments": command})
    codes = forked(asked).codes
    assert set(codes) == {3, -signal.SIGKILL}
    assert codes.count(-signal.SIGKILL) >= KILLS // 2
    begun = 0
    for folder in range(FOLDERS):
        assert files_in(tmp_path / f"{folder}") == expected
        for kill in range(KILLS // FOLDERS):
            begun += _is_whole_so_far(tmp_path / f"{folder}-{kill}", expected)
    assert begun >= FOLDERS // 2


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


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_request_to_stop_leaves_whole_pairs_and_says_how_to_go_on(
    camera: Camera,
    photos: Path,
    whole: tuple[dict[str, bytes], float],
    tmp_path: Path,
    number: signal.Signals,
) -> None:
    expected, seconds = whole
    asked = []
    for index, share in enumerate((0.3, 0.4, 0.5, 0.6, 0.7)):
        command = camera.synth(photos, tmp_path / f"{index}", "--variants", 2)
        copy = str(tmp_path / f"{index}-copy")
        asked.append(
            {"arguments": command, "after": share * seconds, "signal": number, "copy": copy}
        )
        asked.append({"arguments": command})
    ran = forked(asked)
    stopped = [index for index in range(5) if ran.codes[2 * index] == 130]
    assert stopped
    assert set(ran.codes[::2]) <= {130, 3}
    assert set(ran.codes[1::2]) == {3}
    said = [line for line in ran.said.splitlines() if line.startswith("interrupted")]
    assert len(said) == len(stopped)
    for index in range(5):
        assert files_in(tmp_path / f"{index}") == expected
    for index in stopped:
        _is_whole_so_far(tmp_path / f"{index}-copy", expected)
        if (tmp_path / f"{index}-copy").exists():
            assert not list((tmp_path / f"{index}-copy").rglob("*.part"))
    assert all("same command" in line for line in said)


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


def test_nothing_is_made_twice(camera: Camera, photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "pairs"
    command = camera.synth(photos, out)
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
        "--tune", "1",
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
