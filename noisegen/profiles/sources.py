"""Noise profiles from what a user names: saved files, mixes of them, files of references."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import noisegen
from noisegen.errors import BadReferenceError, ImageError, ProfileError, UsageError
from noisegen.files import gathered, open_image
from noisegen.model.weights import Weights
from noisegen.profiles.fit import fit_profiles
from noisegen.profiles.profile import NoiseProfile, unfit_for_weights
from noisegen.references.check import Burst, Reference, find_white_level
from noisegen.references.discover import BurstFiles, find_bursts, find_references
from noisegen.references.load import read_bursts, read_references
from noisegen.references.matching import Matches, matched_by_order

Profiles = str | Path | NoiseProfile | Iterable[str | Path | NoiseProfile]
"""Noise profiles or their files."""

_SHARE = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[-+]?(?:inf|nan)"

Shots = Sequence[Reference | Burst]
T = TypeVar("T")


def fitting_profile(profile: str | Path | NoiseProfile, weights: Weights) -> NoiseProfile:
    """A noise profile, or that of a file, checked to belong to weights.

    Raises:
        ProfileError: it does not, or the file is missing or damaged.
    """
    is_loaded = isinstance(profile, NoiseProfile)
    loaded = profile if isinstance(profile, NoiseProfile) else NoiseProfile.load(profile)
    reason = unfit_for_weights(loaded, weights)
    if reason is not None:
        raise ProfileError(f"{f'profile {loaded.name}' if is_loaded else profile}: {reason}")
    return loaded


def each_of(profiles: Profiles) -> list[str | Path | NoiseProfile]:
    """The profiles or files, be they one or several.

    Raises:
        UsageError: one is neither.
    """
    if isinstance(profiles, (str, Path, NoiseProfile)):
        return [profiles]
    several = list(profiles) if isinstance(profiles, Iterable) else [profiles]
    for one in several:
        if not isinstance(one, (str, Path, NoiseProfile)):
            raise UsageError(f"profiles: {one!r} is none; give noise profiles or their files")
    return several


def refuse_both(profiles: object, draw: object) -> None:
    """Refuses what names both saved profiles and cameras to draw, or neither.

    Raises:
        UsageError: it does.
    """
    if (profiles is None) == (draw is None):
        raise UsageError("give one of profiles and draw, as draw='phone:800-6400'")


def fitting_profiles(profiles: Profiles, weights: Weights) -> list[NoiseProfile]:
    """One or more noise profiles, or those of files, checked to belong to weights.

    Raises:
        UsageError: there is none.
        ProfileError: one does not, or its file is missing or damaged.
    """
    several = each_of(profiles)
    if not several:
        raise UsageError("profiles: none given; make one with noisegen profile create")
    return [fitting_profile(one, weights) for one in several]


def parse_mix(text: str) -> tuple[list[Path], list[float]]:
    """Files of noise profiles and their shares, as ``FILE:SHARE,FILE:SHARE`` names them.

    Names may have commas and colons: a file ends where a number and a comma, or the end, follow.

    Raises:
        UsageError: it names none.
    """
    parts = re.findall(rf"([^,].*?):({_SHARE})(?:,|$)", text)
    if ",".join(f"{file}:{share}" for file, share in parts) != text or not parts:
        raise UsageError(f"{text}: give FILE:SHARE,FILE:SHARE, as a.safetensors:0.5,b…:0.5")
    return [Path(file.strip()) for file, _ in parts], [float(share) for _, share in parts]


@dataclass(frozen=True)
class ReferenceFiles:
    """Files of references, found but not read: shots with their cleans, or bursts.

    Attributes:
        matches: noisy shots, each with its clean or None.
        bursts: the shots of each folder, or a stack of them.
    """

    matches: Matches
    bursts: Sequence[BurstFiles] = ()

    @property
    def files(self) -> list[Path]:
        """All files of the references."""
        return [path for _, path in self._roles()]

    @property
    def name(self) -> str:
        """Name for a profile: the first shot's stem, or the first burst's folder or stack."""
        return self.bursts[0].name if self.bursts else self.matches[0][0].stem

    @property
    def notes(self) -> tuple[str, ...]:
        """What to tell of the files: how they were matched without names, and beside their pixels.

        Files that cannot be read are passed over: reading them says so.
        """
        remarks = list[tuple[str, Sequence[str]]]()
        for path in self.files:
            with suppress(ImageError), open_image(path) as image:
                remarks.append((path.name, getattr(image.header, "remarks", ())))
        told = gathered("reference", remarks)
        if not matched_by_order(self.matches):
            return told
        pairs = [f"{noisy.name} with {clean and clean.name}" for noisy, clean in self.matches]
        shown = ", ".join(pairs)
        return (f"no names match, so references and cleans were matched in order: {shown}", *told)

    def read(self) -> Mapping[str, Shots]:
        """The pictures of each channel by its name; a single channel has none.

        Raises:
            ImageError: one of them cannot be read.
            BadReferenceError: they have different channels.
        """
        return read_bursts(self.bursts) if self.bursts else read_references(self.matches)

    def request(self, weights: Weights, repair: bool, white_level: float | None) -> str:
        """Hash of the references, of what each is, and of how they are to be measured."""
        chosen = (repair, white_level, weights.denoiser.precision.value)
        digest = hashlib.sha256(f"{noisegen.__version__} {weights.sha256} {chosen}".encode())
        for role, path in self._roles():
            # A pipe would never end; its reader refuses it by name.
            if path.is_file():
                digest.update(role.encode() + hashlib.sha256(path.read_bytes()).digest())
        return digest.hexdigest()

    def _roles(self) -> Iterator[tuple[str, Path]]:
        """All files, each with what it is: the same files are other references as cleans."""
        for number, (noisy, clean) in enumerate(self.matches):
            yield f"noisy {number}", noisy
            if clean is not None:
                yield f"clean {number}", clean
        for number, burst in enumerate(self.bursts):
            for path in burst.files:
                yield f"burst {number}", path

    def profile(self, weights: Weights, repair: bool, white_level: float | None) -> NoiseProfile:
        """The one profile of all references.

        Args:
            weights: whose encoder makes the prompts.
            repair: as for :func:`fit_profiles`.
            white_level: of references of more than 8 bits. Of others, or of floats in [0, 1], it
                says what is white in the cleans, and does not count here.
        """
        references = _only_channel(
            self.read(),
            self.files[0],
            "make a profile of each with noisegen profile create, then name them with --profile",
        )
        first = references[0]
        pixels = first.shots[0] if isinstance(first, Burst) else first.noisy
        in_counts = pixels.dtype.itemsize > 1 and (
            pixels.dtype.kind != "f" or find_white_level(references) > 1
        )
        level = white_level if in_counts else None
        (made,) = fit_profiles(
            references, weights, name=self.name, white_level=level, repair=repair
        )
        return made


def find_reference_files(
    refs: Sequence[str], ref_cleans: Sequence[str] = (), bursts: Sequence[Path] = ()
) -> ReferenceFiles:
    """Files of ``--ref`` and ``--ref-clean``, or of ``--ref-burst``; nothing is read yet.

    Raises:
        UsageError: none, both kinds, or what cannot be found or matched.
    """
    if bursts:
        if refs or ref_cleans:
            beside = "--ref" if refs else "--ref-clean"
            raise UsageError(
                f"--ref-burst beside {beside}: a burst is its own clean; give one of them"
            )
        return ReferenceFiles([], find_bursts(bursts))
    if not refs:
        raise UsageError("no noisy shots given; add --ref or --ref-burst")
    return ReferenceFiles(find_references(refs, ref_cleans))


def one_reference(ref: Path, ref_clean: Path | None) -> Reference:
    """The first picture of a file of one channel.

    Raises:
        UsageError: the file has several.
        ImageError: it cannot be read.
    """
    channels = read_references([(ref, ref_clean)])
    return _only_channel(channels, ref, "give a file of the profile's channel alone")[0]


def _only_channel(channels: Mapping[str, T], file: Path, way_out: str) -> T:
    if len(channels) > 1:
        names = ", ".join(channels)
        raise UsageError(f"{file}: has {len(channels)} channels ({names}); {way_out}")
    return next(iter(channels.values()))


def _common_level(channels: Mapping[str, Shots]) -> float | None:
    """White level of all channels that show one; the others' faults are told channel by channel."""
    levels = []
    for references in channels.values():
        with suppress(BadReferenceError):
            levels.append(find_white_level(references))
    return max(levels, default=None)


def channel_profiles(
    channels: Mapping[str, Shots],
    weights: Weights,
    name: str,
    *,
    white_level: float | None,
    repair: bool,
    split: bool,
) -> Iterator[tuple[str, list[NoiseProfile] | BadReferenceError]]:
    """Each channel with its profiles, or with why it has none.

    Args:
        channels: the references of each by its name, as :meth:`ReferenceFiles.read` gives them.
        weights: whose encoder makes the prompts.
        name: of the profile; each channel's is NAME-CHANNEL.
        white_level: of all of them, found where not given: channels of one camera have one, however
            dim some of them are.
        repair: as for :func:`fit_profiles`.
        split: the same.
    """
    level = _common_level(channels) if white_level is None else white_level
    for channel, references in channels.items():
        its_name = "-".join(filter(None, (name, channel)))
        try:
            made = fit_profiles(
                references, weights, name=its_name, white_level=level, repair=repair, split=split
            )
        except BadReferenceError as error:
            yield channel, error
        else:
            given = white_level is not None
            yield channel, [replace(profile, white_level_given=given) for profile in made]
