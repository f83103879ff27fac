"""Two of the faults that `onelook doctor` looks for show during work as well; each is a warning, once in a process."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Sequence

from onelook.engines.base import Reply

log = logging.getLogger("onelook")

IN_A_ROW = 100

CERTAIN = (
    "%d answers of %s in a row have confidence 1.0: its log-probabilities are all 0.0, so no picture is marked for"
    " review; `onelook doctor` shows why (vLLM: without --speculative-config)"
)
UNCACHED = (
    "%d answers of %s in a row have no cached prompt tokens: each prompt is computed from its start; `onelook doctor`"
    " shows why (vLLM: --enable-prefix-caching)"
)


class DegradationWatch:
    """Counts, for each model, the answers in a row that show a fault. One round of questions is one answer."""

    def __init__(self) -> None:
        self._rows: Counter[tuple[str, str]] = Counter()
        self._warned: set[str] = set()
        self._lock = threading.Lock()

    def see(self, model: str, replies: Sequence[Reply]) -> None:
        """`replies`: those to one picture that came at once. Answers from memory say nothing of the server."""
        new = [reply for reply in replies if not reply.cached]
        logprobs = [token.logprob for reply in new for token in reply.tokens]
        cached = [reply.usage.cached_tokens for reply in new if reply.usage.cached_tokens is not None]
        if logprobs:
            self._count(CERTAIN, model, not any(logprobs))
        if cached:
            self._count(UNCACHED, model, not any(cached))

    def _count(self, warning: str, model: str, seen: bool) -> None:
        with self._lock:
            row = self._rows[warning, model] = self._rows[warning, model] + 1 if seen else 0
            if row < IN_A_ROW or warning in self._warned:
                return
            self._warned.add(warning)
        log.warning(warning, row, model)


WATCH = DegradationWatch()
"""That of this process."""
