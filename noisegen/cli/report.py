"""``noisegen report``: a dataset or a profile as one page."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from noisegen.cli.commands import Report
from noisegen.cli.output import Output, check_page
from noisegen.dataset.folder import RECIPE, make_folder
from noisegen.dataset.verify import read_manifest
from noisegen.errors import OutputError, UsageError
from noisegen.evaluation.folder_scores import FolderComparison
from noisegen.evaluation.pair_files import found_pairs
from noisegen.evaluation.profile_view import view_alone, view_on_reference
from noisegen.evaluation.report.dataset import dataset_report, open_dataset
from noisegen.evaluation.report.draw import charts_png
from noisegen.evaluation.report.page import page
from noisegen.evaluation.report.profile import profile_report
from noisegen.evaluation.report.view import Report as View
from noisegen.files import write_atomically
from noisegen.model.weights import load_weights
from noisegen.profiles.sources import fitting_profile, one_reference


def report(asked: Report, output: Output) -> None:
    """Writes the page, and the charts as files where that is asked for."""
    check_page(asked.out, asked.overwrite)
    _check(asked)
    if asked.what.is_dir():
        found, skipped = _of_dataset(asked, output)
    else:
        found, skipped = _of_profile(asked), ()
    drawn = _draw(found, asked.plots, asked.overwrite) if asked.plots is not None else []
    write_atomically(asked.out, page(found).encode("utf-8", "backslashreplace"))
    for file in drawn:
        output.note(f"wrote {file}")
    data = {
        "out": str(asked.out),
        "plots": [str(file) for file in drawn],
        "skipped": list(skipped),
        "warnings": list(found.warnings),
    }
    output.result(f"wrote {asked.out}", data)
    output.end(skipped)


def _check(asked: Report) -> None:
    what, real, ref, ref_clean = asked.what, asked.real, asked.ref, asked.ref_clean
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


def _of_dataset(asked: Report, output: Output) -> tuple[View, tuple[str, ...]]:
    """The report, and the pairs that could not be read or scored."""
    out = asked.what
    read_manifest(out)
    with ExitStack() as stack:
        folder = stack.enter_context(found_pairs(str(out), "DATASET"))
        dataset = open_dataset(out, folder)
        if asked.real is None:
            return dataset_report(dataset), dataset.missing
        beside = stack.enter_context(found_pairs(asked.real, "--real"))
        white_level = dataset.white_level(dataset.lines[0])
        comparison = FolderComparison(beside, folder, white_level=white_level)
        if comparison.doubt is not None:
            output.warn(comparison.doubt)
        output.follow(comparison.steps, comparison.run())
        scores = comparison.scores()
        skipped = dict.fromkeys((*dataset.missing, *scores.skipped))
        return dataset_report(dataset, beside, scores), tuple(skipped)


def _of_profile(asked: Report) -> View:
    loaded = load_weights(asked.weights)
    profile = fitting_profile(asked.what, loaded)
    if asked.ref is None:
        return profile_report(view_alone(profile, loaded))
    reference = one_reference(asked.ref, asked.ref_clean)
    return profile_report(view_on_reference(profile, reference, loaded))


def _draw(found: View, folder: Path, overwrite: bool) -> list[Path]:
    """The charts as files."""
    files = {folder / f"{stem}.png": chart for stem, chart in found.charts}
    taken = [file for file in files if file.exists()]
    if taken and not overwrite:
        raise OutputError(f"{taken[0]}: is there already; name another folder, or add --overwrite")
    make_folder(folder)
    for file, chart in files.items():
        write_atomically(file, charts_png([chart]))
    return list(files)
