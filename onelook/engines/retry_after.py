"""The `Retry-After` header (RFC 9110, section 10.2.3): seconds, or a date."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def read_retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds that the server asks to wait; None where it asks nothing that can be understood.

    A date is compared with the answer's own `Date`, so that a wrong clock on either side does not matter; where there
    is none, with this machine's clock. A date without a zone is GMT, as all HTTP dates are. The past is 0.
    """
    value = headers.get("Retry-After", "").strip()
    try:
        seconds = float(value)
    except ValueError:
        until, now = _date(value), _date(headers.get("Date", "")) or datetime.now(UTC)
        return None if until is None else max(0.0, (until - now).total_seconds())
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def _date(value: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return date if date.tzinfo is not None else date.replace(tzinfo=UTC)
