"""``noisegen profile create``, ``draw``, ``blend`` and ``sweep``: they write noise profiles."""

from __future__ import annotations

from collections.abc import Mapping
from glob import escape
from pathlib import Path

from noisegen.cli.commands import Blend, Create, Draw, Sweep
from noisegen.cli.output import Output, check_file
from noisegen.cli.profile_show import summary
from noisegen.cli.profile_words import note_how_made, note_white_level, sigmas
from noisegen.dataset.folder import make_folder
from noisegen.errors import BadReferenceError, OutputError, UsageError, counted
from noisegen.model.weights import load_weights
from noisegen.profiles import blend as mixing
from noisegen.profiles.drawn import ISO, KINDS, Wanted, draw_each
from noisegen.profiles.profile import NoiseProfile
from noisegen.profiles.sources import Shots, channel_profiles, find_reference_files, parse_mix
from noisegen.simulator.kinds import CameraKind


def create(asked: Create, output: Output) -> None:
    """Makes the profiles of references, a file each."""
    check_file(asked.out, asked.overwrite)
    if asked.out.suffix != ".safetensors":
        raise UsageError(f"--out {asked.out}: end a profile's name in .safetensors")
    options = asked.references
    found = find_reference_files(options.ref, options.ref_clean, options.ref_burst)
    for note in found.notes:
        output.note(note)
    channels = found.read()
    _check_files(asked, found.files, channels)
    profiles, unusable = dict[Path, NoiseProfile](), list[BadReferenceError]()
    made = channel_profiles(
        channels,
        load_weights(asked.weights).at(options.precision),
        asked.name or asked.out.stem,
        white_level=asked.white_level,
        repair=not options.no_repair,
        split=asked.split,
    )
    for channel, groups in made:
        if isinstance(groups, BadReferenceError):
            unusable.append(groups)
            continue
        if asked.split and len(groups) == 1:
            alone = f"{groups[0].name}: its references belong together, so they make one profile"
            output.note(alone)
        files = _numbered(_file_of(asked.out, channel), len(groups))
        profiles |= zip(files, groups, strict=True)
        for profile in groups:
            note_how_made(profile, output)
    if not profiles:
        raise unusable[0]
    note_white_level(next(iter(profiles.values())), output)
    for file, profile in profiles.items():
        profile.save(file)
    for channel in channels if asked.split else ():
        for left in _numbered_so(_file_of(asked.out, channel), "[0-9]"):
            if left not in profiles:
                output.warn(f"{left}: is not of this run; delete it if an earlier one made it")
    written = [{"out": str(file), **summary(profile)} for file, profile in profiles.items()]
    output.result(
        "\n".join(_written(file, profile) for file, profile in profiles.items()),
        written[0] if len(channels) == 1 and not asked.split else {"profiles": written},
    )
    output.end(unusable, "no profile of a channel:")


def _check_files(asked: Create, references: list[Path], channels: Mapping[str, Shots]) -> None:
    """Refuses files that may be written and must not be, before anything slow is done."""
    most = max(len(shots) for shots in channels.values()) if asked.split else 1
    files = [_file_of(asked.out, channel) for channel in channels]
    for file in [*files, *(one for whole in files for one in _numbered(whole, most))]:
        check_file(file, asked.overwrite)
        if any(path.resolve() == file.resolve() for path in references):
            raise UsageError(f"--out {file}: is a reference; name another file")


def _file_of(out: Path, channel: str) -> Path:
    """The file of a channel's profile: the one named, unless there are several."""
    return out.with_name(f"{out.stem}-{channel}{out.suffix}") if channel else out


def _numbered(file: Path, groups: int) -> list[Path]:
    """The files of a channel's groups; a single one has the file itself."""
    if groups == 1:
        return [file]
    return [file.with_name(f"{file.stem}-{number + 1}{file.suffix}") for number in range(groups)]


def _numbered_so(file: Path, digits: str) -> list[Path]:
    """Files that are called like a series of a file's."""
    return sorted(file.parent.glob(f"{escape(file.stem)}-{digits}{escape(file.suffix)}"))


def _written(file: Path, profile: NoiseProfile) -> str:
    count = counted(len(profile.references), "shot" if profile.kind == "burst" else "reference")
    return f"wrote {file}: {profile.kind}, {count}, σ {sigmas(profile)} of 255"


def draw(asked: Draw, output: Output) -> None:
    """Draws simulated cameras and saves their profiles."""
    if asked.kind not in list(CameraKind):
        raise UsageError(f"--kind {asked.kind}: choose of {KINDS}")
    if not ISO[0] <= asked.iso <= ISO[1]:
        raise UsageError(f"--iso {asked.iso:g}: give an ISO from {ISO[0]:g} to {ISO[1]:g}")
    kind = CameraKind(asked.kind)
    seeds = range(asked.seed, asked.seed + asked.count)
    wanted = [Wanted(kind, asked.iso, seed) for seed in seeds]
    names = [f"{kind.value}-iso{asked.iso:g}-{seed}.safetensors" for seed in seeds]
    one = asked.out.suffix == ".safetensors" and asked.count == 1
    files = [asked.out] if one else [asked.out / name for name in names]
    if asked.count == 1 and not one and not asked.out.is_dir():
        raise UsageError(
            f"--out {asked.out}: of one camera it is a file; end its name in .safetensors"
        )
    if not one:
        make_folder(asked.out)
    for file in files:
        check_file(file, asked.overwrite)
    profiles = draw_each(wanted, load_weights(asked.weights), asked.gray or None)
    for file, profile in zip(files, profiles, strict=True):
        profile.save(file)
    written = [{"out": str(f), **summary(p)} for f, p in zip(files, profiles, strict=True)]
    shown = [
        f"wrote {file}: {profile.references[0]}, σ {sigmas(profile)} of 255"
        for file, profile in zip(files, profiles, strict=True)
    ]
    output.result("\n".join(shown), written[0] if one else {"profiles": written})


def blend(asked: Blend, output: Output) -> None:
    """Mixes saved profiles."""
    check_file(asked.out, asked.overwrite)
    files, shares = parse_mix(asked.mix)
    parts = [NoiseProfile.load(file) for file in files]
    profile = mixing.blend(parts, shares, asked.name or asked.out.stem)
    profile.save(asked.out)
    output.result(
        f"wrote {asked.out}: σ {sigmas(profile)} of 255",
        {"out": str(asked.out), "sigma": profile.sigma.tolist(), "sha256": profile.sha256},
    )


def sweep(asked: Sweep, output: Output) -> None:
    """Makes the profiles between two settings."""
    low, high, out, steps = asked.low, asked.high, asked.out, asked.steps
    profiles = mixing.sweep(NoiseProfile.load(low), NoiseProfile.load(high), steps)
    make_folder(out)
    files = [out / f"{low.stem}-{high.stem}-{step:02d}.safetensors" for step in range(1, steps + 1)]
    for file in files:
        check_file(file, asked.overwrite)
    for left in _numbered_so(out / f"{low.stem}-{high.stem}.safetensors", "[0-9][0-9]"):
        if left not in files:
            raise OutputError(
                f"{left}: is of a sweep of more steps; delete it, or name another folder"
            )
    for file, profile in zip(files, profiles, strict=True):
        profile.save(file)
        output.note(f"{file}: σ {sigmas(profile)} of 255")
    sigma = {str(f): profile.sigma.tolist() for f, profile in zip(files, profiles, strict=True)}
    output.result(f"wrote {steps} profiles in {out}", {"out": str(out), "profiles": sigma})
