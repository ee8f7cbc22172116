"""``verify`` and ``regenerate``: what is not as the manifest says is named."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imagecodecs
import pytest
from dataset_runs import Camera, files_in, run


@pytest.fixture
def dataset(camera: Camera, photos: Path, tmp_path: Path) -> Path:
    assert run(*camera.synth(photos, tmp_path / "pairs"))[0] == 3
    return tmp_path / "pairs"


def _faults(*arguments: object) -> dict[str, str]:
    code, out, _ = run("verify", *arguments, "--json")
    faults = {fault["file"]: fault["reason"] for fault in json.loads(out)["faults"]}
    assert code == (1 if faults else 0)
    return faults


def test_a_dataset_as_it_was_written(dataset: Path) -> None:
    assert _faults(dataset) == {}
    assert _faults(dataset, "--fast") == {}


def test_missing_altered_and_extra_files(dataset: Path) -> None:
    (dataset / "noisy" / "1.png").unlink()
    picture = imagecodecs.imread(dataset / "clean" / "2.png")
    picture[0, 0, 0] ^= 1
    (dataset / "clean" / "2.png").write_bytes(imagecodecs.png_encode(picture))
    (dataset / "noisy" / "4.png").write_bytes(b"torn")
    (dataset / "clean" / "sub" / "more.png").write_bytes(b"")
    (dataset / "profiles" / "other.safetensors").write_bytes(b"")
    faults = _faults(dataset)
    assert {name: reason.split(":")[0] for name, reason in faults.items()} == {
        "noisy/1.png": "is missing",
        "clean/2.png": "is altered",
        "noisy/4.png": "is altered",
        "clean/sub/more.png": "is extra",
        "profiles/other.safetensors": "is extra",
    }
    code, _, err = run("verify", dataset)
    assert code == 1
    assert all(name in err for name in faults)


def test_fast_looks_at_sizes_alone(dataset: Path) -> None:
    path = dataset / "noisy" / "1.png"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 255
    path.write_bytes(data)
    assert _faults(dataset, "--fast") == {}
    assert set(_faults(dataset)) == {"noisy/1.png"}
    path.write_bytes(data[:-1])
    assert set(_faults(dataset, "--fast")) == {"noisy/1.png"}


def test_another_compression_is_no_alteration(dataset: Path) -> None:
    """The hash is the pixels'."""
    path = dataset / "noisy" / "1.png"
    path.write_bytes(imagecodecs.png_encode(imagecodecs.imread(path), level=9))
    assert _faults(dataset) == {}


@pytest.mark.parametrize("layout", ["webdataset", "lmdb"])
def test_archives(camera: Camera, photos: Path, tmp_path: Path, layout: str) -> None:
    out = tmp_path / "pairs"
    assert run(*camera.synth(photos, out, "--layout", layout))[0] == 3
    assert _faults(out) == {}
    assert _faults(out, "--fast") == {}
    lines = (out / "metadata.jsonl").read_text().splitlines()
    altered = lines[0].replace('"noisy_sha256": "', '"noisy_sha256": "0')
    altered = (
        altered[: altered.index('", "clean_sha256') - 1]
        + altered[altered.index('", "clean_sha256') :]
    )
    (out / "metadata.jsonl").write_text("\n".join([altered, *lines[2:]]) + "\n")
    faults = _faults(out)
    assert len(faults) == 2
    assert any("altered" in reason for reason in faults.values())
    assert any("not in the manifest" in reason for reason in faults.values())


