"""Tables of scores on a terminal, and as CSV files in a folder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from rich.table import Table as Shown

from noisegen.dataset.folder import make_folder
from noisegen.errors import OutputError, UsageError
from noisegen.evaluation.set_metrics import SetScores
from noisegen.evaluation.tables import Table
from noisegen.files import write_atomically


def on_terminal(table: Table, least: int | None = None) -> Shown:
    """A table as a terminal shows it; rows whose name is indented are dim.

    Args:
        table: its title and cells; the note is left out.
        least: letters of a column of figures; the rows' names are not cut short for them then.
    """
    shown = Shown(title=table.title, title_justify="left")
    first, *others = table.headings
    numbers = all(row[0][:1].isdigit() for row in table.rows)
    shown.add_column(first, justify="right" if numbers else "left", no_wrap=least is not None)
    for heading in others:
        shown.add_column(heading, justify="right", min_width=least)
    for row in table.rows:
        shown.add_row(*row, style="dim" if row[0].startswith("  ") else None)
    return shown


def set_table(title: str, rows: dict[str, SetScores]) -> Shown:
    """The metrics of patches and denoisers, chance level in the heading."""
    headings = ("", "mmd", "told apart (chance 0.5)", "gap dB", "gap SSIM")
    cells = tuple(
        (
            row,
            f"{scores.mmd:.5f}",
            f"{told.accuracy:.3f} ({told.low:.3f}–{told.high:.3f})",
            f"{scores.denoising_gap.psnr:+.3f}",
            f"{scores.denoising_gap.ssim:+.4f}",
        )
        for row, scores in rows.items()
        for told in (scores.told_apart,)
    )
    return on_terminal(Table(title, headings, cells))


def check_folder(folder: Path, names: Iterable[str], option: str = "--csv") -> None:
    """Checks, before anything is measured, that the files can be written.

    Raises:
        UsageError: the folder is a file.
        OutputError: one of them is there.
    """
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{option} {folder}: is a file; name a folder")
    for name in names:
        if (folder / name).exists():
            raise OutputError(f"{folder / name}: is there already; name another folder")


def write_files(folder: Path, files: Mapping[str, bytes]) -> str:
    """Writes files by name; the words for it."""
    make_folder(folder)
    for name, data in files.items():
        write_atomically(folder / name, data)
    return f"wrote {folder}/{' and '.join(files)}"
