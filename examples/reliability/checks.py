"""The checks: each tries what may go wrong and counts what is lost."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import fuzzing
import numpy as np
import tifffile
from forks import Child, Ended
from numpy.typing import NDArray
from PIL import Image

import noisegen.cli.dataset
import noisegen.cli.profile  # noqa: F401 (and torch with both, once for all forks)

CAMERA = "--kind phone --iso 1600"
HANG = 300.0
"""Seconds after which a run over one odd file hangs; a phone's picture may take 60."""
Found = tuple[str, str, str]
"""What was tried, what came of it, and what was lost."""
MEMORY = 4096.0
"""Most MB that one odd or damaged file may take."""


@dataclass(frozen=True)
class Setting:
    """How much is tried, and where."""

    work: Path
    kills: int
    minutes: float
    pictures: int
    side: int
    files: int
    corpora: tuple[Path, ...]
    draw: random.Random

    @property
    def profile(self) -> Path:
        """The camera's profile, for colour or gray pictures."""
        return self.work / "camera.safetensors"

    def synth(self, clean: Path, out: Path, *more: object) -> list[str]:
        """Arguments of a run."""
        fixed = ("synth", "--quiet", "--device", "cpu", "--profile", self.profile)
        return [str(part) for part in (*fixed, "--clean", clean, "--out", out, *more)]


def make_cleans(folder: Path, count: int, side: int = 64) -> Path:
    """A folder of smooth pictures with a little texture."""
    folder.mkdir(parents=True)
    random_numbers = np.random.default_rng(0)
    ramp = np.linspace(20, 200, side)[:, None, None]
    for number in range(count):
        texture = random_numbers.integers(0, 30, (side, side, 3))
        Image.fromarray((ramp + texture).astype(np.uint8)).save(folder / f"{number:05}.png")
    return folder


