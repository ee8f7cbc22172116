"""Shards: any number of them makes the dataset that one run makes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from dataset_runs import Camera, files_in, run
from hypothesis import given
from hypothesis import strategies as st

from noisegen.dataset.plan import Shard, parse_shard
from noisegen.errors import UsageError


@given(key=st.text(), count=st.integers(1, 50))
def test_every_key_is_in_exactly_one_shard(key: str, count: int) -> None:
    assert sum(Shard(index, count).holds(key) for index in range(1, count + 1)) == 1


def test_the_hash_that_datasets_already_made_depend_on() -> None:
    held = [name for name in "abcdef" if Shard(2, 3).holds(f"{name}.png")]
    assert held == ["a", "f"]


@pytest.mark.parametrize("text", ["0/3", "4/3", "1", "a/b", "1/0", "-1/2", "1/2/3", ""])
def test_what_is_no_shard(text: str) -> None:
    with pytest.raises(UsageError, match="--shard"):
        parse_shard(text)


@pytest.mark.parametrize("count", [2, 5])
@pytest.mark.parametrize("layout", ["folders", "hf", "lmdb"])
def test_any_number_of_shards_merges_into_the_files_of_one(
    camera: Camera, photos: Path, tmp_path: Path, count: int, layout: str
) -> None:
    more = ("--patch", 32, "--per-image", 2, "--layout", layout)
    assert run(*camera.synth(photos, tmp_path / "whole", *more))[0] == 3
    # In any order, as a cluster does.
    for index in reversed(range(1, count + 1)):
        code, _, err = run(
            *camera.synth(photos, tmp_path / "parts", *more, "--shard", f"{index}/{count}")
        )
        assert code == 3, err
    code, out, _ = run("merge", tmp_path / "parts", "--json")
    assert code == 0
    assert json.loads(out)["pairs"] == 20
    assert files_in(tmp_path / "parts") == files_in(tmp_path / "whole")
    assert run("verify", tmp_path / "parts")[0] == 0


def test_shards_of_webdataset_are_tars_of_their_own(
    camera: Camera, photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "parts"
    for index in (1, 2):
        more = ("--layout", "webdataset", "--shard", f"{index}/2")
        assert run(*camera.synth(photos, out, *more))[0] == 3
    assert run("merge", out)[0] == 0
    names = sorted(path.name for path in out.iterdir())
    assert names == [
        "metadata.jsonl", "noisegen.json", "pairs-1-of-2-000000.tar", "pairs-2-of-2-000000.tar",
        "profiles", "skipped.jsonl",
    ]  # fmt: skip
    assert run("verify", out)[0] == 0


def test_a_shard_that_is_missing_or_not_finished_is_named(
    camera: Camera, photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "parts"
    for index in (1, 3):
        run(*camera.synth(photos, out, "--shard", f"{index}/3"))
    before = files_in(out)
    code, said, err = run("merge", out)
    assert (code, said) == (1, "")
    assert "2/3" in err
    assert files_in(out) == before


def test_a_shard_that_is_there_twice_or_anothers_is_refused(
    camera: Camera, photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "parts"
    for index in (1, 2):
        run(*camera.synth(photos, out, "--shard", f"{index}/2"))
    shutil.copy(out / "metadata-1-of-2.jsonl", out / "metadata-2-of-2.jsonl")
    code, _, err = run("merge", out)
    assert code == 1
    assert "metadata-2-of-2.jsonl" in err
    shutil.copy(out / "metadata-1-of-2.jsonl", out / "metadata-1-of-3.jsonl")
    err = run("merge", out)[2]
    assert "different numbers" in err
    assert "metadata-1-of-3.jsonl" in err


def test_a_shard_of_another_number_is_refused_before_it_is_made(
    camera: Camera, photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "parts"
    assert run(*camera.synth(photos, out, "--shard", "1/2"))[0] == 3
    before = files_in(out)
    code, _, err = run(*camera.synth(photos, out, "--shard", "2/4"))
    assert (code, len(err.splitlines())) == (1, 1)
    assert "give --shard K/2" in err
    assert files_in(out) == before


@pytest.mark.parametrize("layout", ["folders", "webdataset"])
@pytest.mark.parametrize("more", [("--seed", "1"), ("--strength", "2"), ("--compression", "2")])
def test_shards_that_two_machines_made_otherwise_are_not_joined(
    camera: Camera, photos: Path, tmp_path: Path, layout: str, more: tuple[str, str]
) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    fixed = ("--layout", layout, "--shard")
    assert run(*camera.synth(photos, one, *fixed, "1/2"))[0] == 3
    assert run(*camera.synth(photos, two, *fixed, "2/2", *more))[0] == 3
    recipe = (one / "noisegen.json").read_bytes()
    shutil.copytree(two, one, dirs_exist_ok=True)
    (one / "noisegen.json").write_bytes(recipe)
    made = files_in(one)
    code, out, err = run("merge", one)
    assert (code, out) == (1, "")
    assert "noisegen-2-of-2.json: the shard is of another dataset" in err
    assert f"{more[0][2:]} is" in err
    assert files_in(one) == made
    assert run(*camera.synth(photos, one, "--overwrite"))[0] == 3
    assert not [*one.glob("*-of-*")]


def test_a_shards_lost_picture_is_named(camera: Camera, photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "parts"
    for index in (1, 2):
        run(*camera.synth(photos, out, "--shard", f"{index}/2"))
    (out / "noisy" / "1.png").unlink()
    code, _, err = run("merge", out)
    assert code == 1
    assert "noisy/1.png" in err


def test_a_merge_that_was_cut_off_can_be_run_again(
    camera: Camera, photos: Path, tmp_path: Path
) -> None:
    """Its manifest was written, and the first shard's already taken away."""
    out = tmp_path / "parts"
    for index in (1, 2):
        run(*camera.synth(photos, out, "--shard", f"{index}/2"))
    second = (out / "metadata-2-of-2.jsonl").read_bytes()
    assert run("merge", out)[0] == 0
    merged = files_in(out)
    (out / "metadata-2-of-2.jsonl").write_bytes(second)
    assert run("merge", out)[0] == 0
    assert files_in(out) == merged


