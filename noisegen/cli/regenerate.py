"""``noisegen regenerate``: a dataset again, from its recipe and profiles."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from noisegen.cli import options
from noisegen.cli.engine import Address, EngineName, EngineOption, EngineOptions
from noisegen.cli.output import PARTLY, Output, user_errors
from noisegen.cli.run import described, note_levels, write
from noisegen.errors import UsageError, WeightsError

if TYPE_CHECKING:
    from noisegen.model.weights import Weights

SHIPPED = ("base", "sim")
"""Weights that a recipe's hash is looked for among."""


@user_errors
def regenerate(
    recipe: Annotated[
        Path, typer.Argument(help="A dataset's noisegen.json, with profiles/ beside it.")
    ],
    clean: Annotated[Path, typer.Option(help="The clean images that it was made of.")],
    out: Annotated[Path, typer.Option(help="Folder for the dataset; one begun there goes on.")],
    tolerance: Annotated[
        bool,
        typer.Option(
            "--tolerance",
            help="Accept what another machine or version may differ by: one step of 8 bits on one "
            "sample in a thousand. Needs the former noisy images beside the recipe, in any layout.",
        ),
    ] = False,
    weights: Annotated[
        str | None, typer.Option(help="The weights' file, where they are none of the shipped.")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Images in hand at once.")] = None,
    engine: EngineOption = EngineName.THREADS,
    address: Address = None,
    device: options.Device = "auto",
    tile: Annotated[int, typer.Option(min=1, help="Side of what is prepared at once.")] = 1024,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Make a dataset again and compare it with its manifest, if that is beside the recipe."""
    from noisegen.dataset.cleans import find_cleans
    from noisegen.dataset.folder import Folder, check_output
    from noisegen.dataset.recipe import load_profiles, make_recipe, read_recipe
    from noisegen.dataset.regenerate import compare, manifest_beside
    from noisegen.dataset.run import Run, check_recipe
    from noisegen.dataset.survey import survey

    output = Output(json, quiet)
    made_by = EngineOptions(engine, address, workers, device, tile)
    made_by.check()
    former = read_recipe(recipe)
    folder = Folder(out)
    if out.resolve() == recipe.parent.resolve():
        raise UsageError(f"--out {out}: is the dataset itself; name another folder")
    lines = manifest_beside(recipe)
    profiles = load_profiles(former, recipe.parent)
    name, loaded = _weights_of(former.weights[1], weights)
    today = make_recipe(former.options, profiles, loaded, made_by.device_kind())
    again = replace(today, profiles=former.profiles)
    if check_output(out):
        check_recipe(again, folder)
    found = find_cleans(clean, out)
    named = None if lines is None else {line.seed_key for line in lines}
    files = [file for file in found.files if named is None or file.key in named]
    surveyed = survey(files, profiles, former.options)
    skipped = [*(found.skipped if named is None else []), *surveyed.skipped]
    if not surveyed.files:
        raise UsageError(f"--clean {clean}: holds none of the dataset's clean images")
    note_levels(surveyed, profiles, former.options.white_level, output)
    run = Run(again, profiles, surveyed.files, skipped, folder)
    written = write(output, run, made_by.engine(run, loaded, name))
    shown, data = described(run, written)
    if lines is None:
        output.note(f"{recipe.parent} has no metadata.jsonl, so there was nothing to compare with")
        output.result(shown, data)
    else:
        compared = compare(lines, recipe.parent, out, former.options.layout, tolerance)
        for fault in compared.faults:
            output.warn(f"{out}/{fault}")
        words = f"{len(compared.faults)} differ" if compared.faults else "all equal"
        words += f" ({compared.within} within the tolerance)" if compared.within else ""
        faults = [{"file": fault.file, "reason": fault.reason} for fault in compared.faults]
        compared_data = {"compared": compared.pairs, "within": compared.within, "faults": faults}
        output.result(f"{shown}; {compared.pairs} pairs compared, {words}", data | compared_data)
        if compared.faults:
            raise typer.Exit(1)
    if written.skipped:
        raise typer.Exit(PARTLY)


def _weights_of(sha256: str, given: str | None) -> tuple[str, Weights]:
    """Name and weights of a hash: the given ones, or one of the shipped.

    Raises:
        WeightsError: they are others, or none of the shipped.
    """
    from noisegen.model.weights import load_weights

    for name in [given] if given else SHIPPED:
        loaded = load_weights(name)
        if loaded.sha256 == sha256:
            return name, loaded
    if given:
        raise WeightsError(f"--weights {given}: not those that the dataset was made with")
    raise WeightsError(
        f"the dataset was made with weights of hash {sha256[:16]}…, which are not shipped with "
        "this noisegen; name their file with --weights, or install the version that made it"
    )
