"""What the embedded engine is asked, until its worker thread takes it: requests that wait together are taken together.

Nothing waits for others to come: a request that is alone is taken alone, and while it is answered others gather.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from contextvars import Context, copy_context
from dataclasses import dataclass, field

from onelook.engines.base import AskRequest, Reply
from onelook.engines.cache_scope import cache_scope, picture_scope

Replies = list[Reply] | None


@dataclass(frozen=True, slots=True)
class Queued:
    """A request, or a round of one-token requests about the same pictures, and the future of its replies.

    `cancelled` is set when nobody waits for them any more. `context`: whoever asked.
    """

    requests: Sequence[AskRequest]
    is_round: bool = False
    cancelled: threading.Event = field(default_factory=threading.Event)
    replies: Future[Replies] = field(default_factory=Future)
    context: Context = field(default_factory=copy_context)
    since_ns: int = field(default_factory=lambda: time.perf_counter_ns())

    @property
    def scope(self) -> tuple[str | None, str]:
        """What it may reuse: whose caches, and which pictures in them."""
        return self.context.get(cache_scope), self.context.get(picture_scope, "")


class Queue:
    """First come, first served. Safe for several threads."""

    def __init__(self) -> None:
        self._waiting: deque[Queued] = deque()
        self._lock = threading.Lock()

    def put(self, one: Queued) -> None:
        with self._lock:
            self._waiting.append(one)

    def waits(self) -> bool:
        """Whether anything waits that was not cancelled."""
        with self._lock:
            return not all(one.replies.cancelled() for one in self._waiting)

    def take(self, most: int) -> list[Queued]:
        """The one that waits longest, and those after it that may reuse the same, `most` in all; none if
        nothing waits. Those that were cancelled are dropped."""
        taken: list[Queued] = []
        passed: list[Queued] = []
        with self._lock:
            while self._waiting and len(taken) < most:
                one = self._waiting.popleft()
                if taken and one.scope != taken[0].scope:
                    passed.append(one)
                elif one.replies.set_running_or_notify_cancel():
                    taken.append(one)
            self._waiting.extendleft(reversed(passed))
        return taken

    def cancel(self) -> None:
        """Cancel all that wait."""
        with self._lock:
            while self._waiting:
                self._waiting.popleft().replies.cancel()
