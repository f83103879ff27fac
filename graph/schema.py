"""The words of the project as types: what a run may choose, what it returns."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, computed_field

Language = Literal["zh", "en"]
Arm = Literal["fused", "reads", "hybrid", "legacy", "legacy_shared"]
ReplyFormat = Literal["json", "compact"]
Judge = Literal["category", "record"]
"""What must be right for an answer to be: its category, or every label."""
Status = Literal["ok", "needs_review", "failed"]
Content = Literal["photo", "text", "diagram"]
Resolution = Literal["fixed", "auto"]

Reference = str | bytes
"""A picture: path, http(s) URL, data URL, or the bytes of the file."""

Subject = Reference | list[Reference]
"""What is tagged: one picture, or several of one subject, which are looked at together."""

Probability = Annotated[float, Field(ge=0, le=1)]
LongEdge = Annotated[int, Field(ge=224, le=2048)]


class Frozen(BaseModel):
    """A value: unknown keys are refused, and nothing changes after construction."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Context(Frozen):
    """What one run may choose. LangGraph Studio shows these fields as a form."""

    arm: Arm = Field(
        "fused",
        description="The way through the graph: one guided call, labels read as letters, a classifier first, or the old"
        " two calls.",
    )
    reply_format: ReplyFormat = Field("json", description="How a guided reply is written: JSON, or its values only.")
    language: Language = Field("zh", description="The language in which the model reads and writes.")
    resolution: Resolution = Field(
        "fixed", description="How large pictures are sent: all up to long_edge, or as photos, text or diagrams need."
    )
    long_edge: LongEdge = Field(
        768, description="Longest side, in pixels, of the picture that the model sees, where the resolution is fixed."
    )
    adaptive: bool = Field(
        False, description="Whether to look first at a small picture, and again at full size only when not sure."
    )
    debias: bool = Field(
        False, description="Whether labels are read twice, options in either order, and the probabilities averaged."
    )
    confidence_threshold: Probability = Field(0.85, description="Below this confidence a result needs review.")
    escalate: bool = Field(True, description="Whether a specialist, where there is one, answers hard pictures again.")


class Answer(Frozen):
    """What a reply says, in stable ids: the category, and per attribute the chosen options in taxonomy order."""

    category: str
    details: dict[str, tuple[str, ...]] = {}


class Tag(Frozen):
    """A chosen label: its stable id, its words, and how sure the model was (None: no logprobs came)."""

    id: str
    label: str
    confidence: Probability | None = None


class Usage(Frozen):
    """Tokens of one or more calls; None where a server does not say."""

    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    image_tokens: int | None = None
    completion_tokens: int | None = None

    @classmethod
    def total(cls, parts: Iterable[Usage]) -> Self:
        """Sum the counts that all parts know; parts that know nothing are passed over."""
        known = [counts for part in parts if (counts := part.model_dump(exclude_none=True))]
        names = set.intersection(*map(set, known)) if known else set()
        return cls(**{name: sum(part[name] for part in known) for name in names})


class ServerTiming(Frozen):
    """One engine call as the engine itself measured it, in milliseconds; None where it does not say."""

    turn_ms: float | None = Field(None, description="Waiting for another model's questions, where models take turns.")
    switch_ms: float | None = Field(None, description="Waiting for that one to leave memory and this one to come.")
    queue_ms: float | None = None
    first_token_ms: float | None = Field(None, description="From the end of the queue to the first token (TTFT).")
    decode_ms: float | None = Field(None, description="From the first token to the last.")

    def known(self) -> dict[str, float]:
        """The reported stretches, which follow one another: turn, switch, queue, first_token, decode."""
        return {name.removesuffix("_ms"): value for name, value in self.model_dump(exclude_none=True).items()}


class Span(Frozen):
    """A named stretch of time inside a node, in milliseconds since the run began."""

    name: str
    start_ms: float
    end_ms: float
    server: ServerTiming | None = None
    usage: Usage | None = None

    @property
    def duration_ms(self) -> float:
        return self.end_ms - self.start_ms


class NodeTiming(Span):
    """One visit to one node, all its attempts included, and the spans inside it."""

    attempts: int = 1
    spans: tuple[Span, ...] = ()
    cached: bool = Field(False, description="The answer was kept from an earlier run; this visit took no time.")
    run_ns: int = Field(0, exclude=True, repr=False, description="Start of its run: a replayed visit has another.")


