"""Runs on a Ray cluster: the files that threads make, and an end to whatever goes wrong."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import pytest
from dataset_runs import Camera, files_in, run
from ray_head import Head, actors, ray_head

VARIANTS = 12
LIMIT = 120
"""Seconds that no run may take, on the slowest machine."""


@pytest.fixture(scope="module")
def head(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Head]:
    with ray_head(tmp_path_factory.mktemp("ray") / "head.log") as running:
        yield running


@pytest.fixture(scope="module")
def whole(
    camera: Camera, photos: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, bytes]:
    """What threads make."""
    out = tmp_path_factory.mktemp("whole") / "pairs"
    assert run(*camera.synth(photos, out, "--variants", VARIANTS))[0] == 3
    return files_in(out)


def _start(arguments: list[str], environment: dict[str, str]) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [sys.executable, "-m", "noisegen", *arguments],
        stdout=pipe, stderr=pipe, text=True, env=environment, start_new_session=True,
    )  # fmt: skip


def _wait_for(what: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    limit = time.monotonic() + LIMIT
    while not what():
        assert time.monotonic() < limit
        assert process.poll() is None, process.communicate()
        time.sleep(0.005)


def _ray(camera: Camera, photos: Path, out: Path, head: Head) -> list[str]:
    more = ("--variants", VARIANTS, "--engine", "ray", "--address", head.address)
    return camera.synth(photos, out, *more)


@pytest.mark.slow
def test_a_run_that_threads_began_ends_in_their_files_on_a_cluster_of_its_own(
    camera: Camera, photos: Path, whole: dict[str, bytes], tmp_path: Path
) -> None:
    out = tmp_path / "pairs"
    _begin_with_threads(camera, photos, out)
    assert (out / ".noisegen" / "journal.jsonl").read_bytes().count(b"\n") == 7
    command = camera.synth(photos, out, "--variants", VARIANTS, "--engine", "ray", "--json")
    environment = {**os.environ, "OMP_NUM_THREADS": "2"}
    said, err = (ran := _start(command, environment)).communicate(timeout=LIMIT)
    assert ran.returncode == 3, err
    result = json.loads(said)
    assert (result["pairs"], result["kept"]) == (10 * VARIANTS, 7)
    assert len(err.splitlines()) == 1
    assert "broken.png" in err
    assert files_in(out) == whole


def _begin_with_threads(camera: Camera, photos: Path, out: Path) -> None:
    """A run of threads that ends, as if killed, once seven items are in its journal."""
    script = (
        "import os, sys\n"
        "from noisegen.cli import app\n"
        "from noisegen.dataset.journal import Journal\n"
        "added, add = [], Journal.add\n"
        "def add_seven(self, record):\n"
        "    add(self, record)\n"
        "    added.append(record)\n"
        "    len(added) == 7 and os._exit(9)\n"
        "Journal.add = add_seven\n"
        "app.main()\n"
    )
    command = camera.synth(photos, out, "--variants", VARIANTS)
    ran = subprocess.run([sys.executable, "-c", script, *command], timeout=LIMIT, check=False)
    assert ran.returncode == 9


@pytest.mark.slow
def test_ctrl_c_ends_a_run_whole_and_threads_go_on(
    camera: Camera, photos: Path, whole: dict[str, bytes], head: Head, tmp_path: Path
) -> None:
    out = tmp_path / "pairs"
    ran = _start(_ray(camera, photos, out, head), head.environment)
    _wait_for(lambda: any(islice((out / "noisy").rglob("*.png"), 1)), ran)
    # As a terminal does: to the whole group.
    os.killpg(ran.pid, signal.SIGINT)
    said, err = ran.communicate(timeout=LIMIT)
    assert (ran.returncode, said) == (130, ""), err
    assert err.startswith("interrupted: ")
    assert len(err.splitlines()) == 1
    assert not list(out.rglob("*.part"))
    begun = {name: data for name, data in files_in(out).items() if name.startswith("noisy/")}
    assert 0 < len(begun) < 10 * VARIANTS
    assert all(whole[name] == data for name, data in begun.items())
    code, said, _ = run(*camera.synth(photos, out, "--variants", VARIANTS))
    assert code == 3
    assert f"{len(begun)} of them made before" in said
    assert files_in(out) == whole


def test_a_dead_actor_is_an_error_and_the_same_command_goes_on(
    camera: Camera, photos: Path, whole: dict[str, bytes], head: Head, tmp_path: Path
) -> None:
    out = tmp_path / "pairs"
    ran = _start(_ray(camera, photos, out, head), head.environment)
    _wait_for(lambda: any(islice((out / "noisy").rglob("*.png"), 1)), ran)
    for actor in actors():
        os.kill(actor, signal.SIGKILL)
    said, err = ran.communicate(timeout=LIMIT)
    assert (ran.returncode, said) == (1, "")
    assert len(err.splitlines()) == 1
    assert "an actor of the Ray cluster failed" in err
    assert "same command" in err
    for name, data in files_in(out).items():
        assert name.startswith(".noisegen") or whole[name] == data
    assert run(*camera.synth(photos, out, "--variants", VARIANTS))[0] == 3
    assert files_in(out) == whole


@pytest.mark.slow
def test_an_output_that_cannot_be_written_is_named(
    camera: Camera, photos: Path, head: Head, tmp_path: Path
) -> None:
    out = tmp_path / "pairs"
    assert run(*camera.synth(photos / "1.png", out, "--variants", VARIANTS))[0] == 0
    # No user, be it root, may write below a file.
    (out / "noisy" / "sub").write_bytes(b"")
    said, err = (ran := _start(_ray(camera, photos, out, head), head.environment)).communicate(
        timeout=LIMIT
    )
    assert (ran.returncode, said) == (1, "")
    assert len(err.splitlines()) == 1
    assert f"{out}/noisy/sub" in err
    assert "is a file, or lies in one; name a folder" in err
    noisy, clean = (
        {path.relative_to(out / side) for path in (out / side).rglob("*.png")}
        for side in ("noisy", "clean")
    )
    assert noisy == clean


def test_without_ray_one_line_says_how_to_get_it(
    camera: Camera, photos: Path, tmp_path: Path
) -> None:
    # None in its place is how Python itself says that a module cannot be imported.
    script = "import sys; sys.modules['ray'] = None; from noisegen.cli.app import main; main()"
    command = camera.synth(photos, tmp_path / "pairs", "--engine", "ray")
    ran = subprocess.run(
        [sys.executable, "-c", script, *command],
        capture_output=True, text=True, timeout=LIMIT, check=False,
    )  # fmt: skip
    assert (ran.returncode, ran.stdout) == (1, "")
    assert len(ran.stderr.splitlines()) == 1
    assert "pip install '.[ray]'" in ran.stderr
    assert not (tmp_path / "pairs").exists()


@pytest.mark.parametrize(
    ("more", "code", "word"),
    [
        (("--address", "auto"), 2, "--engine ray"),
        (("--engine", "ray", "--address", "ray://head:10001"), 2, "auto or HOST"),
        (("--engine", "ray", "--address", "head"), 2, "HOST:PORT"),
        (("--engine", "ray", "--address", "127.0.0.1:1"), 1, "no cluster answers"),
        (("--engine", "ray", "--device", "mps"), 2, "--engine threads"),
    ],
)
def test_what_cannot_be_is_refused_at_once(
    camera: Camera, photos: Path, tmp_path: Path, more: tuple[str, ...], code: int, word: str
) -> None:
    arguments = camera.synth(photos, tmp_path / "pairs", *more)
    if "--device" in more:
        del arguments[arguments.index("cpu") - 1 : arguments.index("cpu") + 1]
    ended, said, err = run(*arguments)
    assert (ended, said) == (code, "")
    assert len(err.splitlines()) == 1
    assert word in err
