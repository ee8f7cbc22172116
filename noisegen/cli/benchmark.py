"""``noisegen benchmark``: megapixels a second on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer

from noisegen.cli import options
from noisegen.cli.output import Output, user_errors


@user_errors
def benchmark(
    side: Annotated[int, typer.Option(min=64, help="Side of the pictures, in pixels.")] = 1024,
    count: Annotated[int, typer.Option(min=1, help="How many.")] = 4,
    threads: Annotated[int | None, typer.Option(help="CPU threads.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Images in hand at once.")] = None,
    weights: options.Weights = "base",
    device: options.Device = "cpu",
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Time the noise alone, synth end to end, reading and writing; count its arithmetic."""
    import torch

    from noisegen.evaluation.speed import content_cost, measure_speed
    from noisegen.model.device import select_device
    from noisegen.model.weights import load_weights

    if threads is not None:
        torch.set_num_threads(threads)
    loaded = load_weights(weights)
    cost = content_cost(loaded.content)
    speed = measure_speed(loaded, side, count, str(select_device(device)), workers)
    lines = [
        f"{count} RGB pictures of {side}×{side}, {torch.get_num_threads()} threads, Mpx/s",
        f"  noise alone                 {speed.noise:6.2f} ({speed.measured:.2f} the network off)",
        f"  synth, files to files       {speed.synth:6.2f} ({speed.synth_measured:.2f} so)",
        f"  the same by one worker      {speed.one_worker:6.2f}",
        f"  reading and writing only    {speed.files:6.2f}",
    ]
    if speed.tenths:
        lines.insert(3, f"    tenth by tenth            {_numbers(speed.tenths)}")
    shares = ", ".join(f"{name} {100 * share:.0f} %" for name, share in speed.shares.items())
    lines.append(f"workers' time in synth: {shares}")
    lines += [
        f"PNG at --compression {level}: {rate:6.1f} Mpx/s, {100 * size:.1f} % of the raw size"
        for level, (rate, size) in speed.compression.items()
    ]
    lines.append(f"network: {cost.kflop:.1f} kFLOP a pixel, {cost.parameters} parameters")
    Output(json, quiet).result("\n".join(lines), {**asdict(speed), **asdict(cost)})


def _numbers(values: Sequence[float]) -> str:
    return " ".join(f"{value:6.2f}" for value in values)
