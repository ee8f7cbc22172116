"""Which room may import which, from below."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import noisegen

ROOMS = ("synthesis", "dataset", "online", "training", "evaluation", "research", "cli")
"""Each may import those before it."""


@pytest.mark.parametrize("room", ROOMS)
def test_no_arrow_runs_up(room: str) -> None:
    above = tuple(f"noisegen.{name}" for name in ROOMS[ROOMS.index(room) + 1 :])
    for file in (Path(noisegen.__file__).parent / room).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [f"{node.module}.{alias.name}" for alias in node.names]
                assert not any(name.startswith(above) for name in names), file