def _edited(path: Path, edit: Callable[[dict[str, Any]], None]) -> None:
    """The first line of a manifest, or a recipe, changed."""
    lines = path.read_text().splitlines()
    whole = path.suffix == ".json"
    values = json.loads(path.read_text() if whole else lines[0])
    edit(values)
    text = json.dumps(values)
    path.write_text(text if whole else "\n".join([text, *lines[1:]]) + "\n")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("noisy_file_name", "noisy/../../etc/passwd"),
        ("noisy_file_name", "/etc/passwd"),
        ("noisy_file_name", "C:/windows/noisy.png"),
        ("noisy_file_name", "noisy/..\\..\\x.png"),
        ("noisy_file_name", "noisy/a\0.png"),
        ("noisy_file_name", "clean/1.png"),
        ("clean_file_name", "clean/2.png"),
        ("clean_file_name", None),
        ("noisy_sha256", "12"),
        ("width", "64"),
        ("width", True),
        ("variant", 1.5),
        ("crop", [1, 2, 3]),
        ("strength", 10**400),
        ("strength", float("nan")),
    ],
)
@pytest.mark.parametrize("command", ["verify", "synth", "regenerate"])
def test_hostile_manifests_are_refused(
    dataset: Path, camera: Camera, photos: Path, command: str, name: str, value: object
) -> None:
    _edited(dataset / "metadata.jsonl", lambda line: line.update({name: value}))
    before = files_in(dataset.parent)
    commands: dict[str, list[object]] = {
        "verify": ["verify", dataset],
        "synth": list(camera.synth(photos, dataset)),
        "regenerate": [
            "regenerate", dataset / "noisegen.json", "--clean", photos,
            "--out", dataset.parent / "new", "--weights", camera.weights,
        ],
    }  # fmt: skip
    code, out, err = run(*commands[command])
    assert (code, out) == (1, "")
    assert len(err.splitlines()) == 1
    assert "metadata.jsonl:1" in err
    assert files_in(dataset.parent) == before


@pytest.mark.parametrize(
    "edit",
    [
        lambda recipe: recipe["profiles"][0].update(name="../../evil"),
        lambda recipe: recipe["profiles"][0].update(name="/evil"),
        lambda recipe: recipe["profiles"][0].update(sha256=7),
        lambda recipe: recipe.update(profiles=[]),
        lambda recipe: recipe.update(format=99),
        lambda recipe: recipe["options"].update(variants="two"),
        lambda recipe: recipe["options"].update(variants=10**12),
        lambda recipe: recipe["options"].update(patch=-1),
        lambda recipe: recipe["options"].update(strength=[1]),
        lambda recipe: recipe["options"].update(surprise=1),
        lambda recipe: recipe["options"].update(white_level=10**400),
        lambda recipe: recipe["options"].update(strength=[1, 10**400]),
        lambda recipe: recipe.update(versions=[]),
        lambda recipe: recipe.pop("weights"),
    ],
)
def test_hostile_recipes_are_refused(
    dataset: Path, camera: Camera, photos: Path, edit: Callable[[dict[str, Any]], None]
) -> None:
    _edited(dataset / "noisegen.json", edit)
    before = files_in(dataset.parent)
    new = dataset.parent / "new"
    for arguments in (
        ["verify", dataset],
        camera.synth(photos, dataset),
        ["regenerate", dataset / "noisegen.json", "--clean", photos, "--out", new],
    ):
        code, out, err = run(*arguments)
        assert (code, out) == (1, "")
        assert len(err.splitlines()) == 1
        assert "noisegen.json" in err
    assert files_in(dataset.parent) == before


@pytest.mark.parametrize("name", ["noisegen.json", "metadata.jsonl", "profiles/camera.safetensors"])
def test_pipes_in_a_dataset_are_not_waited_for(
    dataset: Path, camera: Camera, photos: Path, name: str
) -> None:
    (dataset / name).unlink()
    os.mkfifo(dataset / name)
    code, out, err = run("verify", dataset)
    assert (code, out) == (1, "")
    assert Path(name).name in err
    # A finished dataset's profiles are not read again.
    assert run(*camera.synth(photos, dataset))[0] == (3 if name.startswith("profiles") else 1)


@pytest.mark.parametrize(
    "line", ["{", "[]", '{"file": 3}', '{"file": "broken.png", "reason": Infinity}', "\0"]
)
def test_a_list_of_skipped_files_that_is_none(
    dataset: Path, camera: Camera, photos: Path, line: str
) -> None:
    (dataset / "skipped.jsonl").write_text(line + "\n")
    code, _, err = run(*camera.synth(photos, dataset))
    assert code == 1
    assert "skipped.jsonl:1" in err


