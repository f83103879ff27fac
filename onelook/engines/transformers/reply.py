"""What the embedded engine generated, as a reply."""

from __future__ import annotations

from collections.abc import Sequence

from onelook.engines.base import Reply, Token
from onelook.engines.tokens import add_up
from onelook.engines.transformers.generation import Generated, Vocabulary
from onelook.engines.transformers.guide import Step
from onelook.ledger.model import ServerTiming
from onelook.types import Usage


def to_reply(generated: Generated, vocabulary: Vocabulary, *, queue_ms: float) -> Reply:
    """The bytes of the reply's tokens, joined, are its text in UTF-8.

    End of turn and special tokens are in neither. A text that is cut off inside a character ends in U+FFFD; tokens do
    not write it, so there are none.
    """
    written = [step for step in generated.steps if step.token not in vocabulary.silent]
    data = b"".join(vocabulary.token_bytes[step.token] for step in written)
    text = data.decode(errors="replace")
    return Reply(
        text=text,
        stop_reason=generated.stop_reason,
        tokens=_tokens(written, vocabulary.token_bytes) if text.encode() == data else (),
        usage=Usage(
            prompt_tokens=generated.prompt_tokens,
            cached_tokens=generated.cached_tokens,
            image_tokens=generated.image_tokens,
            completion_tokens=len(generated.steps),
            forced_tokens=generated.forced_tokens,
            prefill_passes=generated.prefill_passes,
            decode_passes=generated.decode_passes,
            encoded_images=generated.encoded_images,
            reused_images=generated.reused_images,
        ),
        timing=ServerTiming(queue_ms=queue_ms, first_token_ms=generated.first_token_ms, decode_ms=generated.decode_ms),
    )


def _tokens(steps: Sequence[Step], token_bytes: Sequence[bytes]) -> tuple[Token, ...]:
    return tuple(
        Token(
            token_bytes[step.token], step.logprob, add_up((token_bytes[token], logprob) for token, logprob in step.top)
        )
        for step in steps
        if token_bytes[step.token]
    )
