"""Noise on volumes: the pixels of a picture in memory, plane by plane, whatever the bands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pictures import Pixels, scene

from noisegen.errors import ImageError
from noisegen.files import read_volume_header, write_together
from noisegen.noise.record import Recording
from noisegen.profiles.profile import NoiseProfile
from noisegen.synthesis.blocks import Region
from noisegen.synthesis.clean_rows import ArrayRows
from noisegen.synthesis.synthesizer import CleanError, PlaneNoise, Synthesizer, Version
from noisegen.synthesis.volumes import VolumePair, Written, volume_version

Save = Callable[..., Path]


@pytest.fixture
def saved(tmp_path: Path) -> Save:
    def save(samples: NDArray[Any], **options: Any) -> Path:
        path = tmp_path / "clean.tif"
        tifffile.imwrite(path, samples, **{"photometric": "minisblack", **options})
        return path

    return save


def written(pair: VolumePair, folder: Path) -> tuple[Path, Path]:
    noisy, clean = folder / "noisy.tif", folder / "written_clean.tif"
    write_together([(clean, pair.clean), (noisy, pair.noisy)])
    return noisy, clean


A = Version(key="a")


def gray(height: int, width: int, seed: int = 0) -> Pixels:
    return scene(height, width, 1, seed)[..., 0]


def floats(height: int, width: int, seed: int = 0) -> NDArray[np.float32]:
    return gray(height, width, seed).astype(np.float32) / np.float32(255)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_one_float_plane_is_the_picture_in_memory(
    dtype: type,
    saved: Save,
    synthesizer: Synthesizer,
    gray_profile: NoiseProfile,
    tmp_path: Path,
) -> None:
    clean: Pixels = floats(300, 290).astype(dtype)
    path = saved(clean, compression="zlib", tile=(64, 64))
    (pair,) = volume_version(path, [gray_profile], synthesizer, Version(3, "a", 1))
    noisy, copy = written(pair, tmp_path)
    expected = synthesizer.synthesize(clean, gray_profile, seed=3, key="a", variant=1)
    found = tifffile.imread(noisy)
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, expected)
    assert (found != clean).mean() > 0.5
    assert copy.read_bytes() == path.read_bytes()


def test_rgb_pages_are_the_pictures_in_memory(
    saved: Save, synthesizer: Synthesizer, profile: NoiseProfile, tmp_path: Path
) -> None:
    pages = np.stack([scene(70, 90, seed=seed) for seed in (0, 1)])
    path = saved(pages, photometric="rgb")
    (pair,) = volume_version(path, [profile], synthesizer, A)
    noisy = tifffile.imread(written(pair, tmp_path)[0])
    np.testing.assert_array_equal(noisy[0], synthesizer.synthesize(pages[0], profile, key="a"))
    # Each plane has a field of its own.
    assert (noisy[1] != synthesizer.synthesize(pages[1], profile, key="a")).any()


def test_planes_of_equal_pages_differ_in_their_noise(
    saved: Save, synthesizer: Synthesizer, gray_profile: NoiseProfile, tmp_path: Path
) -> None:
    path = saved(np.stack([gray(64, 64)] * 3))
    (pair,) = volume_version(path, [gray_profile], synthesizer, A)
    noise = tifffile.imread(written(pair, tmp_path)[0]).astype(int) - gray(64, 64)
    correlation = np.corrcoef(noise.reshape(3, -1))
    assert np.abs(correlation[np.triu_indices(3, 1)]).max() < 0.1


@settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    band=st.integers(40, 400),
    tile=st.sampled_from([(16, 16), (64, 48), None]),
    samples=st.sampled_from([1, 2]),
)
def test_any_band_gives_the_same_file(
    band: int,
    tile: tuple[int, int] | None,
    samples: int,
    saved: Save,
    synthesizer: Synthesizer,
    gray_profile: NoiseProfile,
    tmp_path: Path,
) -> None:
    page: Pixels = np.stack([gray(290, 70, seed) for seed in range(samples)], -1)
    pages: Pixels = page[None].astype(np.uint16).repeat(2, 0)
    clean = pages if samples > 1 else pages[..., 0]
    planar = "contig" if samples > 1 else None
    path = saved(clean, planarconfig=planar, tile=tile, compression="zlib")
    files = []
    for rows in (band, None):
        (pair,) = volume_version(path, [gray_profile], synthesizer, A, written=Written(band=rows))
        files.append((written(pair, tmp_path)[0].read_bytes(), pair.hashes))
    assert files[0] == files[1]


def test_bands_are_parts_of_the_whole(synthesizer: Synthesizer, profile: NoiseProfile) -> None:
    clean = scene(330, 300)
    whole = synthesizer.synthesize(clean, profile, key="a")
    region = Region(5, 9, 310, 280)
    rows = ArrayRows(clean)
    levels = synthesizer.check([rows], profile, None)
    bands = synthesizer.synthesize_bands(rows, region, PlaneNoise(profile, levels, A), 77)
    np.testing.assert_array_equal(np.concatenate(list(bands)), whole[5:315, 9:289])


class Counted(ArrayRows):
    """Rows of an array, of which it is noted how many were asked for at a time."""

    most = 0

    def rows(self, top: int, bottom: int) -> Pixels:
        self.most = max(self.most, bottom - top)
        return super().rows(top, bottom)


def test_few_rows_are_read_at_a_time(synthesizer: Synthesizer, profile: NoiseProfile) -> None:
    clean = np.tile(scene(64, 32), (40, 1, 1))
    rows = Counted(clean)
    region = Region(0, 0, *clean.shape[:2])
    levels = synthesizer.check([rows], profile, None)
    bands = list(synthesizer.synthesize_bands(rows, region, PlaneNoise(profile, levels, A), 256))
    assert [band.shape[0] for band in bands] == [256] * 10
    assert rows.most < 400
    np.testing.assert_array_equal(
        np.concatenate(bands), synthesizer.synthesize(clean, profile, key="a")
    )


def test_regions_are_small_volumes(
    saved: Save, synthesizer: Synthesizer, gray_profile: NoiseProfile, tmp_path: Path
) -> None:
    clean = np.stack([gray(120, 130, seed) for seed in range(4)]).reshape(2, 2, 120, 130)
    names = {"Name": ["DAPI", "GFP"]}
    path = saved(clean, ome=True, metadata={"axes": "ZCYX", "Channel": names})
    (whole,) = volume_version(path, [gray_profile], synthesizer, A)
    noisy = tifffile.imread(written(whole, tmp_path)[0])
    regions = [Region(8, 16, 64, 64), Region(50, 40, 64, 64)]
    for pair in volume_version(path, [gray_profile], synthesizer, A, regions=regions):
        crop, crop_clean = written(pair, tmp_path)
        place = (..., *pair.region.slices(Region(0, 0, 0, 0)))
        np.testing.assert_array_equal(tifffile.imread(crop), noisy[place])
        np.testing.assert_array_equal(tifffile.imread(crop_clean), clean[place])
        header = read_volume_header(crop)
        assert header is not None
        assert (header.height, header.width, header.channels) == (64, 64, ("DAPI", "GFP"))
        with tifffile.TiffFile(crop) as file:
            assert file.series[0].axes == "ZCYX"


def test_alpha_goes_through_and_hashes_are_of_the_pixels(
    saved: Save, synthesizer: Synthesizer, gray_profile: NoiseProfile, tmp_path: Path
) -> None:
    pages = np.stack([scene(40, 50, 2, seed) for seed in range(2)]).astype(np.uint16)
    path = saved(pages, planarconfig="contig", extrasamples=["unassalpha"])
    (pair,) = volume_version(path, [gray_profile], synthesizer, A)
    with pytest.raises(ValueError, match="written"):
        _ = pair.hashes
    noisy_path, _ = written(pair, tmp_path)
    noisy = tifffile.imread(noisy_path)
    np.testing.assert_array_equal(noisy[..., 1], pages[..., 1])
    assert (noisy[..., 0] != pages[..., 0]).mean() > 0.5
    (again,) = volume_version(noisy_path, [gray_profile], synthesizer, A)
    written(again, tmp_path)
    assert again.hashes[1] == pair.hashes[0] != pair.hashes[1]


def test_32_bits_are_exact(
    saved: Save, synthesizer: Synthesizer, gray_profile: NoiseProfile, tmp_path: Path
) -> None:
    clean = gray(64, 64).astype(np.uint32) * 2**23 + 1
    path = saved(clean)
    (pair,) = volume_version(
        path, [gray_profile], synthesizer, Version(strength=1e-9), white_level=2**32 - 1
    )
    noisy = tifffile.imread(written(pair, tmp_path)[0])
    assert noisy.dtype == np.uint32
    # Noise of a few steps: float32 could not even hold the clean.
    assert 0 < np.abs(noisy.astype(np.int64) - clean.astype(np.int64)).max() < 10


def test_a_profile_a_channel(
    saved: Save, synthesizer: Synthesizer, gray_profile: NoiseProfile, tmp_path: Path
) -> None:
    path = saved(np.full((2, 64, 64), 0.5, np.float32), metadata={"axes": "CYX"})
    continuous = Recording.even(1, 0)
    quiet, loud = (
        replace(
            gray_profile,
            name=name,
            dtype="float32",
            white_level=white,
            recording=continuous.scaled(white),
        )
        for name, white in (("quiet", 1.0), ("loud", 2.0))
    )
    (pair,) = volume_version(path, [quiet, loud], synthesizer, A)
    noisy = tifffile.imread(written(pair, tmp_path)[0])
    assert noisy[1].std() > 1.5 * noisy[0].std()


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: np.stack([floats(40, 40), np.full((40, 40), np.nan, np.float32)]), "plane 2.*NaN"),
        (lambda: np.full((40, 40), np.inf, np.float32), "infinite"),
        (lambda: floats(40, 40) * 3, "white_level="),
        (lambda: floats(40, 40) - 1, "below 0"),
        (lambda: gray(40, 40).astype(np.uint32), "white_level="),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_written(
    make: Callable[[], Pixels],
    reason: str,
    saved: Save,
    synthesizer: Synthesizer,
    gray_profile: NoiseProfile,
) -> None:
    with pytest.raises(CleanError, match=reason):
        volume_version(saved(make()), [gray_profile], synthesizer, A)


def test_gray_planes_need_a_gray_profile(
    saved: Save, synthesizer: Synthesizer, profile: NoiseProfile
) -> None:
    with pytest.raises(CleanError, match="is gray, but profile"):
        volume_version(saved(np.stack([gray(40, 40)] * 2)), [profile], synthesizer, A)


def test_a_file_that_fails_late_leaves_nothing(
    saved: Save, synthesizer: Synthesizer, gray_profile: NoiseProfile, tmp_path: Path
) -> None:
    pages = np.stack([gray(64, 64, seed) for seed in range(3)])
    path = saved(pages, compression="zlib", metadata=None)
    (pair,) = volume_version(path, [gray_profile], synthesizer, A)
    with tifffile.TiffFile(path) as file:
        start = file.pages[2].dataoffsets[0]
    data = bytearray(path.read_bytes())
    data[start + 4 : start + 40] = b"\xff" * 36
    path.write_bytes(data)
    with pytest.raises(ImageError, match="damaged"):
        written(pair, tmp_path)
    assert [each.name for each in tmp_path.iterdir()] == ["clean.tif"]


def test_a_file_that_changes_is_noticed(
    saved: Save, synthesizer: Synthesizer, gray_profile: NoiseProfile, tmp_path: Path
) -> None:
    (pair,) = volume_version(saved(np.stack([gray(40, 40)] * 2)), [gray_profile], synthesizer, A)
    saved(np.stack([gray(40, 40)] * 3))
    with pytest.raises(CleanError, match="changed"):
        written(pair, tmp_path)
