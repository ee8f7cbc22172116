"""``noisegen study``: what synthetic pairs do for a denoiser."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace

from rich.console import Group

from noisegen.cli.output import Output, check_file, check_png
from noisegen.cli.score_commands import Study as Asked
from noisegen.cli.tables import on_terminal
from noisegen.dataset.folder import Folder
from noisegen.errors import UsageError
from noisegen.evaluation.pair_files import found_pairs
from noisegen.evaluation.report.draw import charts_png
from noisegen.files import write_atomically
from noisegen.model.device import select_device
from noisegen.model.weights import load_weights
from noisegen.profiles.sources import find_reference_files
from noisegen.references.discover import find_pictures
from noisegen.references.matching import Matches
from noisegen.research.study.arms import ARMS, Arm, possible_arms
from noisegen.research.study.own_pictures import StudyFolders, folders_study
from noisegen.research.study.pictures import StudyData, polyu_study
from noisegen.research.study.runs import SIZES, StudyConfig
from noisegen.research.study.study import Study, check_study_folder
from noisegen.research.study.tables import Results, as_json, cells, curve_charts, write_results

OWN = ("real", "test", "ref", "ref_clean", "new_ref", "new_ref_clean", "clean", "white_level")
"""Options of a user's own pictures."""


def study(asked: Asked, output: Output) -> None:
    """Trains and tests every arm, and writes the tables."""
    _check(asked)
    denoiser = SIZES[asked.size]
    config = StudyConfig(replace(denoiser, steps=asked.steps or denoiser.steps))
    check_study_folder(asked.out)
    if asked.plot is not None:
        check_png(asked.plot, "--plot")
        # The same study, gone on with, draws its plot anew.
        check_file(asked.plot, overwrite=True, option="--plot")
    place, loaded = select_device(asked.device), load_weights(asked.weights)
    if asked.data is not None:
        pictures = polyu_study(asked.data, output.note)
    else:
        pictures = _own(asked, config, output)
    arms = _chosen(asked.arms, pictures)
    going = Study(pictures, loaded, config, arms, asked.seeds, asked.out, place, output.note)
    with Folder(asked.out).locked(), output.progress(going.steps) as advance:
        for name in going.run():
            advance(1, note=name)
    _report(going.results, asked, output)
    output.end(pictures.left_out, "left out")


def _check(asked: Asked) -> None:
    """Refuses options that contradict each other, before anything is read."""
    given = [f"--{name.replace('_', '-')}" for name in OWN if getattr(asked, name)]
    if asked.data is not None and given:
        raise UsageError(f"{given[0]} beside --data: give PolyU's folder, or your own pictures")
    if asked.data is None and not (asked.test and asked.ref):
        raise UsageError(
            "nothing to study: name PolyU's folder (--data), or your own --test NAME=DIR and --ref "
            "with --real or --clean"
        )
    if asked.new_ref_clean and not asked.new_ref:
        raise UsageError("--new-ref-clean belongs to --new-ref; name the noisy shot too")
    known = [arm.name for arm in ARMS]
    for name in asked.arms.split(",") if asked.arms else ():
        if name not in known:
            raise UsageError(f"--arms {name}: unknown; choose of {', '.join(known)}")
    if asked.size not in SIZES:
        raise UsageError(f"--size {asked.size}: unknown; choose of {', '.join(SIZES)}")


def _own(asked: Asked, config: StudyConfig, output: Output) -> StudyData:
    """The user's pictures, read."""
    places: dict[str, str] = {}
    for text in asked.test:
        name, equals, place = text.partition("=")
        if not (name and equals and place) or name in places:
            raise UsageError(f"--test {text}: give each a name of its own, as seen=shots/test")
        places[name] = place
    with ExitStack() as stack:
        folders = StudyFolders(
            real=stack.enter_context(found_pairs(asked.real, "--real")) if asked.real else None,
            tests={
                name: stack.enter_context(found_pairs(place, f"--test {name}"))
                for name, place in places.items()
            },
            references=_matches(asked.ref, asked.ref_clean, output),
            new=_matches(asked.new_ref, asked.new_ref_clean, output) if asked.new_ref else [],
            cleans=find_pictures(asked.clean, "--clean") if asked.clean else (),
        )
        return folders_study(folders, config.denoiser.side, asked.white_level)


def _matches(refs: Sequence[str], cleans: Sequence[str], output: Output) -> Matches:
    found = find_reference_files(refs, cleans)
    for note in found.notes:
        output.note(note)
    return found.matches


def _chosen(arms: str | None, pictures: StudyData) -> Sequence[Arm]:
    """The arms that were asked for, in the table's order."""
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


def _report(results: Results, asked: Asked, output: Output) -> None:
    write_results(asked.out, results)
    output.note(f"wrote {asked.out}/table.md, results.json, summary.csv, scores.csv and curves.csv")
    found = cells(results)
    # A table a test: all of them side by side do not fit a terminal.
    tables = map(on_terminal, found.tests)
    shown = Group(*tables, *found.contrasts, found.how, "", *found.explained)
    output.result(shown, as_json(results))
    if asked.plot is not None:
        charts = curve_charts(results.runs, list(results.data.tests))
        write_atomically(asked.plot, charts_png(charts, legend_beside=True))
        output.note(f"wrote {asked.plot}")
