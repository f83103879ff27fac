"""Where an engine's own phases lie within its span."""

from __future__ import annotations

from collections.abc import Iterator

from onelook.ledger.model import Span


def phases(engine: Span) -> Iterator[tuple[str, float, float]]:
    """Name, start and end (ms since the run began) of each phase that the engine reports, up to the end of its span.

    An engine does not know how long the request and the reply travelled; the request is by far the larger of the two,
    so all of that time stands before the first phase.
    """
    known = engine.server.known() if engine.server else {}
    position_ms = engine.end_ms - sum(known.values())
    for name, duration_ms in known.items():
        yield name, position_ms, position_ms + duration_ms
        position_ms += duration_ms
