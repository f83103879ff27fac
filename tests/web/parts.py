"""The API's `parts`, grouped by the kinds of the page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

REPORTED = ("turn", "switch", "throttle", "queue", "first_token", "decode")


def kind_of(part: str) -> str:
    """`node.span.stretch`, `node.span`, `node.rest` or `scheduling`, as one kind."""
    node, *rest = part.split(".")
    last = rest[-1] if rest else node
    if node == "scheduling" or last in REPORTED:
        return last
    if rest[0] == "engine":
        return "engine"
    if rest[0] == "parse":
        return "parse"
    return node if node in ("prepare", "parse") else "other"


def by_kind(parts: Mapping[str, float]) -> dict[str, float]:
    """Milliseconds of each kind."""
    sums: defaultdict[str, float] = defaultdict(float)
    for part, duration_ms in parts.items():
        sums[kind_of(part)] += duration_ms
    return dict(sums)
