"""The end of a run in a line or two: how many pictures, how fast, with what outcome, and what was left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from onelook.cli.durations import rate
from onelook.cli.pictures import left_out_line
from onelook.images.printable import printable
from onelook.images.walk import Found
from onelook.types import Status

CLOSED_SHOWN = 10


def summary(statuses: Iterable[Status], seconds: float, found: Found) -> list[str]:
    """`seconds`: from the first picture to the last, without loading a model."""
    counts = Counter(statuses)
    done = counts.total()
    speed = f", {rate(done / seconds)}" if seconds > 0 and done else ""
    lines = [
        f"{done} picture{'' if done == 1 else 's'} in {seconds:.1f} s{speed}:"
        f" {counts['ok']} ok, {counts['needs_review']} to review, {counts['failed']} failed"
    ]
    return [*lines, *left_out_lines(found)]


def left_out_lines(found: Found) -> list[str]:
    """What was not tagged, and why: counts, and the first names that could not be opened."""
    lines = [left_out_line(found.left_out)] if found.left_out else []
    lines += [f"cannot be opened: {printable(reason)}" for reason in found.closed[:CLOSED_SHOWN]]
    if (more := len(found.closed) - CLOSED_SHOWN) > 0:
        lines.append(f"cannot be opened: {more} more")
    return lines
