"""The CPU time of one run without a model, and of the parts that it cannot do without.

    python -m benchmarks.run_cpu --json run_cpu.json

The parts are measured alone, in interleaved rounds with the whole, with 64 at once: the engine's request to an echo
server, the picture's preparation, and LangGraph with three nodes that do nothing, over the same state. What is left is
prompts, reading of the reply, ledger and result. CPU time of this process, of all its threads; each figure is the least
of the rounds, because other load on the machine only adds. What is loaded is frozen, as in `onelook serve` and
`onelook batch`.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated, Any

import typer
import uvloop
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command
from rich.console import Console
from rich.progress import track

from benchmarks.overhead import AT_ONCE, ENGINE, GRAPH, contenders, echoing, milliseconds
from benchmarks.prepare import our_way
from benchmarks.report import write_report
from onelook.graph.state import Input, Output, State, fresh
from onelook.steady_memory import freeze_loaded

PREPARATION, EMPTY = "preparing the picture", "LangGraph, three empty nodes"
KEYS = {GRAPH: "whole", ENGINE: "engine", PREPARATION: "preparation", EMPTY: "empty_graph"}

Part = Callable[[], Awaitable[Any]]


def empty_graph() -> Part:
    """LangGraph as a fused run uses it: three nodes over the same state, which do nothing. Two choose the edge."""

    async def begin(state: State) -> Command[str]:
        return Command(update={**fresh(), "way": "fused"}, goto="analyze")

    async def ask(state: State) -> State:
        return {"known": "answer"}

    async def end(state: State) -> Command[str]:
        return Command(update={"way": "done"}, goto=END)

    graph = StateGraph(State, input_schema=Input, output_schema=Output)
    graph.add_node("prepare", begin, destinations=("analyze",))
    graph.add_node("analyze", ask)
    graph.add_node("review", end, destinations=(END,))
    graph.add_edge(START, "prepare")
    graph.add_edge("analyze", "review")
    compiled = graph.compile()
    return lambda: compiled.ainvoke({"image": ""})


def preparation(picture: Path) -> Part:
    data = picture.read_bytes()

    async def prepare() -> str:
        return our_way(data).data_url

    return prepare


async def cpu_ms(part: Part, pictures: int) -> float:
    before_s = time.process_time()
    await milliseconds(part, pictures, AT_ONCE)
    return (time.process_time() - before_s) / pictures * 1e3


async def measure(base_url: str, picture: Path, rounds: int, pictures: int) -> dict[str, float]:
    async with AsyncExitStack() as stack:
        clients = await contenders(base_url, picture, stack)
        parts: dict[str, Part] = {
            GRAPH: clients[GRAPH],
            ENGINE: clients[ENGINE],
            PREPARATION: preparation(picture),
            EMPTY: empty_graph(),
        }
        for part in parts.values():
            await milliseconds(part, 2 * AT_ONCE, AT_ONCE)  # warm: connections, caches, compiled patterns
        freeze_loaded()
        taken: dict[str, list[float]] = {name: [] for name in parts}
        for _ in track(range(rounds), description="rounds"):
            for name, part in parts.items():
                taken[name].append(await cpu_ms(part, pictures))
    return {name: min(each) for name, each in taken.items()}


def main(
    json: Annotated[Path | None, typer.Option(help="Write the figures to this file.")] = None,
    rounds: Annotated[int, typer.Option(help="Interleaved rounds.")] = 15,
    pictures: Annotated[int, typer.Option(help="Pictures of each part and round.")] = 256,
) -> None:
    """Measure the CPU time of one run, and of its parts."""
    with echoing() as (base_url, picture):
        found = uvloop.run(measure(base_url, picture, rounds, pictures))
    flat = {f"{key}_cpu_ms": round(found[name], 3) for name, key in KEYS.items()}
    flat["rest_cpu_ms"] = round(2 * found[GRAPH] - sum(found.values()), 3)
    console = Console()
    for name, ms in [*found.items(), ("the rest", flat["rest_cpu_ms"])]:
        console.print(f"{name:32} {ms:6.2f} ms {ms / found[GRAPH]:5.0%}")
    if json is not None:
        write_report(json, flat)


if __name__ == "__main__":
    typer.run(main)
