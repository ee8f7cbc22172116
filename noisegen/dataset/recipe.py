"""The recipe (``noisegen.json``): everything that decides a dataset's pixels."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import noisegen
from noisegen.dataset.plan import DatasetOptions, Layout
from noisegen.errors import ManifestError, UsageError
from noisegen.files.raw import development
from noisegen.files.safe_path import refuse_links
from noisegen.model.weights import Weights, licence_of
from noisegen.profiles.profile import NoiseProfile

FORMAT = 2
"""Version that recipes are written in."""

READABLE = (1, 2)
"""Versions that recipes are read in. The first had no layout and no compression."""

LARGEST = 2**20
"""Largest size of a recipe's file, in bytes."""

_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*")
_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class ProfileEntry:
    """A noise profile of the dataset, stored in ``profiles/``.

    Attributes:
        name: distinct among the dataset's, safe as a file name.
        sha256: of its content.
        made_from: hash of the references and of how they were measured, where the dataset's own
            run made it; see :meth:`noisegen.profiles.sources.ReferenceFiles.request`.
        white_level: the count that is white in its camera's files; None in older recipes.
        white_level_given: the user said so; else it was found from the references.
    """

    name: str
    sha256: str
    made_from: str | None = None
    white_level: float | None = None
    white_level_given: bool | None = None

    @property
    def file(self) -> str:
        """Its relative path in the dataset."""
        return f"profiles/{self.name}.safetensors"


_RAW = "camera raw"
"""Among the versions: how camera raw was developed."""


@dataclass(frozen=True)
class Recipe:
    """What a dataset is made by: no times, no paths of the machine.

    Attributes:
        options: of the dataset.
        profiles: its noise.
        weights: name and hash.
        device: kind that it was made on.
        versions: of noisegen, torch and numpy, and of camera raw's development.
        drawn: what its cameras were drawn from, and how many, where they were.
    """

    options: DatasetOptions
    profiles: tuple[ProfileEntry, ...]
    weights: tuple[str, str]
    device: str
    versions: dict[str, str]
    drawn: str | None = None

    @property
    def is_of_raw(self) -> bool:
        """Whether camera raw is among the cleans, so that its development decides pixels too."""
        return _RAW in self.versions

    def of_raw(self) -> Recipe:
        """The recipe with this machine's development of camera raw."""
        return replace(self, versions={**self.versions, _RAW: development()})

    def to_bytes(self) -> bytes:
        """Canonical JSON: equal recipes are equal bytes."""
        return (json.dumps(self.to_json(), sort_keys=True, indent=2) + "\n").encode()

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        options = asdict(self.options)
        name, sha256 = self.weights
        return {
            "format": FORMAT,
            "options": {
                **options,
                "strength": list(self.options.strength),
                "layout": self.options.layout.value,
            },
            "profiles": [{**asdict(p), "file": p.file} for p in self.profiles],
            "weights": {"name": name, "sha256": sha256},
            "licence": licence_of(sha256),
            "device": self.device,
            "versions": self.versions,
            **({"drawn": self.drawn} if self.drawn else {}),
        }

    def differences(self, other: Recipe) -> list[str]:
        """What would give other files, in words: ``seed is 1, there 0``; ``other`` is there."""
        there = asdict(other.options)
        words = [
            f"{name.replace('_', '-')} is {_shown(value)}, there {_shown(there[name])}"
            for name, value in asdict(self.options).items()
            if value != there[name]
        ]
        mine, theirs = ({p.name: p.sha256 for p in r.profiles} for r in (self, other))
        if self.drawn != other.drawn:
            words.append(f"cameras are {self.drawn or 'given'}, there {other.drawn or 'given'}")
        elif list(mine) != list(theirs):
            words.append(f"profiles are {', '.join(mine)}, there {', '.join(theirs)}")
        else:
            words += [f"profile {name} is another" for name in mine if mine[name] != theirs[name]]
        if self.weights[1] != other.weights[1]:
            words.append(f"weights are {self.weights[0]}, there others ({other.weights[0]})")
        return words

    def other_machine(self, other: Recipe) -> list[str]:
        """Versions and device that may round another way, in words."""
        words = [
            f"{name} {self.versions.get(name)}, there {version}"
            for name, version in other.versions.items()
            if self.versions.get(name) != version
        ]
        if self.device != other.device:
            words.append(f"device {self.device}, there {other.device}")
        return words


def make_recipe(
    options: DatasetOptions,
    profiles: Sequence[NoiseProfile],
    weights: Weights,
    device: str,
    made_from: str | None = None,
    drawn: str | None = None,
) -> Recipe:
    """The recipe of a run on this machine.

    Args:
        options: of the dataset.
        profiles: named apart.
        weights: that they were made with.
        device: kind that the generator runs on.
        made_from: hash of the references, where the run made its profiles.
        drawn: what the cameras were drawn from.
    """
    import numpy as np
    import torch

    return Recipe(
        options,
        tuple(
            ProfileEntry(p.name, p.sha256, made_from, p.white_level, p.white_level_given)
            for p in profiles
        ),
        (weights.name, weights.sha256),
        device,
        {
            "noisegen": noisegen.__version__,
            "torch": torch.__version__,
            "numpy": np.__version__,
        },
        drawn,
    )


