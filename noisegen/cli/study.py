"""``noisegen study``: what synthetic pairs do for a denoiser."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from noisegen.cli import options
from noisegen.cli.output import PARTLY, Output, user_errors
from noisegen.cli.references import match_references
from noisegen.cli.tables import on_terminal
from noisegen.errors import UsageError

if TYPE_CHECKING:
    from noisegen.research.study.arms import Arm
    from noisegen.research.study.pictures import StudyData
    from noisegen.research.study.runs import StudyConfig
    from noisegen.research.study.tables import Results


@dataclass(frozen=True)
class OwnPictures:
    """Options of a user's own pictures."""

    real: str | None
    test: Sequence[str]
    ref: Sequence[str]
    ref_clean: Sequence[str]
    new_ref: Sequence[str]
    new_ref_clean: Sequence[str]
    clean: Sequence[str]
    white_level: float | None


@user_errors
def study(
    out: Annotated[Path, typer.Option(help="Folder of the study; one begun there goes on.")],
    data: Annotated[
        Path | None, typer.Option(help="Folder of the real data: a study on PolyU.")
    ] = None,
    real: Annotated[
        str | None,
        typer.Option(
            metavar="DIR",
            help="Real pairs to train on: a folder with noisy/ and clean/ or metadata.jsonl, or "
            "NOISY:CLEAN.",
        ),
    ] = None,
    test: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=DIR", help="Real pairs of other scenes to test on; repeatable."),
    ] = None,
    ref: options.Refs = None,
    ref_clean: options.RefCleans = None,
    new_ref: Annotated[
        list[str] | None,
        typer.Option(help="Noisy shots of a camera that --real does not hold; repeatable."),
    ] = None,
    new_ref_clean: Annotated[
        list[str] | None, typer.Option(help="Clean of each --new-ref; repeatable.")
    ] = None,
    clean: Annotated[
        list[str] | None,
        typer.Option(help="Other clean pictures to put generated noise on; repeatable."),
    ] = None,
    size: Annotated[
        str, typer.Option(help="small (a minute a run on one core), or full (PNG's, for a GPU).")
    ] = "small",
    arms: Annotated[
        str | None, typer.Option(help="Some of the arms, as real,gaussian,generated.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Runs of each arm.")] = 3,
    steps: Annotated[
        int | None, typer.Option(min=1, help="Of each run, instead of the size's own.")
    ] = None,
    plot: Annotated[Path | None, typer.Option(help="The learning curves as a PNG too.")] = None,
    weights: options.Weights = "base",
    white_level: options.WhiteLevel = None,
    device: options.Device = "auto",
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """What synthetic pairs do for a denoiser; ``study_help.py`` has the words for users."""
    output = Output(json, quiet)
    own = OwnPictures(
        real, test or [], ref or [], ref_clean or [], new_ref or [], new_ref_clean or [],
        clean or [], white_level,
    )  # fmt: skip
    _check(data, own, arms)
    from noisegen.model.device import select_device
    from noisegen.model.weights import load_weights
    from noisegen.research.study.study import check_study_folder

    config = _config(size, steps)
    check_study_folder(out)
    place, loaded = select_device(device), load_weights(weights)
    if data is not None:
        from noisegen.research.study.pictures import polyu_study

        pictures = polyu_study(data, output.note)
    else:
        pictures = _own(own, config, output)
    for reason in pictures.left_out:
        output.warn(f"left out {reason}")
    from noisegen.dataset.folder import Folder
    from noisegen.research.study.study import Study

    chosen = _chosen(arms, pictures)
    going = Study(pictures, loaded, config, chosen, seeds, out, place, output.note)
    with Folder(out).locked(), output.progress(going.steps) as advance:
        for name in going.run():
            advance(1, note=name)
    _report(going.results, out, output)
    if plot is not None:
        _draw(going.results, plot, output)
    if pictures.left_out:
        raise typer.Exit(PARTLY)


