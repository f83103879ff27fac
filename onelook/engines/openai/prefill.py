"""The beginning that a constraint forces on a reply, sent as the start of the assistant's turn in place of decoded.

vLLM goes on from an assistant message with `continue_final_message` (and then `add_generation_prompt: false`), under a
grammar for the rest. A server that does not is asked as usual, from then on. It is found by its refusal, or by its
reply, which repeats the beginning or does not fit the rest. One that ignores the fields and keeps to the grammar writes
the rest in a new turn, which fits and is wrong: it is found by the prompt, as long without the fields as with them.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from onelook.constraint import Constraint, JsonSchema, Regex
from onelook.engines.base import Finding, Reply, Token
from onelook.engines.openai.request import Guidance

log = logging.getLogger("onelook")

FIELD = "continue_final_message"
SHORTEST = 4
"""A shorter beginning, in characters, is a token or two: not worth another form of the request."""

# A literal character of our patterns, escaped or not, that no repetition follows.
LITERAL = re.compile(r"(?:\\(.)|([^\\.^$*+?()\[\]{}|]))(?![*+?{])")
# Where a beginning may end: after a quote that opens a word, or after a word. In between, a tokenizer would have
# written one token with what follows (`":"`), and the model has rarely seen it in two.
ENDS = re.compile(r'.*(?:(?<=\W)"|\w)', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Prefill:
    """`beginning`: what every reply begins with; `rest`: the pattern of what follows."""

    beginning: str
    rest: str

    def sent(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The request `body`, with the beginning as the assistant's."""
        begun = {"role": "assistant", "content": self.beginning}
        return {
            **body,
            "messages": [*body["messages"], begun],
            "structured_outputs": {"regex": self.rest},
            FIELD: True,
            "add_generation_prompt": False,
        }

    def closed(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The same without the fields: the beginning is a whole turn, and the prompt longer by its end and the start of
        a new one. Asks for one token, because only the prompt's length is of interest."""
        kept = {name: value for name, value in body.items() if name != "structured_outputs"}
        return {**kept, "messages": self.sent(body)["messages"], "max_tokens": 1}

    def whole(self, reply: Reply) -> Reply | None:
        """The reply with its beginning, which is certain; None if the server did not go on from it."""
        if reply.stop_reason == "stop" and not re.fullmatch(self.rest, reply.text):
            return None
        if reply.text.startswith(self.beginning):
            return None
        begun = Token(self.beginning.encode(), 0.0, {})
        return replace(reply, text=self.beginning + reply.text, tokens=(begun, *reply.tokens) if reply.tokens else ())


def prefill_of(pattern: str) -> Prefill | None:
    """What a reply that matches `pattern` must begin with; None if that is little or nothing.

    Alternatives stand in groups in our patterns, so what comes before the first group is in every reply.
    """
    literals: list[tuple[str, int]] = []  # each character, and where the pattern goes on after it
    at = 0
    while match := LITERAL.match(pattern, at):
        at = match.end()
        literals.append((match[1] or match[2], at))
    ends = ENDS.match("".join(character for character, _ in literals))
    if ends is None or len(ends[0]) < SHORTEST:
        return None
    return Prefill(ends[0], pattern[literals[len(ends[0]) - 1][1] :])


class PrefillSwitch:
    """Sends beginnings, where that is wanted, until the server shows that it does not go on from them.

    `proven`: it does, as the length of a prompt has shown.
    """

    def __init__(self, wanted: bool, address: str, variables: str) -> None:
        self.ignored = False
        self.proven = False
        self._wanted = wanted
        self._address = address
        self._variables = variables

    def prefill(self, constraint: Constraint | None, guidance: Guidance) -> Prefill | None:
        """What to send with a question under `constraint`; None if it is asked as usual."""
        if not self._wanted or self.ignored or guidance != "structured_outputs":
            return None
        match constraint:
            case JsonSchema(regex=pattern) | Regex(pattern=pattern):
                return prefill_of(pattern)
        return None

    def finding(self, guidance: Guidance) -> Finding | None:
        """What `onelook doctor` reports, after the engine was asked for a JSON reply; None where none is wanted."""
        if not self._wanted:
            return None
        capability = "beginning of replies"
        if guidance != "structured_outputs":
            detail = "it is sent with vLLM's own guidance only (structured_outputs), and this server gets another"
        elif self.ignored:
            detail = f"the server does not go on from it ({FIELD})"
        else:
            return Finding(capability, ok=True, detail="the server goes on from it", needed=False)
        hint = f"unset {self._variables}PREFILL: replies are decoded from their first token in any case"
        return Finding(capability, ok=False, detail=detail, needed=False, hint=hint)

    def give_up(self) -> None:
        if not self.ignored:
            self.ignored = True
            log.warning(
                "%s does not go on from the beginning of a reply (%s), so replies are decoded from their first token",
                self._address,
                FIELD,
            )
