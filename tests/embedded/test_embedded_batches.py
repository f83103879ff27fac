"""Requests that wait together are answered in one padded batch, each as it would be alone."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage
from PIL import Image

from onelook.demo.checkpoint import with_demo_models
from onelook.engines.base import AskRequest, Choice, Constraint, Regex, Reply
from onelook.engines.cache_scope import cache_scope
from onelook.engines.transformers import batches
from onelook.engines.transformers.engine import TransformersEngine
from onelook.engines.transformers.generation import REUSES_PREFIXES
from onelook.engines.transformers.queue import Queue, Queued
from onelook.engines.transformers.rows import Addition, Rows
from onelook.errors import EngineRefused
from onelook.lab.album import read_labels
from onelook.result import TagResult
from onelook.settings.process import load_settings
from onelook.tagger import Tagger
from onelook.types import Context
from tests.embedded.architectures import ARCHITECTURES
from tests.embedded.questions import SYSTEM, picture, picture_part
from tests.patience import HANG_S
from tools.demo_model import HELDOUT

BATCH = 4
SIDES = ((224, 224), (336, 224), (224, 448), (280, 308))
"""Width and height of the pictures of a batch; each has another number of image tokens."""

ARMS = {
    "fused": Context(arm="fused"),
    "compact": Context(arm="fused", reply_format="compact"),
    "english": Context(arm="fused", language="en"),
    "reads": Context(arm="reads"),
    "legacy": Context(arm="legacy"),
    "legacy_shared": Context(arm="legacy_shared"),
    "hybrid": Context(arm="hybrid"),
}


def message(seed: int, text: str, sides: Sequence[tuple[int, int]], system: str = SYSTEM) -> list[BaseMessage]:
    parts = [picture_part(picture(seed + at, width=width, height=height)) for at, (width, height) in enumerate(sides)]
    return [SystemMessage(system), HumanMessage([*parts, {"type": "text", "text": text}])]


def asked(
    seed: int = 1,
    constraint: Constraint | None = None,
    *,
    text: str = "这是什么？",
    sides: Sequence[tuple[int, int]] = ((112, 140),),
    system: str = SYSTEM,
    max_tokens: int = 12,
) -> AskRequest:
    return AskRequest(message(seed, text, sides, system), constraint, max_tokens, top_logprobs=3)


MIXED = [
    asked(1, Choice(("人像", "动物"))),
    asked(2, Regex(r'\{"kind":"(人像|人物|动物)","parts":\[("手"(,"眼睛")?)?\]\}'), sides=((84, 56),), max_tokens=60),
    asked(3, None, text="Describe it.", system="You look at a picture.", sides=((196, 140),)),
    asked(4, Regex("(A|B){2,9}"), sides=((56, 56), (140, 84))),
    asked(5, Choice(("人像",)), sides=()),
    asked(6, None, sides=(), max_tokens=3),
]
"""Constraints of all kinds and none, no picture to two, two languages, two system prompts."""


def round_of(seed: int, letters: str = "ABC") -> list[AskRequest]:
    return [asked(seed, Choice(tuple(letters)), text=text, max_tokens=1) for text in ("什么？", "在哪里？", "几个？")]


class Held:
    """The worker thread of an engine, held until so many requests wait for it."""

    def __init__(self, engine: TransformersEngine, monkeypatch: pytest.MonkeyPatch) -> None:
        self._engine, self._left, self._enough = engine, 0, threading.Event()
        put = Queue.put

        def counted(queue: Queue, one: Queued) -> None:
            put(queue, one)
            self._left -= 1
            if self._left == 0:
                self._enough.set()

        monkeypatch.setattr(Queue, "put", counted)

    def until(self, waiting: int) -> None:
        self._left = waiting
        self._enough.clear()
        self._engine._worker.submit(self._enough.wait, HANG_S)

    async def ask(self, requests: Sequence[AskRequest]) -> list[Reply | BaseException]:
        """The replies to all of `requests`, which wait together."""
        self.until(len(requests))
        return await asyncio.gather(*map(self._engine.ask, requests), return_exceptions=True)


@pytest.fixture(scope="module")
def batching(tiny_checkpoint: Path) -> Iterator[TransformersEngine]:
    engine = TransformersEngine(str(tiny_checkpoint), batch_size=BATCH)
    yield engine
    engine.close()


@pytest.fixture
def held(batching: TransformersEngine, monkeypatch: pytest.MonkeyPatch) -> Held:
    return Held(batching, monkeypatch)


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Of each pass from here on: how many rows it had, and how many tokens with padding each of them."""
    seen: list[tuple[int, int]] = []
    forward, branch = Rows.forward, Rows.branch

    def counted(rows: Rows, additions: Sequence[Addition]) -> torch.Tensor:
        scores = forward(rows, additions)
        seen.append((rows._mask.shape[0], rows._mask.shape[1]))
        return scores

    def counted_branches(rows: Rows, branches: Sequence[Sequence[Addition]]) -> list[torch.Tensor]:
        scores = branch(rows, branches)
        seen.append((len(branches), rows._mask.shape[1] + max(sum(len(one.tokens) for one in row) for row in branches)))
        return scores

    monkeypatch.setattr(Rows, "forward", counted)
    monkeypatch.setattr(Rows, "branch", counted_branches)
    return seen


