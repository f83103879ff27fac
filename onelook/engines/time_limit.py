"""How long an engine works on a question that its caller waits for."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager

from onelook.deadline import at_most
from onelook.engines.base import AskRequest
from onelook.errors import DeadlinePassed
from onelook.settings.hints import set_to


def time_limit(model: str, requests: Sequence[AskRequest]) -> AbstractAsyncContextManager[None]:
    """Raises `DeadlinePassed` when the first of `requests` is no longer waited for; what runs inside is cancelled."""
    within_s = min((each.within_s for each in requests if each.within_s is not None), default=None)
    return at_most(
        within_s,
        lambda: DeadlinePassed(
            f"{model} gave no answer before the caller's deadline",
            hint="the model is slow or its queue is long: allow more time (X-Timeout-Seconds: 60 up to"
            f" ONELOOK_HTTP__DEADLINE_S), or send fewer pictures at once, {set_to(ONELOOK_CONCURRENCY=2)}",
        ),
    )