def named_apart(profiles: Sequence[NoiseProfile]) -> list[NoiseProfile]:
    """The profiles under names that are safe and distinct as file names."""
    taken: set[str] = set()
    named = []
    for profile in profiles:
        safe = re.sub(r"[^A-Za-z0-9_.-]+", "_", profile.name).lstrip(".")[:100] or "profile"
        name, number = safe, 2
        while name.casefold() in taken:
            name, number = f"{safe}-{number}", number + 1
        taken.add(name.casefold())
        named.append(replace(profile, name=name))
    return named


def read_recipe(path: Path) -> Recipe:
    """Reads and checks a recipe that anybody may have written.

    Raises:
        ManifestError: missing, damaged, hostile or of another version.
    """
    if path.is_dir():
        raise ManifestError(f"{path}: a folder; name the recipe, {path / 'noisegen.json'}")
    if not path.is_file():
        raise ManifestError(f"{path}: no such file, or a pipe; name a dataset of noisegen's")
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
        values = json.loads(data) if len(data) <= LARGEST else None
    except OSError as error:
        raise ManifestError(f"{path}: cannot be read ({error.strerror}); check it") from error
    except (ValueError, RecursionError) as error:
        raise ManifestError(f"{path}: not a recipe ({error}); use an intact copy") from error
    if not isinstance(values, dict) or values.get("format") not in READABLE:
        found = values.get("format") if isinstance(values, dict) else None
        raise ManifestError(
            f"{path}: a recipe of version {found!r}, this noisegen reads versions "
            f"{' and '.join(map(str, READABLE))}"
        )
    try:
        return _parsed(values)
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError, UsageError) as error:
        reason = f"has no entry {error}" if isinstance(error, KeyError) else str(error)
        raise ManifestError(f"{path}: not a recipe ({reason}); use an intact copy") from error


def load_profiles(recipe: Recipe, folder: Path) -> list[NoiseProfile]:
    """The profiles of a dataset's folder.

    Raises:
        ProfileError: one is missing or damaged.
        ManifestError: one is not the recipe's, or in a folder that is a link.
    """
    profiles = []
    for entry in recipe.profiles:
        refuse_links(folder, PurePosixPath(entry.file).parent)
        path = folder / entry.file
        if not path.exists():
            raise ManifestError(f"{path}: no such profile; copy the dataset's profiles/ there")
        profile = replace(NoiseProfile.load(path), name=entry.name)
        if profile.sha256 != entry.sha256:
            raise ManifestError(f"{path}: is not the profile of {folder / 'noisegen.json'}")
        profiles.append(profile)
    return profiles


def _parsed(values: dict[str, Any]) -> Recipe:
    given = dict(values["options"])
    low, high = map(float, given.pop("strength"))
    layout = Layout(given.pop("layout", Layout.FOLDERS.value))
    for name in ("seed", "variants", "per_image", "compression"):
        if name in given and type(given[name]) is not int:
            raise ValueError(f"{name} is no whole number")
    if given["patch"] is not None and type(given["patch"]) is not int:
        raise ValueError("patch is no whole number")
    if given["white_level"] is not None:
        given["white_level"] = float(given["white_level"])
    options = DatasetOptions(strength=(low, high), layout=layout, **given)
    profiles = tuple(_entry(profile) for profile in values["profiles"])
    if not profiles:
        raise ValueError("no profiles")
    weights = (str(values["weights"]["name"]), _hash(values["weights"]["sha256"]))
    versions = {str(name): str(version) for name, version in values["versions"].items()}
    drawn = values.get("drawn")
    if drawn is not None and not isinstance(drawn, str):
        raise ValueError("drawn is no text")
    return Recipe(options, profiles, weights, str(values["device"]), versions, drawn)


def _entry(values: dict[str, Any]) -> ProfileEntry:
    name, made_from = values["name"], values.get("made_from")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no profile's name")
    level, given = values.get("white_level"), values.get("white_level_given")
    if level is not None:
        level = float(level)
    if given is not None and type(given) is not bool:
        raise ValueError("white_level_given is neither true nor false")
    hashes = _hash(values["sha256"]), made_from and _hash(made_from)
    return ProfileEntry(name, *hashes, level, given)


def _hash(value: object) -> str:
    if not isinstance(value, str) or not _HASH.fullmatch(value):
        raise ValueError(f"{value!r} is no hash")
    return value


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return ":".join(f"{number:g}" for number in value)
    return str(value.value if isinstance(value, Layout) else value)
