"""Damaged files, as many as hypothesis is told to try."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

CHANGES = st.lists(
    st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=4
)
"""Bytes that are written over: each its place, as a share of the file, and its value."""


def tried(examples: int) -> settings:
    """Lets a test run so often, however long, with its fixtures made once."""
    return settings(
        max_examples=examples,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
