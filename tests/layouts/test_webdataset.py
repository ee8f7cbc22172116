"""Shards: reproducible, read back by WebDataset, and by ours when hostile."""

from __future__ import annotations

import io
import json
import os
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from noisegen.dataset.layouts.sample import LayoutError, Sample, safe_key
from noisegen.dataset.layouts.webdataset import read_shard, write_shard
from noisegen.errors import ImageError, NoisegenError, OutputError

MakeSample = Callable[..., Sample]


def _bytes(samples: list[Sample]) -> list[tuple[dict[str, Any], bytes, bytes]]:
    return [(s.line, s.noisy.read_bytes(), s.clean.read_bytes()) for s in samples]


def test_round_trip(samples: list[Sample], tmp_path: Path) -> None:
    write_shard(tmp_path / "000000.tar", samples)
    assert list(read_shard(tmp_path / "000000.tar")) == _bytes(samples)


def test_webdataset_reads_it(samples: list[Sample], tmp_path: Path) -> None:
    webdataset = pytest.importorskip("webdataset")
    shard = tmp_path / "000000.tar"
    write_shard(shard, samples)
    read = list(webdataset.WebDataset(str(shard), shardshuffle=False))
    assert [sample["__key__"] for sample in read] == [safe_key(s.relative) for s in samples]
    for sample, (line, noisy, clean) in zip(read, _bytes(samples), strict=True):
        ending = Path(line["noisy_file_name"]).suffix[1:]
        assert sample[f"noisy.{ending}"] == noisy
        assert sample[f"clean.{ending}"] == clean
        assert json.loads(sample["json"]) == line


def test_webdataset_decodes_the_pictures(make_sample: MakeSample, tmp_path: Path) -> None:
    webdataset = pytest.importorskip("webdataset")
    sample = make_sample("a.png")
    write_shard(tmp_path / "s.tar", [sample])
    (read,) = webdataset.WebDataset(str(tmp_path / "s.tar"), shardshuffle=False).decode("rgb8")
    assert read["noisy.png"].shape == read["clean.png"].shape == (24, 40, 3)


def test_equal_pairs_make_equal_bytes(samples: list[Sample], tmp_path: Path) -> None:
    write_shard(tmp_path / "one.tar", samples)
    for sample in samples:
        os.utime(sample.noisy, (1, 1))
        sample.clean.chmod(0o600)
    write_shard(tmp_path / "two.tar", samples)
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "two.tar").read_bytes()
    with tarfile.open(tmp_path / "one.tar") as tar:
        assert {(m.mtime, m.uid, m.gid, m.uname, m.gname, m.mode) for m in tar} == {
            (0, 0, 0, "", "", 0o644)
        }


def test_whole_or_not_at_all(make_sample: MakeSample, tmp_path: Path) -> None:
    good, gone = make_sample("a.png"), make_sample("b.png")
    write_shard(tmp_path / "s.tar", [good])
    before = (tmp_path / "s.tar").read_bytes()
    gone.clean.unlink()
    with pytest.raises(ImageError, match=r"b\.png: cannot be copied"):
        write_shard(tmp_path / "s.tar", [good, gone])
    assert (tmp_path / "s.tar").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pairs", "s.tar"]


def test_no_folder_to_write_to(make_sample: MakeSample, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"s\.tar: cannot be written"):
        write_shard(tmp_path / "missing" / "s.tar", [make_sample("a.png")])


def _tar(path: Path, members: list[tuple[tarfile.TarInfo, bytes]]) -> Path:
    with tarfile.open(path, "w") as tar:
        for member, data in members:
            tar.addfile(member, io.BytesIO(data))
    return path


def _file(name: str, data: bytes) -> tuple[tarfile.TarInfo, bytes]:
    member = tarfile.TarInfo(name)
    member.size = len(data)
    return member, data


def _pair(relative: str, key: str, line: Any = None) -> list[tuple[tarfile.TarInfo, bytes]]:
    names = {"noisy_file_name": f"noisy/{relative}", "clean_file_name": f"clean/{relative}"}
    data = json.dumps(names if line is None else line).encode()
    return [
        _file(f"{key}.noisy.png", b"1"),
        _file(f"{key}.clean.png", b"2"),
        _file(f"{key}.json", data),
    ]