@pytest.mark.parametrize("name", ["noisy", "profiles"])
def test_folders_that_are_links_are_refused_before_anything_is_written(
    dataset: Path, camera: Camera, photos: Path, tmp_path: Path, name: str
) -> None:
    elsewhere = tmp_path / "elsewhere"
    shutil.move(dataset / name, elsewhere)
    (dataset / name).symlink_to(elsewhere, target_is_directory=True)
    if name == "noisy":
        (elsewhere / "1.png").unlink()
    before = files_in(tmp_path)
    for arguments in (["verify", dataset], camera.synth(photos, dataset)):
        code, _, err = run(*arguments)
        assert code == 1
        assert "a link" in err
        assert files_in(tmp_path) == before


def test_a_snapshot_of_links_is_read(
    dataset: Path, camera: Camera, photos: Path, tmp_path: Path
) -> None:
    """As huggingface_hub, DVC and git-annex leave a dataset: its folders, and links for files."""
    blobs = tmp_path / "blobs"
    shutil.move(dataset, blobs)
    for path in filter(Path.is_file, sorted(blobs.rglob("*"))):
        link = dataset / path.relative_to(blobs)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(path)
    assert run("verify", dataset)[0] == 0
    assert _regenerated(dataset, camera, photos)[0] == 0
    before = files_in(blobs)
    assert run(*camera.synth(photos, dataset), "--overwrite")[0] == 3  # one photo is broken
    assert files_in(blobs) == before
    (dataset / "noisy" / "1.png").unlink()
    (dataset / "noisy" / "1.png").symlink_to(tmp_path / "nowhere.png")
    code, _, err = run("verify", dataset)
    assert code == 1 and "noisy/1.png: is missing" in err


def _regenerated(
    dataset: Path, camera: Camera, photos: Path, *more: object
) -> tuple[int, str, str]:
    return run(
        "regenerate", dataset / "noisegen.json", "--clean", photos,
        "--out", dataset.parent / "new", "--weights", camera.weights, *more,
    )  # fmt: skip


@pytest.mark.parametrize("more", [(), ("--patch", "32", "--per-image", "2", "--variants", "2")])
def test_a_dataset_made_again_is_the_same(
    camera: Camera, photos: Path, tmp_path: Path, more: tuple[str, ...]
) -> None:
    dataset = tmp_path / "pairs"
    assert run(*camera.synth(photos, dataset, *more))[0] == 3
    expected = files_in(dataset)
    # Recipe, profiles and manifest are enough.
    shutil.rmtree(dataset / "noisy")
    shutil.rmtree(dataset / "clean")
    code, out, err = _regenerated(dataset, camera, photos)
    assert code == 0, err
    assert "all equal" in out
    again = files_in(tmp_path / "new")
    del expected["skipped.jsonl"]
    assert again == expected


def test_what_is_finished_is_not_taken_for_made_again(
    dataset: Path, camera: Camera, photos: Path, tmp_path: Path
) -> None:
    """Its pairs would be kept: of cleans that changed since, or by another version of noisegen."""
    cleans = tmp_path / "cleans"
    shutil.copytree(photos, cleans)
    assert _regenerated(dataset, camera, cleans)[0] == 0
    made = files_in(tmp_path / "new")
    shutil.copyfile(photos / "2.png", cleans / "1.png")
    code, out, err = _regenerated(dataset, camera, cleans)
    assert (code, out) == (1, "")
    assert "is finished, so that nothing would be made again; name a new folder" in err
    assert files_in(tmp_path / "new") == made
    # One that was cut short goes on.
    (tmp_path / "new" / "metadata.jsonl").unlink()
    assert _regenerated(dataset, camera, cleans)[0] == 1
    assert _faults(tmp_path / "new") == {}


def test_a_recipe_alone_is_enough_but_nothing_is_compared(
    dataset: Path, camera: Camera, photos: Path
) -> None:
    expected = files_in(dataset)
    (dataset / "metadata.jsonl").unlink()
    code, _, err = _regenerated(dataset, camera, photos)
    assert code == 3
    assert "nothing to compare" in err
    assert files_in(dataset.parent / "new") == expected


