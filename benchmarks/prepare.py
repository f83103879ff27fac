"""Preparation of a 12-megapixel JPEG for a long edge of 768 pixels, compared with the usual way and with
libjpeg-turbo's own decoding.

    python -m benchmarks.prepare [--json FILE]

The usual way opens, converts to RGB, resizes with Lanczos, pads to the model's grid and encodes again. Both ways get
the same bytes in memory, are interleaved, and write the same size with the same JPEG settings; figures are medians.
PSNR compares the decoded outputs.

`prepare_vs_turbo` is the CPU time of the whole preparation (bytes in memory to the base64 that is sent) over that of
libjpeg-turbo's decoding at the same reduced scale, interleaved in one thread; `prepare_vs_turbo_wall` the same of wall
time, and `prepare_vs_turbo_threads` of the pictures a second in as many threads as cores (`_cpu`: of the CPU time of
each; the one to look at where the machine has other work). `part_*_ms` is CPU time.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from random import Random
from statistics import median
from typing import Annotated

import typer
from PIL import Image, ImageChops, ImageDraw, ImageStat
from rich.console import Console
from rich.table import Table

from benchmarks import turbo
from benchmarks.report import write_report
from onelook.engines.size_grid import DEFAULT_GRID
from onelook.images.original import Original
from onelook.images.padding import padded
from onelook.images.picture import Picture
from onelook.images.sizing import Layout, layout
from onelook.images.threads import cores
from onelook.settings.resolution import at_most

LONG_EDGE = 768
MAX_PIXELS = 100_000_000
REPETITIONS = 15
ROUNDS = 5


def photograph(width: int, height: int, *, seed: int = 7) -> bytes:
    """A JPEG (quality 90) like a photograph: soft shading, texture at all scales, hard edges, sensor grain.

    Shading and texture are random grids from 4 cells to a thousand across, each twice as fine and half as strong as
    the one before, because the spectrum of natural pictures falls as 1/f (Field 1987, doi:10.1364/JOSAA.4.002379).
    """
    random = Random(seed)  # noqa: S311
    size = (width, height)

    def grid(columns: int) -> Image.Image:
        rows = max(2, columns * height // width)
        cells = Image.frombytes("L", (columns, rows), random.randbytes(columns * rows))
        return cells.resize(size, Image.Resampling.BICUBIC)

    def texture(octaves: int) -> Image.Image:
        plane = grid(4 << (octaves - 1))
        for octave in reversed(range(octaves - 1)):
            plane = Image.blend(plane, grid(4 << octave), 1 / 2)
        return plane

    tints = [texture(5).point(lambda value: 96 + value // 4) for _ in range(2)]
    picture = Image.merge("YCbCr", (texture(9), *tints)).convert("RGB")
    draw = ImageDraw.Draw(picture)
    for _ in range(250):
        x, y, reach = random.randrange(width), random.randrange(height), random.randrange(width // 200, width // 15)
        colour = (random.randrange(256), random.randrange(256), random.randrange(256))
        draw.polygon([(x, y), (x + reach, y + reach // 3), (x + reach // 4, y + reach)], fill=colour)
        draw.line((x, y, x - reach, y + 2 * reach), fill=colour, width=max(1, reach // 30))
    grain = Image.frombytes("L", size, random.randbytes(width * height)).point(lambda value: value // 24)
    picture = ImageChops.add(picture, Image.merge("RGB", (grain, grain, grain)), offset=-5)
    return _jpeg(picture)


def the_usual_way(data: bytes, wanted: Layout) -> bytes:
    resized = Image.open(BytesIO(data)).convert("RGB").resize(wanted.drawn, Image.Resampling.LANCZOS)
    return _jpeg(padded(resized, wanted.sent))


def our_way(data: bytes) -> Picture:
    bounds = at_most(LONG_EDGE)
    return Original(data, name="photograph", max_pixels=MAX_PIXELS, up_to=[bounds], grid=DEFAULT_GRID).picture(bounds)


def beside_turbo(data: bytes, size: tuple[int, int]) -> dict[str, float | int]:
    """Times in milliseconds and rates in pictures a second, of libjpeg-turbo's decoding of `data` at the scale that
    still has `size`, and of the preparation."""
    ways: dict[str, turbo.Work] = {"turbo": lambda: turbo.decode(data, size), "ours": lambda: our_way(data).data_url}
    taken = turbo.side_by_side(ways, REPETITIONS)
    figures: dict[str, float | int] = {
        "prepare_vs_turbo": round(taken["ours"].cpu / taken["turbo"].cpu, 2),
        "prepare_vs_turbo_wall": round(taken["ours"].wall / taken["turbo"].wall, 2),
        "prepare_cpu_ms": round(taken["ours"].cpu, 1),
        "turbo_cpu_ms": round(taken["turbo"].cpu, 1),
        "cores": cores(),
    }
    for threads in sorted({1, cores()}):
        found = turbo.rates(ways, threads=threads, pictures=4 * threads, rounds=ROUNDS)
        figures |= {f"{way}_per_s_{threads}_threads": round(rate.per_s, 1) for way, rate in found.items()}
        if threads == cores():
            figures["prepare_vs_turbo_threads"] = round(found["turbo"].per_s / found["ours"].per_s, 2)
            figures["prepare_vs_turbo_threads_cpu"] = round(found["ours"].cpu / found["turbo"].cpu, 2)
    parts = turbo.parts(data, at_most(LONG_EDGE), max_pixels=MAX_PIXELS, repetitions=REPETITIONS)
    return figures | {f"part_{name}_ms": round(each, 2) for name, each in parts.items()}


def psnr_db(ours: bytes, reference: bytes) -> float:
    """Peak signal-to-noise ratio of two encoded pictures of one size, over all channels, in decibels."""
    difference = ImageChops.difference(*(Image.open(BytesIO(data)).convert("RGB") for data in (ours, reference)))
    statistics = ImageStat.Stat(difference)
    mean_square = sum(statistics.sum2) / sum(statistics.count)
    return 10 * math.log10(255**2 / mean_square) if mean_square else math.inf


def _jpeg(picture: Image.Image) -> bytes:
    encoded = BytesIO()
    picture.save(encoded, "JPEG", quality=90, subsampling="4:2:0")
    return encoded.getvalue()


def _milliseconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1e3


def _parts_table(figures: Mapping[str, float | int]) -> Table:
    table = Table("part", "CPU ms", "of", title="what each part of the preparation takes")
    for name, of in turbo.PARTS.items():
        table.add_row(name, f"{figures[f'part_{name}_ms']:.2f}", of)
    return table


app = typer.Typer(add_completion=False)


@app.command()
def main(json: Annotated[Path | None, typer.Option(help="Write the figures to this file.")] = None) -> None:
    """Image preparation, compared with the usual way."""
    data = photograph(4000, 3000)
    picture = our_way(data)
    wanted = layout(picture.source_width, picture.source_height, at_most(LONG_EDGE), DEFAULT_GRID)
    size = wanted.sent
    usual_bytes = the_usual_way(data, wanted)
    ready = our_way(picture.data)
    assert ready.untouched

    ours, usual, untouched = [], [], []
    for _ in range(REPETITIONS):
        usual.append(_milliseconds(lambda: the_usual_way(data, wanted)))
        ours.append(_milliseconds(lambda: our_way(data)))
        untouched.append(_milliseconds(lambda: our_way(picture.data)))
    figures = {
        "speedup_12mp": round(median(usual) / median(ours), 2),
        "psnr_db": round(psnr_db(picture.data, usual_bytes), 1),
        "prepare_12mp_ms": round(median(ours), 1),
        "usual_12mp_ms": round(median(usual), 1),
        "untouched_ms": round(median(untouched), 1),
        "source_kb": round(len(data) / 1e3),
        "prepared_kb": round(len(picture.data) / 1e3),
        "usual_kb": round(len(usual_bytes) / 1e3),
        "repetitions": REPETITIONS,
        **beside_turbo(data, wanted.drawn),
    }

    table = Table(
        "way", "median ms", "kB out", title=f"4000 x 3000 JPEG ({figures['source_kb']} kB) to {size[0]} x {size[1]}"
    )
    table.add_row("open, convert, resize, pad, encode", f"{figures['usual_12mp_ms']}", f"{figures['usual_kb']}")
    table.add_row("prepare", f"{figures['prepare_12mp_ms']}", f"{figures['prepared_kb']}")
    table.add_row("prepare, already right (sent untouched)", f"{figures['untouched_ms']}", f"{figures['prepared_kb']}")
    console = Console()
    console.print(table)
    console.print(f"{figures['speedup_12mp']} x faster; the two outputs differ by {figures['psnr_db']} dB PSNR")
    console.print(_parts_table(figures))
    console.print(
        f"{figures['prepare_vs_turbo']} x the CPU time of libjpeg-turbo's decoding ({figures['prepare_cpu_ms']} and"
        f" {figures['turbo_cpu_ms']} ms); {figures['prepare_vs_turbo_threads_cpu']} x in {figures['cores']} threads"
    )
    if json is not None:
        write_report(json, figures)


if __name__ == "__main__":
    app()
