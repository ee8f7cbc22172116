"""Arrows between the package's rooms run down only."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import noisegen

LEVELS = (
    ("errors", "version"),
    ("files",),
    ("model", "noise"),
    ("layouts", "simulator"),
    ("references",),
    ("profiles",),
    ("synthesis",),
    ("dataset",),
    ("api",),
    ("online",),
    ("training",),
    ("evaluation",),
    ("research",),
    ("cli",),
)
"""Rooms, and modules beside them, from below: each may import its own level and those before."""

HEIGHT = {room: height for height, level in enumerate(LEVELS) for room in level}

FACE = ("__init__", "__main__")
"""The package's face: it names what is public, so it may import any room."""

EXCEPTIONS: dict[str, str] = {}
"""``file → module`` of each arrow that runs up, with the reason why it may."""

PACKAGE = Path(noisegen.__file__).parent


def imports(file: Path) -> Iterator[str]:
    """Modules of the package that a file imports, wherever it does so."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: write the whole name of what is imported"
            if node.module == "noisegen":
                yield from (f"noisegen.{alias.name}" for alias in node.names)
            else:
                yield node.module or ""
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def room_of(name: str) -> str:
    return name.split(".")[1]


def test_each_room_has_its_place() -> None:
    found = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or path.is_dir()}
    assert found - {"__pycache__", "weights", "py", *FACE} <= set(HEIGHT)


@pytest.mark.parametrize("room", HEIGHT)
def test_no_arrow_runs_up(room: str) -> None:
    module = PACKAGE / f"{room}.py"
    for file in [module] if module.exists() else sorted((PACKAGE / room).rglob("*.py")):
        for name in imports(file):
            if name.startswith("noisegen.") and room_of(name) in HEIGHT:
                arrow = f"{file.relative_to(PACKAGE).as_posix()} → {name}"
                assert HEIGHT[room_of(name)] <= HEIGHT[room] or arrow in EXCEPTIONS, arrow


def test_each_exception_is_needed() -> None:
    arrows = {
        f"{file.relative_to(PACKAGE).as_posix()} → {name}"
        for file in PACKAGE.rglob("*.py")
        for name in imports(file)
    }
    assert set(EXCEPTIONS) <= arrows
