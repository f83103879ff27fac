"""How far a run is: in its own process, and as the ledger keeps it for others to watch."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

from onelook.batch.rate import Eta, Rate
from onelook.result import TagResult


@dataclass(frozen=True, slots=True)
class Progress:
    """`todo`: what this run had to do when it began. `pointed`: how many of `done` had the bytes of another picture, so
    that nothing was asked. `seconds`: since the first picture. Tokens as far as the engine counts them."""

    todo: int
    done: int = 0
    ok: int = 0
    needs_review: int = 0
    failed: int = 0
    pointed: int = 0
    in_flight: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    per_second: float = 0.0
    eta: Eta | None = None
    waiting: str | None = None

    @property
    def remaining(self) -> int:
        return max(self.todo - self.done, 0)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> Progress:
        """Keys of a newer onelook are passed over."""
        known = {name: value for name, value in kept.items() if name in cls.__dataclass_fields__}
        eta = known.get("eta")
        return cls(**{"todo": 0, **known, "eta": None if eta is None else Eta(**eta)})


@dataclass(slots=True)
class Tally:
    """The running counts behind a `Progress`."""

    todo: int
    rate: Rate = field(default_factory=Rate)
    counts: Counter[str] = field(default_factory=Counter)
    pointed: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    began_s: float = field(default_factory=time.monotonic)

    def count(self, result: TagResult, *, pointed: bool) -> None:
        """One more picture is done; `pointed`: with an answer that was there."""
        self.rate.count()
        self.counts[result.status] += 1
        if pointed:
            self.pointed += 1
        else:
            self.prompt_tokens += result.usage.prompt_tokens or 0
            self.completion_tokens += result.usage.completion_tokens or 0

    def progress(self, in_flight: int = 0, waiting: str | None = None) -> Progress:
        done = self.counts.total()
        return Progress(
            todo=self.todo,
            done=done,
            ok=self.counts["ok"],
            needs_review=self.counts["needs_review"],
            failed=self.counts["failed"],
            pointed=self.pointed,
            in_flight=in_flight,
            prompt_tokens=self.prompt_tokens,
            completion_tokens=self.completion_tokens,
            seconds=time.monotonic() - self.began_s,
            per_second=self.rate.per_second(),
            eta=self.rate.eta(max(self.todo - done, 0)),
            waiting=waiting,
        )
