"""What a server asks for with `Retry-After`: seconds or a date, and whatever else it may write there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onelook.engines.retry_after import read_retry_after_s

DATE = "Wed, 21 Oct 2026 07:28:00 GMT"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        (" 7 ", 7.0),
        ("0.5", 0.5),
        ("0", 0.0),
        ("1e9", 1e9),
        ("-7", None),
        ("nan", None),
        ("inf", None),
        ("", None),
        ("soon", None),
        ("7 s", None),
        ("Wed, 99 Oct 2026 07:28:00 GMT", None),
    ],
)
def test_seconds_are_read_and_nonsense_is_nothing(value: str, seconds: float | None) -> None:
    assert read_retry_after_s({"Retry-After": value}) == seconds


def test_without_the_header_nothing_is_asked() -> None:
    assert read_retry_after_s({}) is None


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (DATE, 20.0),
        ("Wed, 21 Oct 2026 09:28:00 +0200", 20.0),
        ("Wed, 21 Oct 2026 07:28:00 -0000", 20.0),  # RFC 5322: no zone is known
        ("Wed, 21 Oct 2026 07:28:00", 20.0),
        ("Wednesday, 21-Oct-26 07:28:00 GMT", 20.0),  # RFC 850, which HTTP still allows
        ("Wed, 21 Oct 2026 07:00:00 GMT", 0.0),  # the past
    ],
)
def test_a_date_is_compared_with_the_servers_own_clock(value: str, seconds: float) -> None:
    """This machine's clock is not asked: it may be wrong by hours."""
    assert read_retry_after_s({"Retry-After": value, "Date": "Wed, 21 Oct 2026 07:27:40 GMT"}) == seconds


def test_a_date_of_a_server_without_a_clock_is_compared_with_ours() -> None:
    tomorrow = format_datetime(datetime.now(UTC) + timedelta(days=1), usegmt=True)
    seconds = read_retry_after_s({"Retry-After": tomorrow, "Date": "nonsense"})
    assert seconds is not None
    assert 80_000 < seconds <= 86_400


@given(st.text(), st.text())
def test_no_header_is_an_error_or_a_negative_wait(value: str, date: str) -> None:
    seconds = read_retry_after_s({"Retry-After": value, "Date": date})
    assert seconds is None or seconds >= 0
