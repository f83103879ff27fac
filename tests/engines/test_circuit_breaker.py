"""The circuit breaker, on a clock that is a number."""

from __future__ import annotations

import pytest

from onelook.engines.circuit_breaker import FAILURES, FIRST_OPEN_S, JITTER, LONGEST_OPEN_S, CircuitBreaker


@pytest.fixture
def breaker() -> CircuitBreaker:
    return CircuitBreaker(rng=lambda: 0.0)


def open_at(breaker: CircuitBreaker, now_s: float) -> None:
    breaker.fail(now_s, probe=False, certain=True)


def test_it_opens_after_failures_in_a_row(breaker: CircuitBreaker) -> None:
    states: list[str] = []
    for _ in range(FAILURES):
        breaker.fail(0.0, probe=False)
        states.append(breaker.state)
    assert states == ["closed"] * (FAILURES - 1) + ["open"]
    assert not breaker.allows(0.0)


def test_an_answer_in_between_keeps_it_closed(breaker: CircuitBreaker) -> None:
    for _ in range(10):
        for _ in range(FAILURES - 1):
            breaker.fail(0.0, probe=False)
        breaker.succeed()
    assert breaker.state == "closed"


def test_where_nothing_listens_one_failure_is_enough(breaker: CircuitBreaker) -> None:
    open_at(breaker, 0.0)
    assert breaker.state == "open"


def test_the_probe_is_one_request(breaker: CircuitBreaker) -> None:
    open_at(breaker, 0.0)
    assert breaker.allows(FIRST_OPEN_S)
    assert breaker.send(FIRST_OPEN_S)
    assert breaker.state == "half_open"
    assert not breaker.allows(1e6)


def test_an_answered_probe_closes_it(breaker: CircuitBreaker) -> None:
    open_at(breaker, 0.0)
    breaker.send(FIRST_OPEN_S)
    breaker.succeed()
    assert (breaker.state, breaker.send(2.0)) == ("closed", False)


def test_each_failed_probe_doubles_the_wait_up_to_the_longest(breaker: CircuitBreaker) -> None:
    now_s = 0.0
    open_at(breaker, now_s)
    waits = []
    for _ in range(5):
        waits.append(breaker.retry_at_s - now_s)
        now_s = breaker.retry_at_s
        breaker.fail(now_s, probe=breaker.send(now_s))
    assert waits == [1.0, 2.0, 4.0, LONGEST_OPEN_S, LONGEST_OPEN_S]
    assert breaker.opened == 1


def test_failures_of_requests_that_were_under_way_do_not_make_the_wait_longer(breaker: CircuitBreaker) -> None:
    open_at(breaker, 0.0)
    for _ in range(50):
        breaker.fail(0.5, probe=False, certain=True)
    assert breaker.retry_at_s == FIRST_OPEN_S


def test_after_a_cancelled_probe_the_next_request_is_the_probe(breaker: CircuitBreaker) -> None:
    open_at(breaker, 0.0)
    breaker.send(FIRST_OPEN_S)
    breaker.abandon(3.0)
    assert breaker.allows(3.0)
    assert breaker.send(3.0)


def test_breakers_of_several_processes_do_not_come_back_together() -> None:
    early, late = CircuitBreaker(rng=lambda: 0.0), CircuitBreaker(rng=lambda: 1.0)
    for each in (early, late):
        open_at(each, 0.0)
    assert late.retry_at_s == (1 + JITTER) * early.retry_at_s
