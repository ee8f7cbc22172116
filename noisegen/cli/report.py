"""``noisegen report``: a dataset or a profile as one page."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from noisegen.cli import options
from noisegen.cli.out_files import check_page
from noisegen.cli.output import PARTLY, Output, user_errors
from noisegen.cli.references import one_reference
from noisegen.dataset.folder import RECIPE
from noisegen.errors import OutputError, UsageError

if TYPE_CHECKING:
    from noisegen.evaluation.report.view import Report


@user_errors
def report(
    what: Annotated[Path, typer.Argument(help="A dataset's folder, or a noise profile.")],
    out: Annotated[Path, typer.Option(help="The page, an .html file.")],
    real: Annotated[
        str | None,
        typer.Option(
            metavar="DIR",
            help="Of a dataset: real pairs to stand beside and to be scored against, a folder with "
            "noisy/ and clean/ or metadata.jsonl, or NOISY:CLEAN.",
        ),
    ] = None,
    ref: Annotated[
        Path | None, typer.Option(help="Of a profile: a reference to show, best one of its own.")
    ] = None,
    ref_clean: Annotated[Path | None, typer.Option(help="Its clean; else estimated.")] = None,
    plots: Annotated[
        Path | None,
        typer.Option(help="Folder for the charts as PNG too, made if need be."),
    ] = None,
    weights: options.Weights = "base",
    overwrite: options.Overwrite = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Show a dataset or a profile on one page: crops, curves, scores, recipe, skipped files.

    The page is one file that loads nothing and opens anywhere. Charts of a dataset are of up to 24
    pairs a profile and of 24 real ones.
    """
    output = Output(json, quiet)
    check_page(out, overwrite)
    _check(what, real, ref, ref_clean)
    skipped: tuple[str, ...] = ()
    if what.is_dir():
        found, skipped = _of_dataset(what, real, output)
    else:
        found = _of_profile(what, ref, ref_clean, weights)
    from noisegen.evaluation.report.page import page
    from noisegen.files import write_atomically

    drawn = _draw(found, plots, overwrite) if plots is not None else []
    write_atomically(out, page(found).encode("utf-8", "backslashreplace"))
    for file in drawn:
        output.note(f"wrote {file}")
    output.result(f"wrote {out}", {"out": str(out), "plots": [str(file) for file in drawn]})
    for reason in skipped:
        output.warn(f"skipped {reason}")
    if skipped:
        raise typer.Exit(PARTLY)


def _check(what: Path, real: str | None, ref: Path | None, ref_clean: Path | None) -> None:
    if not what.exists():
        raise UsageError(f"{what}: is not there; name a dataset's folder or a noise profile")
    if what.is_dir() and not (what / RECIPE).exists():
        raise UsageError(
            f"{what}: holds no {RECIPE}, as datasets of noisegen do; compare any other pairs with "
            "noisegen evaluate --real --synth"
        )
    if what.is_dir() and (ref or ref_clean):
        raise UsageError("--ref belongs to a profile; of a dataset name real pairs with --real")
    if not what.is_dir() and real:
        raise UsageError("--real belongs to a dataset; of a profile name a noisy shot with --ref")
    if ref_clean is not None and ref is None:
        raise UsageError("--ref-clean belongs to --ref; name the noisy shot too")


def _of_dataset(out: Path, real: str | None, output: Output) -> tuple[Report, tuple[str, ...]]:
    """The report, and the pairs that could not be scored."""
    from noisegen.dataset.verify import read_manifest
    from noisegen.evaluation.folder_scores import FolderComparison
    from noisegen.evaluation.pair_files import found_pairs
    from noisegen.evaluation.report.dataset import dataset_report, open_dataset

    read_manifest(out)
    with ExitStack() as stack:
        folder = stack.enter_context(found_pairs(str(out), "DATASET"))
        dataset = open_dataset(out, folder)
        if real is None:
            return dataset_report(dataset), ()
        beside = stack.enter_context(found_pairs(real, "--real"))
        comparison = FolderComparison(
            beside, folder, white_level=dataset.white_level(dataset.lines[0])
        )
        with output.progress(comparison.steps) as advance:
            for pixels in comparison.run():
                advance(1, pixels)
        scores = comparison.scores()
        return dataset_report(dataset, beside, scores), scores.skipped


def _of_profile(file: Path, ref: Path | None, ref_clean: Path | None, weights: str) -> Report:
    from noisegen.dataset.noise import fitting_profile
    from noisegen.evaluation.profile_view import view_alone, view_on_reference
    from noisegen.evaluation.report.profile import profile_report
    from noisegen.model.weights import load_weights

    loaded = load_weights(weights)
    profile = fitting_profile(file, loaded)
    if ref is None:
        return profile_report(view_alone(profile, loaded))
    return profile_report(view_on_reference(profile, one_reference(ref, ref_clean), loaded))


def _draw(found: Report, folder: Path, overwrite: bool) -> list[Path]:
    """The charts as files."""
    from noisegen.dataset.folder import make_folder
    from noisegen.evaluation.report.draw import charts_png
    from noisegen.files import write_atomically

    files = {folder / f"{stem}.png": chart for stem, chart in found.charts}
    taken = [file for file in files if file.exists()]
    if taken and not overwrite:
        raise OutputError(f"{taken[0]}: is there already; name another folder, or add --overwrite")
    make_folder(folder)
    for file, chart in files.items():
        write_atomically(file, charts_png([chart]))
    return list(files)
