"""Several requests in one padded batch: the answers of one after another, in fewer passes.

Nothing must be equal: prompts, pictures, constraints and lengths are each row's own. A row ends with its own answer and
leaves the batch.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from onelook.engines.transformers.generation import Generated, Generator
from onelook.engines.transformers.guide import Cancelled
from onelook.engines.transformers.passes import Decoding, decode
from onelook.engines.transformers.prefix_cache import States
from onelook.engines.transformers.queue import Queued
from onelook.engines.transformers.together import Round, answer_together, extend, read
from onelook.errors import EngineError

SMALL = 16_384
"""So many tokens need little memory even where a model takes less in one prompt."""

Outcome = list[Generated] | Exception | None
"""One answer for each request; what is wrong with them; None: they have to be asked one after another."""


def answer_all(generator: Generator, asked: Sequence[Queued], report: Callable[[int, Outcome], None]) -> None:
    """Answer all of `asked`; `report` gets each outcome as soon as it is known, with its index.

    What goes wrong in a batch as a whole, memory above all, is done again one by one: each outcome is then its own.
    """
    start_ns, left = time.perf_counter_ns(), set(range(len(asked)))

    def known(index: int, outcome: Outcome) -> None:
        left.discard(index)
        report(index, outcome)

    if len(asked) > 1 and generator.can_batch:
        try:
            for batch in _batches(generator, asked, known):
                _answer_batch(generator, batch, start_ns, known)
        except Exception:  # noqa: BLE001 the request that causes it raises it again, alone
            generator.forget()
    for index in sorted(left):
        known(index, _answer_one(generator, asked[index]))


def _answer_one(generator: Generator, asked: Queued) -> Outcome:
    try:
        if asked.is_round:
            return answer_together(generator, asked.requests, cancelled=asked.cancelled)
        (request,) = asked.requests
        return [
            generator.answer(
                request.messages,
                request.constraint,
                max_tokens=request.max_tokens,
                top_logprobs=request.top_logprobs,
                cancelled=asked.cancelled,
            )
        ]
    except Exception as error:  # noqa: BLE001 whoever asked raises it
        return error


def _begin(generator: Generator, asked: Queued) -> Round | Decoding | None:
    if asked.is_round:
        return Round.of(generator, asked.requests, asked.cancelled)
    _, answer = generator.begin(asked.requests[0], asked.cancelled)
    return answer


@dataclass(frozen=True, slots=True)
class _Row:
    """One of `asked`, prepared."""

    index: int
    work: Round | Decoding

    @property
    def answers(self) -> Sequence[Decoding]:
        return self.work.answers if isinstance(self.work, Round) else [self.work]

    def padded(self, generator: Generator) -> tuple[int, int]:
        """How many rows of a pass it takes, and how long the longest of them is."""
        if isinstance(self.work, Round) and generator.can_branch:
            return 1, self.work.shared + sum(len(each.prompt.tokens) - self.work.shared for each in self.answers)
        return len(self.answers), max(len(each.prompt.tokens) for each in self.answers)

    def generated(self, generator: Generator, start_ns: int) -> list[Generated]:
        if isinstance(self.work, Round):
            return self.work.generated(generator, start_ns)
        return [generator.generated(self.work, start_ns)]


def _batches(
    generator: Generator, asked: Sequence[Queued], report: Callable[[int, Outcome], None]
) -> Iterator[list[_Row]]:
    """Those of `asked` that can be prepared. The prompts of a batch, with padding, have no more tokens than the longest
    prompt that the model takes, and so need about the memory of that one; or than `SMALL`."""
    batch, rows, width = list[_Row](), 0, 0
    most = max(generator.context_length, SMALL)
    for index, each in enumerate(asked):
        try:
            work = _begin(generator, each)
        except (EngineError, Cancelled) as error:
            report(index, error)
            continue
        if work is None:
            report(index, None)
            continue
        row = _Row(index, work)
        more, longest = row.padded(generator)
        if batch and (rows + more) * max(width, longest) > most:
            yield batch
            batch, rows, width = [], 0, 0
        batch.append(row)
        rows, width = rows + more, max(width, longest)
    if batch:
        yield batch


def _answer_batch(
    generator: Generator, batch: Sequence[_Row], start_ns: int, report: Callable[[int, Outcome], None]
) -> None:
    asked = {id(row.work): row for row in batch}

    def ended(answer: Decoding, states: States) -> None:
        row = asked[id(answer)]
        generator.remember(answer, states)
        report(row.index, answer.failure or row.generated(generator, start_ns))

    rounds = [row for row in batch if isinstance(row.work, Round)]
    works = [row.work for row in rounds if isinstance(row.work, Round)]
    if works:
        extend(generator, works)
        read(generator, works)
    for row in rounds:
        failed = next((each.failure for each in row.answers if each.failure is not None), None)
        report(row.index, failed or row.generated(generator, start_ns))
    decode(generator.model, [row.work for row in batch if isinstance(row.work, Decoding)], ended, generator.credit)
