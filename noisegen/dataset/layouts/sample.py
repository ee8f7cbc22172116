"""One pair of a dataset as the layouts take it, and its key in archives.

WebDataset cuts a key at its first dot, BasicSR takes what stands before a line's first dot and
writes it in ASCII, LMDB takes 511 bytes, and unpacked names take 255. So keys are percent-encoded
(RFC 3986), dots too, and no two paths share one.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from noisegen.errors import NoisegenError

LONGEST = 400
"""Characters of a key; LMDB takes 511."""

LONGEST_NAME = 200
"""Characters of a part between slashes: with ``.noisy.png`` it stays below 255."""

_MISTAKEN = re.compile(r"(?:^|(?<=/))(?:-|_(?=_))")
"""At the start of a name: a dash, which tools that unpack shards take for an option, and two
underscores, by which WebDataset tells what it passes over."""


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


def safe_key(relative: str) -> str:
    """The key: ``sub/a b.png`` becomes ``sub/a%20b``, ``sub/a.tif`` becomes ``sub/a=tif``.

    Percent-encoding never writes ``=`` or ``+``, so these mark other endings than ``.png``, and
    names that are too long: those become their beginning and the SHA-256 of the whole path.

    Args:
        relative: path with ``/``, not absolute.

    Returns:
        ASCII letters, digits and ``_-~/%=+``; never a dot, nor a part that starts with ``-``
        or ``__``.
    """
    if not relative or relative.startswith("/"):
        raise ValueError(f"not a relative path: {relative!r}")
    stem, dot, ending = relative.rpartition(".")
    if ending == "png" and stem and not stem.endswith("/"):
        key = _encoded(stem)
    else:
        key = f"{_encoded(stem)}={_encoded(ending)}" if dot else f"{_encoded(relative)}=="
    name = key.rpartition("/")[2]
    if len(key) > LONGEST or max(map(len, key.split("/"))) > LONGEST_NAME:
        digest = hashlib.sha256(relative.encode("utf-8", "surrogateescape")).hexdigest()
        return f"{name[:100]}+{digest}"
    return key


def _encoded(part: str) -> str:
    quoted = quote(part, safe="/", errors="surrogateescape").replace(".", "%2E")
    return _MISTAKEN.sub(lambda found: f"%{ord(found[0]):02X}", quoted)
