"""Durations and large numbers, as people say them."""

from __future__ import annotations

from onelook.batch.rate import Eta


def duration(seconds: float) -> str:
    """`40 s`, `12 min`, `3 h 10 min`, `5 d 4 h`."""
    seconds = max(seconds, 0)
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 100:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h"


def eta_text(eta: Eta | None) -> str:
    """`about 12 min (11 min to 14 min)`."""
    if eta is None:
        return ""
    about = f"about {duration(eta.seconds)}"
    if eta.soonest is None:
        return about
    latest = "?" if eta.latest is None else duration(eta.latest)
    soonest = duration(eta.soonest)
    return about if soonest == latest else f"{about} ({soonest} to {latest})"


def short(number: int) -> str:
    """`950`, `12.3 k`, `4.5 M`."""
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e4)):
        if number >= size:
            return f"{number / (1000 if unit == 'k' else size):.1f} {unit}"
    return f"{number:,}"


def rate(per_second: float) -> str:
    """`0.031 a second`, `4.2 a second`, `1,250 a second`."""
    return f"{per_second:.2g} a second" if per_second < 99.5 else f"{per_second:,.0f} a second"