def assert_same(one: Reply | BaseException, other: Reply) -> None:
    assert isinstance(one, Reply)
    assert (one.text, one.stop_reason) == (other.text, other.stop_reason)
    known = {"cached_tokens", "encoded_images", "reused_images"}
    assert one.usage.model_dump(exclude=known) == other.usage.model_dump(exclude=known)
    for ours, theirs in zip(one.tokens, other.tokens, strict=True):
        assert ours.data == theirs.data
        assert ours.logprob == pytest.approx(theirs.logprob, abs=1e-3)
        assert dict(ours.alternatives) == pytest.approx(dict(theirs.alternatives), abs=1e-3)


async def test_what_waits_together_is_answered_as_alone(
    engine: TransformersEngine, held: Held, passes: list[tuple[int, int]]
) -> None:
    alone = [await engine.ask(each) for each in MIXED]
    assert {rows for rows, _ in passes} == {1}
    for _ in range(2):  # new pictures, and known ones
        for one, other in zip(await held.ask(MIXED), alone, strict=True):
            assert_same(one, other)
    assert max(rows for rows, _ in passes) > 2


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    chosen=st.lists(
        st.tuples(
            st.integers(0, 3),
            st.sampled_from([None, Regex("(A|B){2,9}"), Regex('(a|b)的照片"}'), Choice(("人像", "人物", "动物"))]),
            st.text("这是什么哪里A", max_size=8),
            st.lists(st.sampled_from([(56, 56), (112, 84), (140, 196)]), max_size=2),
        ),
        min_size=2,
        max_size=BATCH,
    )
)
async def test_no_company_changes_an_answer(engine: TransformersEngine, held: Held, chosen: list[Any]) -> None:
    requests = [asked(seed, constraint, text=text, sides=sides) for seed, constraint, text, sides in chosen]
    alone = [await engine.ask(each) for each in requests]
    for one, other in zip(await held.ask(requests), alone, strict=True):
        assert_same(one, other)


async def test_rounds_of_several_pictures_share_their_passes(
    engine: TransformersEngine, batching: TransformersEngine, held: Held, passes: list[tuple[int, int]]
) -> None:
    rounds = [round_of(11), round_of(12, "AB"), round_of(13)]
    alone = [await engine.ask_many(each) for each in rounds]
    longer = asked(14, Regex("(A|B){5}"))
    expected = await engine.ask(longer)
    passes.clear()
    held.until(4)
    asking = asyncio.create_task(batching.ask(longer))
    replies = await asyncio.gather(*map(batching.ask_many, rounds))
    for ours, theirs in zip(replies, alone, strict=True):
        for one, each in zip(ours, theirs, strict=True):
            assert_same(one, each)
    assert_same(await asking, expected)
    # Three new pictures; nine questions, those about one picture in one row; and the longer one, a pass a token.
    assert [rows for rows, _ in passes] == [3, 3, *[1] * 5]