def files_in(folder: Path) -> dict[str, bytes]:
    """All files but a run's own, which are hidden."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    found = {path.relative_to(folder).as_posix(): path for path in paths}
    return {name: path.read_bytes() for name, path in found.items() if not name.startswith(".")}


def damaged(found: dict[str, bytes], whole: dict[str, bytes]) -> int:
    """Pictures that are torn, and noisy ones without their clean."""
    pictures = {name for name in found if name.startswith(("noisy/", "clean/"))}
    torn = sum(found[name] != whole.get(name) for name in pictures)
    noisy = (name for name in pictures if name.startswith("noisy/"))
    return torn + sum(name.replace("noisy/", "clean/", 1) not in found for name in noisy)


def differing(found: dict[str, bytes], whole: dict[str, bytes]) -> int:
    """Files that are not those of an undisturbed run, manifests among them."""
    return sum(found.get(name) != whole.get(name) for name in found.keys() | whole.keys())


def words_of_loss(files: int) -> str:
    """The last column."""
    return f"{files} files" if files else "nothing"


def undisturbed(setting: Setting, clean: Path) -> tuple[dict[str, bytes], Ended]:
    """What a run makes that nobody disturbs."""
    out = clean.with_name(f"{clean.name}-whole")
    ended = Child(setting.synth(clean, out)).ended()
    if ended.code:
        raise RuntimeError(ended.said)
    return files_in(out), ended


def kills(setting: Setting, shards: int) -> Found:
    """SIGKILL at random moments, in every step of rounds that each end with a finished dataset."""
    clean = make_cleans(setting.work / f"cleans{shards}", 60)
    whole, ended = undisturbed(setting, clean)
    killed = rounds = bad = different = 0
    while killed < setting.kills:
        out = setting.work / f"killed{shards}-{rounds}"
        steps = [
            setting.synth(clean, out, "--shard", f"{n}/{shards}") for n in range(1, shards + 1)
        ]
        for step in [*steps, ["merge", str(out)]] if shards else [setting.synth(clean, out)]:
            after = setting.draw.uniform(0.01, ended.seconds)
            done = Child(step).ended(kill_after=after if killed < setting.kills else None)
            while done.code == -signal.SIGKILL:
                killed += 1
                bad += damaged(files_in(out), whole)
                after = setting.draw.uniform(0.01, ended.seconds)
                done = Child(step).ended(kill_after=after if killed < setting.kills else None)
            if done.code:
                raise RuntimeError(done.said)
        rounds += 1
        different += differing(files_in(out), whole)
    tried = f"{killed} kills, {rounds} datasets of {len(whole)} files"
    said = f"{bad} torn or half pairs after a kill; resumed, {different} files differ from unkilled"
    return tried, said, words_of_loss(bad + different)


def full_disk(setting: Setting) -> Found:
    """A file system of 160 KB, which then has room."""
    clean = make_cleans(setting.work / "cleans-disk", 12)
    disk = setting.work / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=160k", "tmpfs", str(disk)]
    if sys.platform != "linux" or subprocess.run(mount, capture_output=True).returncode:
        return "–", "skipped: a small file system takes Linux and root", "–"
    try:
        whole, _ = undisturbed(setting, clean)
        full = Child(setting.synth(clean, disk / "pairs")).ended()
        left = files_in(disk / "pairs")
        bad = damaged(left, whole)
        subprocess.run(["mount", "-o", "remount,size=9m", str(disk)], check=True)
        again = Child(setting.synth(clean, disk / "pairs")).ended()
        bad += differing(files_in(disk / "pairs"), whole)
    finally:
        subprocess.run(["umount", str(disk)], check=True)
    lines = len(full.said.splitlines())
    said = f"exit {full.code}, {lines} line, {len(left)} whole files left; with room, exit"
    return "a disk of 160 KB", f"{said} {again.code}", words_of_loss(bad)


def two_writers(setting: Setting) -> Found:
    """A second run into a folder at which the first is at work."""
    clean, out = make_cleans(setting.work / "cleans-two", 40), setting.work / "two"
    whole, _ = undisturbed(setting, clean)
    first = Child(setting.synth(clean, out))
    while not (out / ".noisegen" / "lock").exists() and first.running():
        time.sleep(0.001)
    second = Child(setting.synth(clean, out)).ended()
    first_ended = first.ended()
    refused = "another run" in second.said and len(second.said.splitlines()) == 1
    said = f"second {'refused in one line' if refused else 'NOT refused'}, exit {second.code}"
    lost = differing(files_in(out), whole)
    return "2 runs, one OUT", f"{said}; first exit {first_ended.code}", words_of_loss(lost)


def outcome(ended: Ended) -> str:
    """The kind of end that a run over one odd file came to."""
    if ended.hung:
        return "hang"
    if ended.peak_mb > MEMORY:
        return "memory"
    if ended.code < 0 or "Traceback" in ended.said:
        return "traceback" if ended.code >= 0 else "crash"
    if ended.code == 0:
        return "made"
    errors = [line for line in ended.said.splitlines() if line.startswith("error")]
    return "refused in one line" if len(errors) == 1 else "refused otherwise"


def corpus(setting: Setting, folder: Path) -> Found:
    """Each file as --clean of a dataset, and as --ref of a profile."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    chosen = paths[:: -(-len(paths) // setting.files)] if paths else []
    seen: dict[str, Counter[str]] = {"clean": Counter(), "ref": Counter()}
    for number, path in enumerate(chosen):
        pairs, profile = setting.work / "odd", setting.work / "odd.safetensors"
        runs = {
            "clean": setting.synth(path, pairs),
            "ref": ["profile", "create", "--quiet", "--ref", str(path), "--out", str(profile)],
        }
        for use, arguments in runs.items():
            kind = outcome(Child(arguments).ended(limit=HANG))
            seen[use][kind] += 1
            if kind not in ("made", "refused in one line"):
                print(f"{kind}: {use} {number} {path}", file=sys.stderr)
        shutil.rmtree(pairs, ignore_errors=True)
        profile.unlink(missing_ok=True)
    good = ("made", "refused in one line")
    said = "; ".join(
        f"--{use}: " + ", ".join(f"{count} {kind}" for kind, count in sorted(found.items()))
        for use, found in seen.items()
    )
    bad = sum(found[kind] for found in seen.values() for kind in found if kind not in good)
    return f"{len(chosen)} of {len(paths)} files", said, words_of_loss(bad)


