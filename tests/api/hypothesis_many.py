"""`many.more()`, which hypothesis-jsonschema 0.23.1 (its last release) calls, and which Hypothesis 6.170 has removed.

The releases of schemathesis without it need a jsonschema-rs that langgraph-api does not allow.
"""

from __future__ import annotations

from typing import Any

from hypothesis.internal.conjecture.utils import many

END = object()


def more(self: Any) -> bool:
    """Whether there is another element: `while elements.more():` instead of today's `for _ in elements:`."""
    if self._depth is None:
        self.__enter__()
        self.wanted = iter(self)
    return next(self.wanted, END) is not END


if not hasattr(many, "more"):
    many.more = more  # type: ignore[attr-defined]
