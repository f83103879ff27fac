"""For any taxonomy: what is written can be said and read, and nothing else can be said or is read."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import islice
from typing import Any

import pytest
import xgrammar
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from onelook.errors import ReplyInvalid
from onelook.prompts.replies.compact import CompactCodec
from onelook.prompts.replies.free_text import FreeTextCodec
from onelook.prompts.replies.json_reply import JsonCodec
from onelook.prompts.replies.scope import Scope
from onelook.types import Answer
from tests.prompts.byte_grammar import ByteGrammar
from tests.prompts.random_taxonomies import MANY, all_answers, answers, compact, scopes

MakeCodec = Callable[[Scope], CompactCodec | JsonCodec]
CODECS: list[MakeCodec] = [compact, JsonCodec]
ANY = settings(max_examples=40, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])


def read(codec: CompactCodec | JsonCodec | FreeTextCodec, text: str) -> Answer | None:
    """The answer that the reply gives; None if it is refused."""
    try:
        reading = codec.decode(text)
    except ReplyInvalid:
        return None
    return Answer(category=reading.category or codec.scope.categories[0], details=dict(reading.details))


def label(scope: Scope, category: str, key: Any) -> str:
    if key == "category":
        return scope.label(category)
    attribute, option = key
    return scope.attributes(category)[attribute].options[option][scope.language]


@pytest.mark.parametrize("make_codec", CODECS)
@ANY
@given(data=st.data())
def test_an_answer_can_be_said_and_is_read_back(make_codec: MakeCodec, data: st.DataObject) -> None:
    scope = data.draw(scopes())
    codec = make_codec(scope)
    grammar = ByteGrammar.of(codec.constraint)
    for _ in range(5):
        answer = data.draw(answers(scope))
        reply = codec.encode(answer)
        assert grammar.accepts(reply)
        assert read(codec, reply) == answer
        assert len(reply.encode()) < codec.max_tokens


@pytest.mark.parametrize("make_codec", CODECS)
@ANY
@given(data=st.data())
def test_what_can_be_said_is_what_would_be_written(make_codec: MakeCodec, data: st.DataObject) -> None:
    scope = data.draw(scopes())
    codec = make_codec(scope)
    grammar = ByteGrammar.of(codec.constraint)
    for _ in range(10):
        reply = data.draw(mutated(codec.encode(data.draw(answers(scope))), scope))
        answer = read(codec, reply)
        assert grammar.accepts(reply) == (answer is not None and codec.encode(answer) == reply)


@settings(ANY, max_examples=300)
@given(scope=scopes())
def test_no_two_answers_have_one_compact_reply(scope: Scope) -> None:
    codec = compact(scope)
    replies = [codec.encode(answer) for answer in islice(all_answers(scope), 2000)]
    assert len(set(replies)) == len(replies)


@st.composite
def mutated(draw: st.DrawFn, reply: str, scope: Scope) -> str:
    """The reply after one to three slips: a piece left out, put in, put elsewhere or twice."""
    for _ in range(draw(st.integers(1, 3))):
        start, end = sorted(draw(st.lists(st.integers(0, len(reply)), min_size=2, max_size=2)))
        piece = draw(
            st.one_of(
                st.text('{}[]",:|- ' + MANY[scope.language], max_size=3),
                st.sampled_from([reply[start:end], scope.label(scope.categories[-1]), ""]),
            )
        )
        elsewhere = draw(st.integers(0, len(reply)))
        reply = draw(
            st.sampled_from(
                [
                    reply[:start] + piece + reply[end:],
                    reply[:elsewhere] + reply[start:end] + reply[elsewhere:],
                    reply[:start] + reply[start:end][::-1] + reply[end:],
                ]
            )
        )
    return reply


@pytest.mark.parametrize("make_codec", CODECS)
@ANY
@given(data=st.data())
def test_an_option_cannot_be_named_twice(make_codec: MakeCodec, data: st.DataObject) -> None:
    scope = data.draw(scopes())
    codec = make_codec(scope)
    answer = data.draw(answers(scope))
    many = [id_ for id_, attribute in scope.attributes(answer.category).items() if attribute.choose == "many"]
    chosen = [(id_, option) for id_ in many for option in answer.details[id_]]
    assume(chosen)
    assume(
        not any("," in label for id_ in many for label in scope.attributes(answer.category)[id_].ids(scope.language))
    )
    reply = codec.encode(answer).encode()
    start, end = codec.decode(reply.decode()).spans[data.draw(st.sampled_from(chosen))]
    comma = b'","' if make_codec is JsonCodec else b","
    twice = (reply[:end] + comma + reply[start:end] + reply[end:]).decode()
    assert not ByteGrammar.of(codec.constraint).accepts(twice)
    assert read(codec, twice) is None


@ANY
@given(data=st.data())
def test_a_wrong_answer_in_json_is_neither_said_nor_read(data: st.DataObject) -> None:
    scope = data.draw(scopes())
    codec = JsonCodec(scope)
    grammar = ByteGrammar.of(codec.constraint)
    document = json.loads(codec.encode(data.draw(answers(scope))))
    part = document if scope.part != "everything" else data.draw(st.sampled_from([document, document["details"]]))
    key = data.draw(st.sampled_from([*part, "extra key"]))
    slip = data.draw(st.sampled_from(["left out", "unknown label", "twice", "number"]))
    if slip == "left out" and key in part:
        del part[key]
    elif slip == "twice" and part.get(key) and isinstance(part[key], list):
        part[key].append(part[key][0])
    elif slip == "number":
        part[key] = 1
    else:
        part[key] = "no such label"
    reply = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    assert not grammar.accepts(reply)
    assert read(codec, reply) is None


@ANY
@given(data=st.data())
def test_a_portable_server_can_say_every_answer(data: st.DataObject) -> None:
    scope = data.draw(scopes())
    codec = JsonCodec(scope)
    reply = codec.encode(data.draw(answers(scope)))
    loose = xgrammar.Grammar.from_json_schema(dict(codec.constraint.schema))
    tight = xgrammar.Grammar.from_json_schema(
        dict(codec.constraint.schema), any_whitespace=False, separators=(",", ":")
    )
    assert ByteGrammar(loose).accepts(reply)
    assert ByteGrammar(tight).accepts(reply)


@ANY
@given(data=st.data())
def test_json_is_read_however_it_is_laid_out(data: st.DataObject) -> None:
    scope = data.draw(scopes())
    codec = JsonCodec(scope)
    answer = data.draw(answers(scope))
    document = json.loads(codec.encode(answer))
    reply = json.dumps(
        dict(reversed(document.items())),
        indent=data.draw(st.sampled_from([None, 0, 4])),
        ensure_ascii=data.draw(st.booleans()),
    )
    assert len(reply) < codec.max_tokens
    assert read(codec, f"\n {reply}\t") == answer
    for key, (start, end) in codec.decode(reply).spans.items():
        assert json.loads(f'"{reply.encode()[start:end].decode()}"') == label(scope, answer.category, key)


@pytest.mark.parametrize("make_codec", [*CODECS, FreeTextCodec])
@ANY
@given(data=st.data())
def test_every_label_of_the_answer_is_found_in_the_reply(
    make_codec: Callable[[Scope], CompactCodec | JsonCodec | FreeTextCodec], data: st.DataObject
) -> None:
    scope = data.draw(scopes())
    codec = make_codec(scope)
    answer = data.draw(answers(scope))
    reply = codec.encode(answer)
    if make_codec is FreeTextCodec:
        reply = f"好的，😀 {{ sure }}:\n```json\n{reply}\n```\n"
    reading = codec.decode(reply)
    shown = {key: reply.encode()[start:end].decode() for key, (start, end) in reading.spans.items()}
    expected = {(attribute, option) for attribute, options in reading.details.items() for option in options} | (
        {"category"} if reading.category else set()
    )
    assert shown == {key: label(scope, answer.category, key) for key in expected}
