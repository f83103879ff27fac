"""Are the log-probabilities those of the choice that the model had?"""

from __future__ import annotations

import math
from collections.abc import Sequence

from onelook.engines.base import Finding, Reply

# Among a dozen tokens that begin one of two allowed words, the likeliest have more than this between them. Of all
# texts, these words have less than a thousandth as the answer to a greeting.
LEAST_MASS = 0.1


def check_not_all_zero(replies: Sequence[Reply]) -> Finding | None:
    """Whether one of the log-probabilities is not 0.0; None if there are none."""
    logprobs = [token.logprob for reply in replies for token in reply.tokens]
    if not logprobs:
        return None
    if any(logprobs):
        return Finding("probabilities", ok=True, detail="differ from token to token", needed=False)
    return Finding(
        "probabilities",
        ok=False,
        detail=f"asked {len(replies)} questions, and all {len(logprobs)} log-probabilities are 0.0: every confidence"
        " would be 100 %, and no picture would need review",
        needed=False,
        hint="speculative decoding does that in llama.cpp and older vLLM: start vLLM without --speculative-config,"
        " llama.cpp without --model-draft",
    )


def check_masked(reply: Reply, allowed: Sequence[str]) -> Finding | None:
    """Whether the probabilities at the token that decides between the `allowed` texts add up to 1 among them.

    None if `reply` is none of them, or has no probabilities.
    """
    mass = _mass_of_allowed(reply, [text.encode() for text in allowed]) if reply.text in allowed else None
    if mass is None:
        return None
    if mass >= LEAST_MASS:
        return Finding("probabilities after the mask", ok=True, detail="are among the allowed texts", needed=False)
    return Finding(
        "probabilities after the mask",
        ok=False,
        detail=f"asked for {' or '.join(allowed)}, and these have {mass:.1e} of the probability: it is that before the"
        " constraint, so confidences are too low and most pictures need review",
        needed=False,
        hint="vLLM reports probabilities after the constraint; elsewhere fit them with `onelook calibrate` and"
        " ONELOOK_CALIBRATION=calibration.json",
    )


def _mass_of_allowed(reply: Reply, allowed: Sequence[bytes]) -> float | None:
    decides_at = next(at for at, column in enumerate(zip(*allowed, strict=False)) if len(set(column)) > 1)
    written = b""
    for token in reply.tokens:
        if len(written) + len(token.data) > decides_at:
            likely = {token.data: token.logprob, **token.alternatives}
            return sum(
                math.exp(logprob)
                for data, logprob in likely.items()
                if any(text.startswith(written + data) or (written + data).startswith(text) for text in allowed)
            )
        written += token.data
    return None
