"""Foreign pictures through the whole of onelook: none may crash, hang, take much memory, or be answered though broken.

    python -m benchmarks.hostile                            # the cases in tests/images/cases
    python -m benchmarks.hostile FOLDER --json hostile.json # your own, searched below
    python -m benchmarks.hostile --mutations 100000         # and seeded mutations of them, prepared only

Each file is tagged with the bundled model, as it is and with `--adaptive --resolution auto`. The figures:

    crashes          runs that ended with anything but a result or a picture's error
    hangs            runs longer than --seconds
    accepted_broken  files that were answered though Pillow, decoding them whole, reports damage
    peak_mb          most memory of a process that only prepares them, the interpreter included
    unexplained      errors that do not name the file, have no hint, or show a Python exception
"""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Annotated

import typer
from PIL import Image
from rich.console import Console
from rich.progress import track

from benchmarks.report import write_report
from onelook.demo.checkpoint import with_demo_models
from onelook.engines.size_grid import DEFAULT_GRID
from onelook.errors import ImageError
from onelook.images.decode_memory import check_decode_bytes
from onelook.images.limits import MAX_DECODE_BYTES
from onelook.images.original import Original
from onelook.settings.process import load_settings
from onelook.settings.resolution import at_most
from onelook.tagger import Tagger
from onelook.types import Context

CASES = Path(__file__).parent.parent / "tests" / "images" / "cases"
CHOICES = {"usual": Context(), "adaptive": Context(adaptive=True, resolution="auto")}
PYTHON_ERROR = re.compile(r"\b\w+(Error|Exception)\b|Traceback|division by zero|C s?size_t")
EXTREMES = (b"\xff" * 4, b"\0" * 4, b"\x7f\xff\xff\xff", b"\0\0\0\1", b"\1\0\0\0", b"\xff\xff", b"\0\0", b"\x80")
MUTATION_PIXELS = 4_000_000
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
BOUNDS = at_most(768)


@dataclass
class Found:
    """What went wrong, by the names of the figures: each line says where."""

    crashes: list[str] = field(default_factory=list)
    hangs: list[str] = field(default_factory=list)
    accepted_broken: list[str] = field(default_factory=list)
    unexplained: list[str] = field(default_factory=list)
    answered: int = 0
    refused: int = 0


def prepare(data: bytes, name: str, max_pixels: int) -> None:
    """All that happens to a picture before it is sent. Raises ImageError."""
    original = Original(data, name=name, max_pixels=max_pixels, up_to=[BOUNDS], grid=DEFAULT_GRID)
    check_decode_bytes(original.decode_bytes, name, MAX_DECODE_BYTES)
    _ = original.content
    original.picture(BOUNDS)


async def tag_all(files: Sequence[Path], seconds: float) -> Found:
    """Every file in both ways."""
    found = Found()
    async with Tagger(with_demo_models(load_settings())) as tagger:
        await tagger.start()
        for path in track(files, description="tagging"):
            for way, context in CHOICES.items():
                where = f"{path.name}, {way}"
                started = time.monotonic()
                try:
                    result = await tagger.tag(str(path), context)
                except Exception as error:  # noqa: BLE001 - that is what is looked for
                    found.crashes.append(f"{where}: {type(error).__name__}: {error}")
                    continue
                if time.monotonic() - started > seconds:
                    found.hangs.append(f"{where}: {time.monotonic() - started:.0f} s")
                if result.status == "failed":
                    found.refused += 1
                    found.unexplained += [
                        f"{where}: {error.message}"
                        for error in result.errors
                        if path.name not in error.message or not error.hint or PYTHON_ERROR.search(error.message)
                    ]
                    continue
                found.answered += 1
                if (damage := damaged(path.read_bytes())) is not None:
                    found.accepted_broken.append(f"{where}: {damage}")
    return found


def damaged(data: bytes) -> str | None:
    """What Pillow reports when it decodes the whole file; None if nothing, or if it cannot know."""
    try:
        with Image.open(BytesIO(data)) as image:
            image.load()
    except OSError as error:
        return str(error)
    except Exception:  # noqa: BLE001 - Pillow's own trouble, not the file's
        return None
    return None


