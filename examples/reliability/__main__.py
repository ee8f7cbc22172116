"""Kills, full disks, two writers, odd and damaged files, long runs, a huge file: what is lost.

    python examples/reliability --out DIR [--only NAME …] [--minutes 60] [--corpus FOLDER …]

A row a check, in DIR/reliability.csv and printed; rows of checks not asked for are kept. Needs a
Unix system. Odd files are any folder's: `pip download --no-binary :all: --no-deps pillow` has
those of Pillow's tests in Tests/images; PngSuite and the files of the tests of Rust's `tiff` are
others.
"""

from __future__ import annotations

import argparse
import csv
import datetime
import io
import os
import platform
import random
import shlex
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from checks import CAMERA, Found, Setting, checks
from forks import Child


@dataclass(frozen=True)
class Row:
    """What one check came to."""

    check: str
    tried: str
    outcome: str
    seconds: float
    peak_mb: float
    lost: str


def run_one(name: str, check: Callable[[], Found]) -> Row:
    """A check's row; the peak is that of its largest process."""
    begun = time.monotonic()
    Child.peak_mb = 0.0
    tried, said, lost = check()
    return Row(name, tried, said, round(time.monotonic() - begun, 1), round(Child.peak_mb), lost)


def write(path: Path, rows: Sequence[Row]) -> None:
    """The CSV, whose first line says how, when and on what."""
    text = io.StringIO(newline="")
    day = datetime.datetime.now(datetime.timezone.utc).date()
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    options = shlex.join(Path(part).name if "/" in part else part for part in sys.argv[1:])
    text.write(f"# python examples/reliability {options}; {day}; {machine}\n")
    table = csv.DictWriter(text, [field.name for field in fields(Row)], lineterminator="\n")
    table.writeheader()
    table.writerows(asdict(row) for row in rows)
    path.write_text(text.getvalue(), encoding="utf-8")


def read(path: Path) -> list[Row]:
    """Rows of an earlier call."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(line for line in file if not line.startswith("#")))
    return [
        Row(
            r["check"],
            r["tried"],
            r["outcome"],
            float(r["seconds"]),
            float(r["peak_mb"]),
            r["lost"],
        )
        for r in found
    ]


def main() -> None:
    """Runs what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="checks whose name begins so")
    parser.add_argument("--corpus", type=Path, action="append", default=[], metavar="FOLDER")
    parser.add_argument("--files", type=int, default=10**6, help="most files of a corpus")
    parser.add_argument("--minutes", type=float, default=60.0, help="of fuzzing")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--pictures", type=int, default=10_000, help="of the soak")
    parser.add_argument("--side", type=int, default=32_768, help="of the huge file")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=given.out) as work:
        options = (given.kills, given.minutes, given.pictures, given.side, given.files)
        setting = Setting(Path(work), *options, tuple(given.corpus), random.Random(0))
        Child(
            ["profile", "draw", *CAMERA.split(), "--quiet", "--out", str(setting.profile)]
        ).ended()
        rows = {row.check: row for row in read(given.out / "reliability.csv")}
        for name, check in checks(setting).items():
            if given.only is None or name.startswith(tuple(given.only)):
                rows[name] = run_one(name, check)
                write(given.out / "reliability.csv", list(rows.values()))
    print("| check | tried | outcome | s | peak MB | lost |\n|---|---|---|---|---|---|")
    for row in rows.values():
        print("|", " | ".join(str(value) for value in asdict(row).values()), "|")


if __name__ == "__main__":
    main()
