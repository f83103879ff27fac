"""Does the model think before it answers?"""

from __future__ import annotations

from onelook.engines.base import Finding, Reply
from onelook.errors import ReplyError

COST = "a thinking model is several times slower, and its short answers are worse"


def check_thinking(free: Reply | ReplyError) -> Finding:
    """`free`: the reply to a greeting without a constraint, or how it failed."""
    if isinstance(free, ReplyError):
        return Finding("thinking", ok=False, detail=f"said hello, and {free.message}; {COST}", hint=free.hint)
    thoughts = free.thoughts or (free.text if "<think>" in free.text else "")
    if not thoughts:
        return Finding("thinking", ok=True, detail="off: a greeting is answered at once", needed=False)
    return Finding(
        "thinking",
        ok=False,
        detail=f"said hello, and the model thought first: {thoughts.strip()[:60]!r}; {COST}",
        needed=False,
        hint="set ONELOOK_THINKING=false; if it is, start vLLM with"
        """ --default-chat-template-kwargs '{"enable_thinking": false}'""",
    )
