"""Every format in: the clean side unaltered, the noisy side lossless at the same depth."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms

from noisegen.files import Container, read_picture
from noisegen.files.opening import open_file
from noisegen.references.discover import find_pictures

Scene = Callable[..., Any]


@pytest.fixture
def noisy_of(
    synth: Callable[..., Any], rgb_profile: Path, gray_profile: Path, tmp_path: Path
) -> Callable[..., tuple[Path, Path]]:
    """A picture's file → its noisy and its clean one."""

    def make(path: Path, name: str | None = None, **options: Any) -> tuple[Path, Path]:
        profile = gray_profile if read_picture(path).channels == 1 else rgb_profile
        given = [item for key, value in options.items() for item in (f"--{key}", value)]
        ran = synth(path, "--profile", profile, *given)
        assert ran.code == 0, ran.err
        out = tmp_path / "pairs"
        written = name or path.name
        return out / "noisy" / written, out / "clean" / written

    return make


def test_a_clean_is_opened_once_for_its_pair(
    synth: Callable[..., Any], cleans: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: Counter[str] = Counter()

    def counted(path: Path) -> BinaryIO:
        opened[path.name] += 1
        return open_file(path)

    monkeypatch.setattr("noisegen.files.read.open_file", counted)
    assert synth(cleans).code == 0
    # The other time is when all headers are looked at, before anything is made.
    assert opened == {"a.png": 2, "b.png": 2, "c.png": 2}


def _check_pair(source: Path, noisy_file: Path, clean_file: Path) -> None:
    source_picture, noisy, clean = (read_picture(p) for p in (source, noisy_file, clean_file))
    assert np.array_equal(clean.pixels, source_picture.pixels)
    assert noisy.pixels.dtype == clean.pixels.dtype == source_picture.pixels.dtype
    assert noisy.pixels.shape == clean.pixels.shape
    assert not np.array_equal(noisy.pixels, clean.pixels)
    for side in (noisy, clean):
        assert side.icc == source_picture.icc
        assert side.container not in (Container.JPEG, Container.WEBP)
        assert (side.alpha is None) == (source_picture.alpha is None)
        if side.alpha is not None and source_picture.alpha is not None:
            assert np.array_equal(side.alpha, source_picture.alpha)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("ending", [".png", ".tif"])
def test_lossless_files_are_copied_byte_for_byte(
    noisy_of: Callable[..., tuple[Path, Path]],
    scene: Scene,
    tmp_path: Path,
    dtype: Any,
    channels: int,
    alpha: bool,
    ending: str,
) -> None:
    samples = scene(64, 48, channels, dtype)
    if alpha:
        veil = np.linspace(0, np.iinfo(dtype).max, 64 * 48).reshape(64, 48, 1).astype(dtype)
        samples = np.concatenate([samples, veil], 2)
    source = tmp_path / f"picture{ending}"
    if ending == ".png":
        source.write_bytes(imagecodecs.png_encode(samples.squeeze()))
    else:
        tifffile.imwrite(
            source,
            samples.squeeze(),
            photometric="rgb" if channels == 3 else "minisblack",
            planarconfig="contig" if samples.shape[2] > 1 else None,
            extrasamples=["unassalpha"] if alpha else None,
        )
    noisy, clean = noisy_of(source)
    assert clean.read_bytes() == source.read_bytes()
    _check_pair(source, noisy, clean)


def test_sixteen_bits_are_noise_and_all(
    noisy_of: Callable[..., tuple[Path, Path]], scene: Scene, tmp_path: Path
) -> None:
    """A reader that went through 8 bits would leave low bytes of few values."""
    source = tmp_path / "deep.png"
    source.write_bytes(imagecodecs.png_encode(scene(64, 64, 3, np.uint16)))
    noisy, _ = noisy_of(source)
    assert len(np.unique(read_picture(noisy).pixels & 255)) == 256


@pytest.mark.parametrize("ending", [".jpg", ".webp"])
def test_lossy_files_become_png(
    noisy_of: Callable[..., tuple[Path, Path]], scene: Scene, tmp_path: Path, ending: str
) -> None:
    source = tmp_path / f"photo.small{ending}"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(scene()).save(source, icc_profile=profile)
    noisy, clean = noisy_of(source, "photo.small.png")
    _check_pair(source, noisy, clean)
    assert read_picture(clean).icc == profile


def test_bmp_stays_bmp(
    noisy_of: Callable[..., tuple[Path, Path]], scene: Scene, tmp_path: Path
) -> None:
    source = tmp_path / "old.bmp"
    Image.fromarray(scene()).save(source)
    noisy, clean = noisy_of(source)
    _check_pair(source, noisy, clean)
    assert read_picture(noisy).container is Container.BMP


@pytest.mark.parametrize("ending", [".png", ".bmp", ".tif"])
def test_palettes_are_expanded(
    noisy_of: Callable[..., tuple[Path, Path]], scene: Scene, tmp_path: Path, ending: str
) -> None:
    source = tmp_path / f"indexed{ending}"
    indexed = Image.fromarray(scene()).quantize(32)
    indexed.save(source)
    noisy, clean = noisy_of(source)
    _check_pair(source, noisy, clean)
    assert np.array_equal(read_picture(clean).pixels, np.asarray(indexed.convert("RGB")))


@pytest.mark.parametrize("ending", [".jpg", ".png", ".tif"])
def test_pictures_are_written_upright(
    noisy_of: Callable[..., tuple[Path, Path]], scene: Scene, tmp_path: Path, ending: str
) -> None:
    source = tmp_path / f"turned{ending}"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(scene(48, 64)).save(source, exif=exif)
    noisy, clean = noisy_of(source, "turned.tif" if ending == ".tif" else "turned.png")
    _check_pair(source, noisy, clean)
    shown = Image.open(clean)
    assert shown.size == (48, 64)
    assert shown.getexif().get(0x0112, 1) == 1


@pytest.mark.parametrize(
    ("content", "ending", "same_bytes"),
    [
        ("PNG", ".jpg", True),
        ("JPEG", ".png", False),
        ("TIFF", ".png", False),
        ("PNG", ".tif", False),
    ],
)
def test_endings_may_lie(
    noisy_of: Callable[..., tuple[Path, Path]],
    scene: Scene,
    tmp_path: Path,
    content: str,
    ending: str,
    same_bytes: bool,
) -> None:
    source = tmp_path / f"file{ending}"
    Image.fromarray(scene()).save(source, format=content)
    noisy, clean = noisy_of(source, "file.tif" if ending == ".tif" else "file.png")
    _check_pair(source, noisy, clean)
    assert (clean.read_bytes() == source.read_bytes()) is same_bytes


def test_crops_keep_alpha_and_profile(
    noisy_of: Callable[..., tuple[Path, Path]], scene: Scene, tmp_path: Path
) -> None:
    source = tmp_path / "veiled.png"
    picture = Image.fromarray(scene())
    veil = np.tile(np.arange(96, dtype=np.uint8), (72, 1))
    picture.putalpha(Image.fromarray(veil))
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    picture.save(source, icc_profile=profile)
    noisy, clean = noisy_of(source, "veiled_p0.png", patch=32)
    for side in (noisy, clean):
        crop = read_picture(side)
        assert crop.icc == profile
        assert crop.alpha is not None
        assert crop.alpha.shape == (32, 32)
        assert crop.alpha[0, 0] % 8 == 0


@pytest.mark.parametrize(("level", "options"), [(4095, ()), (1000, ("--white-level", "1000"))])
def test_white_level_of_deep_pictures(
    run: Callable[..., Any],
    synth: Callable[..., Any],
    scene: Scene,
    weights_file: Path,
    tmp_path: Path,
    level: int,
    options: tuple[str, ...],
) -> None:
    """12-bit references, and cleans as deep: noise is scaled by what they hold, not by 65535."""
    deep = (scene(128, 128, 1, np.uint16) / 65535 * level).round().astype(np.uint16)
    noise = np.random.default_rng(0).normal(0, 0.03 * level, deep.shape)
    shot = np.clip(np.rint(deep + noise), 0, level).astype(np.uint16)
    for name, samples in (("clean", deep), ("noisy", shot)):
        (tmp_path / f"{name}.png").write_bytes(imagecodecs.png_encode(samples.squeeze()))
    bright = np.full((128, 128), level, np.uint16)
    (tmp_path / "white.png").write_bytes(imagecodecs.png_encode(bright))
    out = tmp_path / "pairs"
    ran = run(
        "synth", "--ref", tmp_path / "noisy.png", "--ref-clean", tmp_path / "clean.png", *options,
        "--clean", tmp_path, "--out", out, "--weights", weights_file, "--device", "cpu",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    assert read_picture(out / "noisy" / "white.png").pixels.max() <= level
    residual = read_picture(out / "noisy" / "clean.png").pixels.astype(float) - deep
    # The small network adds some of its own; a wrong white level would be a factor of 16 or more.
    assert 0.5 < float(residual.std()) / (0.03 * level) < 2.5


def test_eight_bits_do_not_mind_the_white_level_of_sixteen(
    synth: Callable[..., Any], cleans: Path, tmp_path: Path
) -> None:
    assert synth(cleans).code == 0
    assert synth(cleans, "--white-level", 4095, out=tmp_path / "other").code == 0
    for name in ("a.png", "sub/c.png"):
        assert (tmp_path / "pairs" / "noisy" / name).read_bytes() == (
            tmp_path / "other" / "noisy" / name
        ).read_bytes()


def test_a_gain_map_is_told_of_among_references_and_cleans(
    scene: Scene, run: Callable[..., Any], tmp_path: Path
) -> None:
    """Said once of all that have one, and in the JSON; no pixel is its."""
    folder = tmp_path / "phone"
    folder.mkdir()
    mark = b'<x:xmpmeta><rdf:Description hdrgm:Version="1.0"/></x:xmpmeta>'
    for name in ("a.jpg", "b.jpg"):
        Image.fromarray(scene(96, 96)).save(folder / name, quality=95, xmp=mark)
    Image.fromarray(scene(96, 96)).save(folder / "plain.png")
    asked = ("synth", "--ref", folder / "a.jpg", "--ref-clean", folder / "plain.png")
    out = tmp_path / "pairs"
    ran = run(*asked, "--clean", folder, "--out", out, "--device", "cpu", "--json")
    assert ran.code == 0, ran.err
    told = "as a.jpg: a gain map (HDR) is left aside, the standard picture is taken"
    assert f"1 reference, {told}" in ran.err
    assert json.loads(ran.out)["remarks"] == [f"2 cleans, {told}"]
    assert f"2 cleans, {told}" in ran.err


def test_a_multi_picture_jpeg_is_found_by_its_ending(
    noisy_of: Callable[..., tuple[Path, Path]], scene: Scene, tmp_path: Path
) -> None:
    """Cameras name it so; its main picture is what is taken."""
    folder = tmp_path / "cleans"
    folder.mkdir()
    pictures = [Image.fromarray(scene(96, 96)), Image.fromarray(scene(48, 48))]
    path = folder / "stereo.MPO"
    pictures[0].save(path, "MPO", save_all=True, append_images=pictures[1:], quality=95)
    assert find_pictures([str(folder)], "--ref") == [path]
    noisy, clean = noisy_of(path, "stereo.png")
    _check_pair(path, noisy, clean)
