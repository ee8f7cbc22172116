"""LMDB: as BasicSR and NAFNet read it."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from noisegen.dataset.layouts import lmdb as layout
from noisegen.dataset.layouts.lmdb import read_lmdb, write_lmdb
from noisegen.dataset.layouts.sample import LayoutError, Sample, safe_key
from noisegen.files import read_picture

MakeSample = Callable[..., Sample]
NOISY, CLEAN = "input_crops.lmdb", "gt_crops.lmdb"


@pytest.fixture(autouse=True)
def lmdb() -> Any:
    return pytest.importorskip("lmdb")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


def _listed(database: Path) -> list[str]:
    """The keys as ``paired_paths_from_lmdb`` of BasicSR and NAFNet takes them."""
    with (database / "meta_info.txt").open() as lines:
        return sorted(line.split(".")[0] for line in lines)


def _decoded(data: bytes) -> np.ndarray[Any, Any]:
    """As ``imfrombytes`` of BasicSR and NAFNet, BGR turned to RGB."""
    cv2 = pytest.importorskip("cv2")
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    return np.asarray(image)[..., ::-1]


def _same_pixels(data: bytes, path: Path) -> bool:
    return np.array_equal(_decoded(data), np.broadcast_to(read_picture(path).pixels, (24, 40, 3)))


def test_read_as_the_loaders_do(lmdb: Any, samples: list[Sample], out: Path) -> None:
    write_lmdb(out, samples)
    assert sorted(path.name for path in out.iterdir()) == [CLEAN, NOISY]
    keys = _listed(out / NOISY)
    assert keys == _listed(out / CLEAN) == sorted(safe_key(s.relative) for s in samples)
    for name, side in ((NOISY, "noisy"), (CLEAN, "clean")):
        assert sorted(path.name for path in (out / name).iterdir()) == ["data.mdb", "meta_info.txt"]
        with lmdb.open(str(out / name), readonly=True, lock=False, readahead=False) as env:
            assert env.stat()["entries"] == len(samples)
            for sample in samples:
                with env.begin(write=False) as transaction:
                    data = transaction.get(safe_key(sample.relative).encode("ascii"))
                assert _same_pixels(data, getattr(sample, side))


def test_basicsr_reads_it(samples: list[Sample], out: Path) -> None:
    """Its own reader: the package imports torchvision throughout, this one file imports nothing."""
    package = importlib.util.find_spec("basicsr")
    if package is None or package.origin is None:
        pytest.skip("basicsr is not installed (pip install --no-deps basicsr)")
    file = Path(package.origin).parent / "utils" / "file_client.py"
    spec = importlib.util.spec_from_file_location("basicsr_file_client", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    write_lmdb(out, samples)
    folders = [str(out / NOISY), str(out / CLEAN)]
    client = module.FileClient("lmdb", db_paths=folders, client_keys=["lq", "gt"])
    for sample in samples:
        key = safe_key(sample.relative)
        assert _same_pixels(client.get(key, "lq"), sample.noisy)
        assert _same_pixels(client.get(key, "gt"), sample.clean)


def test_meta_info(make_sample: MakeSample, out: Path) -> None:
    write_lmdb(
        out,
        [
            make_sample("sub/b.png", alpha=True),
            make_sample("a.bmp"),
            make_sample("c.png", channels=1),
        ],
    )
    expected = "a=bmp.png (24,40,3) 1\nc.png (24,40,1) 1\nsub/b.png (24,40,4) 1\n"
    assert (out / NOISY / "meta_info.txt").read_bytes().decode("ascii") == expected
    assert (out / CLEAN / "meta_info.txt").read_bytes().decode("ascii") == expected


def test_gray_and_alpha(make_sample: MakeSample, out: Path) -> None:
    samples = [make_sample("gray.png", channels=1), make_sample("veiled.png", alpha=True)]
    write_lmdb(out, samples)
    for sample, (key, noisy, clean) in zip(samples, read_lmdb(out), strict=True):
        assert key == safe_key(sample.relative)
        assert _same_pixels(noisy, sample.noisy)
        assert _same_pixels(clean, sample.clean)


def test_round_trip_copies_png(make_sample: MakeSample, out: Path) -> None:
    samples = [make_sample("b.png"), make_sample("a.png")]
    write_lmdb(out, samples)
    assert list(read_lmdb(out)) == [
        (safe_key(s.relative), s.noisy.read_bytes(), s.clean.read_bytes()) for s in samples[::-1]
    ]


def test_equal_pairs_make_equal_bytes(samples: list[Sample], tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder, order in zip(folders, (samples, samples[::-1]), strict=True):
        folder.mkdir()
        write_lmdb(folder, order)
    for name in (NOISY, CLEAN):
        one, two = (folder / name / "data.mdb" for folder in folders)
        assert one.read_bytes() == two.read_bytes()


@pytest.mark.parametrize("batch", [1, 3000, 2**26])
def test_any_size_fits_the_map(
    batch: int, make_sample: MakeSample, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hundreds of small and some large values, however they are committed."""
    monkeypatch.setattr(layout, "BATCH", batch)
    pair = make_sample("a.png")
    large = pair.noisy.with_name("large.png")
    large.write_bytes(pair.noisy.read_bytes() + b"\0" * 300_000)
    samples = [
        Sample(f"{index:03}.png", large if index % 50 == 0 else pair.noisy, pair.clean, {})
        for index in range(300)
    ]
    write_lmdb(out, samples)
    assert [noisy for _, noisy, _ in read_lmdb(out)] == [s.noisy.read_bytes() for s in samples]
    held = sum(len(noisy) for _, noisy, _ in read_lmdb(out))
    assert (out / NOISY / "data.mdb").stat().st_size < 2 * held + 2**21


def test_sixteen_bits_are_refused_before_anything_is_written(
    make_sample: MakeSample, out: Path
) -> None:
    with pytest.raises(LayoutError, match=r"deep\.png: has uint16 samples.* another --layout"):
        write_lmdb(out, [make_sample("a.png"), make_sample("deep.png", dtype=np.uint16)])
    assert list(out.iterdir()) == []


def test_damaged_databases(make_sample: MakeSample, out: Path) -> None:
    with pytest.raises(LayoutError, match=r"no meta_info\.txt"):
        list(read_lmdb(out))
    write_lmdb(out, [make_sample("a.png")])
    (out / NOISY / "data.mdb").write_bytes(b"no database" * 900)
    with pytest.raises(LayoutError, match="not a dataset in LMDB"):
        list(read_lmdb(out))
    (out / NOISY / "meta_info.txt").write_text("b.png (1,1,3) 1\n")
    with pytest.raises(LayoutError, match="different keys"):
        list(read_lmdb(out))


def test_without_the_package(tmp_path: Path) -> None:
    """In a Python where ``import lmdb`` fails, the refusal says what to install."""
    code = (
        "import sys; sys.modules['lmdb'] = None\n"
        "from pathlib import Path\n"
        "from noisegen.dataset.layouts.lmdb import LayoutError, write_lmdb\n"
        "try:\n    write_lmdb(Path(sys.argv[1]), [])\n"
        "except LayoutError as error:\n    print(error)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert "pip install '.[lmdb]'" in ran.stdout
    assert list(tmp_path.iterdir()) == []
