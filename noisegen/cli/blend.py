"""``noisegen profile blend`` and ``noisegen profile sweep``: cameras between cameras."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from noisegen.cli import options
from noisegen.cli.mix import parse_mix
from noisegen.cli.out_files import check_file
from noisegen.cli.output import Output, user_errors
from noisegen.cli.profile import sigmas
from noisegen.errors import OutputError


@user_errors
def blend(
    mix: Annotated[str, typer.Argument(help="FILE:SHARE,FILE:SHARE,… of noise profiles.")],
    out: Annotated[Path, typer.Option(help="The mix, a .safetensors file.")],
    name: Annotated[str | None, typer.Option(help="Its name; the file's stem if left out.")] = None,
    overwrite: options.Overwrite = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Mix noise profiles: a camera between them, by variance, grain and marginal."""
    from noisegen.profiles.blend import blend as mixed
    from noisegen.profiles.profile import NoiseProfile

    output = Output(json, quiet)
    check_file(out, overwrite)
    parts = parse_mix(mix)
    profiles = [NoiseProfile.load(file) for file in parts.files]
    profile = mixed(profiles, parts.shares, name or out.stem)
    profile.save(out)
    output.result(
        f"wrote {out}: σ {sigmas(profile)} of 255",
        {"out": str(out), "sigma": profile.sigma.tolist(), "sha256": profile.sha256},
    )


@user_errors
def sweep(
    low: Annotated[Path, typer.Argument(help="Profile of one setting, as of a low ISO.")],
    high: Annotated[Path, typer.Argument(help="Profile of another, as of a high ISO.")],
    out: Annotated[Path, typer.Option(help="Folder for the profiles.")],
    steps: Annotated[int, typer.Option(min=2, help="Profiles, both ends included.")] = 5,
    overwrite: options.Overwrite = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Profiles from one setting of a camera to another, their σ in equal ratios."""
    from noisegen.profiles.blend import sweep as settings_between
    from noisegen.profiles.profile import NoiseProfile

    output = Output(json, quiet)
    profiles = settings_between(NoiseProfile.load(low), NoiseProfile.load(high), steps)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{out}: cannot be a folder of profiles ({error.strerror})") from None
    files = [out / f"{low.stem}-{high.stem}-{step:02d}.safetensors" for step in range(1, steps + 1)]
    for file in files:
        check_file(file, overwrite)
    for file, profile in zip(files, profiles, strict=True):
        profile.save(file)
        output.note(f"{file}: σ {sigmas(profile)} of 255")
    written = {
        str(file): profile.sigma.tolist() for file, profile in zip(files, profiles, strict=True)
    }
    output.result(f"wrote {steps} profiles in {out}", {"out": str(out), "profiles": written})
