"""``noisegen benchmark``: megapixels a second on this machine."""

from __future__ import annotations

from dataclasses import asdict

import torch

from noisegen.cli.output import Output
from noisegen.cli.score_commands import Benchmark
from noisegen.errors import counted
from noisegen.evaluation.speed import (
    SizeSpeed,
    content_cost,
    measure_sizes,
    measure_speed,
    photograph,
)
from noisegen.evaluation.speed_beside import Beside, measure_beside
from noisegen.model.device import select_device
from noisegen.model.weights import load_weights

SIZES = (
    (64, 64, 100),
    (64, 64, 1000),
    (64, 64, 10_000),
    (256, 256, 100),
    (256, 256, 1000),
    (1024, 1024, 100),
    (4000, 6000, 4),
)
"""Height, width and number of the table's pictures."""


def benchmark(asked: Benchmark, output: Output) -> None:
    """Measures and prints the speeds."""
    side, device = asked.side, str(select_device(asked.device))
    if asked.threads is not None:
        torch.set_num_threads(asked.threads)
    loaded = load_weights(asked.weights)
    cost = content_cost(loaded.content)
    speed = measure_speed(loaded, side, asked.count, device, asked.workers)
    threads = counted(torch.get_num_threads(), "thread")
    lines = [
        f"{counted(asked.count, 'RGB picture')} of {side}×{side}, {threads}, Mpx/s",
        f"  noise alone                 {speed.noise:6.2f} ({speed.measured:.2f} the network off)",
        f"  synth, files to files       {speed.synth:6.2f} ({speed.synth_measured:.2f} so)",
        f"  the same by one worker      {speed.one_worker:6.2f}",
        f"  reading and writing only    {speed.files:6.2f}",
    ]
    if speed.tenths:
        tenths = " ".join(f"{value:6.2f}" for value in speed.tenths)
        lines.insert(3, f"    tenth by tenth            {tenths}")
    shares = ", ".join(f"{name} {100 * share:.0f} %" for name, share in speed.shares.items())
    lines.append(f"workers' time in synth: {shares}")
    lines += [
        f"PNG at --compression {level}: {rate:6.1f} Mpx/s, {100 * size:.1f} % of the raw size"
        for level, (rate, size) in speed.compression.items()
    ]
    lines.append(f"network: {cost.kflop:.1f} kFLOP a pixel, {cost.parameters} parameters")
    data = {**asdict(speed), **asdict(cost)}
    if asked.beside:
        pictures = [photograph(side, side, index) for index in range(asked.count)]
        beside = measure_beside(loaded, asked.weights, pictures)
        lines += _words(beside)
        data["beside"] = asdict(beside)
    if asked.sizes:
        rows = list(measure_sizes(loaded, SIZES, device, asked.workers))
        lines += [_size_words(row) for row in rows]
        data["sizes"] = [asdict(row) for row in rows]
    output.result("\n".join(lines), data)


def _size_words(row: SizeSpeed) -> str:
    memory = "" if row.memory is None else f", {row.memory:.0f} MB at most so far"
    return (
        f"{row.count:6} of {row.height}×{row.width}: {row.synth:5.2f} Mpx/s, "
        f"{row.pictures:6.2f} a second, reading and writing only {row.files:5.1f} Mpx/s{memory}"
    )


def _words(beside: Beside) -> list[str]:
    (on, off), (pair, lone, coarse) = beside.crops, beside.profiles
    lines = [f"{name:40} {speed:6.1f} Mpx/s on one thread" for name, speed in beside.others.items()]
    lines += [
        f"AddCameraNoise: {on:.0f} crops of 128² a second and worker ({off:.0f} the network off)",
        f"a process that makes one picture: {beside.start:.1f} s",
        f"a profile of one 12 Mpx shot: {pair:.1f} s with its clean, {lone:.1f} s without "
        f"({coarse:.1f} s by --precision bf16)",
    ]
    return lines if beside.memory is None else [*lines, f"memory: {beside.memory:.0f} MB at most"]