def test_cleans_that_changed_vanished_or_are_new_are_told(
    dataset: Path, camera: Camera, photos: Path, tmp_path: Path
) -> None:
    cleans = tmp_path / "cleans"
    shutil.copytree(photos, cleans)
    picture = imagecodecs.imread(cleans / "1.png")
    picture[0, 0] ^= 1
    (cleans / "1.png").write_bytes(imagecodecs.png_encode(picture))
    (cleans / "2.png").unlink()
    (cleans / "new.png").write_bytes(imagecodecs.png_encode(picture))
    code, out, _ = _regenerated(dataset, camera, cleans, "--json")
    assert code == 1
    faults = {fault["file"]: fault["reason"] for fault in json.loads(out)["faults"]}
    assert set(faults) == {"clean/1.png", "noisy/2.png"}
    assert "changed" in faults["clean/1.png"]
    assert "missing" in faults["noisy/2.png"]
    assert not (tmp_path / "new" / "noisy" / "new.png").exists()


@pytest.mark.parametrize("more", [(), ("--patch", "16", "--per-image", "2", "--variants", "2")])
def test_cleans_that_were_added_change_no_pairs_name(
    camera: Camera, photos: Path, tmp_path: Path, more: tuple[str, ...]
) -> None:
    cleans = tmp_path / "cleans"
    cleans.mkdir()
    shutil.copy(photos / "1.png", cleans / "one.png")
    # By its content a picture, by its ending one whose pair becomes PNG.
    shutil.copy(photos / "1.png", cleans / "both.webp")
    shutil.copy(photos / "1.png", cleans / "both.png")
    shutil.copy(photos / "1.png", cleans / "lone.webp")
    assert run(*camera.synth(cleans, tmp_path / "pairs", *more))[0] == 0
    expected = files_in(tmp_path / "pairs")
    assert any("both.webp" in name for name in expected)
    (cleans / "both.png").unlink()
    for added in ("One.png", "lone.png"):
        shutil.copy(photos / "2.png", cleans / added)
    code, out, _ = _regenerated(tmp_path / "pairs", camera, cleans, "--json")
    gone = [name for name in expected if "/both" in name and "webp" not in name]
    assert code == 1
    assert {fault["file"] for fault in json.loads(out)["faults"]} == {
        name for name in gone if name.startswith("noisy")
    }
    again = files_in(tmp_path / "new")
    assert again.keys() == expected.keys() - set(gone)
    assert all(again[name] == expected[name] for name in again if name != "metadata.jsonl")


def test_a_line_that_tells_another_strength_or_profile_is_told(
    dataset: Path, camera: Camera, photos: Path
) -> None:
    """The pixels are the same, but who trains by the manifest learns wrong."""
    _edited(dataset / "metadata.jsonl", lambda line: line.update(strength=2.0, profile="other"))
    code, _, err = _regenerated(dataset, camera, photos)
    assert code == 1
    assert "1.png: is the same, but the manifest tells another profile, strength" in err


def _edited_hash(dataset: Path, name: str, sha256: str) -> None:
    path = dataset / "metadata.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:
        if line["noisy_file_name"] == f"noisy/{name}":
            line["noisy_sha256"] = sha256
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_weights_of_another_hash_are_refused(dataset: Path, photos: Path, tmp_path: Path) -> None:
    code, _, err = run(
        "regenerate", dataset / "noisegen.json", "--clean", photos, "--out", tmp_path / "new"
    )
    assert code == 1
    assert "--weights" in err
    assert not (tmp_path / "new").exists()


def test_a_dataset_that_is_not_finished(dataset: Path) -> None:
    (dataset / "metadata.jsonl").unlink()
    code, _, err = run("verify", dataset)
    assert code == 1
    assert "not complete" in err


def test_a_clean_that_is_there_and_cannot_be_used_is_told_with_its_reason(
    dataset: Path, camera: Camera, photos: Path, tmp_path: Path
) -> None:
    cleans = tmp_path / "cleans"
    shutil.copytree(photos, cleans)
    (cleans / "1.png").write_bytes((photos / "1.png").read_bytes()[:60])
    (cleans / "2.png").unlink()
    (cleans / "4.png").unlink()
    (cleans / "4.png").symlink_to("annex/content-that-was-not-fetched.png")
    code, _, err = _regenerated(dataset, camera, cleans)
    assert code == 1
    said = {line.split("noisy/")[1] for line in err.splitlines() if "noisy/" in line}
    assert "2.png: was not made again: its clean is missing" in said
    assert "4.png: was not made again: a link that leads nowhere" in err
    (cut,) = (line for line in said if line.startswith("1.png"))
    assert "is missing" not in cut
