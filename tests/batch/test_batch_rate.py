"""Rates and estimates on a clock that the test sets."""

from __future__ import annotations

import pytest

from onelook.batch.rate import Rate
from onelook.cli.durations import duration, eta_text, rate, short


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def done(rate: Rate, clock: Clock, *, per_bin: list[int]) -> None:
    for count in per_bin:
        for _ in range(count):
            rate.count()
        clock.now_s += 5.0


def test_nothing_done_says_nothing() -> None:
    assert Rate(Clock()).eta(10) is None


def test_a_steady_pace_is_certain() -> None:
    clock = Clock()
    rate = Rate(clock)
    done(rate, clock, per_bin=[50] * 10)
    assert rate.per_second() == pytest.approx(10)
    eta = rate.eta(1000)
    assert eta is not None
    assert (eta.seconds, eta.soonest, eta.latest) == pytest.approx((100, 100, 100))


def test_an_unsteady_pace_has_an_interval() -> None:
    clock = Clock()
    rate = Rate(clock)
    done(rate, clock, per_bin=[30, 70] * 10)
    eta = rate.eta(1000)
    assert eta is not None
    assert eta.soonest is not None
    assert eta.latest is not None
    assert 80 < eta.soonest < eta.seconds < eta.latest < 130


def test_the_last_ten_minutes_count() -> None:
    clock = Clock()
    rate = Rate(clock)
    done(rate, clock, per_bin=[500] * 200)
    done(rate, clock, per_bin=[5] * 200)
    assert rate.per_second() == pytest.approx(1, rel=0.02)


def test_a_long_silence_ends_the_rate() -> None:
    clock = Clock()
    rate = Rate(clock)
    done(rate, clock, per_bin=[500])
    clock.now_s += 86_400
    assert rate.eta(10) is None


def test_words() -> None:
    assert [duration(each) for each in (3, 59.6, 125, 3600 * 3 + 600, 3600 * 100)] == [
        "3 s",
        "60 s",
        "2 min",
        "3 h 10 min",
        "4 d 4 h",
    ]
    assert [short(each) for each in (950, 9_999, 12_345, 4_500_000)] == ["950", "9,999", "12.3 k", "4.5 M"]
    assert eta_text(None) == ""


def test_rates_are_read_at_a_glance() -> None:
    assert [rate(each) for each in (0.0312, 4.24, 99.4, 99.6, 1249.6)] == [
        "0.031 a second",
        "4.2 a second",
        "99 a second",
        "100 a second",
        "1,250 a second",
    ]