def _check(data: Path | None, own: OwnPictures, arms: str | None) -> None:
    """Refuse options that contradict each other, before anything is read."""
    from noisegen.research.study.arms import ARMS

    given = [f"--{name.replace('_', '-')}" for name, value in vars(own).items() if value]
    if data is not None and given:
        raise UsageError(f"{given[0]} beside --data: give PolyU's folder, or your own pictures")
    if data is None and not (own.test and own.ref):
        raise UsageError(
            "nothing to study: name PolyU's folder (--data), or your own --test NAME=DIR and --ref "
            "with --real or --clean"
        )
    if own.new_ref_clean and not own.new_ref:
        raise UsageError("--new-ref-clean belongs to --new-ref; name the noisy shot too")
    known = [arm.name for arm in ARMS]
    for name in arms.split(",") if arms else ():
        if name not in known:
            raise UsageError(f"--arms {name}: unknown; choose of {', '.join(known)}")


def _config(size: str, steps: int | None) -> StudyConfig:
    from noisegen.research.study.runs import SIZES, StudyConfig

    if size not in SIZES:
        raise UsageError(f"--size {size}: unknown; choose of {', '.join(SIZES)}")
    denoiser = SIZES[size]
    return StudyConfig(denoiser if steps is None else replace(denoiser, steps=steps))


def _own(own: OwnPictures, config: StudyConfig, output: Output) -> StudyData:
    """The user's pictures, read."""
    from noisegen.evaluation.pair_files import found_pairs
    from noisegen.references.discover import find_pictures
    from noisegen.research.study.own_pictures import StudyFolders, folders_study

    places: dict[str, str] = {}
    for text in own.test:
        name, equals, place = text.partition("=")
        if not (name and equals and place) or name in places:
            raise UsageError(f"--test {text}: give each a name of its own, as seen=shots/test")
        places[name] = place
    with ExitStack() as stack:
        folders = StudyFolders(
            real=(own.real and stack.enter_context(found_pairs(own.real, "--real"))) or None,
            tests={
                name: stack.enter_context(found_pairs(place, f"--test {name}"))
                for name, place in places.items()
            },
            references=match_references(own.ref, own.ref_clean, output),
            new=match_references(own.new_ref, own.new_ref_clean, output) if own.new_ref else [],
            cleans=find_pictures(own.clean, "--clean") if own.clean else (),
        )
        return folders_study(folders, config.denoiser.side, own.white_level)


def _chosen(arms: str | None, pictures: StudyData) -> Sequence[Arm]:
    """The arms that were asked for, in the table's order."""
    from noisegen.research.study.arms import possible_arms

    possible = possible_arms(pictures)
    if arms is None:
        return possible
    wanted = set(arms.split(","))
    impossible = sorted(wanted - {arm.name for arm in possible})
    if impossible:
        raise UsageError(
            f"--arms {impossible[0]}: takes pictures that are not given; real and mixed take "
            "--real, few takes --ref-clean, new takes --new-ref"
        )
    return [arm for arm in possible if arm.name in wanted]


def _report(results: Results, out: Path, output: Output) -> None:
    from rich.console import Group

    from noisegen.research.study.tables import as_json, cells, write_results

    write_results(out, results)
    output.note(f"wrote {out}/table.md, results.json, scores.csv and curves.csv")
    found = cells(results)
    # A table a test: all of them side by side do not fit a terminal.
    tables = map(on_terminal, found.tests)
    shown = Group(*tables, *found.contrasts, found.how, "", *found.explained)
    output.result(shown, as_json(results))


def _draw(results: Results, plot: Path, output: Output) -> None:
    from noisegen.evaluation.report.draw import charts_png
    from noisegen.files import write_atomically
    from noisegen.research.study.tables import curve_charts

    charts = curve_charts(results.runs, list(results.data.tests))
    write_atomically(plot, charts_png(charts, legend_beside=True))
    output.note(f"wrote {plot}")
