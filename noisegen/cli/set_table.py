"""The metrics of patches and denoisers as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table

    from noisegen.evaluation.set_metrics import SetScores


def set_table(title: str, rows: dict[str, SetScores]) -> Table:
    """A line a row, chance level in the heading."""
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    table.add_column("")
    for metric in ("mmd", "told apart (chance 0.5)", "gap dB", "gap SSIM"):
        table.add_column(metric, justify="right")
    for row, scores in rows.items():
        told, gap = scores.told_apart, scores.denoising_gap
        table.add_row(
            row,
            f"{scores.mmd:.5f}",
            f"{told.accuracy:.3f} ({told.low:.3f}–{told.high:.3f})",
            f"{gap.psnr:+.3f}",
            f"{gap.ssim:+.4f}",
        )
    return table