def test_shards_of_a_dataset_that_grew_are_merged_anew(
    camera: Camera, photos: Path, tmp_path: Path
) -> None:
    cleans, out = tmp_path / "cleans", tmp_path / "parts"
    cleans.mkdir()
    for name in ("1.png", "2.png"):
        shutil.copy(photos / name, cleans)
    for index in (1, 2):
        run(*camera.synth(cleans, out, "--shard", f"{index}/2"))
    assert run("merge", out)[0] == 0
    for name in ("4.png", "5.png", "7.png", "8.png"):
        shutil.copy(photos / name, cleans)
    run(*camera.synth(cleans, out, "--shard", "1/2"))
    code, _, err = run("merge", out)
    assert code == 1
    assert "2/2" in err
    run(*camera.synth(cleans, out, "--shard", "2/2"))
    assert run("merge", out)[0] == 0
    assert run(*camera.synth(cleans, tmp_path / "whole"))[0] == 0
    assert files_in(out) == files_in(tmp_path / "whole")


def test_nothing_to_merge(camera: Camera, photos: Path, tmp_path: Path) -> None:
    assert run("merge", tmp_path)[0] == 1
    run(*camera.synth(photos, tmp_path / "whole"))
    (tmp_path / "whole" / "metadata.jsonl").unlink()
    code, _, err = run("merge", tmp_path / "whole")
    assert code == 1
    assert "no finished shards" in err


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("layout", ["folders", "webdataset"])
def test_what_is_whole_may_be_merged_again(
    camera: Camera, photos: Path, tmp_path: Path, count: int, layout: str
) -> None:
    """By a job that was queued twice, or after an array of one task."""
    out = tmp_path / "parts"
    for index in range(1, count + 1):
        more = ("--layout", layout, "--shard", f"{index}/{count}")
        assert run(*camera.synth(photos, out, *more))[0] == 3
    if count > 1:
        assert run("merge", out)[0] == 0
    made = files_in(out)
    code, said, _ = run("merge", out, "--json")
    assert (code, json.loads(said)["pairs"]) == (0, 10)
    assert files_in(out) == made


def test_overwriting_one_shard_would_take_the_others(
    camera: Camera, photos: Path, tmp_path: Path
) -> None:
    more = ("--shard", "1/2", "--overwrite")
    assert run(*camera.synth(photos, tmp_path / "parts", *more))[0] == 2


def _make_two_parts(command: list[str]) -> None:
    for index in (1, 2):
        assert run(*command, "--shard", f"{index}/2")[0] == 3


@pytest.mark.parametrize("layout", ["folders", "webdataset", "lmdb"])
def test_what_is_joined_is_whole_whoever_runs_again(
    camera: Camera, photos: Path, tmp_path: Path, layout: str
) -> None:
    out = tmp_path / "parts"
    command = camera.synth(photos, out, "--layout", layout)
    _make_two_parts(command)
    assert run("merge", out)[0] == 0
    joined = files_in(out)
    for more in (("--shard", "1/2"), ("--shard", "2/2"), ()):
        code, said, err = run(*command, *more)
        assert code in (0, 3), err
        assert said.startswith("nothing to do")
        if layout == "folders" and more:
            # It has a manifest of its own again.
            assert run("merge", out)[0] == 0
        assert files_in(out) == joined
    assert run("verify", out)[0] == 0


