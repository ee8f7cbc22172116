"""Where driver and actors meet: a folder of this run, in the dataset's.

Ray tells neither when an actor is at work on a large picture nor, on every way that one can die,
that it is dead; and it has no word for *finish what you have in hand*. So each actor leaves a sign
of life here, and the driver its wish that they stop. An actor that does not find the folder is on a
machine that the dataset's is not shared with; one that loses it has lost its driver.
"""

from __future__ import annotations

import os
import secrets
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from noisegen.dataset.folder import make_folder, writing
from noisegen.dataset.ray_cluster import ClusterError

BEAT_SECONDS = 1.0
"""Between two signs of life; also how long an actor takes to hear that it is to stop."""


@dataclass(frozen=True)
class Meeting:
    """The folder: ``weights.safetensors``, ``stop`` and a ``*.beat`` of each actor."""

    place: Path

    @property
    def weights(self) -> Path:
        """The weights, for machines that have no others."""
        return self.place / "weights.safetensors"

    def ask_to_stop(self) -> None:
        """Lets actors finish what they have in hand, and begin nothing more."""
        # On a full disk they find out by themselves.
        with suppress(OSError):
            (self.place / "stop").touch()

    def signs_of_life(self) -> dict[str, int]:
        """What changes as long as an actor lives: its file, and when it was touched (ns)."""
        signs = {}
        with suppress(OSError):
            for path in self.place.glob("*.beat"):
                signs[path.name] = path.stat().st_mtime_ns
        return signs

    def attend(self, name: str) -> threading.Event:
        """An actor's part: gives signs of life from now on.

        Args:
            name: that no other actor has.

        Returns:
            What is set when the actor is to stop, or the folder is gone.
        """
        asked_to_stop = threading.Event()
        beat = threading.Thread(target=self._beat, args=(name, asked_to_stop), daemon=True)
        beat.start()
        return asked_to_stop

    def _beat(self, name: str, asked_to_stop: threading.Event) -> None:
        sign = self.place / f"{name}.beat"
        with suppress(OSError):
            sign.touch()
        while self.place.is_dir():
            # Touching needs no space, where writing would on a full disk.
            with suppress(OSError):
                os.utime(sign)
            if (self.place / "stop").exists():
                asked_to_stop.set()
            time.sleep(BEAT_SECONDS)
        asked_to_stop.set()


@contextmanager
def open_meeting(temporary: Path, weights: Path) -> Iterator[Meeting]:
    """Makes the folder, and takes it away at the end.

    Args:
        temporary: the dataset's folder for temporary files.
        weights: their file.

    Raises:
        OutputError: it cannot be made.
    """
    meeting = Meeting(temporary / f"ray-{secrets.token_hex(8)}")
    make_folder(meeting.place)
    try:
        with writing(meeting.weights):
            shutil.copyfile(weights, meeting.weights)
        yield meeting
    finally:
        shutil.rmtree(meeting.place, ignore_errors=True)


@dataclass(frozen=True)
class Patience:
    """Seconds without a row or a sign of life after which a run is given up.

    Attributes:
        start: before the first actor's: it may wait for a machine, and loads torch.
        silence: after it.
    """

    start: float = 600.0
    silence: float = 120.0


class Watch:
    """Gives up on actors that give neither rows nor signs of life."""

    def __init__(self, meeting: Meeting, patience: Patience) -> None:
        self._meeting, self._patience = meeting, patience
        self._signs: dict[str, int] = {}
        self._changed = time.monotonic()

    def row(self) -> None:
        """One came."""
        self._changed = time.monotonic()

    def check(self) -> None:
        """None came.

        Raises:
            ClusterError: for too long.
        """
        signs = self._meeting.signs_of_life()
        if signs != self._signs:
            self._signs, self._changed = signs, time.monotonic()
        silent = time.monotonic() - self._changed
        if not signs and silent > self._patience.start:
            raise ClusterError(
                f"no actor of the Ray cluster began within {silent:.0f} s: it is busy, or its free "
                "cores lie on too many machines; see `ray status`"
            )
        if signs and silent > self._patience.silence:
            raise ClusterError(
                f"the actors of the Ray cluster gave no sign of life for {silent:.0f} s; run the "
                "same command again to go on"
            )
