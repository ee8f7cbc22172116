"""Options given by a call from Python: made the types that their fields have, or refused by name.

The command line parses types itself; Python hands on whatever it is given.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import fields
from enum import Enum
from numbers import Integral, Real
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from noisegen.errors import UsageError

Choice = TypeVar("Choice", bound=Enum)

_WORDS = {
    int: "a whole number",
    float: "a number",
    bool: "True or False",
    str: "text",
    tuple: "a number, or two as (low, high)",
}


def settle(options: object, read: dict[type, Callable[[str], Any]]) -> None:
    """Turns an options dataclass's values into those of its fields' types.

    A choice may be given by its word, a pair of numbers as one number, and types that have a way
    to be written as text, as text.

    Args:
        options: a frozen dataclass, being made.
        read: such types, and what reads them.

    Raises:
        UsageError: a value is of another type, or below the least that its option takes.
    """
    hints = get_type_hints(type(options), include_extras=True)
    # typing has no public name for what any dataclass is.
    for field in fields(options):  # type: ignore[arg-type]
        kind, _, *more = get_args(hints[field.name])
        flag, value = f"--{field.name.replace('_', '-')}", getattr(options, field.name)
        settled = _settled(value, kind, flag, read)
        least = more[0].get("min") if more else None
        if least is not None and settled is not None and settled < least:
            raise UsageError(f"{flag} {settled}: give {least} or more")
        object.__setattr__(options, field.name, settled)


def choice(kind: type[Choice], value: object, name: str) -> Choice:
    """Choose by its word.

    Args:
        kind: what is chosen of.
        value: a word, or one of the kind.
        name: of the option.

    Raises:
        UsageError: there is no such word.
    """
    choices = [one.value for one in kind]
    if value in choices:
        return kind(value)
    raise UsageError(f"{name} {value!r}: choose of {', '.join(choices)}")


def _settled(value: Any, kind: Any, flag: str, read: dict[type, Callable[[str], Any]]) -> Any:  # noqa: ANN401
    if get_origin(kind) in (Union, UnionType):
        if value is None:
            return None
        kind = next(one for one in get_args(kind) if one is not type(None))
    kind = get_origin(kind) or kind
    if kind is tuple:
        pair = (value, value) if isinstance(value, Real) else value
        if isinstance(pair, Sequence) and len(pair) == 2 and all(map(_is_number, pair)):
            return tuple(map(_float, pair))
    elif kind in read and isinstance(value, str):
        return read[kind](value)
    elif issubclass(kind, Enum):
        return choice(kind, value, flag)
    elif kind is int and isinstance(value, Integral) and not isinstance(value, bool):
        return int(value)
    elif kind is float and _is_number(value):
        return _float(value)
    elif kind not in (int, float) and isinstance(value, kind):
        return value
    words = _WORDS.get(kind, f"{kind.__name__}, or text as on the command line")
    raise UsageError(f"{flag} {value!r}: give {words}")


def _float(value: Real) -> float:
    """Of any kind of number: a recipe holds plain ones, so that equal options are equal bytes."""
    try:
        return float(value)
    except OverflowError:  # A whole number may be larger than any float; no option takes one.
        return math.inf


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)