@pytest.mark.parametrize("relative", ["../../x.png", "/etc/x.png", "a/../../x.png", "", "./a.png"])
def test_metadata_that_lead_elsewhere(relative: str, tmp_path: Path) -> None:
    shard = _tar(tmp_path / "s.tar", _pair(relative, "a"))
    with pytest.raises(NoisegenError, match=r"s\.tar"):
        list(read_shard(shard))


@pytest.mark.parametrize("key", ["../a", "/a", "b"])
def test_names_that_metadata_do_not_lead_to(key: str, tmp_path: Path) -> None:
    shard = _tar(tmp_path / "s.tar", _pair("a.png", key))
    with pytest.raises(LayoutError, match="are no pair of its metadata"):
        list(read_shard(shard))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["s.tar"]


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE]
)
def test_links_and_devices(kind: bytes, tmp_path: Path) -> None:
    member = tarfile.TarInfo("a.noisy.png")
    member.type, member.linkname = kind, "/etc/passwd"
    shard = _tar(tmp_path / "s.tar", [(member, b""), *_pair("a.png", "a")[1:]])
    with pytest.raises(LayoutError, match="not a plain file"):
        list(read_shard(shard))


def test_a_sparse_member_that_would_be_huge(tmp_path: Path) -> None:
    member, data = _file("a.noisy.png", b"x" * 512)
    member.pax_headers = {"GNU.sparse.map": "0,512", "GNU.sparse.size": str(2**50)}
    shard = _tar(tmp_path / "s.tar", [(member, data), *_pair("a.png", "a")[1:]])
    with pytest.raises(LayoutError):
        list(read_shard(shard))


@pytest.mark.parametrize("line", [[], "x", {"noisy_file_name": 7}, {}])
def test_metadata_that_are_none(line: Any, tmp_path: Path) -> None:
    with pytest.raises(NoisegenError, match=r"s\.tar"):
        list(read_shard(_tar(tmp_path / "s.tar", _pair("a.png", "a", line))))


def test_deeply_nested_metadata(tmp_path: Path) -> None:
    members = [*_pair("a.png", "a")[:2], _file("a.json", b"[" * 10**6)]
    with pytest.raises(LayoutError, match="nested too deeply"):
        list(read_shard(_tar(tmp_path / "s.tar", members)))


def test_cut_anywhere(make_sample: MakeSample, tmp_path: Path) -> None:
    write_shard(tmp_path / "s.tar", [make_sample("a.png"), make_sample("b.png")])
    data = (tmp_path / "s.tar").read_bytes()
    last = data.rindex(b"}") + 1
    for end in range(1, last, 509):
        (tmp_path / "cut.tar").write_bytes(data[:end])
        pairs: list[Any] = []
        try:
            pairs.extend(read_shard(tmp_path / "cut.tar"))
        except LayoutError as error:
            assert "cut.tar" in str(error)
            assert "\n" not in str(error)
        else:
            # A cut between two pairs cannot be seen.
            assert len(pairs) == 1


def test_missing(tmp_path: Path) -> None:
    with pytest.raises(LayoutError, match="cannot be read"):
        list(read_shard(tmp_path / "none.tar"))


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(place=st.floats(0, 1, exclude_max=True), values=st.binary(min_size=1, max_size=12))
def test_other_bytes(place: float, values: bytes, make_sample: MakeSample, tmp_path: Path) -> None:
    """A shard is refused in one line, or its names stay in their folders; nothing else."""
    shard = tmp_path / "s.tar"
    if not shard.exists():
        write_shard(shard, [make_sample("a.png"), make_sample("x" * 200 + "/b.png")])
    data = bytearray(shard.read_bytes())
    start = int(place * len(data))
    data[start : start + len(values)] = values
    (tmp_path / "other.tar").write_bytes(data)
    try:
        for line, _, _ in read_shard(tmp_path / "other.tar"):
            assert ".." not in Path(line["noisy_file_name"]).parts
    except NoisegenError as error:
        assert len(str(error).splitlines()) == 1
