"""Runs the same pictures through every arm, interleaved, one at a time, and each time as a new picture."""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from random import Random

from rich.progress import track

from benchmarks.new_pictures import NewPictures
from onelook.engines.base import AskRequest, Capabilities, Constraints, Engine, Finding, Reply, Workload
from onelook.engines.cache_scope import new_to_caches
from onelook.errors import EngineError
from onelook.lab.album import Labelled
from onelook.lab.scores import LabelledResult
from onelook.result import TagResult
from onelook.tagger import Tagger
from onelook.types import Context
from tools.demo_model.evaluate import ARMS

STEPPING = "_stepping"
"""Ends the name of an arm whose forced tokens take a pass each: jump-forward is off."""

JUMPING = ("fused", "fused_compact")
"""Arms that are measured with jump-forward off too, where it can be turned off."""

REUSING = "_reusing"
"""Ends the name of the arm legacy whose second call takes the picture's encoding from the engine's vision cache. Where
that cache can be turned off, `legacy` encodes the picture in each call: so do programs that call a model twice."""

FLOOR = "floor"
"""One request of one token: the lower bound of a request with the picture."""

Encodings = Callable[[], Awaitable[int]]


@dataclass
class CountingEngine(Engine):
    """`engine`, with a count of its questions."""

    engine: Engine
    calls: int = 0

    @property
    def model(self) -> str:
        return self.engine.model

    @property
    def capabilities(self) -> Capabilities:
        return self.engine.capabilities

    async def look_up(self) -> Capabilities:
        return await self.engine.look_up()

    async def start(self, constraints: Constraints = "schema") -> None:
        await self.engine.start(constraints)

    async def ask(self, request: AskRequest) -> Reply:
        self.calls += 1
        return await self.engine.ask(request)

    async def ask_many(self, requests: Sequence[AskRequest]) -> list[Reply]:
        self.calls += len(requests)
        return await self.engine.ask_many(requests)

    async def probe(self, workload: Workload | None = None) -> list[Finding]:
        return await self.engine.probe(workload)

    async def aclose(self) -> None:
        await self.engine.aclose()


@dataclass(frozen=True, slots=True)
class Run:
    """One picture through one arm. `rounds`: number of sequential waits for the engine; `cpu_ms`: of this process."""

    labelled: LabelledResult
    ms: float
    cpu_ms: float
    calls: int
    encodings: int

    @property
    def rounds(self) -> int:
        return sum(span.name == "engine" for node in self.result.ledger.nodes for span in node.spans)

    @property
    def engine_ms(self) -> float:
        """How long the engine took: all but preparation, graph and parsing."""
        spans = [span for node in self.result.ledger.nodes for span in node.spans if span.name == "engine"]
        return sum(span.duration_ms for span in spans)

    @property
    def result(self) -> TagResult:
        return self.labelled.result

    @property
    def router_ms(self) -> float | None:
        spans = [span for node in self.result.ledger.nodes for span in node.spans if span.name == "router"]
        return sum(span.duration_ms for span in spans) if spans else None


def differing_answers(runs: Sequence[Run], others: Sequence[Run]) -> list[str]:
    """A line for each picture that two arms, in the same order, answered with other labels."""
    return [
        f"{run.labelled.name}: {run.result!r} / {other.result!r}"
        for run, other in zip(runs, others, strict=False)
        if run.labelled.answer != other.labelled.answer
    ]


@dataclass
class ArmBench:
    """A setup in which the arms run: one engine, one size of pictures. `jump_forward` and `vision_cache` turn it on or
    off, where the engine is in this process."""

    weights: str
    long_edge: int
    tagger: Tagger
    engine: CountingEngine
    encodings: Encodings
    album: Sequence[Labelled]
    enlarge: bool = False
    jump_forward: Callable[[bool], None] | None = None
    vision_cache: Callable[[bool], None] | None = None
    runs: dict[str, list[Run]] = field(default_factory=dict)
    floor_ms: list[float] = field(default_factory=list)
    floor_cpu_ms: list[float] = field(default_factory=list)

    @property
    def in_this_process(self) -> bool:
        """Whether the engine is: then it can be switched, and its CPU time is that of this process."""
        return self.jump_forward is not None

    async def measure(self, arms: Sequence[str], *, warm_up: int) -> None:
        """Run every arm on every picture, after a warm-up with the first `warm_up` pictures.

        Raises:
            EngineError: the engine fails. An unusable reply counts as a wrong answer.
        """
        fresh, order = NewPictures(), [*arms, FLOOR]
        if self.jump_forward is not None:
            order += [f"{arm}{STEPPING}" for arm in JUMPING if arm in arms]
        if self.vision_cache is not None and "legacy" in arms:
            order.append(f"legacy{REUSING}")
        shuffle = Random(0).shuffle  # noqa: S311
        pictures = [(each, False) for each in self.album[:warm_up]] + [(each, True) for each in self.album]
        for labelled, counts in track(pictures, description=f"{self.weights} at {self.long_edge}"):
            shuffle(order)
            shared = fresh(labelled, long_edge=self.long_edge if self.enlarge else None)
            for arm in order:
                # The same picture with jump-forward and without, so that the answers can be compared.
                pair = arm.removesuffix(STEPPING) in JUMPING and self.jump_forward is not None
                data = shared if pair else fresh(labelled, long_edge=self.long_edge if self.enlarge else None)
                with new_to_caches():
                    if arm == FLOOR:
                        ms, cpu_ms = await self._floor(data)
                        if counts:
                            self.floor_ms.append(ms)
                            self.floor_cpu_ms.append(cpu_ms)
                        continue
                    run = await self._run(arm, labelled, data)
                if counts:
                    self.runs.setdefault(arm, []).append(run)

    async def _run(self, name: str, labelled: Labelled, data: bytes) -> Run:
        arm = name.removesuffix(STEPPING).removesuffix(REUSING)
        if self.jump_forward is not None:
            self.jump_forward(not name.endswith(STEPPING))
        if self.vision_cache is not None:
            self.vision_cache(name != "legacy")
        context = Context.model_validate(ARMS[arm].model_dump() | {"language": "zh", "long_edge": self.long_edge})
        calls, encodings = self.engine.calls, await self.encodings()
        started_cpu = time.process_time()
        result = await self.tagger.tag(data, context)
        cpu_ms = (time.process_time() - started_cpu) * 1e3
        for error in result.errors:
            if not error.kind.startswith("Reply"):
                raise EngineError(f"{labelled.path.name}, {name}: {error.message}", hint=error.hint)
        return Run(
            LabelledResult(labelled.path.name, labelled.truth, result),
            ms=result.ledger.wall_ms or 0.0,
            cpu_ms=cpu_ms,
            calls=self.engine.calls - calls,
            encodings=await self.encodings() - encodings,
        )

    async def _floor(self, data: bytes) -> tuple[float, float]:
        (question,) = self.tagger.services.prompts["zh"].category_choice().questions
        messages = question.messages([f"data:image/jpeg;base64,{b64encode(data).decode('ascii')}"])
        started, started_cpu = time.perf_counter(), time.process_time()
        await self.engine.ask(AskRequest(messages, question.constraint, question.max_tokens))
        return (time.perf_counter() - started) * 1e3, (time.process_time() - started_cpu) * 1e3
