"""The reply without guided decoding: the answer has to be found in whatever the model wrote.

JSON in a fence or between sentences counts; so does a label in prose, if the question has one value and the text
mentions one label. Two different answers in one text count as no answer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from onelook.errors import ReplyInvalid
from onelook.prompts.replies.json_reply import JsonCodec, unique_keys
from onelook.prompts.replies.reading import Reading, SpanKey, byte_span
from onelook.prompts.replies.scope import Scope
from onelook.types import Answer

# Scripts without spaces between words, or with particles written onto them: Thai and Lao, Myanmar, Khmer, kana, Han,
# Hangul.
UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
)
# Room for the JSON and a few sentences around it; a good reply is far shorter.
MAX_TOKENS = 256


class FreeTextCodec:
    """Writes and reads the free-text replies to one question. There is no constraint."""

    constraint = None
    max_tokens = MAX_TOKENS

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self._json = JsonCodec(scope)

    def encode(self, answer: Answer) -> str:
        """The reply of a model that follows the question: JSON."""
        return self._json.encode(answer)

    def decode(self, text: str) -> Reading:
        readings = list(self._in_json(text)) or list(self._mentioned(text))
        answers = {(reading.category, *sorted(reading.details.items())) for reading in readings}
        if len(answers) == 1:
            return readings[-1]
        found = f"{len(answers)} different answers" if answers else "no answer"
        raise ReplyInvalid(f"found {found} in the reply {text[:200]!r}")

    def _in_json(self, text: str) -> Iterator[Reading]:
        """The valid answers among the JSON objects in the text."""
        for start, end, document in _objects(text):
            try:
                reading = self._json.validated(document, text[start:end])
            except ReplyInvalid:
                continue
            before = len(text[:start].encode())
            spans = {key: (before + first, before + last) for key, (first, last) in reading.spans.items()}
            yield replace(reading, spans=spans)

    def _mentioned(self, text: str) -> Iterator[Reading]:
        """One reading for each label in the text, if one label is an answer."""
        scope = self.scope
        if scope.part == "category":
            for category, span in _mentions(scope.taxonomy.labels(scope.language), text):
                yield Reading(category, spans={"category": span})
        elif scope.part == "details" and len(scope.attributes(scope.categories[0])) == 1:
            (attribute_id, attribute), *_ = scope.attributes(scope.categories[0]).items()
            if attribute.choose == "one":
                for option, span in _mentions(attribute.labels(scope.language), text):
                    key: SpanKey = (attribute_id, option)
                    yield Reading(None, {attribute_id: (option,)}, {key: span})


def _objects(text: str) -> Iterator[tuple[int, int, Any]]:
    """The outermost JSON objects in the text: start, end, document."""
    decoder = json.JSONDecoder(object_pairs_hook=unique_keys)
    start = text.find("{")
    while start >= 0:
        try:
            document, end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            end = start + 1
        else:
            yield start, end, document
        start = text.find("{", end)


def _mentions(labels: dict[str, str], text: str) -> Iterator[tuple[str, tuple[int, int]]]:
    """Ids and byte spans of the labels in the text: whole words in either case; of two that overlap, the longer."""
    ids = {label.casefold(): id_ for id_, label in labels.items()}
    longest_first = sorted(labels.values(), key=len, reverse=True)
    letter = rf"[^\W_{UNSPACED}]"  # beside a label it makes the label a part of another word
    words = rf"(?<!{letter})(?:{'|'.join(map(re.escape, longest_first))})(?!{letter})"
    for found in re.finditer(words, text, re.IGNORECASE):
        if id_ := ids.get(found[0].casefold()):
            yield id_, byte_span(text, *found.span())