def peak_mb(files: Sequence[Path]) -> float:
    """The most memory of another process that prepares the files one after another."""
    command = [sys.executable, "-m", "benchmarks.hostile", "--prepare-only", *map(str, files)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(ran.stdout)


def prepare_only(files: Sequence[Path]) -> None:
    """Prepare the files, and print the peak of this process's memory in 10^6 bytes."""
    for path in files:
        try:
            prepare(path.read_bytes(), path.name, 100_000_000)
        except ImageError:
            continue
    status = Path("/proc/self/status").read_text(encoding="ascii")
    peak = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert peak is not None
    sys.stdout.write(f"{int(peak[1]) * 1024 / 1e6:.0f}\n")


def mutated(originals: Sequence[bytes], count: int, seed: int) -> Iterator[bytes]:
    """`originals` with up to four edits each: bytes overwritten, inserted, removed, cut, or taken from another file.

    Four of five PNGs get right checksums again.
    """
    draw = Random(seed)  # noqa: S311 - not a secret
    for _ in range(count):
        data = bytearray(draw.choice(originals))
        for _ in range(draw.randint(1, 4)):
            # Headers are where decoders go wrong.
            at = draw.randrange(min(len(data), 512) if draw.random() < 0.6 else len(data)) if data else 0
            patch = draw.choice((*EXTREMES, draw.randbytes(draw.randint(1, 4))))
            match draw.randrange(6):
                case 0 | 1:
                    data[at : at + len(patch)] = patch
                case 2:
                    data[at:at] = patch
                case 3:
                    del data[at : at + draw.randint(1, 16)]
                case 4:
                    other = draw.choice(originals)
                    data[at:] = other[at:]
                case _:
                    del data[max(at, 16) :]
        yield with_checksums(data) if data.startswith(PNG_SIGNATURE) and draw.random() < 0.8 else bytes(data)


def with_checksums(data: bytearray) -> bytes:
    """A PNG with the right checksum behind each chunk: damage would otherwise end there, before any decoding."""
    place = len(PNG_SIGNATURE)
    while (end := place + 8 + int.from_bytes(data[place : place + 4], "big")) + 4 <= len(data):
        data[end : end + 4] = zlib.crc32(data[place + 4 : end]).to_bytes(4, "big")
        place = end + 4
    return bytes(data)


def try_mutations(files: Sequence[Path], count: int, seed: int, seconds: float) -> tuple[list[str], list[str]]:
    """The mutations that end with another exception than a picture's error, and those that take too long."""
    originals = [data for path in files if len(data := path.read_bytes()) < 100_000]
    crashes, hangs = [], []
    for number, data in enumerate(track(mutated(originals, count, seed), total=count, description="mutations")):
        started = time.monotonic()
        try:
            prepare(data, f"mutation {number}", MUTATION_PIXELS)
        except ImageError:
            pass
        except Exception as error:  # noqa: BLE001 - that is what is looked for
            crashes.append(f"mutation {number} of seed {seed}: {type(error).__name__}: {error}")
        if time.monotonic() - started > seconds:
            hangs.append(f"mutation {number} of seed {seed}")
    return crashes, hangs


def every_file(places: Sequence[Path]) -> list[Path]:
    """The files of `places`, folders searched below, in order of name."""
    files: list[Path] = []
    for place in places:
        files += sorted(each for each in place.rglob("*") if each.is_file()) if place.is_dir() else [place]
    return files


def main(
    places: Annotated[
        list[Path] | None, typer.Argument(help="Folders and files. Default: the cases in tests/.")
    ] = None,
    json: Annotated[Path | None, typer.Option(help="Write the figures to this file.")] = None,
    mutations: Annotated[int, typer.Option(min=0, help="Also so many mutations, prepared in one process.")] = 0,
    seed: Annotated[int, typer.Option(help="Of the mutations.")] = 0,
    seconds: Annotated[float, typer.Option(help="A run that takes longer counts as hanging.")] = 10.0,
    only: Annotated[bool, typer.Option("--prepare-only", hidden=True)] = False,
) -> None:
    """Count what goes wrong with foreign pictures."""
    files = every_file(places or [CASES])
    if only:
        prepare_only(files)
        return
    found = asyncio.run(tag_all(files, seconds))
    if mutations:
        crashes, hangs = try_mutations(files, mutations, seed, seconds)
        found.crashes += crashes
        found.hangs += hangs
    figures: dict[str, float | int | str | None] = {
        "files": len(files),
        "answered": found.answered,
        "refused": found.refused,
        "crashes": len(found.crashes),
        "hangs": len(found.hangs),
        "accepted_broken": len(found.accepted_broken),
        "peak_mb": peak_mb(files) if sys.platform == "linux" else None,
        "unexplained": len(found.unexplained),
        "mutations": mutations,
    }
    console = Console(soft_wrap=True)
    for kind in ("crashes", "hangs", "accepted_broken", "unexplained"):
        for line in getattr(found, kind):
            console.print(f"{kind}: {line}", style="red", markup=False)
    for name, value in figures.items():
        console.print(f"{name}: {value}", markup=False)
    if json is not None:
        write_report(json, figures)


if __name__ == "__main__":
    typer.run(main)
