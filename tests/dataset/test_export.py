"""A dataset that is packed later is the one that was packed at once."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from dataset_runs import Camera, files_in, run

from noisegen.dataset.layouts.sample import LayoutError


@pytest.fixture(scope="module")
def folders(camera: Camera, photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("folders") / "pairs"
    assert run(*camera.synth(photos, out, "--variants", 2))[0] == 3
    return out


@pytest.mark.parametrize("layout", ["webdataset", "lmdb", "hf"])
def test_packed_later_is_packed_at_once(
    camera: Camera, photos: Path, folders: Path, tmp_path: Path, layout: str
) -> None:
    out, at_once = tmp_path / "later", tmp_path / "at_once"
    command = ("--variants", 2, "--layout", layout)
    assert run(*camera.synth(photos, at_once, *command))[0] == 3
    shutil.copytree(folders, out)
    # What one that was cut off has left is replaced.
    if layout == "lmdb":
        (out / "input_crops.lmdb").mkdir()
        (out / "input_crops.lmdb" / "old.mdb").write_bytes(b"old")
    code, said, _ = run("export", out, "--layout", layout, "--json")
    assert (code, json.loads(said)["pairs"]) == (0, 20)
    assert files_in(out) == files_in(at_once)
    assert sorted(path.name for path in out.iterdir()) == sorted(
        path.name for path in at_once.iterdir()
    )
    assert run("verify", out)[0] == 0
    assert "nothing to do" in run(*camera.synth(photos, out, *command))[1]
    # As after one that was cut off while it took the folders away.
    if layout != "hf":
        shutil.copytree(folders / "clean", out / "clean")
    assert run("export", out, "--layout", layout)[0] == 0
    assert files_in(out) == files_in(at_once)


def test_a_card_goes_with_its_layout_and_notes_stay(folders: Path, tmp_path: Path) -> None:
    out = tmp_path / "pairs"
    shutil.copytree(folders, out)
    assert run("export", out, "--layout", "hf")[0] == 0
    assert run("export", out, "--layout", "folders")[0] == 0
    assert files_in(out) == files_in(folders)
    (out / "README.md").write_text("my notes")
    assert run("export", out, "--layout", "webdataset")[0] == 0
    assert (out / "README.md").read_text() == "my notes"


def test_what_is_packed_otherwise_or_not_finished_is_refused(folders: Path, tmp_path: Path) -> None:
    out = tmp_path / "pairs"
    shutil.copytree(folders, out)
    assert run("export", out, "--layout", "webdataset")[0] == 0
    before = files_in(out)
    code, _, err = run("export", out, "--layout", "lmdb")
    assert code == 2
    assert "packed as webdataset" in err
    assert files_in(out) == before
    (out / "metadata.jsonl").unlink()
    code, _, err = run("export", out, "--layout", "webdataset")
    assert code == 1
    assert "not complete" in err


@pytest.mark.parametrize("layout", ["webdataset", "lmdb"])
def test_a_picture_that_is_lost_is_named_and_nothing_goes(
    folders: Path, tmp_path: Path, layout: str
) -> None:
    out = tmp_path / "pairs"
    shutil.copytree(folders, out)
    (out / "noisy" / "1_v0.png").unlink()
    before = files_in(out)
    code, _, err = run("export", out, "--layout", layout)
    assert code == 1
    assert "noisy/1_v0.png" in err
    assert files_in(out) == before


def test_a_missing_package_is_noticed_before_anything_is_made(
    camera: Camera, photos: Path, tmp_path: Path
) -> None:
    script = "import sys; sys.modules['lmdb'] = None; from noisegen.cli.app import main; main()"
    command = camera.synth(photos, tmp_path / "pairs", "--layout", "lmdb")
    ran = subprocess.run(
        [sys.executable, "-c", script, *command],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert (ran.returncode, ran.stdout) == (LayoutError.exit_code, "")
    assert "pip install '.[lmdb]'" in ran.stderr
    assert not (tmp_path / "pairs").exists()


def test_notes_are_neither_replaced_nor_taken_away(
    camera: Camera, photos: Path, folders: Path, tmp_path: Path
) -> None:
    out = tmp_path / "pairs"
    shutil.copytree(folders, out)
    (out / "README.md").write_text("---\nmy notes, made with noisegen\n")
    code, _, err = run("export", out, "--layout", "hf")
    assert code == 1
    assert "README.md: is not noisegen's, and would be replaced; move it away" in err
    assert run(*camera.synth(photos, out, "--overwrite"))[0] == 3
    assert "my notes" in (out / "README.md").read_text()
    code, _, err = run(*camera.synth(photos, out, "--overwrite", "--layout", "hf"))
    assert code == 1
    assert "move it away" in err
    assert "my notes" in (out / "README.md").read_text()
    assert run("verify", out)[0] == 0