@pytest.mark.parametrize("architecture", sorted(ARCHITECTURES))
async def test_each_architecture_answers_as_alone(
    architecture: str, tiny_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that are not known to take padding answer one after another."""
    ARCHITECTURES[architecture](tiny_checkpoint, tmp_path / architecture)
    requests = [asked(1, Choice(("人像", "动物"))), asked(2, Regex("(A|B){2}"), sides=((168, 112),)), asked(3)]
    single, several = (TransformersEngine(str(tmp_path / architecture), batch_size=size) for size in (1, BATCH))
    try:
        alone = [await single.ask(each) for each in requests]
        for one, other in zip(await Held(several, monkeypatch).ask(requests), alone, strict=True):
            assert_same(one, other)
        assert several._generator is not None
        assert several._generator.can_batch == (architecture in REUSES_PREFIXES)
    finally:
        single.close()
        several.close()


@pytest.mark.parametrize("jump_forward", [True, False])
@pytest.mark.parametrize("prefix_cache_mb", [0, 64])
async def test_without_jumps_or_prefixes_too(
    jump_forward: bool, prefix_cache_mb: int, tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    single, several = (
        TransformersEngine(
            str(tiny_checkpoint), batch_size=size, jump_forward=jump_forward, prefix_cache_mb=prefix_cache_mb
        )
        for size in (1, BATCH)
    )
    requests = MIXED[:BATCH]
    try:
        alone = [await single.ask(each) for each in requests]
        for one, other in zip(await Held(several, monkeypatch).ask(requests), alone, strict=True):
            assert_same(one, other)
    finally:
        single.close()
        several.close()


async def test_a_broken_picture_is_reported_to_the_one_that_sent_it(engine: TransformersEngine, held: Held) -> None:
    broken = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    requests = [
        asked(1, Choice(("a", "b"))),
        replace(MIXED[0], messages=[HumanMessage([broken, {"type": "text", "text": "?"}])]),
        replace(MIXED[0], constraint=Regex("(A")),
        asked(2, Regex("(A|B){3}")),
    ]
    first, picture_error, constraint_error, last = await held.ask(requests)
    assert_same(first, await engine.ask(requests[0]))
    assert_same(last, await engine.ask(requests[3]))
    assert isinstance(picture_error, EngineRefused)
    assert "picture" in picture_error.message
    assert isinstance(constraint_error, EngineRefused)
    assert "constraint" in constraint_error.message


async def test_one_that_is_cancelled_leaves_the_others_alone(
    engine: TransformersEngine, batching: TransformersEngine, held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While its batch is computed: the batch goes on without it."""
    rows_of: list[int] = []
    given_up = asyncio.Event()
    cancelled = threading.Event()
    loop, forward = asyncio.get_running_loop(), Rows.forward

    def slow(rows: Rows, additions: Sequence[Addition]) -> torch.Tensor:
        rows_of.append(len(additions))
        if len(rows_of) == 2:
            loop.call_soon_threadsafe(given_up.set)
            assert cancelled.wait(HANG_S)
        return forward(rows, additions)

    requests = [asked(1, Regex("(A|B){9}")), asked(2, Regex("(A|B){9}")), asked(3, Regex("(A|B){8}"))]
    alone = [await engine.ask(each) for each in requests]
    monkeypatch.setattr(Rows, "forward", slow)
    held.until(3)
    tasks = [asyncio.create_task(batching.ask(each)) for each in requests]
    await given_up.wait()
    tasks[1].cancel()
    with pytest.raises(asyncio.CancelledError):
        await tasks[1]
    cancelled.set()
    assert_same(await tasks[0], alone[0])
    assert_same(await tasks[2], alone[2])
    assert rows_of[:3] == [3, 3, 2]


async def test_one_that_is_cancelled_while_it_waits_takes_no_place(
    batching: TransformersEngine, held: Held, passes: list[tuple[int, int]]
) -> None:
    held.until(BATCH + 2)
    tasks = [asyncio.create_task(batching.ask(asked(each, Regex("(A|B){3}")))) for each in range(BATCH + 1)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    tasks.append(asyncio.create_task(batching.ask(asked(9, Regex("(A|B){3}")))))
    done = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(each) for each in done] == [asyncio.CancelledError, *[Reply] * (BATCH + 1)]
    assert passes[0][0] == BATCH


async def test_a_batch_that_needs_too_much_memory_is_answered_one_by_one(
    engine: TransformersEngine, held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    forward = Rows.forward

    def small(rows: Rows, additions: Sequence[Addition]) -> torch.Tensor:
        if len(additions) > 1:
            raise torch.OutOfMemoryError("out of memory")
        return forward(rows, additions)

    monkeypatch.setattr(Rows, "forward", small)
    requests = MIXED[:BATCH]
    for one, request in zip(await held.ask(requests), requests, strict=True):
        assert_same(one, await engine.ask(request))


async def test_a_batch_is_no_larger_than_the_longest_prompt(
    batching: TransformersEngine, held: Held, passes: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "SMALL", 0)
    await batching.start()
    assert batching._generator is not None
    most = batching._generator.context_length
    short, long = (
        asked(1, Regex("(A|B)"), max_tokens=1),
        asked(2, Regex("(A|B)"), text="很长" * (most // 10), max_tokens=1),
    )
    assert all(isinstance(each, Reply) for each in await held.ask([short, short, long, long]))
    assert max(rows * width for rows, width in passes) <= most
    assert next(rows for rows, _ in passes) == 2


async def test_scopes_are_not_answered_together(
    batching: TransformersEngine, held: Held, passes: list[tuple[int, int]]
) -> None:
    async def within(scope: str, request: AskRequest) -> Reply:
        token = cache_scope.set(scope)
        try:
            return await batching.ask(request)
        finally:
            cache_scope.reset(token)

    held.until(4)
    request = asked(21, Regex("(A|B){2}"))
    replies = await asyncio.gather(*(within(scope, request) for scope in ("a", "b", "a", "b")))
    assert len({each.text for each in replies}) == 1
    assert [rows for rows, _ in passes] == [2, 2, 2, 2]
    assert all(each.usage.cached_tokens == 0 for each in replies)


async def test_what_a_batch_computed_is_known_afterwards(batching: TransformersEngine, held: Held) -> None:
    await held.ask([asked(31, Regex("(A|B){2}")), asked(32, Regex("(A|B){9}"), sides=((196, 140),))])
    replies = await held.ask([asked(31, text="哪里？"), asked(32, text="哪里？", sides=((196, 140),))])
    for reply in replies:
        assert isinstance(reply, Reply)
        assert (reply.usage.cached_tokens or 0) > (reply.usage.image_tokens or 0) > 0
        assert (reply.usage.encoded_images, reply.usage.reused_images) == (0, 0)


async def test_pictures_are_counted_with_their_own_requests(batching: TransformersEngine, held: Held) -> None:
    both = ((112, 84), (112, 84))
    await batching.ask(asked(41, text="哪里？"))
    requests = [asked(40, sides=both), asked(41, system="看"), asked(0, sides=()), asked(43, sides=((196, 140),))]
    counts = []
    for reply in await held.ask(requests):
        assert isinstance(reply, Reply)
        counts.append((reply.usage.encoded_images, reply.usage.reused_images))
    assert counts == [(2, 0), (0, 1), (0, 0), (1, 0)]


async def test_closing_cancels_what_waits(tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = TransformersEngine(str(tiny_checkpoint), batch_size=BATCH)
    running, go_on = threading.Event(), threading.Event()

    def busy() -> None:
        running.set()
        go_on.wait(HANG_S)

    engine._worker.submit(busy)
    await asyncio.to_thread(running.wait)
    waiting = [asyncio.create_task(engine.ask(each)) for each in MIXED[:2]]
    await asyncio.sleep(0)
    closing = asyncio.create_task(engine.aclose())
    while not engine._worker._shutdown:  # noqa: ASYNC110 the pool has no event
        await asyncio.sleep(0)
    go_on.set()
    await closing
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(each) for each in outcomes] == [asyncio.CancelledError] * 2


@pytest.fixture(scope="module")
def taggers() -> Iterator[Callable[[int], Tagger]]:
    """The bundled model, which answers so many at once."""
    made: dict[int, Tagger] = {}

    def tagger(batch_size: int) -> Tagger:
        if batch_size not in made:
            chosen = load_settings(engine="embedded", batch_size=batch_size, concurrency=8, model=None)
            made[batch_size] = Tagger(with_demo_models(chosen))
        return made[batch_size]

    yield tagger
    for each in made.values():
        each.close()


def drawings() -> list[Image.Image]:
    """A part of the album, in sizes that differ from one to the next."""
    album = []
    for index, each in enumerate(read_labels(HELDOUT)[::20]):
        with Image.open(each.path) as image:
            album.append(image.convert("RGB").resize(SIDES[index % len(SIDES)]))
    return album


def answers(tagger: Tagger, context: Context) -> list[TagResult]:
    results = dict(tagger.tag_many_sync(drawings(), context))
    return [results[index] for index in sorted(results)]


def ids(result: TagResult) -> dict[str, list[str]]:
    assert result.category is not None
    tags = {"category": (result.category,), **result.details}
    return {name: [tag.id for tag in chosen] for name, chosen in tags.items()}


@pytest.mark.parametrize("arm", ARMS)
def test_the_bundled_model_gives_the_same_tags(
    arm: str, taggers: Callable[[int], Tagger], passes: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = answers(taggers(1), ARMS[arm])
    passes.clear()
    tagger = taggers(8)
    engine = tagger.services.engine
    assert isinstance(engine, TransformersEngine)
    if arm != "hybrid":  # which asks about some pictures only
        Held(engine, monkeypatch).until(8)
    for one, other in zip(answers(tagger, ARMS[arm]), alone, strict=True):
        assert (one.status, ids(one)) == (other.status, ids(other))
        assert one.category is not None
        assert other.category is not None
        assert one.category.confidence == pytest.approx(other.category.confidence, abs=1e-3)
        for attribute, tags in one.details.items():
            expected = [tag.confidence for tag in other.details[attribute]]
            assert [tag.confidence for tag in tags] == pytest.approx(expected, abs=1e-3)
    assert max(rows for rows, _ in passes) >= (2 if arm == "hybrid" else 8)
