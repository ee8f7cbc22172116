"""The errors a user can cause: each names the file, the reason and the way out in one line.

The command line prints ``str(error)`` and exits with the error's ``exit_code``; anything that is
not a :class:`NoisegenError` is a bug of ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class NoisegenError(Exception):
    """Base of every error that a user's input or machine can cause.

    Attributes:
        exit_code: what the command line exits with (1 failed, 2 wrong usage).
        typed: the message in the words of the command line, where it is in Python's.
    """

    exit_code = 1
    typed: str | None = None


def from_checkout(extra: str) -> str:
    """How to install what an extra of noisegen brings: it is on no package registry."""
    return f"pip install '.[{extra}]' in a checkout of noisegen"


def counted(count: int, noun: str) -> str:
    """A number with its noun: ``1 pair``, ``2 pairs``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


class UsageError(NoisegenError):
    """The request itself cannot be right: ambiguous matches, contradicting options."""

    exit_code = 2


_OPTION = r"(noisegen [a-z ]+--[a-z-]+)|(?<![\w/.-])--([a-z]+(?:-[a-z]+)*)"
"""A command that is to be typed as it stands, or an option; neither is a part of a path."""


@contextmanager
def in_python() -> Iterator[None]:
    """What is wrong with a call from Python names its arguments, not the command line's options."""
    try:
        yield
    except NoisegenError as error:
        error.typed = error.typed or str(error)
        words = re.sub(_OPTION, lambda m: m[1] or m[2].replace("-", "_"), str(error))
        error.args = (words.replace("low:high", "(low, high)"),)
        raise


class ImageError(NoisegenError):
    """A picture that cannot be read or written.

    Args:
        path: the file at fault.
        reason: what is wrong with it, and the way out, as a clause without a full stop.
    """

    def __init__(self, path: str | Path, reason: str = "") -> None:
        # A DataLoader makes an error of its worker anew of the message alone.
        super().__init__(f"{path}: {reason}" if reason else str(path))
        self.path = Path(path)
        self.reason = reason

    def __reduce__(self) -> tuple[type[ImageError], tuple[Path, str]]:
        # Errors of worker processes come back by what they were made of.
        return type(self), (self.path, self.reason)


class BadReferenceError(NoisegenError):
    """References that no noise profile can be made from."""


class ProfileError(NoisegenError):
    """A noise profile file that is missing, damaged, of another version or of other weights."""


class WeightsError(NoisegenError):
    """Weights that are unknown, damaged or of another version."""


class OutputError(NoisegenError):
    """An output folder that cannot be written: not empty, read-only, disk full."""


class ManifestError(NoisegenError):
    """A dataset's recipe or manifest that is damaged, hostile or of another version."""


class InterruptedRunError(NoisegenError):
    """A run that was asked to stop, and stopped with everything whole."""

    exit_code = 130
