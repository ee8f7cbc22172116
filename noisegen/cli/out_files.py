"""Refusing files to write that cannot or must not be written, before any work is done."""

from __future__ import annotations

from pathlib import Path

from noisegen.errors import OutputError, UsageError


def check_file(out: Path, overwrite: bool, option: str = "--out") -> None:
    """Refuses, before any work is done, a file that cannot or must not be written."""
    if out.is_dir():
        raise OutputError(f"{out}: is a folder; name a file for {option}")
    if out.exists() and not overwrite:
        raise OutputError(f"{out}: is there already; name another file, or add --overwrite")
    if not out.parent.is_dir():
        raise OutputError(f"{out}: its folder is not there; make it first")


def check_page(out: Path, overwrite: bool) -> None:
    """Refuses an output that is no page, or is there already, before anything is read.

    Raises:
        UsageError: its name does not end as a page's.
        OutputError: it is there, or no file can be written there.
    """
    if out.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"--out {out}: a report is a page; end its name in .html")
    check_file(out, overwrite)
