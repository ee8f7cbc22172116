"""Commands whose options are the fields of a frozen dataclass.

A field is ``Annotated[kind, "help"]``, with a dict of further arguments of ``typer.Option`` where
it needs some, or ``Annotated[kind, typer.Argument(...)]``. A field that is such a dataclass itself
stands for all of its fields; fields of one name are one option.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import MISSING, fields
from functools import cache
from importlib import import_module
from inspect import Parameter, Signature, getdoc
from itertools import takewhile
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import typer
from typer.core import TyperCommand, TyperOption
from typer.models import ArgumentInfo

from noisegen.cli.output import Output, user_errors
from noisegen.dataset.plan import Shard, parse_shard, parse_strength
from noisegen.errors import UsageError

Weights = Annotated[str, "Shipped weights by name, or a .safetensors file."]
Device = Annotated[str, "auto, cpu, cuda or mps."]
Refs = Annotated[
    Sequence[str],
    "Noisy shots of the camera: a file or stack, a folder or a quoted glob; repeatable.",
]
RefCleans = Annotated[Sequence[str], "Clean of each --ref, matched by name; repeatable."]
ShownClean = Annotated[Path | None, "Its clean; else estimated."]
Overwrite = Annotated[bool, "Replace what is there."]
DataFolder = Annotated[Path, "Folder of the real data.", {"envvar": "NOISEGEN_DATA"}]
Threads = Annotated[int | None, "CPU threads.", {"min": 1}]
Seed = Annotated[int, "Of everything that is drawn.", {"min": 0}]

READ: dict[Any, tuple[Callable[[str], Any], str]] = {
    tuple[float, float]: (parse_strength, "1.0"),
    Shard: (parse_shard, "1/1"),
}
"""Kinds that are written as text: what reads them, and how the default is written."""

PICTURES = {"--clean", "--ref", "--ref-clean"}
"""Options that name pictures."""

SHOWN = {
    "json": Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")],
    "quiet": Annotated[bool, typer.Option("--quiet", "-q", help="Print errors and warnings only.")],
}
"""Options of every command."""


def add_command(app: typer.Typer, name: str, options: type, run: str) -> None:
    """Adds a command; its help is the docstring of its options.

    Nothing that computes is imported before the command is called.

    Args:
        app: that it is added to.
        name: of the command; none for what the app does where no command is named.
        options: a frozen dataclass.
        run: ``module:function`` of this package, which takes the options and an :class:`Output`.
    """
    module, function = run.split(":")

    def call(context: typer.Context, json: bool, quiet: bool, **given: Any) -> None:  # noqa: ANN401
        if context.invoked_subcommand is None:
            with user_errors():
                work = getattr(import_module(f"noisegen.cli.{module}"), function)
                work(_filled(options, given), Output(json, quiet))

    keyword = Parameter.KEYWORD_ONLY
    parameters = [Parameter("context", keyword, annotation=typer.Context)]
    parameters += _parameters(options).values()
    parameters += [Parameter(n, keyword, default=False, annotation=a) for n, a in SHOWN.items()]
    call.__annotations__ = {}
    # Typer reads it; mypy knows no such attribute of functions.
    call.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    # Typer keeps a docstring's line breaks, whatever the terminal: a paragraph becomes a line.
    paragraphs = (getdoc(options) or "").split("\n\n")
    words = "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
    command = app.command(name, cls=_Once, help=words) if name else app.callback(help=words)
    command(call)


class _Once(TyperCommand):
    """A command that refuses pictures given twice, where only the last would count.

    Other options may be repeated: a script's defaults come first, what overrides them after.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 (Typer's own)
        flags = [arg.split("=")[0] for arg in takewhile(lambda arg: arg != "--", args)]
        with user_errors():
            for one in self.params:
                single = isinstance(one, TyperOption) and not one.multiple
                pictures = not PICTURES.isdisjoint(one.opts)
                if single and pictures and sum(flag in one.opts for flag in flags) > 1:
                    raise UsageError(f"{one.opts[0]} is there more than once; give it one value")
        return super().parse_args(ctx, args)


@cache
def _hints(options: type) -> dict[str, Any]:
    return get_type_hints(options, include_extras=True)


def _parameters(options: type) -> dict[str, Parameter]:
    """Of each field what Typer makes its option of."""
    found: dict[str, Parameter] = {}
    for field in fields(options):
        hint = _hints(options)[field.name]
        if get_origin(hint) is not Annotated:
            found = found | {n: p for n, p in _parameters(hint).items() if n not in found}
            continue
        kind, said, *more = get_args(hint)
        default = Parameter.empty if field.default is MISSING else field.default
        if get_origin(kind) is Sequence:
            kind, default = list.__class_getitem__(get_args(kind)) | None, default or None
        elif kind in READ:
            kind, default = str, READ[kind][1]
        if not isinstance(said, ArgumentInfo):
            flag = f"--{field.name.replace('_', '-')}"
            said = typer.Option(flag, help=said, **(more[0] if more else {}))
        # Made while the program runs, for Typer; mypy takes it for a type of its own.
        annotation = Annotated[kind, said]  # type: ignore[valid-type]
        found[field.name] = Parameter(
            field.name, Parameter.KEYWORD_ONLY, default=default, annotation=annotation
        )
    return found


def _filled(options: type, given: dict[str, Any]) -> Any:  # noqa: ANN401
    """The dataclass of what was given."""
    values = {}
    for name, hint in _hints(options).items():
        if get_origin(hint) is not Annotated:
            values[name] = _filled(hint, given)
            continue
        kind, value = get_args(hint)[0], given[name]
        if get_origin(kind) is Sequence:
            value = tuple(value or ())
        if isinstance(value, float) and not math.isfinite(value):
            raise UsageError(f"--{name.replace('_', '-')} {value}: give a finite number")
        values[name] = READ[kind][0](value) if kind in READ else value
    return options(**values)
