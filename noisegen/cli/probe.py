"""``noisegen probe``: whether prompts tell cameras and ISO values apart."""

from __future__ import annotations

from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from noisegen.cli import options
from noisegen.cli.out_files import check_page
from noisegen.cli.output import PARTLY, Output, user_errors
from noisegen.cli.tables import on_terminal
from noisegen.errors import BadReferenceError, NoisegenError, UsageError

if TYPE_CHECKING:
    from rich.console import Group

    from noisegen.research.probe.describe import LabelledShot
    from noisegen.research.probe.run import Answered, Probed


@user_errors
def probe(
    shots: Annotated[
        Path | None,
        typer.Argument(
            help="A CSV file with the columns noisy, clean, camera, iso and scene, a shot a line, "
            "paths from the file's folder on; clean, scene, and one of camera and iso may be "
            "missing. Left out: PolyU's shots in "
            "--data.",
            show_default=False,
        ),
    ] = None,
    data: options.DataFolder = Path("../shared/data"),
    out: Annotated[
        Path | None, typer.Option(help="Page with a map of the prompts too, an .html file.")
    ] = None,
    crops: Annotated[int, typer.Option(min=1, help="Crops of 256×256 a shot, at most.")] = 8,
    blind: Annotated[
        bool, typer.Option("--blind", help="Withhold the shots' clean: it is estimated.")
    ] = False,
    white_level: options.WhiteLevel = None,
    weights: options.Weights = "base",
    overwrite: options.Overwrite = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Ask whether the prompts of your cameras lie apart.

    A nearest neighbour and a linear probe tell each crop's camera and ISO from the prompts of
    other scenes, never from its own scene's. Beside them: what the measured statistics tell
    without the encoder, what strength tells, and what the scenes' brightness tells, which is no
    property of a camera; the label of most scenes, and shuffled labels.
    """
    output = Output(json, quiet)
    if out is not None:
        check_page(out, overwrite)
    if find_spec("sklearn") is None:
        raise NoisegenError(
            "probe: needs scikit-learn; install it with pip install 'noisegen[probe]'"
        )
    from noisegen.evaluation.report.page import page
    from noisegen.files import write_atomically
    from noisegen.model.weights import load_weights
    from noisegen.research.probe.describe import describe_crops
    from noisegen.research.probe.report import probe_report
    from noisegen.research.probe.run import probe as probe_crops
    from noisegen.research.probe.run import questions

    loaded, found = load_weights(weights), _shots(shots, data)
    questions(found)  # Before the shots are read, which takes a while.
    described, skipped = [], list[str]()
    with output.progress(len(found)) as advance:
        for shot in found:
            try:
                described += describe_crops(shot, loaded, crops, blind, white_level)
            except NoisegenError as error:
                skipped.append(str(error))
            advance(1, note=shot.name)
    for reason in skipped:
        output.warn(f"skipped {reason}")
    if not described:
        raise BadReferenceError(f"none of the {len(found)} shots can be probed; name others")
    probed = probe_crops(described)
    for doubt in probed.doubts:
        output.warn(doubt)
    if out is not None:
        name = "PolyU" if shots is None else shots.name
        report = probe_report(probed, name, f"{weights} {loaded.sha256}", blind)
        write_atomically(out, page(report).encode("utf-8", "backslashreplace"))
        output.note(f"wrote {out}")
    values = _values(probed, loaded.sha256, blind) | {"skipped": skipped}
    output.result(_tables(probed), values)
    if skipped:
        raise typer.Exit(PARTLY)


def _shots(listed: Path | None, data: Path) -> list[LabelledShot]:
    from noisegen.research.probe.describe import listed_shots, polyu_shots

    if listed is not None:
        return listed_shots(listed)
    if not (data / "polyu" / "iso.csv").is_file():
        raise UsageError(f"--data {data}: does not hold PolyU (polyu/); name a list of your shots")
    return polyu_shots(data)


def _tables(probed: Probed) -> Group:
    from rich.console import Group

    from noisegen.evaluation.tables import Table
    from noisegen.research.probe.report import WORDS, accuracy_headings, accuracy_rows

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
