"""The page splits a ledger into the same parts as the API, for every run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser, Page

from onelook.ledger.model import Ledger, NodeTiming, ServerTiming, Span
from tests.web.parts import by_kind
from tests.web.visitor import visit

NODES = ("prepare", "analyze", "read", "classify", "parse", "describe", "route", "review", "enlarge", "escalate")
SPANS = ("read", "transform", "prompt", "engine", "parse", "retries")
durations = st.floats(0.001, 5000)


@pytest.fixture(scope="module")
def page(browser: Browser, site_url: str) -> Iterator[Page]:
    with visit(browser, site_url) as visitor:
        yield visitor.page


@st.composite
def spans(draw: st.DrawFn, start_ms: float) -> Span:
    name = draw(st.sampled_from(SPANS))
    duration_ms = draw(durations)
    server = None
    if name == "engine" and draw(st.booleans()):
        shares = [draw(st.none() | st.floats(0, 0.19)) for _ in ServerTiming.model_fields]
        known = [None if share is None else share * duration_ms for share in shares]
        server = ServerTiming(**dict(zip(ServerTiming.model_fields, known, strict=True)))
    return Span(name=name, start_ms=start_ms, end_ms=start_ms + duration_ms, server=server)


@st.composite
def ledgers(draw: st.DrawFn) -> Ledger:
    """One node after another, with gaps before, between and inside."""
    nodes, now_ms = [], 0.0
    for _ in range(draw(st.integers(0, 5))):
        now_ms += draw(durations)
        start_ms, inner = now_ms, []
        for _ in range(draw(st.integers(0, 4))):
            now_ms += draw(durations)
            inner.append(draw(spans(now_ms)))
            now_ms = inner[-1].end_ms
        now_ms += draw(durations)
        name = draw(st.sampled_from(NODES))
        nodes.append(NodeTiming(name=name, start_ms=start_ms, end_ms=now_ms, spans=tuple(inner)))
    return Ledger(nodes=tuple(nodes), wall_ms=now_ms + draw(durations))


@given(ledger=ledgers())
@settings(max_examples=200)
def test_the_kinds_are_the_parts_and_their_sum_the_wall_time(page: Page, ledger: Ledger) -> None:
    drawn: dict[str, float] = page.evaluate(
        "async (ledger) => Object.fromEntries((await import('/static/ledger.js')).totals(ledger))",
        ledger.model_dump(mode="json"),
    )
    expected = {kind: duration_ms for kind, duration_ms in by_kind(ledger.parts()).items() if duration_ms > 1e-6}
    assert {kind for kind, duration_ms in drawn.items() if duration_ms > 1e-6} == set(expected)
    for kind, duration_ms in expected.items():
        assert drawn[kind] == pytest.approx(duration_ms, abs=1e-6)
    assert sum(drawn.values()) == pytest.approx(ledger.wall_ms, abs=1e-6)


@given(end_ms=st.floats(0.5, 1e7))
@settings(max_examples=50)
def test_the_axis_has_a_few_round_numbers(page: Page, end_ms: float) -> None:
    ticks: list[float] = page.evaluate("async (end) => (await import('/static/ledger.js')).ticks(end)", end_ms)
    assert 3 <= len(ticks) <= 6
    assert ticks[0] == 0
    assert ticks[-1] <= end_ms
    step = ticks[1]
    assert float(f"{step:.0e}") == pytest.approx(step)  # one digit, then zeros
