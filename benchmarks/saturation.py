"""Pictures a second through onelook, beside the same requests from a bare client and beside `vllm bench serve`.

    python -m benchmarks.saturation                                     # starts a vLLM server with the bundled model
    python -m benchmarks.saturation --vllm http://127.0.0.1:8000/v1     # on one that runs (`make vllm-cpu`)

Each client gets new pictures, so that no cache has them; they take turns in random order. onelook reads, prepares and
checks each picture (arm fused); the other two send requests that are ready: the bare client (`benchmarks.bare_batch`)
onelook's own, vLLM's load generator the same prompt, picture and constraint in one user turn.
"""

from __future__ import annotations

import asyncio
import json as json_format
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from statistics import median
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.bare_batch import Bare
from benchmarks.new_pictures import NewPictures
from benchmarks.report import write_report
from onelook.demo.checkpoint import MODEL
from onelook.errors import OnelookError
from onelook.lab.album import read_labels
from onelook.settings.process import load_settings
from onelook.tagger import Tagger
from tools.demo_model import HELDOUT
from tools.vllm_cpu.server import ENVIRONMENT, vllm_cpu_server, vllm_python

AT_ONCE: Final = (1, 16, 32)
LONG_EDGE: Final = 768
REPLY: Final = '{"primary_category":"其他","details":{}}'
"""To the one request that is kept to learn what onelook sends."""

BENCH: Final = """
from vllm.benchmarks.serve import add_cli_args, main
from vllm.utils.argparse_utils import FlexibleArgumentParser
parser = FlexibleArgumentParser()
add_cli_args(parser)
main(parser.parse_args())
"""
"""`vllm bench serve`: the command itself does not start in the CPU build."""


