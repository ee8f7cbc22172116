"""An option whose value may be left out, ``--tune`` as ``--tune 20``, which Typer does not know."""

from __future__ import annotations

from itertools import zip_longest
from typing import Any, ClassVar

from typer.core import TyperCommand

TUNE_SECONDS = 40
"""What ``--tune`` alone means: a reference of 1 Mpx is done within a minute on two cores."""


class TuneCommand(TyperCommand):
    """A command with ``--tune [SECONDS]``."""

    defaults: ClassVar[dict[str, str]] = {"--tune": str(TUNE_SECONDS)}

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 (vendored click)
        """Puts the default after an option that no number follows."""
        given: list[str] = []
        for arg, following in zip_longest(args, args[1:], fillvalue=""):
            given.append(arg)
            if arg in self.defaults and not _is_number(following):
                given.append(self.defaults[arg])
        parsed: list[str] = super().parse_args(ctx, given)
        return parsed


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
