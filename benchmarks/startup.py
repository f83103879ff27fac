"""How long a command of onelook takes from start to end, compared with a script of ten lines that asks one question.

    python -m benchmarks.startup                                   # with a server without a model
    python -m benchmarks.startup --vllm http://127.0.0.1:8000/v1   # with a vLLM server (`make vllm-cpu` starts one)

The script (`benchmarks/ten_lines.py`) imports `ChatOpenAI` and asks about the same picture on the same server as
`onelook tag`. In every round each contender runs once, as a process of its own and in random order, and is compared
with the script of its round: other load on the machine affects all alike. Ratios are medians over the rounds.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from shutil import copy
from statistics import median
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import httpx
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.echo_server import echo_server
from benchmarks.overhead import ANSWER, photograph
from benchmarks.report import write_report
from onelook.prompts.questions import Prompts
from onelook.prompts.taxonomy.document import load_taxonomy, parse_taxonomy
from onelook.settings.process import PHOTOS

SCRIPT = "script"
ONELOOK = str(Path(sys.executable).parent / "onelook")
CATEGORIES, ATTRIBUTES, OPTIONS = 40, 8, 6


def contenders(script: Path, base_url: str, model: str, picture: Path) -> dict[str, list[str]]:
    """The command lines, by the names of their figures."""
    return {
        SCRIPT: [sys.executable, str(script), base_url, model, str(picture)],
        "help": [ONELOOK, "--help"],
        "version": [ONELOOK, "--version"],
        "config": [ONELOOK, "config"],
        "taxonomy_check": [ONELOOK, "taxonomy", "check", str(PHOTOS)],
        "tag": [ONELOOK, "tag", str(picture), "--engine", "vllm", "--base-url", base_url],
    }


def seconds(command: Sequence[str]) -> float:
    """Wall time of a process that must succeed."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("ONELOOK_")}
    started = time.perf_counter()
    subprocess.run(command, env=own, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started


def measure(commands: dict[str, list[str]], rounds: int) -> dict[str, list[float]]:
    """Per contender the seconds of each round; a first round, which fills the disk's cache, is discarded."""
    taken: dict[str, list[float]] = {name: [] for name in commands}
    shuffle = random.Random(0)  # noqa: S311
    for number in track(range(rounds + 1), description="rounds"):
        names = list(commands)
        shuffle.shuffle(names)
        for name in names:
            elapsed = seconds(commands[name])
            if number:
                taken[name].append(elapsed)
    return taken


def large_taxonomy() -> dict[str, Any]:
    """A made-up document of 40 categories × 8 attributes × 6 options, in English."""

    def attribute(category: int, number: int) -> dict[str, Any]:
        options = {f"option_{each}": {"en": f"value {category} {number} {each}"} for each in range(OPTIONS)}
        return {"label": {"en": f"aspect {category} {number}"}, "choose": "many" if number % 2 else "one"} | {
            "options": options
        }

    def category(number: int) -> dict[str, Any]:
        details = {f"attribute_{each}": attribute(number, each) for each in range(ATTRIBUTES)}
        return {"label": {"en": f"kind {number}"}, "when": {"en": f"it shows kind {number}"}, "details": details}

    categories = {f"category_{number}": category(number) for number in range(CATEGORIES)}
    return {"name": "large", "languages": ["en"], "categories": categories}


def build_seconds() -> float:
    """What a process pays once for the prompts of the large taxonomy."""
    taxonomy = parse_taxonomy(large_taxonomy())
    started = time.perf_counter()
    Prompts(taxonomy, "en")
    return time.perf_counter() - started


@contextmanager
def server(vllm: str | None) -> Iterator[tuple[str, str]]:
    """Base URL and model of the server that both sides ask."""
    if vllm is not None:
        (served,) = httpx.get(f"{vllm}/models").raise_for_status().json()["data"]
        yield vllm, served["id"]
        return
    reply = Prompts(load_taxonomy(PHOTOS), "zh").fused("json").write(ANSWER)
    with echo_server(reply) as base_url:
        yield base_url, "echo"


def table(taken: dict[str, list[float]], ratios: dict[str, float]) -> Table:
    drawn = Table(title="from start to end")
    drawn.add_column(no_wrap=True)
    for heading in ("s", "× script"):
        drawn.add_column(heading, justify="right", no_wrap=True)
    for name, each in taken.items():
        drawn.add_row(name.replace("_", " "), f"{median(each):.2f}", f"{ratios.get(name, 1):.2f}")
    return drawn


def main(
    json: Annotated[Path | None, typer.Option(help="Write the figures to this file.")] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds; each contender runs once in each.")] = 9,
    vllm: Annotated[str | None, typer.Option(help="Base URL of a vLLM server that has the bundled model.")] = None,
) -> None:
    """Compare onelook's start with that of a script."""
    with TemporaryDirectory() as folder, server(vllm) as (base_url, model):
        picture = Path(folder) / "photograph.jpg"
        photograph(picture)
        # In a folder of its own, as a user's script is: beside this file it would find our `http.py`.
        script = Path(copy(Path(__file__).with_name("ten_lines.py"), folder))
        taken = measure(contenders(script, base_url, model, picture), rounds)
    ratios = {
        name: median(ours / script for ours, script in zip(each, taken[SCRIPT], strict=True))
        for name, each in taken.items()
        if name != SCRIPT
    }
    build_s = build_seconds()
    console = Console(soft_wrap=True)
    console.print(table(taken, ratios))
    console.print(f"prompts of {CATEGORIES} categories × {ATTRIBUTES} attributes: {build_s:.2f} s", highlight=False)
    if json is not None:
        flat = {f"{name}_s": round(median(each), 3) for name, each in taken.items()}
        compared = {f"{name}_vs_script": round(ratio, 3) for name, ratio in ratios.items()}
        built = {"taxonomy_40x8_build_s": round(build_s, 3)}
        write_report(json, {**compared, **built, **flat, "rounds": rounds, "server": vllm or "echo"})


if __name__ == "__main__":
    typer.run(main)
