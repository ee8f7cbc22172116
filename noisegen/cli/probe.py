"""``noisegen probe``: whether prompts tell cameras and ISO values apart."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rich.console import Group

from noisegen.cli.output import Output, check_page
from noisegen.cli.score_commands import Probe
from noisegen.cli.tables import on_terminal
from noisegen.errors import BadReferenceError, NoisegenError, UsageError, counted, from_checkout
from noisegen.evaluation.report.page import page
from noisegen.evaluation.tables import Table
from noisegen.files import write_atomically
from noisegen.model.weights import Weights, load_weights

try:
    from noisegen.research.probe.describe import (
        DescribedCrop,
        LabelledShot,
        describe_crops,
        listed_shots,
        polyu_shots,
    )
    from noisegen.research.probe.report import WORDS, accuracy_headings, accuracy_rows, probe_report
    from noisegen.research.probe.run import Answered, Probed, questions
    from noisegen.research.probe.run import probe as probe_crops
except ModuleNotFoundError as error:
    if error.name is None or not error.name.startswith("sklearn"):
        raise
    raise NoisegenError(
        f"probe: needs scikit-learn; install it with {from_checkout('probe')}"
    ) from None


def probe(asked: Probe, output: Output) -> None:
    """Describes the shots' crops, asks the questions, and prints the answers."""
    if asked.out is not None:
        check_page(asked.out, asked.overwrite)
    loaded, found = load_weights(asked.weights), _shots(asked)
    try:
        questions(found)
    except UsageError as error:
        raise UsageError(f"{asked.shots or asked.data}: {error}") from None
    described, skipped = _described(asked, found, loaded, output)
    if not described:
        shots = counted(len(found), "shot")
        raise BadReferenceError(f"none of the {shots} can be probed; name others")
    probed = probe_crops(described)
    for doubt in probed.doubts:
        output.warn(doubt)
    if asked.out is not None:
        name = "PolyU" if asked.shots is None else asked.shots.name
        report = probe_report(probed, name, f"{asked.weights} {loaded.sha256}", asked.blind)
        write_atomically(asked.out, page(report).encode("utf-8", "backslashreplace"))
        output.note(f"wrote {asked.out}")
    values = _values(probed, loaded.sha256, asked.blind) | {"skipped": skipped}
    output.result(_tables(probed), values)
    output.end(skipped)


def _described(
    asked: Probe, shots: list[LabelledShot], weights: Weights, output: Output
) -> tuple[list[DescribedCrop], list[str]]:
    """The shots' crops, and why some shots have none."""
    described, skipped = list[DescribedCrop](), list[str]()
    with output.progress(len(shots)) as advance:
        for shot in shots:
            try:
                described += describe_crops(
                    shot, weights, asked.crops, asked.blind, asked.white_level
                )
            except NoisegenError as error:
                skipped.append(str(error))
            advance(1, note=shot.name)
    if not described:
        for reason in skipped:
            output.warn(f"skipped {reason}")
    return described, skipped


def _shots(asked: Probe) -> list[LabelledShot]:
    if asked.shots is not None:
        return listed_shots(asked.shots)
    if not (asked.data / "polyu" / "iso.csv").is_file():
        raise UsageError(
            f"--data {asked.data}: does not hold PolyU (polyu/); name a list of your shots"
        )
    return polyu_shots(asked.data)


def _tables(probed: Probed) -> Group:
    tables = []
    for one in probed.answered:
        title = (
            f"{WORDS[one.name]} of {len(one.crops)} crops of {probed.scenes} scenes; always "
            f"the one of most scenes: {100 * one.labels.majority:.0f} %"
        )
        tables.append(on_terminal(Table(title, accuracy_headings(), accuracy_rows(one))))
    return Group(*tables)


def _values(probed: Probed, sha256: str, blind: bool) -> dict[str, Any]:
    return {
        "weights": sha256,
        "blind": blind,
        "crops": probed.crops,
        "scenes": probed.scenes,
        "components": {
            "shares": probed.shares,
            "places": probed.places.round(6).tolist(),
        },
        "questions": {one.name: _question(one) for one in probed.answered},
    }


def _question(one: Answered) -> dict[str, Any]:
    names = one.labels.names
    return {
        "scenes": one.labels.scene_counts,
        "majority": one.labels.majority,
        "told": {
            vector: {kind: asdict(told) for kind, told in by_probe.items()}
            for vector, by_probe in one.told.items()
        },
        "confusion": {
            name: dict(zip(names, row, strict=True))
            for name, row in zip(names, one.confusion.tolist(), strict=True)
        },
    }
