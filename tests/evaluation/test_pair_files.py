"""Pairs found in folders as people have them: scenes, trees, numbers, files that are missing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from noisegen.errors import UsageError
from noisegen.evaluation.pair_files import found_pairs

SIDES = ("noisy", "clean")


def _make(root: Path, names: str) -> None:
    for name in names.split():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (8, 8)).save(path)


@pytest.mark.parametrize(
    ("names", "where", "expected", "alone"),
    [
        ("s9/noisy/1.png s9/clean/1.png s10/noisy/1.png s10/clean/1.png", "",
         "s10/noisy/1>s10/clean/1 s9/noisy/1>s9/clean/1", ""),
        ("Noisy/a/1.png Noisy/b/1.png GT/a/1.png GT/b/1.png", "",
         "Noisy/a/1>GT/a/1 Noisy/b/1>GT/b/1", ""),
        ("a/NOISY_1.png a/GT_1.png b/NOISY_1.png c/NOISY_1.png c/GT_1.png", "",
         "a/NOISY_1>a/GT_1 c/NOISY_1>c/GT_1", "b/NOISY_1"),
        ("noisy/009.png noisy/100.png gt/9.png gt/100.png", "noisy:gt",
         "noisy/100>gt/100 noisy/009>gt/9", ""),
        ("noisy/s_09/x.png noisy/s_10/x.png noisy/s_11/x.png gt/s_9/x.png gt/s_11/x.png",
         "noisy:gt", "noisy/s_11/x>gt/s_11/x noisy/s_09/x>gt/s_9/x", "noisy/s_10/x"),
        ("noisy/n1.png noisy/n2.png noisy/n3.png clean/c1.png clean/c03.png", "",
         "noisy/n3>clean/c03 noisy/n1>clean/c1", "noisy/n2"),
        ("one.png b:1.png", "one.png:b:1.png", "one>b:1", ""),
    ],
)  # fmt: skip
def test_pairs_as_they_lie(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    names: str,
    where: str,
    expected: str,
    alone: str,
) -> None:
    _make(tmp_path, names)
    monkeypatch.chdir(tmp_path)
    with found_pairs(where or ".", "--real") as found:
        pairs = [f"{p.noisy.with_suffix('')}>{p.clean.with_suffix('')}" for p in found.pairs]
        assert pairs == expected.split()
        assert [str(path.with_suffix("")) for path in found.alone] == alone.split()


@pytest.mark.parametrize(
    ("where", "named"),
    [("a.png:z.png", "z.png is no picture"), ("a.png", "a file; name"), ("z", "no such folder")],
)
def test_what_is_not_there_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, named: str
) -> None:
    _make(tmp_path, "a.png")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=named), found_pairs(where, "--real"):
        pass


def test_pairs_whose_endings_alone_differ_are_told_apart(tmp_path: Path) -> None:
    names = ("a.png", "a.bmp", "b.png")
    _make(tmp_path, " ".join(f"{side}/{name}" for side in SIDES for name in names))
    lines = [json.dumps({f"{s}_file_name": f"{s}/{name}" for s in SIDES}) for name in names]
    (tmp_path / "metadata.jsonl").write_text("\n".join(lines) + "\n")
    with found_pairs(str(tmp_path), "--real") as found:
        assert [pair.name for pair in found.pairs] == ["a.png", "a.bmp", "b"]
