"""``noisegen evaluate``: weights on validation splits, or any synthetic pairs against real ones."""

from __future__ import annotations

from dataclasses import replace

from noisegen.cli.evaluate_folders import evaluate_folders
from noisegen.cli.evaluate_splits import evaluate_splits, refuse_given
from noisegen.cli.output import Output
from noisegen.cli.score_commands import Evaluate
from noisegen.errors import UsageError

OF_FOLDERS = ("ref", "ref_clean", "profile", "kld", "white_level")
"""Options that splits do not have."""

OF_SPLITS = ("split", "instrument", "by", "lone", "peers", "ablate", "looks")
"""Options that folders do not have."""


def evaluate(asked: Evaluate, output: Output) -> None:
    """Compares two folders where they are named, else scores weights on splits."""
    asked = replace(asked, lone=asked.lone or asked.blind)
    if asked.real is not None or asked.synth is not None:
        if any(getattr(asked, name) for name in OF_SPLITS):
            named = ", ".join(f"--{name}" for name in OF_SPLITS[:-1]) + f" and --{OF_SPLITS[-1]}"
            raise UsageError(f"{named} do not go with --real and --synth")
        evaluate_folders(asked, output)
        return
    refuse_given(asked, OF_FOLDERS, "belongs to --real and --synth; name both folders")
    evaluate_splits(asked, output)
