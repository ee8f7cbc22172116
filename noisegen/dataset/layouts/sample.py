"""One pair of a dataset, as the layouts take it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from noisegen.errors import NoisegenError


class LayoutError(NoisegenError):
    """A pair that a layout cannot hold, a file of it that is damaged, or a package it lacks."""


@dataclass(frozen=True)
class Sample:
    """One pair of a folder of pairs.

    Attributes:
        relative: path of the pair, with ``/``: that of both files below ``noisy/`` and ``clean/``.
        noisy: the noisy file.
        clean: the clean file.
        line: its line of metadata, ``noisy_file_name`` being ``noisy/`` and ``relative``, and
            ``clean_file_name`` likewise.
    """

    relative: str
    noisy: Path
    clean: Path
    line: dict[str, Any]
