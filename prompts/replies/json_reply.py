"""The JSON reply: `{"primary_category":"人像","details":{"gender":"男性","composition":["自拍","半身"]}}`.

It is written without optional whitespace, keys and lists in taxonomy order; an exact engine allows nothing else. A
portable server cannot forbid whitespace or another order, so reading accepts those, and nothing else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from pydantic import TypeAdapter, ValidationError

from onelook.constraint import JsonSchema
from onelook.errors import ReplyInvalid
from onelook.prompts.replies import pattern
from onelook.prompts.replies.json_schema import CATEGORY, DETAILS, reply_type, schema
from onelook.prompts.replies.pattern import Pattern
from onelook.prompts.replies.reading import Reading, SpanKey, byte_span
from onelook.prompts.replies.scope import Scope
from onelook.prompts.taxonomy.model import Attribute
from onelook.settings.hints import set_to
from onelook.types import Answer

# The tokens of valid JSON that locate a string: its depth in braces, and whether it is a key.
TOKEN = re.compile(r'(?P<brace>[{}])|"(?P<string>(?:[^"\\]|\\.)*)"(?P<key>\s*:)?')

FENCE = "```"


class JsonCodec:
    """Writes and reads the JSON replies to one question."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    @cached_property
    def constraint(self) -> JsonSchema:
        return JsonSchema(schema=schema(self._type), regex=self._replies().regex)

    @cached_property
    def max_tokens(self) -> int:
        """A token is at least one byte, and one more ends the reply. A server that cannot forbid it may indent and
        write \\u escapes."""
        return max(len(json.dumps(self._document(answer), indent=4)) for answer in self.scope.longest()) + 1

    @cached_property
    def _type(self) -> TypeAdapter[dict[str, Any]]:
        return reply_type(self.scope)

    def encode(self, answer: Answer) -> str:
        return json.dumps(self._document(answer), ensure_ascii=False, separators=(",", ":"))

    def decode(self, text: str) -> Reading:
        try:
            document = json.loads(text, object_pairs_hook=unique_keys)
        except (ValueError, RecursionError) as error:
            if (wrapping := _wrapping(text)) is not None:
                raise ReplyInvalid(
                    f"the reply {text[:200]!r} has its JSON {wrapping}: the server did not keep the constraint",
                    hint="`onelook doctor` shows which constraints it keeps;"
                    f" {set_to(ONELOOK_RUN__ARM='legacy')} reads such replies",
                ) from None
            raise ReplyInvalid(f"the reply {text[:200]!r} is not JSON: {error}") from None
        return self.validated(document, text)

    def validated(self, document: object, text: str) -> Reading:
        """The reading of a document that was parsed from `text`, which holds nothing else."""
        try:
            reply = self._type.validate_python(document)
        except ValidationError as error:
            mistakes = "; ".join(
                f"{'.'.join(map(str, detail['loc'])) or 'reply'}: {detail['msg']}"
                for detail in error.errors(include_url=False, include_context=False, include_input=False)
            )
            raise ReplyInvalid(f"the reply {text[:200]!r} breaks the schema: {mistakes}") from None
        return self._reading(reply, text)

    def _reading(self, reply: dict[str, Any], text: str) -> Reading:
        scope = self.scope
        written = None if scope.part == "details" else scope.taxonomy.ids(scope.language)[reply[CATEGORY]]
        values = reply if scope.part == "details" else reply.get(DETAILS, {})
        details = {}
        ids = {}
        for attribute_id, attribute in scope.attributes(written or scope.categories[0]).items():
            value = values[attribute_id]
            ids[attribute_id] = attribute.ids(scope.language)
            chosen = [value] if attribute.choose == "one" else value
            details[attribute_id] = attribute.in_order(ids[attribute_id][label] for label in chosen)

        spans: dict[SpanKey, tuple[int, int]] = {}
        for depth, key, start, end in _strings(text):
            if depth == 1 and key == CATEGORY and written is not None:
                spans["category"] = byte_span(text, start, end)
            else:
                label = json.loads(text[start - 1 : end + 1])
                spans[key, ids[key][label]] = byte_span(text, start, end)
        return Reading(written, details, spans)

    def _document(self, answer: Answer) -> dict[str, Any]:
        scope = self.scope
        values: dict[str, str | list[str]] = {}
        for attribute_id, labels in scope.values(answer).items():
            one = scope.attributes(answer.category)[attribute_id].choose == "one"
            values[attribute_id] = labels[0] if one else list(labels)
        if scope.part == "details":
            return dict(values)
        head: dict[str, Any] = {CATEGORY: scope.label(answer.category)}
        return head if scope.part == "category" else head | {DETAILS: values}

    def _replies(self) -> Pattern:
        scope = self.scope
        if scope.part == "details":
            (category,) = scope.categories
            return pattern.literal("{") + pattern.any_of([[*self._values(category), pattern.literal("}")]])
        replies = [
            [
                pattern.category(scope.label(category), category),
                *([pattern.literal(f'","{DETAILS}":{{')] if scope.part == "everything" else []),
                *self._values(category),
                pattern.literal('"}' if scope.part == "category" else "}}"),
            ]
            for category in scope.categories
        ]
        return pattern.literal(f'{{"{CATEGORY}":"') + pattern.any_of(replies)

    def _values(self, category: str) -> Iterator[Pattern]:
        for number, (attribute_id, attribute) in enumerate(self.scope.attributes(category).items()):
            key = pattern.literal(f'{"," if number else ""}"{attribute_id}":')
            yield key + self._value(attribute_id, attribute)

    def _value(self, attribute_id: str, attribute: Attribute) -> Pattern:
        quote = pattern.literal('"')
        options = [
            quote + pattern.option(label, attribute_id, option_id) + quote
            for option_id, label in attribute.labels(self.scope.language).items()
        ]
        if attribute.choose == "one":
            return pattern.one_of(options)
        return pattern.literal("[") + pattern.subset(options, empty=pattern.literal("")) + pattern.literal("]")


def unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object. A repeated key is an error; Python's reader would keep the last value."""
    document = dict(pairs)
    if len(document) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"duplicate key {next(key for key in keys if keys.count(key) > 1)!r}")
    return document


def _wrapping(text: str) -> str | None:
    """The text around the JSON object in a reply that broke the constraint; None if there is no such text."""
    for start in (found.start() for found in re.finditer(r"\{", text)):
        try:
            _, end = json.JSONDecoder().raw_decode(text, start)
        except (ValueError, RecursionError):
            continue
        around = text[:start] + text[end:]
        if not around.strip():  # two keys of one name: no text around the object
            return None
        return "in a Markdown fence" if FENCE in around else "between other words"
    return None


def _strings(text: str) -> Iterator[tuple[int, str, int, int]]:
    """The strings of a valid reply that are values: depth in objects, key, start and end without quotes."""
    depth, key = 0, ""
    for token in TOKEN.finditer(text):
        if token["brace"]:
            depth += 1 if token["brace"] == "{" else -1
        elif token["key"]:
            key = json.loads(f'"{token["string"]}"')
        else:
            yield depth, key, *token.span("string")
