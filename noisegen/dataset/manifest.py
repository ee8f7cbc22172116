"""The manifest (``metadata.jsonl``): a line a pair, with what tells its pixels."""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, BinaryIO

from noisegen.dataset.folder import Folder, writing
from noisegen.dataset.plan import ItemName
from noisegen.errors import ManifestError
from noisegen.files import write_together
from noisegen.files.safe_path import safe_relative

_HASH = re.compile(r"[0-9a-f]{64}")
_LONGEST_LINE = 2**20


@dataclass(frozen=True, slots=True)
class PairLine:
    """One pair.

    Attributes:
        noisy_file_name: relative path of the noisy picture, below ``noisy/``.
        clean_file_name: of its clean, the same below ``clean/``.
        seed_key: the clean file's key, which its noise is drawn from.
        variant: number of the noisy version.
        profile: name of its noise profile; of several channels, joined by commas.
        strength: factor on the noise.
        width, height, channels, dtype: of both pictures.
        noisy_sha256, clean_sha256: of the pixels, not of the files.
        noisy_bytes, clean_bytes: sizes of the files.
        crop: top left corner (y, x) in the clean file, where it is a crop.
        planes: of a file of several; 1 otherwise.
    """

    noisy_file_name: str
    clean_file_name: str
    seed_key: str
    variant: int
    profile: str
    strength: float
    width: int
    height: int
    channels: int
    dtype: str
    noisy_sha256: str
    clean_sha256: str
    noisy_bytes: int
    clean_bytes: int
    crop: tuple[int, int] | None = None
    planes: int = 1

    @property
    def relative(self) -> str:
        """The pair's path below ``noisy/`` and ``clean/``."""
        return self.noisy_file_name.removeprefix("noisy/")

    @property
    def item(self) -> ItemName:
        """The noisy version that it is, or is a crop of."""
        return self.seed_key, self.variant

    def differences(self, other: PairLine) -> list[str]:
        """Fields in which another pair's line differs, as far as machines do not differ in them."""
        # Files' sizes are zlib's, the last bits of a drawn strength the C library's.
        close = math.isclose(self.strength, other.strength, rel_tol=1e-9)
        alike = ("noisy_bytes", "clean_bytes", *(("strength",) if close else ()))
        names = [name for name in _FIELDS if name not in alike]
        return [name for name in names if getattr(self, name) != getattr(other, name)]

    def to_json(self) -> dict[str, Any]:
        """JSON values, in the order of the fields; those that say nothing are left out."""
        values = {name: getattr(self, name) for name in _FIELDS}
        if self.crop is None:
            del values["crop"]
        if self.planes == 1:
            del values["planes"]
        return values

    @classmethod
    def from_json(cls, values: object, where: str) -> PairLine:
        """Checks a line that anybody may have written.

        Args:
            values: parsed JSON.
            where: file and line, for the error.

        Raises:
            ManifestError: an entry is missing, of another type, or a path that leaves its folder.
        """
        if not isinstance(values, dict):
            raise ManifestError(f"{where}: not an object of a pair; use an intact copy")
        given = {"crop": None, "planes": 1, **values}
        for name, kind in _TYPES.items():
            value = given.get(name)
            if not isinstance(value, kind) or isinstance(value, bool):
                raise ManifestError(
                    f"{where}: {name} is missing or not what it should be; use an intact copy"
                )
        for name in ("noisy_sha256", "clean_sha256"):
            if not _HASH.fullmatch(given[name]):
                raise ManifestError(f"{where}: {name} is no hash; use an intact copy")
        given["crop"] = _crop(given["crop"], where)
        given["strength"] = _strength(given["strength"], where)
        line = cls(**{name: given[name] for name in _FIELDS})
        safe_relative(line.noisy_file_name, where)
        safe_relative(line.clean_file_name, where)
        if line.noisy_file_name != f"noisy/{line.relative}":
            raise ManifestError(f"{where}: {line.noisy_file_name!r} is not below noisy/")
        if line.clean_file_name != f"clean/{line.relative}":
            raise ManifestError(f"{where}: {line.clean_file_name!r} is not the noisy one's clean")
        return line


