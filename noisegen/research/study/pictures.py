"""What a study trains and tests on, wherever it comes from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from noisegen.evaluation.denoiser import Picture
from noisegen.files import Pixels, to_float
from noisegen.references.check import Reference


@dataclass(frozen=True, eq=False)
class Shot:
    """A real pair: a crop that passed hygiene.

    Attributes:
        name: of the crop; also the key of noise that is put on its clean.
        scene: the picture that it is cut from.
        noisy: H×W×C, uint8 or uint16.
        clean: the same.
    """

    name: str
    scene: str
    noisy: Pixels
    clean: Pixels


@dataclass(frozen=True, eq=False)
class Clean:
    """A picture that noise is put on; name and pixels as in :class:`Shot`."""

    name: str
    pixels: Pixels


@dataclass(frozen=True, eq=False)
class Source:
    """The references of one camera setting."""

    name: str
    references: tuple[Reference, ...]


@dataclass(frozen=True, eq=False)
class Noises:
    """Whose noise goes on which clean.

    Attributes:
        sources: one or more.
        turns: the source's index for each clean.
        cleans: that it goes on.
    """

    sources: tuple[Source, ...]
    turns: tuple[int, ...]
    cleans: tuple[Clean, ...]


@dataclass(frozen=True, eq=False)
class StudyData:
    """All pictures of a study; no picture of ``tests`` is in the rest.

    Attributes:
        real: training pairs; empty where there are only a few, which are references too.
        references: a few shots, and the cleans of ``real`` (other cleans where there are none).
        few: the references that come with their clean, as training pairs; may be empty.
        from_few: their noise on other cleans; None where there are none.
        extra: what is mixed with real pairs: the noise of a camera that ``real`` does not hold,
            or of the references on other cleans.
        new_camera: whether it is a camera that ``real`` does not hold.
        tests: what is tested on, by name.
        white_level: of all of them.
        left_out: what could not be used, each with its reason.
    """

    real: tuple[Shot, ...]
    references: Noises
    few: tuple[Shot, ...]
    from_few: Noises | None
    extra: Noises
    new_camera: bool
    tests: dict[str, tuple[Shot, ...]]
    white_level: float = 255
    left_out: tuple[str, ...] = ()

    def for_denoiser(self, pixels: Pixels) -> Picture:
        """As a denoiser takes it: uint8, or float32 in [0, 1]."""
        return pixels if pixels.dtype.itemsize == 1 else to_float(pixels, self.white_level)


def in_turn(sources: Sequence[Source], cleans: Sequence[Clean]) -> Noises:
    """Each source's noise on every so many cleans."""
    turns = tuple(index % len(sources) for index in range(len(cleans)))
    return Noises(tuple(sources), turns, tuple(cleans))


def shots_digest(shots: Iterable[Shot]) -> str:
    """SHA-256 of real pairs' names and pixels."""
    return _digest((shot.name, (shot.noisy, shot.clean)) for shot in shots)


def noises_digest(noises: Noises) -> str:
    """SHA-256 of all that decides what is generated, but for the weights."""
    shown = [
        (source.name, (reference.noisy, reference.clean))
        for source in noises.sources
        for reference in source.references
    ]
    cleans = [
        (f"{turn} {clean.name}", (clean.pixels,))
        for turn, clean in zip(noises.turns, noises.cleans, strict=True)
    ]
    return _digest([*shown, *cleans])


def _digest(named: Iterable[tuple[str, tuple[Pixels | None, ...]]]) -> str:
    digest = hashlib.sha256()
    for name, pictures in named:
        digest.update(repr(name).encode("utf-8", "surrogatepass"))
        for pixels in pictures:
            if pixels is not None:
                digest.update(f"{pixels.shape}{pixels.dtype}".encode())
                digest.update(pixels.tobytes())
    return digest.hexdigest()