def test_a_dataset_that_grew_in_one_part_alone(
    camera: Camera, photos: Path, tmp_path: Path
) -> None:
    cleans, out = tmp_path / "cleans", tmp_path / "parts"
    shutil.copytree(photos, cleans)
    (cleans / "broken.png").unlink()
    for index in (1, 2):
        assert run(*camera.synth(cleans, out, "--shard", f"{index}/2"))[0] == 0
    assert run("merge", out)[0] == 0
    new = next(f"new{n}.png" for n in range(99) if Shard(1, 2).holds(f"new{n}.png"))
    old = next(name for name in ("1.png", "2.png", "4.png") if Shard(2, 2).holds(name))
    shutil.copyfile(cleans / "1.png", cleans / new)
    (cleans / old).unlink()
    assert run(*camera.synth(cleans, out, "--shard", "1/2"))[0] == 0
    assert "shard 2/2" in run("merge", out)[2]
    code, _, err = run(*camera.synth(cleans, out, "--shard", "2/2"))
    assert (code, old in err) == (1, True)
    assert run(*camera.synth(cleans, out, "--shard", "2/2", "--prune"))[0] == 0
    assert run("merge", out)[0] == 0
    assert run(*camera.synth(cleans, tmp_path / "whole"))[0] == 0
    assert files_in(out) == files_in(tmp_path / "whole")


def test_what_a_lost_tar_held_is_made_again(camera: Camera, photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "parts"
    command = camera.synth(photos, out, "--layout", "webdataset")
    _make_two_parts(command)
    assert run("merge", out)[0] == 0
    (out / "pairs-2-of-2-000000.tar").unlink()
    assert run(*command)[0] == 3
    assert [path.name for path in out.glob("*.tar")] == ["pairs-000000.tar"]
    assert run("verify", out)[0] == 0


def test_a_part_that_was_begun_before_the_whole_was_made(
    camera: Camera, photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "parts"
    command = camera.synth(photos, out, "--layout", "webdataset")
    assert run(*command)[0] == 3
    whole = files_in(out)
    (out / ".noisegen-2-of-2").mkdir()
    (out / ".noisegen-2-of-2" / "journal.jsonl").write_bytes(b"")
    code, said, _ = run(*command, "--shard", "2/2")
    assert (code, said.startswith("nothing to do")) == (3, True)
    left = {name: data for name, data in files_in(out).items() if "-2-of-2" not in name}
    assert left == whole


def test_shards_are_joined_before_the_whole_is_made(
    camera: Camera, photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "parts"
    command = camera.synth(photos, out, "--layout", "webdataset")
    assert run(*command, "--shard", "1/2")[0] == 3
    made = files_in(out)
    code, _, err = run(*command)
    assert code == 1
    assert "is made in shards, as metadata-1-of-2.jsonl shows; join them" in err
    assert files_in(out) == made
    assert run(*command, "--overwrite")[0] == 3
    assert run("verify", out)[0] == 0


def test_a_joined_shard_that_is_packed_takes_no_new_pictures(
    camera: Camera, photos: Path, tmp_path: Path
) -> None:
    out, more = tmp_path / "parts", tmp_path / "photos"
    shutil.copytree(photos, more)
    command = camera.synth(more, out, "--layout", "webdataset")
    _make_two_parts(command)
    assert run("merge", out)[0] == 0
    new = next(f"new{n}.png" for n in range(99) if Shard(1, 2).holds(f"new{n}.png"))
    shutil.copyfile(more / "1.png", more / new)
    code, _, err = run(*command, "--shard", "1/2")
    assert code == 1
    assert "its layout takes no more images" in err
    assert run("verify", out)[0] == 0


def test_a_tar_that_is_missing_is_named(camera: Camera, photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "parts"
    _make_two_parts(camera.synth(photos, out, "--layout", "webdataset"))
    (out / "pairs-2-of-2-000000.tar").unlink()
    code, _, err = run("merge", out)
    assert code == 1
    assert "pairs-2-of-2-000000.tar: is missing" in err
    assert (out / "metadata-1-of-2.jsonl").exists()


def test_what_a_shard_would_cost(camera: Camera, photos: Path, tmp_path: Path) -> None:
    command = camera.synth(photos, tmp_path / "out", "--dry-run", "--json")
    whole = json.loads(run(*command)[1])
    parts = [json.loads(run(*command, "--shard", f"{i}/2")[1]) for i in (1, 2)]
    for name in ("images", "pairs"):
        assert sum(part[name] for part in parts) == whole[name]
        assert all(part[name] < whole[name] for part in parts)
