"""The limit of requests in flight: half after an overload, one more for each round of answers."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onelook.engines.aimd_limit import AimdLimit


def rounds(limit: AimdLimit, count: int) -> None:
    """So many rounds of answers, each with as many requests as the limit allows."""
    for _ in range(count):
        in_flight = int(limit.current)
        for _ in range(in_flight):
            limit.succeed(in_flight)


def test_a_server_that_is_never_overloaded_is_never_limited() -> None:
    limit = AimdLimit()
    for _ in range(1000):
        limit.succeed(64)
    assert limit.allows(10**6)


def test_an_overload_halves_what_was_in_flight() -> None:
    limit = AimdLimit()
    limit.overload(8, sent_s=0.0, now_s=1.0)
    assert limit.current == 4
    assert limit.allows(3)
    assert not limit.allows(4)


def test_requests_that_were_sent_before_the_decrease_are_the_same_overload() -> None:
    limit = AimdLimit()
    for _ in range(8):
        limit.overload(8, sent_s=0.0, now_s=1.0)
    assert limit.current == 4
    limit.overload(4, sent_s=2.0, now_s=3.0)
    assert limit.current == 2
    assert limit.lowered == 2


def test_it_never_falls_below_one() -> None:
    limit = AimdLimit()
    for second in range(20):
        limit.overload(1, sent_s=second, now_s=second)
    assert limit.current == 1
    assert limit.allows(0)


def test_it_grows_by_about_one_for_each_round_of_answers() -> None:
    limit = AimdLimit()
    limit.overload(8, sent_s=0.0, now_s=0.0)
    rounds(limit, 4)
    assert 6.5 <= limit.current <= 8


def test_a_limit_of_which_less_than_half_is_used_does_not_grow() -> None:
    limit = AimdLimit()
    limit.overload(8, sent_s=0.0, now_s=0.0)
    for _ in range(1000):
        limit.succeed(1)
    assert limit.current == 4


def test_after_an_outage_it_begins_at_one_and_doubles_up_to_half_of_what_it_was() -> None:
    limit = AimdLimit()
    limit.outage(64, now_s=0.0)
    assert limit.current == 1
    rounds(limit, 5)
    assert limit.current == 32
    rounds(limit, 1)
    assert 32 < limit.current <= 33


EVENTS = st.lists(st.tuples(st.sampled_from(["succeed", "overload", "outage"]), st.integers(1, 100)), max_size=200)


@given(EVENTS, st.one_of(st.just(math.inf), st.floats(1, 50)))
def test_whatever_happens_at_least_one_request_is_allowed_and_no_more_than_the_ceiling(
    events: list[tuple[str, int]], ceiling: float
) -> None:
    limit = AimdLimit(ceiling=ceiling)
    for now_s, (event, in_flight) in enumerate(events):
        match event:
            case "succeed":
                limit.succeed(in_flight)
            case "overload":
                limit.overload(in_flight, sent_s=now_s, now_s=now_s)
            case _:
                limit.outage(in_flight, now_s=now_s)
        assert 1 <= limit.current <= ceiling
        assert limit.allows(0)


def test_a_queue_in_the_server_lowers_it_a_little() -> None:
    limit = AimdLimit()
    limit.sent(40)
    limit.sent(8)
    limit.queueing(sent_s=1.0, now_s=2.0)
    assert limit.current == 34
    limit.sent(34)
    limit.queueing(sent_s=1.5, now_s=2.5)  # sent before the limit was lowered
    assert limit.current == 34
    limit.queueing(sent_s=2.1, now_s=3.0)
    assert limit.current == pytest.approx(28.9)
    for _ in range(40):
        limit.succeed(28)
    assert 29 < limit.current < 31
