"""Options that say whose noise a dataset or profile has; nothing here needs torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from noisegen.model.config import Precision


@dataclass(frozen=True)
class ReferenceOptions:
    """Which shots show a camera's noise, and how they are taken."""

    ref: Annotated[
        Sequence[str],
        "Noisy shots of the camera: a file or stack, a folder or a quoted glob; repeatable.",
    ] = ()
    ref_clean: Annotated[Sequence[str], "Clean of each --ref, matched by name; repeatable."] = ()
    ref_burst: Annotated[
        Sequence[Path],
        "Shots of one still scene, two or more in a folder or a stack, instead of --ref; "
        "repeatable.",
    ] = ()
    no_repair: Annotated[
        bool, "Take pairs and bursts as they are: no shift, brightness or drift is undone."
    ] = False
    precision: Annotated[
        Precision,
        "That a lone shot's clean is estimated in: bf16 is quicker where the processor has units "
        "for it, and moves σ by a thousandth or less; the profile says so.",
    ] = Precision.FLOAT32


@dataclass(frozen=True)
class NoiseOptions(ReferenceOptions):
    """Whose noise a dataset has: of references, saved profiles, a mix of them, or drawn cameras."""

    profile: Annotated[Sequence[Path], "Saved noise profile instead of --ref; repeatable."] = ()
    blend: Annotated[
        str | None, "FILE:SHARE,FILE:SHARE,… of saved profiles: their mix instead of --ref."
    ] = None
    draw: Annotated[
        str | None,
        "KIND:ISO-ISO,KIND,… of simulated cameras instead of --ref, another for every picture: "
        "phone, compact, dslr, mirrorless, microscope, industrial.",
    ] = None
    per_camera: Annotated[int, "With --draw: pictures to a camera, on average.", {"min": 1}] = 1