class Ledger(Frozen):
    """Where the time of one run went. The parts add up: wall = busy + scheduling overhead."""

    model_config = ConfigDict(extra="ignore", frozen=True)  # what is computed is written too, and read over

    nodes: tuple[NodeTiming, ...] = ()
    wall_ms: float | None = Field(None, description="Taken by the caller around the whole run; None inside the graph.")

    def usage(self) -> Usage:
        """Tokens of all engine calls."""
        return Usage.total(inner.usage for node in self.nodes for inner in node.spans if inner.usage)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def busy_ms(self) -> float:
        """Union of the nodes' intervals: time in which at least one node was at work."""
        total, reached = 0.0, float("-inf")
        for node in sorted(self.nodes, key=lambda node: node.start_ms):
            total += max(0.0, node.end_ms - max(node.start_ms, reached))
            reached = max(reached, node.end_ms)
        return total

    @computed_field  # type: ignore[prop-decorator]
    @property
    def scheduling_overhead_ms(self) -> float | None:
        """Wall time in which no node was at work: the framework's share (and, under load, the event loop's queue)."""
        return None if self.wall_ms is None else self.wall_ms - self.busy_ms

    def parts(self) -> dict[str, float]:
        """The run taken apart, in milliseconds: every node by its spans, what is left of it, and the scheduling.

        Their sum is the wall time. An engine span splits into what the engine reports and the `transport` around it.
        """
        parts: dict[str, float] = {}

        def add(name: str, duration_ms: float) -> None:
            parts[name] = parts.get(name, 0.0) + duration_ms

        for node in self.nodes:
            rest = node.duration_ms
            for inner in node.spans:
                rest -= inner.duration_ms
                outside = inner.duration_ms
                for name, duration_ms in (inner.server.known() if inner.server else {}).items():
                    outside -= duration_ms
                    add(f"{node.name}.{inner.name}.{name}", duration_ms)
                add(f"{node.name}.{inner.name}" + (".transport" if outside != inner.duration_ms else ""), outside)
            add(f"{node.name}.rest", rest)
        if self.scheduling_overhead_ms is not None:
            add("scheduling", self.scheduling_overhead_ms)
        return parts


class ErrorRecord(Frozen):
    """An error as a result carries it."""

    kind: str = Field(description="Class name from graph.errors.")
    node: str
    message: str
    hint: str | None = None
    retryable: bool = False


class Versions(Frozen):
    """What the answer depends on besides the picture."""

    taxonomy: str
    prompts: str
    router: str | None = Field(None, description="In the arm hybrid: the sentences that the router compared with.")


class Shown(Frozen):
    """A picture as the model saw it: its size in pixels, and what it was taken for where that decided the size."""

    width: int
    height: int
    content: Content | None = None


class FirstLook(Frozen):
    """Why an adaptive run looked again, at which pictures it had looked, and what it had said of them."""

    reason: str
    pictures: tuple[Shown, ...]
    category: Tag
    details: dict[str, tuple[Tag, ...]]


class Escalation(Frozen):
    """Why a specialist was asked, and what the first engine had said."""

    reason: str
    model: str = Field(description="The engine, or the router, that answered first.")
    category: Tag
    details: dict[str, tuple[Tag, ...]]


class TagResult(Frozen):
    """The answer for one picture.

    `failed` has errors, and of the answer what was known before them. `ok` has none. `needs_review` has one only where
    a second look or the specialist failed: then the answer before it stands, unsure as it is.
    """

    status: Status
    category: Tag | None = None
    details: dict[str, tuple[Tag, ...]] = {}
    absences: dict[str, tuple[Tag, ...]] = Field(
        {}, description="Options that were asked for one by one (arm reads) and are absent, and how sure that is."
    )
    arm: Arm
    language: Language
    model: str = Field(description="The engine, or the router, whose answer this is.")
    pictures: tuple[Shown, ...] = Field((), description="As the engine that answered saw them.")
    first_look: FirstLook | None = None
    escalation: Escalation | None = None
    versions: Versions
    ledger: Ledger = Ledger()
    usage: Usage = Usage()
    errors: tuple[ErrorRecord, ...] = ()
