"""Keys: safe wherever they go, and never shared by two paths."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noisegen.dataset.layouts.sample import safe_key

PARTS = st.text(
    st.characters(exclude_characters="/\0", exclude_categories=()), min_size=1, max_size=300
)
AWKWARD = st.text("ab.-_%=+ \n", min_size=1, max_size=6)
PATHS = (
    st.lists(
        PARTS | AWKWARD | st.sampled_from(["png", ".png", "a.png", "a.tif"]), min_size=1, max_size=4
    )
    .map("/".join)
    .map(lambda path: PurePosixPath(path).as_posix())
)


def _encodable(path: str) -> bool:
    try:
        path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False
    return True


@given(PATHS.filter(_encodable))
def test_a_key_is_plain(path: str) -> None:
    key = safe_key(path)
    assert re.fullmatch(r"[A-Za-z0-9_~/%=+-]+", key)
    assert len(key) <= 400
    assert all(0 < len(part) <= 200 for part in key.split("/"))
    assert not any(part.startswith(("-", "__")) for part in key.split("/"))


@given(st.lists(PATHS.filter(_encodable), unique=True, max_size=30))
def test_no_two_paths_share_a_key(paths: list[str]) -> None:
    assert len({safe_key(path) for path in paths}) == len(paths)


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("sub/a_1-2.png", "sub/a_1-2"),
        ("a b.c.png", "a%20b%2Ec"),
        ("a.tif", "a=tif"),
        ("a.tif.png", "a%2Etif"),
        ("a=tif.png", "a%3Dtif"),
        ("-a/__b.png", "%2Da/%5F_b"),
        ("sub/.png", "sub/=png"),
        ("é.png", "%C3%A9"),
    ],
)
def test_keys_as_documented(path: str, key: str) -> None:
    assert safe_key(path) == key


@pytest.mark.parametrize("length", [255, 4000])
def test_long_names_differ_in_their_last_letter(length: int) -> None:
    name = "x" * (length - 5)
    one, other = safe_key(f"{name}a.png"), safe_key(f"{name}b.png")
    assert one != other
    assert len(one) <= 200


@pytest.mark.parametrize("path", ["", "/etc/passwd"])
def test_other_than_relative_paths(path: str) -> None:
    with pytest.raises(ValueError, match="not a relative path"):
        safe_key(path)
