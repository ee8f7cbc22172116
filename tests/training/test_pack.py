"""``noisegen train pack``: what goes in."""

from __future__ import annotations

from pathlib import Path

import pytest

from noisegen.errors import UsageError
from noisegen.training.pack import write_pack


@pytest.mark.realdata
def test_brands_are_left_out_by_name(real_data: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--without Leica: no scene begins so; they are Canon"):
        write_pack(real_data, tmp_path / "pack.npz", 0, ["Leica"])
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
@pytest.mark.realdata
def test_a_pack_without_a_brand_holds_the_others(real_data: Path, tmp_path: Path) -> None:
    whole = write_pack(real_data, tmp_path / "all.npz", 0)
    part = write_pack(real_data, tmp_path / "part.npz", 0, ["Canon"])
    assert len(set(part.cameras)) < len(set(whole.cameras))
    assert len(part.pictures) == len(whole.pictures)
