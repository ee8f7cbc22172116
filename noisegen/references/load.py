"""Reference files → references or bursts, by channel.

Each picture goes by its file's name, by as many folders as tell it from the others, and by its
place in a stack: a profile must not tell where on a machine it was made.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from noisegen.errors import BadReferenceError
from noisegen.files import Planes, open_image
from noisegen.noise.arrays import Pixels
from noisegen.references.check import Burst, Reference
from noisegen.references.discover import BurstFiles
from noisegen.references.matching import Matches, told_apart


def read_references(matches: Matches) -> dict[str, list[Reference]]:
    """Reads matched files: every picture of a stack is a reference; alpha is left out.

    A clean is a stack of as many pictures, or one picture, which then serves all of them.

    Returns:
        The references of each channel by its name, which is empty where there is but one.

    Raises:
        ImageError: one of them cannot be read.
        BadReferenceError: files with different channels, or a clean that does not fit its stack.
    """
    paths = [path for path, _ in matches]
    noisies = list(map(_File, paths, told_apart(paths)))
    cleans = [None if path is None else _File(path, path.name) for _, path in matches]
    channels = _shared_channels([*noisies, *(clean for clean in cleans if clean is not None)])
    return {
        channel: [
            reference
            for noisy, clean in zip(noisies, cleans, strict=True)
            for reference in _references(noisy, clean, index)
        ]
        for index, channel in enumerate(channels)
    }


def read_bursts(bursts: Sequence[BurstFiles]) -> dict[str, list[Burst]]:
    """Reads the shots of bursts: every picture of a stack is one.

    Returns:
        The bursts of each channel by its name, which is empty where there is but one.

    Raises:
        ImageError: one of them cannot be read.
        BadReferenceError: files with different channels, or shots that are said to be channels.
    """
    read = [(burst.name, [_File(path, path.name) for path in burst.files]) for burst in bursts]
    channels = _shared_channels([file for _, files in read for file in files])
    for name, files in read:
        if len(channels) > 1 and len(files) == len(files[0].planes.frames[0]) == 1:
            raise BadReferenceError(
                f"{name}: one picture of {_listed(files[0])}, no burst; if they are shots, save "
                "them as frames (in ImageJ: Image, Hyperstacks, Re-order Hyperstack)"
            )
    return {
        channel: [_burst(name, files, index) for name, files in read]
        for index, channel in enumerate(channels)
    }


class _File:
    """A file's pictures beside a name that tells it apart, and its quality if it is a JPEG."""

    def __init__(self, path: Path, name: str) -> None:
        self.name = name
        with open_image(path) as image:
            self.planes: Planes = image.planes()
            self.jpeg_quality = image.jpeg_quality()

    def frames(self, channel: int) -> Iterator[tuple[str, Pixels]]:
        """The pictures of a channel, named ``FILE[CHANNEL][INDEX]`` as far as there are several."""
        frames, name = self.planes.frames[channel], self.planes.channels[channel]
        whole = f"{self.name}[{name}]" if name else self.name
        for index, frame in enumerate(frames):
            yield (whole if len(frames) == 1 else f"{whole}[{index}]"), frame


def _shared_channels(files: Sequence[_File]) -> tuple[str, ...]:
    first = files[0]
    for file in files:
        if file.planes.channels != first.planes.channels:
            raise BadReferenceError(
                f"{file.name}: has {_listed(file)}, but {first.name} has {_listed(first)}; "
                "references and cleans of one command must have the same channels"
            )
    return first.planes.channels


def _listed(file: _File) -> str:
    channels = file.planes.channels
    return f"the channels {', '.join(channels)}" if len(channels) > 1 else "one channel"


def _references(noisy: _File, clean: _File | None, channel: int) -> list[Reference]:
    shots = list(noisy.frames(channel))
    quality = noisy.jpeg_quality
    if clean is None:
        return [Reference(name, pixels, jpeg_quality=quality) for name, pixels in shots]
    cleans = [pixels for _, pixels in clean.frames(channel)]
    if len(cleans) not in (1, len(shots)):
        raise BadReferenceError(
            f"{clean.name}: a stack of {len(cleans)}, but {noisy.name} holds {len(shots)}; give a "
            "stack of as many clean pictures, or the one clean picture of all of them"
        )
    cleans = cleans * len(shots) if len(cleans) == 1 else cleans
    return [
        Reference(name, pixels, pure, quality)
        for (name, pixels), pure in zip(shots, cleans, strict=True)
    ]


def _burst(name: str, files: Sequence[_File], channel: int) -> Burst:
    shots = [shot for file in files for shot in file.frames(channel)]
    return Burst(name, tuple(name for name, _ in shots), tuple(pixels for _, pixels in shots))
