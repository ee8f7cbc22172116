"""Tar shards as the WebDataset library reads them.

A pair is three members in a row, ``KEY.noisy.EXT``, ``KEY.clean.EXT`` and ``KEY.json``; the library
hands them out as one sample with the entries ``noisy.EXT``, ``clean.EXT`` and ``json``. Equal pairs
make equal bytes: no time, owner or permission of a file goes in.
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from noisegen.dataset.layouts.sample import LayoutError, Sample, safe_key
from noisegen.errors import ImageError
from noisegen.files import write_together
from noisegen.files.safe_path import safe_relative

MODE = 0o644
"""Permissions of every member."""


def write_shard(path: Path, samples: Sequence[Sample], within: Path | None = None) -> None:
    """Writes one shard, streamed from the pairs' files; it appears whole or not at all.

    Args:
        path: the shard, replaced if it is there; its folder must exist.
        samples: in the order that they are to have.
        within: folder for it while it is written, on the same volume; its own if left out.

    Raises:
        ImageError: a pair's file cannot be read.
        OutputError: the shard cannot be written.
    """

    def write(file: BinaryIO) -> None:
        with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
            for sample in samples:
                key = safe_key(sample.relative)
                _add_file(tar, f"{key}.noisy", sample.noisy)
                _add_file(tar, f"{key}.clean", sample.clean)
                data = json.dumps(sample.line, sort_keys=True).encode()
                tar.addfile(_member(f"{key}.json", len(data)), BytesIO(data))

    write_together([(path, write)], within)


def _add_file(tar: tarfile.TarFile, name: str, source: Path) -> None:
    try:
        content = source.open("rb")
    except OSError as error:
        raise ImageError(source, f"cannot be copied: {error.strerror or error}") from error
    with content:
        member = _member(name + source.suffix.lower(), content.seek(0, 2))
        content.seek(0)
        tar.addfile(member, content)


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, MODE
    return member


def read_shard(path: Path) -> Iterator[tuple[dict[str, Any], bytes, bytes]]:
    """The pairs of a shard that :func:`write_shard` wrote, one at a time; nothing is unpacked.

    Args:
        path: the shard; it may come from anywhere.

    Yields:
        Of each pair the line of metadata, whose file names are relative paths that stay below
        ``noisy/`` and ``clean/``, and the contents of the noisy and the clean file.

    Raises:
        LayoutError: not such a shard: damaged, or holding links, devices, sparse files, or names
            other than those that its metadata lead to.
        ManifestError: metadata name a file outside the dataset.
    """
    try:
        # Read as a stream: members have to come in their order, and none is looked for by name.
        with path.open("rb") as file, tarfile.open(fileobj=file, mode="r|") as tar:
            members = iter(tar)
            for first in members:
                noisy = _content(tar, first)
                second = _next(members)
                clean = _content(tar, second)
                third = _next(members)
                line = _line(_content(tar, third))
                _check_names(line, (first.name, second.name, third.name), path)
                yield line, noisy, clean
                # Or it would remember every member; WebDataset does the same.
                tar.members.clear()  # type: ignore[attr-defined]
    except OSError as error:
        raise LayoutError(f"{path}: cannot be read ({error.strerror or error})") from error
    except (tarfile.TarError, _UnfitError, EOFError, ValueError) as error:
        raise LayoutError(f"{path}: not a shard of noisegen ({error}); get it again") from error


class _UnfitError(Exception):
    """What no shard of ours holds."""


def _next(members: Iterator[tarfile.TarInfo]) -> tarfile.TarInfo:
    member = next(members, None)
    if member is None:
        raise _UnfitError("ends in the middle of a pair")
    return member


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    # A sparse member of some bytes may declare, and read as, any number of zeros.
    if not member.isreg() or member.issparse():
        raise _UnfitError(f"member {member.name!r} is not a plain file")
    file = tar.extractfile(member)
    data = b"" if file is None else file.read()
    if len(data) != member.size:
        raise _UnfitError(f"member {member.name!r} is cut short")
    return data


def _line(data: bytes) -> dict[str, Any]:
    try:
        line = json.loads(data)
    except RecursionError:
        raise _UnfitError("metadata that are nested too deeply") from None
    if not isinstance(line, dict):
        raise _UnfitError("metadata that are no object")
    return line


def _check_names(line: dict[str, Any], names: tuple[str, str, str], shard: Path) -> None:
    """Members have the names that the metadata lead to, and those stay in their folders."""
    stated = line.get("noisy_file_name"), line.get("clean_file_name")
    relative = str(stated[0]).removeprefix("noisy/")
    suffix = safe_relative(relative, f"{shard}: {names[2]!r}").suffix.lower()
    key = safe_key(relative)
    expected = (f"{key}.noisy{suffix}", f"{key}.clean{suffix}", f"{key}.json")
    if stated != (f"noisy/{relative}", f"clean/{relative}") or names != expected:
        raise _UnfitError(f"members {', '.join(map(repr, names))} are no pair of its metadata")
