"""Tables of scores on a terminal."""

from __future__ import annotations

from rich.table import Table as Shown

from noisegen.evaluation.set_metrics import SetScores
from noisegen.evaluation.tables import Table


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
