"""``noisegen evaluate --split``."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.table import Table

from noisegen.cli.output import Output

Run = Callable[..., Any]


def test_splits_are_checked_before_anything_is_read(run: Run, tmp_path: Path) -> None:
    for arguments, words in (
        (("--split", "sidd"), "choose of polyu-seen"),
        (("--split", "instruments", "--instrument", "x"), "choose of phone raw"),
        (("--split", "instruments", "--looks", "l"), "--looks does not go with the instruments"),
        (("--split", "instruments", "--peers"), "--peers does not go with the instruments"),
        (("--split", "w2s", "--instrument", "phone raw"), "belongs to --split instruments"),
        (("--split", "w2s", "--data", tmp_path), "does not hold the validation data"),
        (("--by", "pair,burst"), "--by burst: unknown; choose of pair, lone"),
        (("--by", "pair", "--lone"), "give one of them"),
        (("--ablate", "--real", "a", "--synth", "b"), "do not go with --real and --synth"),
        (("--instrument", "c", "--real", "a", "--synth", "b"), "do not go with --real"),
        (("--peers", "--real", "a", "--synth", "b"), "do not go with --real and --synth"),
        (("--looks", "c", "--real", "a", "--synth", "b"), "--looks do not go with --real"),
    ):
        ran = run("evaluate", *arguments)
        assert ran.code == 2
        assert words in ran.err
        assert len(ran.err.splitlines()) == 1


@pytest.mark.realdata
def test_a_split_has_the_baselines_beside_it(run: Run, real_data: Path, weights_file: Path) -> None:
    fixed = ("--data", real_data, "--weights", weights_file, "--device", "cpu")
    ran = run("evaluate", "--split", "gaussian", *fixed, "--json")
    assert ran.code == 0, ran.err
    rows = ran.json["splits"]["gaussian"]
    assert list(rows) == ["gaussian", "classical", "noisegen", "start", "floor"]
    assert rows["floor"]["kld"]["mean"] < 0.002
    shown = run("evaluate", "--split", "gaussian", *fixed)
    assert "gaussian: 12 targets, mean (median)" in shown.out


@pytest.mark.slow
def test_instruments_need_no_data(run: Run, tmp_path: Path, weights_file: Path) -> None:
    fixed = ("--data", tmp_path, "--weights", weights_file, "--device", "cpu")
    command = ("evaluate", "--split", "instruments", "--instrument", "stretched 8 bit", *fixed)
    ran = run(*command, "--json", "--csv", tmp_path / "out")
    assert ran.code == 0, ran.err
    (written,) = (tmp_path / "out").iterdir()
    with written.open() as file:
        assert [line["kind"] for line in csv.DictReader(file)][-1] == "lone"
    lines = ran.json["instruments"]
    kinds = ["gaussian", "classical", "start", "pair", "burst", "lone"]
    assert [line["kind"] for line in lines] == kinds
    assert ran.json["splits"] == {}
    classical = lines[1]["judged"]
    assert classical["impossible"] > 0.5
    assert len(classical["deciles"]) == 10
    assert abs(classical["worst_ratio"] - 1) > abs(classical["median_ratio"] - 1)


@pytest.mark.realdata
def test_one_command_tries_pairs_lone_shots_and_peers_and_writes_csv(
    run: Run, real_data: Path, weights_file: Path, tmp_path: Path
) -> None:
    fixed = ("--data", real_data, "--weights", weights_file, "--device", "cpu", "--split", "micro")
    command = ("evaluate", *fixed, "--by", "pair,lone", "--peers", "--csv", tmp_path / "out")
    ran = run(*command, "--json")
    assert ran.code == 0, ran.err
    with (tmp_path / "out/scores.csv").open() as file:
        lines = list(csv.DictReader(file))
    values = ran.json
    assert list(values["splits"]) == ["micro", "micro, lone"]
    for name, by in (("micro", "pair"), ("micro, lone", "lone")):
        rows = {line["row"]: line for line in lines if line["by"] == by}
        assert list(rows) == list(values["splits"][name])
        assert list(rows)[:3] == ["gaussian", "classical", "poisson-gaussian"]
        for row, line in rows.items():
            assert float(line["akld mean"]) == pytest.approx(
                values["splits"][name][row]["akld"]["mean"], abs=1e-4
            )
            assert (row == "floor") == (line["Mpx/s"] == "")
    again = run(*command)
    assert again.code == 1
    assert "scores.csv: is there already" in again.err


def test_a_wide_table_is_whole_in_a_pipe(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The instruments' has 100 columns; Rich would take a pipe to have 80 and cut numbers."""
    monkeypatch.delenv("COLUMNS", raising=False)
    table = Table()
    for number in range(12):
        table.add_column(f"{number}", no_wrap=True)
    table.add_row(*["0.1234"] * 12)
    Output().result(table, {})
    assert capsys.readouterr().out.count("0.1234") == 12