def _crop(values: list[Any] | None, where: str) -> tuple[int, int] | None:
    if values is None:
        return None
    if len(values) != 2 or not all(isinstance(value, int) for value in values):
        raise ManifestError(f"{where}: crop is not [y, x]; use an intact copy")
    return values[0], values[1]


def _strength(value: float, where: str) -> float:
    # A whole number may be larger than any float.
    if not abs(value) < math.inf or abs(value) > sys.float_info.max:
        raise ManifestError(f"{where}: strength is no factor; use an intact copy")
    return float(value)


_FIELDS = tuple(field.name for field in fields(PairLine))
_TYPES: dict[str, type | tuple[type, ...]] = {
    **dict.fromkeys(_FIELDS, str),
    **dict.fromkeys(
        ("variant", "width", "height", "channels", "noisy_bytes", "clean_bytes", "planes"), int
    ),
    "strength": (float, int),
    "crop": (list, type(None)),
}


def read_lines(path: Path) -> Iterator[PairLine]:
    """Every line of a manifest, checked.

    Raises:
        ManifestError: it cannot be read, or one of them is not a pair's.
    """
    for number, values in enumerate(read_json_lines(path), 1):
        yield PairLine.from_json(values, f"{path}:{number}")


def read_skipped(path: Path) -> Iterator[tuple[str, str]]:
    """File and reason of every line of a list of what was left out.

    Raises:
        ManifestError: it cannot be read, or one of them is not of that kind.
    """
    for number, values in enumerate(read_json_lines(path), 1):
        entry = values if isinstance(values, dict) else {}
        file, reason = entry.get("file"), entry.get("reason")
        if not isinstance(file, str) or not isinstance(reason, str):
            raise ManifestError(f"{path}:{number}: not a file and its reason; use an intact copy")
        yield file, reason


def read_json_lines(path: Path) -> Iterator[Any]:
    """Values of a file of a JSON value a line.

    Raises:
        ManifestError: it cannot be read, or one is no JSON.
    """
    if not path.is_file():
        raise ManifestError(f"{path}: no such file, or a pipe; check it")
    try:
        with path.open("rb") as file:
            number = 0
            while line := file.readline(_LONGEST_LINE):
                number += 1
                try:
                    yield json.loads(line)
                except (ValueError, RecursionError) as error:
                    reason = f"not JSON ({error}); use an intact copy"
                    raise ManifestError(f"{path}:{number}: {reason}") from error
    except OSError as error:
        raise ManifestError(f"{path}: cannot be read ({error.strerror}); check it") from error


def json_lines(values: Iterable[object]) -> Iterator[bytes]:
    """A JSON value a line."""
    for value in values:
        # A name that is not UTF-8 becomes JSON's own escape.
        yield (json.dumps(value, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")


def write_skipped(folder: Folder, left_out: Iterable[tuple[str, str]]) -> None:
    """The list of files that were left out, with the reason of each; none where there are none.

    Raises:
        OutputError: it cannot be written.
    """
    entries = [{"file": file, "reason": reason} for file, reason in sorted(set(left_out))]
    if entries:
        write_together([(folder.skipped, b"".join(json_lines(entries)))], folder.temporary)
    else:
        with writing(folder.skipped):
            folder.skipped.unlink(missing_ok=True)


def write_manifest(folder: Folder, lines: Iterable[PairLine]) -> None:
    """The manifest, written line by line: of a million pairs it has a gigabyte.

    Raises:
        OutputError: it cannot be written.
    """

    def write(file: BinaryIO) -> None:
        file.writelines(json_lines(line.to_json() for line in lines))

    write_together([(folder.metadata, write)], folder.temporary)