def fuzz(setting: Setting) -> Found:
    """Damaged files of every format, read as pictures, profiles, weights and manifests."""
    valid = fuzzing.valid_files(setting.work / "valid", setting.profile)
    result = fuzzing.fuzz(valid, setting.work, setting.minutes * 60, setting.draw, MEMORY)
    for kind, example in result.examples.items():
        print(f"{kind}: {example}", file=sys.stderr)
    tried = f"{result.seen.total()} files of {len(valid)} formats in {setting.minutes:g} min"
    said = ", ".join(f"{count} {kind}" for kind, count in sorted(result.seen.items()))
    return tried, said, words_of_loss(len(result.examples))


def soak(setting: Setting) -> Found:
    """Many pictures in one run, and the memory at every tenth of them."""
    clean, out = make_cleans(setting.work / "cleans-soak", setting.pictures), setting.work / "soak"
    child = Child(setting.synth(clean, out))
    memory: list[float] = []
    while child.running():
        done = len(list((out / "noisy").glob("*.png"))) if (out / "noisy").exists() else 0
        if done * 10 >= (len(memory) + 1) * setting.pictures and (now := child.memory_mb()):
            memory.append(now)
        time.sleep(0.2)
    ended = child.ended()
    made = len(list((out / "noisy").glob("*.png")))
    said = f"exit {ended.code}, MB at each tenth: " + " ".join(f"{value:.0f}" for value in memory)
    return f"{setting.pictures} pictures of 64²", said, words_of_loss(setting.pictures - made)


def bands(side: int) -> Iterator[NDArray[np.uint8]]:
    """A gray picture in strips of 64 rows."""
    columns = np.arange(side)[None]
    for row in range(0, side, 64):
        rows = np.arange(row, min(row + 64, side))[:, None]
        yield (40 + (rows // 97 + columns // 61) % 160).astype(np.uint8)


def huge(setting: Setting) -> Found:
    """One TIFF much larger than a picture."""
    side, clean, out = setting.side, setting.work / "huge.tif", setting.work / "huge"
    shape, gray = (side, side), setting.work / "gray.safetensors"
    tifffile.imwrite(
        clean, bands(side), shape=shape, dtype=np.uint8, rowsperstrip=64, photometric="minisblack"
    )
    draw = ["profile", "draw", *CAMERA.split(), "--gray", "--quiet", "--out", str(gray)]
    Child(draw).ended()
    arguments = setting.synth(clean, out)
    arguments[arguments.index(str(setting.profile))] = str(gray)
    ended = Child(arguments).ended()
    if ended.code:
        return f"{side}²", ended.said.strip(), "1 file"
    with tifffile.TiffFile(out / "noisy" / "huge.tif") as written:
        lost = written.pages.first.shape != shape
    rate = side * side / ended.seconds / 1e6
    said = f"made in {ended.seconds:.0f} s, {rate:.1f} Mpx/s, peak {ended.peak_mb:.0f} MB"
    return f"{side}² gray, {side * side / 1e9:.2f} gigapixel", said, words_of_loss(int(lost))


def checks(setting: Setting) -> dict[str, Callable[[], Found]]:
    """Every check by its name."""
    return {
        "kills in a folder": partial(kills, setting, 0),
        "kills in shards": partial(kills, setting, 3),
        "full disk": partial(full_disk, setting),
        "two writers": partial(two_writers, setting),
        **{
            f"corpus {number}": partial(corpus, setting, folder)
            for number, folder in enumerate(setting.corpora, 1)
        },
        "fuzzing": partial(fuzz, setting),
        "soak": partial(soak, setting),
        "huge file": partial(huge, setting),
    }
