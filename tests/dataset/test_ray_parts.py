"""What a run on Ray is made of, without a cluster: room, signs of life, machines apart."""

from __future__ import annotations

import time
from pathlib import Path, PurePosixPath

import pytest
from dataset_runs import Camera
from hypothesis import given
from hypothesis import strategies as st

from noisegen.dataset.folder import Folder
from noisegen.dataset.plan import CleanFile, DatasetOptions, Item
from noisegen.dataset.ray_actor import PairActor
from noisegen.dataset.ray_cluster import MOST_CORES, ClusterError, Node, plan_actors
from noisegen.dataset.ray_engine import Patience, Watch
from noisegen.dataset.recipe import Recipe, make_recipe
from noisegen.errors import OutputError
from noisegen.files import Container
from noisegen.model.weights import load_weights
from noisegen.profiles.profile import NoiseProfile

nodes = st.lists(st.builds(Node, st.integers(0, 64), st.integers(0, 8)), max_size=5)


@given(nodes, st.integers(0, 320), st.booleans())
def test_each_actor_has_room_on_a_machine(machines: list[Node], free: int, on_gpus: bool) -> None:
    free = min(free, sum(node.cores for node in machines))
    possible = free >= 1 and (not on_gpus or any(node.gpus and node.cores for node in machines))
    if not possible:
        with pytest.raises(ClusterError, match=r"no free core|no GPU"):
            plan_actors(machines, free, on_gpus)
        return
    actors = plan_actors(machines, free, on_gpus)
    assert actors.count >= 1
    assert 1 <= actors.cores <= MOST_CORES
    assert actors.count * actors.cores <= free
    assert actors.gpus == int(on_gpus)
    room = sum(
        min(node.cores // actors.cores, node.gpus if on_gpus else node.cores) for node in machines
    )
    assert actors.count <= room


@pytest.mark.parametrize(
    ("cores", "count", "each"), [(1, 1, 1), (2, 1, 2), (6, 1, 6), (12, 2, 6), (64, 8, 8)]
)
def test_a_machines_cores_are_shared_out_whole(cores: int, count: int, each: int) -> None:
    actors = plan_actors([Node(cores)], cores, on_gpus=False)
    assert (actors.count, actors.cores) == (count, each)


def test_an_actor_that_answers_is_waited_for_and_a_silent_one_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    watch = Watch(Patience(start=60, silence=20))
    watch.check()
    for _ in range(6):
        watch.hear(0)
        watch.hear(1)
        now[0] += 5
        watch.check()
    now[0] += 20
    # One that answers does not speak for the other.
    watch.hear(1)
    with pytest.raises(ClusterError, match="no sign of life"):
        watch.check()
    impatient = Watch(Patience(start=0, silence=60))
    now[0] += 1
    with pytest.raises(ClusterError, match="no actor"):
        impatient.check()


@pytest.fixture
def begun(camera: Camera, tmp_path: Path) -> tuple[Recipe, Folder]:
    """A dataset's folder as a run leaves it to its actors."""
    profile = NoiseProfile.load(camera.profile)
    recipe = make_recipe(DatasetOptions(), [profile], load_weights(str(camera.weights)), "cpu")
    folder = Folder(tmp_path / "pairs")
    (folder.root / "profiles").mkdir(parents=True)
    profile.save(folder.root / recipe.profiles[0].file)
    folder.recipe.write_bytes(recipe.to_bytes())
    folder.temporary.mkdir(parents=True)
    return recipe, folder


def _actor(begun: tuple[Recipe, Folder], camera: Camera) -> PairActor:
    actor = PairActor(*begun, threads=1, tile=1024)
    actor.prepare(camera.weights.read_bytes())
    return actor


def _item(path: Path) -> Item:
    return Item(CleanFile(path, path.name, PurePosixPath(path.name), Container.PNG), 0)


def test_a_machine_that_does_not_see_the_dataset_names_it(
    begun: tuple[Recipe, Folder], camera: Camera
) -> None:
    _, folder = begun
    folder.recipe.unlink()
    with pytest.raises(OutputError, match="--out") as refused:
        _actor(begun, camera)
    assert str(folder.root) in str(refused.value)


def test_a_clean_that_only_the_driver_sees_is_told_from_a_broken_one(
    begun: tuple[Recipe, Folder], photos: Path, camera: Camera, tmp_path: Path
) -> None:
    actor = _actor(begun, camera)
    broken, unseen = actor.make(_item(photos / "broken.png"))
    assert broken.skipped
    assert unseen is None
    _, unseen = actor.make(_item(tmp_path / "elsewhere.png"))
    assert unseen
    done, unseen = actor.make(_item(photos / "1.png"))
    assert (done.pairs, unseen) == (1, None)
    assert (begun[1].root / "noisy" / "1.png").exists()


def test_a_machine_with_other_versions_is_refused(
    begun: tuple[Recipe, Folder], camera: Camera
) -> None:
    begun[0].versions["torch"] = "2.0"
    with pytest.raises(ClusterError, match=r"there 2\.0"):
        _actor(begun, camera)


def test_a_pair_that_cannot_be_written_is_an_error_that_names_it(
    begun: tuple[Recipe, Folder], photos: Path, camera: Camera
) -> None:
    _, folder = begun
    actor = _actor(begun, camera)
    # No user, be it root, may write below a file.
    (folder.root / "noisy").write_bytes(b"")
    with pytest.raises(OutputError, match=f"{folder.root}/noisy"):
        actor.make(_item(photos / "1.png"))
