"""What a run on Ray is made of, without a cluster: room, rows, signs of life, machines apart."""

from __future__ import annotations

import json
import time
from pathlib import Path, PurePosixPath

import pytest
from dataset_runs import Camera
from hypothesis import given
from hypothesis import strategies as st

from noisegen.dataset.folder import Folder
from noisegen.dataset.journal import Done, Record, Spent
from noisegen.dataset.manifest import PairLine
from noisegen.dataset.plan import CleanFile, DatasetOptions, Item, Skipped
from noisegen.dataset.ray_actor import ITEM, OUTCOME, PairActor, Work
from noisegen.dataset.ray_cluster import MOST_CORES, ClusterError, Node, plan_actors
from noisegen.dataset.ray_meeting import Meeting, Patience, Watch, open_meeting
from noisegen.dataset.ray_rows import done_row, item_row, name_of, parse_done, parse_item
from noisegen.dataset.recipe import Recipe, make_recipe
from noisegen.files import Container
from noisegen.model.weights import load_weights
from noisegen.references.profile import NoiseProfile

nodes = st.lists(st.builds(Node, st.integers(0, 64), st.integers(0, 8)), max_size=5)


@given(nodes, st.integers(0, 320), st.booleans())
def test_a_core_stays_free_and_each_actor_has_room_on_a_machine(
    machines: list[Node], free: int, on_gpus: bool
) -> None:
    free = min(free, sum(node.cores for node in machines))
    possible = free >= 2 and (not on_gpus or any(node.gpus and node.cores for node in machines))
    if not possible:
        with pytest.raises(ClusterError, match=r"cores|no GPU"):
            plan_actors(machines, free, on_gpus)
        return
    actors = plan_actors(machines, free, on_gpus)
    assert actors.count >= 1
    assert 1 <= actors.cores <= MOST_CORES
    assert actors.count * actors.cores < free
    assert actors.gpus == int(on_gpus)
    room = sum(
        min(node.cores // actors.cores, node.gpus if on_gpus else node.cores) for node in machines
    )
    assert actors.count <= room


@pytest.mark.parametrize(
    ("cores", "count", "each"), [(1, 1, 1), (2, 1, 2), (6, 1, 6), (12, 2, 6), (64, 8, 8)]
)
def test_a_machines_cores_are_shared_out_whole(cores: int, count: int, each: int) -> None:
    actors = plan_actors([Node(cores + 1)], cores + 1, on_gpus=False)
    assert (actors.count, actors.cores) == (count, each)


# Names on a disk may hold any byte: those that are not UTF-8 come as lone surrogates.
names = st.text(st.characters(exclude_characters="/\0", exclude_categories=()), min_size=1)


@given(names, st.integers(0, 99), st.sampled_from(Container), st.booleans())
def test_rows_are_ascii_and_lose_nothing(
    name: str, variant: int, container: Container, made: bool
) -> None:
    output = PurePosixPath("sub") / f"a{name}.png"
    item = Item(CleanFile(Path("/photos", f"a{name}"), name, output, container), variant)
    row = item_row(item)
    assert row.isascii()
    assert parse_item(row) == item
    line = PairLine(
        "noisy/a.png", "clean/a.png", name, variant, "camera", 1.5, 3, 2, 3, "uint8",
        "0" * 64, "1" * 64, 10, 20, (8, 16),
    )  # fmt: skip
    done = (
        Done(item, Record((line,), (7, 10**18 + 1)), spent=Spent(network=0.25))
        if made
        else Done(item, skipped=Skipped(item.file.path, name, f"{name} is damaged"))
    )
    answer = done_row(done, "node")
    assert answer.isascii()
    values = json.loads(answer)
    assert name_of(values) == item.name
    assert parse_done(values, item) == done


def test_a_beating_actor_is_waited_for_and_a_silent_one_is_not(tmp_path: Path) -> None:
    (tmp_path / "weights").write_bytes(b"")
    with open_meeting(tmp_path, tmp_path / "weights") as meeting:
        watch = Watch(meeting, Patience(start=60, silence=3))
        asked_to_stop = meeting.attend("one")
        until = time.monotonic() + 4
        while time.monotonic() < until:
            watch.check()
            time.sleep(0.1)
        assert not asked_to_stop.is_set()
        meeting.ask_to_stop()
        assert asked_to_stop.wait(10)
        impatient = Watch(Meeting(tmp_path), Patience(start=0, silence=60))
        time.sleep(0.01)
        with pytest.raises(ClusterError, match="no actor"):
            impatient.check()
    # The folder is gone, and with it the driver.
    assert asked_to_stop.is_set()
    (tmp_path / "two.beat").touch()
    silent = Watch(Meeting(tmp_path), Patience(start=60, silence=0.2))
    silent.check()
    time.sleep(0.3)
    with pytest.raises(ClusterError, match="no sign of life"):
        silent.check()


@pytest.fixture
def begun(camera: Camera, tmp_path: Path) -> tuple[Recipe, Folder]:
    """A dataset's folder as a run leaves it to its actors."""
    profile = NoiseProfile.load(camera.profile)
    recipe = make_recipe(DatasetOptions(), [profile], load_weights(str(camera.weights)), "cpu")
    folder = Folder(tmp_path / "pairs")
    (folder.root / "profiles").mkdir(parents=True)
    profile.save(folder.root / recipe.profiles[0].file)
    folder.temporary.mkdir(parents=True)
    return recipe, folder


def _answer(work: Work, path: Path) -> dict[str, object]:
    item = Item(CleanFile(path, path.name, PurePosixPath(path.name), Container.PNG), 0)
    (answer,) = PairActor(work)({ITEM: [item_row(item)]})
    values: dict[str, object] = json.loads(answer[OUTCOME][0])
    return values


def test_a_machine_that_does_not_see_the_dataset_names_it(
    begun: tuple[Recipe, Folder], photos: Path
) -> None:
    recipe, folder = begun
    elsewhere = Meeting(folder.temporary / "nowhere")
    answer = _answer(Work(recipe, folder, elsewhere, 1, None, 1024), photos / "1.png")
    assert answer["kind"] == "OutputError"
    assert str(folder.root) in str(answer["failed"])
    assert "--out" in str(answer["failed"])


def test_a_clean_that_only_the_driver_sees_is_told_from_a_broken_one(
    begun: tuple[Recipe, Folder], photos: Path, camera: Camera, tmp_path: Path
) -> None:
    recipe, folder = begun
    with open_meeting(folder.temporary, camera.weights) as meeting:
        work = Work(recipe, folder, meeting, 1, None, 1024)
        assert _answer(work, photos / "broken.png")["unseen"] is None
        assert _answer(work, tmp_path / "elsewhere.png")["unseen"]
        assert _answer(work, photos / "1.png")["skipped"] is None
    assert (folder.root / "noisy" / "1.png").exists()


def test_a_machine_with_other_versions_is_refused(
    begun: tuple[Recipe, Folder], photos: Path, camera: Camera
) -> None:
    recipe, folder = begun
    recipe.versions["torch"] = "2.0"
    with open_meeting(folder.temporary, camera.weights) as meeting:
        answer = _answer(Work(recipe, folder, meeting, 1, None, 1024), photos / "1.png")
    assert answer["kind"] == "ClusterError"
    assert "there 2.0" in str(answer["failed"])


def test_a_pair_that_cannot_be_written_is_an_answer_that_ends_the_work(
    begun: tuple[Recipe, Folder], photos: Path, camera: Camera
) -> None:
    recipe, folder = begun
    # No user, be it root, may write below a file.
    (folder.root / "noisy").write_bytes(b"")
    with open_meeting(folder.temporary, camera.weights) as meeting:
        answer = _answer(Work(recipe, folder, meeting, 1, None, 1024), photos / "1.png")
    assert answer["kind"] == "OutputError"
    assert f"{folder.root}/noisy" in str(answer["failed"])
