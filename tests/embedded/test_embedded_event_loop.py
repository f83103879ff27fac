"""The embedded engine beside the rest of the process: it never blocks the event loop, and stops when cancelled."""

from __future__ import annotations

import asyncio
import itertools
import threading
from pathlib import Path
from typing import Any

import pytest

from onelook.engines.base import AskRequest, Choice
from onelook.engines.build import build_engine
from onelook.engines.transformers.engine import TransformersEngine
from onelook.engines.transformers.generation import Generator
from onelook.engines.transformers.guide import Cancelled
from onelook.engines.transformers.loading import LoadOptions, load_checkpoint
from onelook.settings.process import load_settings
from tests.embedded.questions import question, request
from tests.patience import HANG_S

LONG = 3000


async def test_the_event_loop_goes_on_while_it_answers(
    engine: TransformersEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    went_on, answer_at_once = threading.Event(), Generator.answer

    def answer(*question: Any, **options: Any) -> Any:
        """Only after the event loop has gone on."""
        assert went_on.wait(HANG_S)
        return answer_at_once(*question, **options)

    monkeypatch.setattr(Generator, "answer", answer)
    reply = asyncio.create_task(engine.ask(request([1], max_tokens=200)))
    for _ in range(100):
        await asyncio.sleep(0)
    assert not reply.done()
    went_on.set()
    assert (await reply).stop_reason in ("stop", "length")


async def test_questions_wait_for_each_other_and_the_wait_is_reported(
    engine: TransformersEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a clock on which each look takes a second, and with both questions in the queue before the first begins."""
    seconds = itertools.count()
    may_begin = threading.Event()
    await engine.start()
    engine._worker.submit(may_begin.wait, HANG_S)
    monkeypatch.setattr("time.perf_counter_ns", lambda: next(seconds) * 1_000_000_000)
    asked = asyncio.gather(
        engine.ask(request([1], max_tokens=40)), engine.ask(request([1], text="哪里？", max_tokens=2))
    )
    while engine._worker._work_queue.qsize() < 2:  # noqa: ASYNC110 the queue has no event
        await asyncio.sleep(0)
    may_begin.set()
    one, other = await asked
    first, second = one.timing, other.timing
    assert first.queue_ms is not None
    assert first.decode_ms is not None
    assert second.queue_ms is not None
    assert second.queue_ms > first.decode_ms > first.queue_ms


async def test_it_answers_on_after_a_question_was_given_up(engine: TransformersEngine) -> None:
    given_up = [asyncio.create_task(engine.ask(request([1], max_tokens=LONG))) for _ in range(2)]
    for _ in range(20):
        await asyncio.sleep(0)
    for task in given_up:
        task.cancel()
    for task in given_up:
        with pytest.raises(asyncio.CancelledError):
            await task
    reply = await engine.ask(request([2], Choice(("a", "b")), max_tokens=5))
    assert reply.text in ("a", "b")


def test_an_answer_that_nobody_waits_for_is_not_finished(tiny_checkpoint: Path) -> None:
    generator = Generator(load_checkpoint(str(tiny_checkpoint), LoadOptions()), prefix_cache_bytes=0)
    cancelled, outcome = threading.Event(), list[str]()

    def answer() -> None:
        try:
            generator.answer(question([1]), None, max_tokens=LONG, top_logprobs=0, cancelled=cancelled)
            outcome.append("finished")
        except Cancelled:
            outcome.append("cancelled")

    thread = threading.Thread(target=answer)
    thread.start()
    cancelled.set()
    thread.join()
    assert outcome == ["cancelled"]


async def test_one_model_serves_several_event_loops(engine: TransformersEngine) -> None:
    def in_another_loop() -> str:
        return asyncio.run(engine.ask(request([1], Choice(("a", "b")), max_tokens=5))).text

    answers = await asyncio.gather(*(asyncio.to_thread(in_another_loop) for _ in range(3)))
    assert len(set(answers)) == 1


async def test_the_engine_of_the_settings_has_every_capability(tiny_checkpoint: Path) -> None:
    engine = build_engine(load_settings(engine="embedded", model=str(tiny_checkpoint)))
    findings = await engine.probe()
    assert findings
    assert [finding for finding in findings if not finding.ok] == []
    assert engine.model == str(tiny_checkpoint)
    await engine.aclose()


async def test_closing_ends_the_worker_thread(tiny_checkpoint: Path) -> None:
    before = threading.active_count()
    engine = build_engine(load_settings(engine="embedded", model=str(tiny_checkpoint)))
    await engine.ask(AskRequest(question([1]), Choice(("a", "b")), max_tokens=5))
    assert any(thread.name.startswith("embedded") for thread in threading.enumerate())
    await engine.aclose()
    assert threading.active_count() <= before + 1  # the thread that closed it belongs to the event loop