class Pictures:
    """Files of the album's pictures, all different."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._fresh = NewPictures()
        self._album = read_labels(HELDOUT)
        self._made = 0

    def __call__(self, count: int) -> list[Path]:
        files = []
        for _ in range(count):
            file = self._folder / f"{self._made:05}.jpg"
            file.write_bytes(self._fresh(self._album[self._made % len(self._album)], long_edge=LONG_EDGE))
            files.append(file)
            self._made += 1
        return files


def through_onelook(tagger: Tagger, files: Sequence[Path]) -> float:
    """Seconds. Raises `OnelookError` for a picture that failed."""
    began_s = time.perf_counter()
    for _, result in tagger.tag_many_sync([str(file) for file in files]):
        for error in result.errors:
            raise OnelookError(f"{result.source}: {error.message}", hint=error.hint)
    return time.perf_counter() - began_s


def with_vllm_bench(bare: Bare, files: Sequence[Path], at_once: int, folder: Path) -> float:
    """Seconds of vLLM's own load generator.

    Raises:
        OnelookError: it does not run, or a request failed.
    """
    requests = folder / "requests.jsonl"
    with requests.open("w", encoding="utf-8") as lines:
        for file in files:
            system, question = json_format.loads(bare.prepare(file))["messages"]
            parts = [
                {"type": "image", "image": part["image_url"]["url"]} if part["type"] == "image_url" else part
                for part in question["content"]
            ]
            content = [{"type": "text", "text": system["content"]}, *parts]
            lines.write(json_format.dumps({"content": content}, ensure_ascii=False) + "\n")
    kept = ("structured_outputs", "logprobs", "top_logprobs", "chat_template_kwargs")
    extra = {name: bare.question[name] for name in kept if name in bare.question}
    options = {
        "backend": "openai-chat",
        "base-url": bare.base_url.removesuffix("/v1"),
        "endpoint": "/v1/chat/completions",
        "dataset-name": "custom_image",
        "dataset-path": str(requests),
        "model": str(MODEL),
        "served-model-name": bare.question["model"],
        "num-prompts": str(len(files)),
        "custom-output-len": str(bare.question["max_tokens"]),
        "max-concurrency": str(at_once),
        "temperature": "0",
        "extra-body": json_format.dumps(extra, ensure_ascii=False),
        "result-dir": str(folder),
        "result-filename": "bench.json",
    }
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    switches = ["--save-result", "--disable-tqdm", "--disable-shuffle", "--no-oversample"]
    done = subprocess.run(
        [str(vllm_python()), "-P", "-c", BENCH, *words, *switches],
        env={**os.environ, **ENVIRONMENT},
        capture_output=True,
        text=True,
        check=False,
    )
    result = folder / "bench.json"
    if done.returncode or not result.is_file():
        raise OnelookError(f"vllm bench serve failed: {done.stderr.strip()[-1000:]}")
    measured = json_format.loads(result.read_text(encoding="utf-8"))
    if measured["completed"] != len(files):
        raise OnelookError(f"vllm bench serve: {measured['completed']} of {len(files)} requests were answered")
    return float(measured["duration"])


@contextmanager
def server_at(base_url: str | None) -> Iterator[str]:
    """The server at `base_url`, or a new one on the CPU with its log in `.cache`."""
    if base_url is not None:
        yield base_url
        return
    with vllm_cpu_server(MODEL, python=vllm_python(), log=Path(".cache") / "saturation.log") as started:
        yield started


def measure(base_url: str, at_once: int, pictures: int, rounds: int, *, bench: bool) -> dict[str, list[float]]:
    """Pictures a second of each client in each round, the first of which warms up and is left out."""
    rates: dict[str, list[float]] = {}
    shuffle = Random(0).shuffle  # noqa: S311
    settings = load_settings(engine="vllm", base_url=base_url, concurrency=at_once, max_attempts=1)
    with tempfile.TemporaryDirectory() as name, Tagger(settings) as tagger:
        folder = Path(name)
        new = Pictures(folder)
        bare = asyncio.run(Bare.of(base_url, new(1)[0], REPLY))
        clients: dict[str, Any] = {
            "onelook": lambda files: through_onelook(tagger, files),
            "bare": lambda files: asyncio.run(bare.tag(files, at_once, prepared=True)),
        }
        if bench:
            clients["vllm_bench"] = lambda files: with_vllm_bench(bare, files, at_once, folder)
        order = list(clients)
        for number in range(rounds + 1):
            shuffle(order)
            for client in order:
                files = new(min(pictures, at_once) if number == 0 else pictures)
                seconds = clients[client](files)
                if number:
                    rates.setdefault(client, []).append(len(files) / seconds)
    return rates


def main(
    json: Annotated[Path | None, typer.Option(help="Write the figures to this file.")] = None,
    vllm: Annotated[str | None, typer.Option(help="Base URL of a vLLM server; default: start one.")] = None,
    pictures: Annotated[int, typer.Option(min=1, help="Pictures a round for each at once, at least 16.")] = 3,
    rounds: Annotated[int, typer.Option(min=1)] = 3,
    bench: Annotated[bool, typer.Option(help="Also `vllm bench serve`.")] = True,
) -> None:
    """Measure pictures a second at 1, 16 and 32 at once."""
    console, flat = Console(width=120), dict[str, float]()
    table = Table("at once", "onelook", "bare client", "vllm bench serve", "onelook / bare", box=None)
    try:
        with server_at(vllm) as base_url:
            for at_once in AT_ONCE:
                rates = measure(base_url, at_once, max(16, pictures * at_once), rounds, bench=bench)
                typical = {client: median(found) for client, found in rates.items()}
                ratio = median(ours / bare for ours, bare in zip(rates["onelook"], rates["bare"], strict=True))
                flat |= {f"{at_once}.{client}_per_s": round(rate, 3) for client, rate in typical.items()}
                flat[f"{at_once}.saturation"] = round(ratio, 4)
                if "vllm_bench" in typical:
                    pairs = zip(rates["onelook"], rates["vllm_bench"], strict=True)
                    flat[f"{at_once}.onelook_vs_vllm_bench"] = round(median(ours / theirs for ours, theirs in pairs), 4)
                shown = [
                    f"{typical[client]:.2f}" if client in typical else ""
                    for client in ("onelook", "bare", "vllm_bench")
                ]
                table.add_row(str(at_once), *shown, f"{ratio:.3f}")
    except OnelookError as error:
        console.print(f"error: {error.message}\n{error.hint or ''}", markup=False)
        raise typer.Exit(2) from None
    console.print(table)
    if json is not None:
        least = min(value for name, value in flat.items() if name.endswith(".saturation"))
        write_report(json, {**flat, "saturation": least, "rounds": rounds})


if __name__ == "__main__":
    typer.run(main)
