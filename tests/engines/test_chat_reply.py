"""What is read from a chat model's message, and that nothing is invented where it says nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage

from onelook.engines.base import Reply
from onelook.engines.chat import read_message
from onelook.ledger.model import ServerTiming
from onelook.types import Usage


def entry(data: str | bytes, logprob: float = -0.5, top: Sequence[tuple[str, float]] = ()) -> dict[str, Any]:
    data = data.encode() if isinstance(data, str) else data
    alternatives = [{"token": text, "logprob": p, "bytes": list(text.encode())} for text, p in top]
    return {
        "token": data.decode(errors="replace"),
        "logprob": logprob,
        "bytes": list(data),
        "top_logprobs": alternatives,
    }


def reply(text: str, *entries: dict[str, Any], **metadata: Any) -> Reply:
    logprobs = {"content": list(entries)} if entries else None
    return read_message(AIMessage(text, response_metadata={"logprobs": logprobs, **metadata}))


def pieces(read: Reply) -> list[tuple[str, float]]:
    return [(token.data.decode(errors="backslashreplace"), token.logprob) for token in read.tokens]


def test_a_server_without_extras_leaves_them_empty() -> None:
    assert read_message(AIMessage("cat")) == Reply("cat", "stop", (), Usage(), ServerTiming())


def test_all_that_vllm_reports_is_read() -> None:
    read = reply(
        "cat",
        entry("cat", -0.1),
        finish_reason="length",
        token_usage={
            "prompt_tokens": 90,
            "completion_tokens": 1,
            "prompt_tokens_details": {"cached_tokens": 64, "multimodal_tokens": {"image": 50}},
        },
        metrics={"time_to_first_token_ms": 20.0, "generation_time_ms": 0.0, "queue_time_ms": 1.5, "mean_itl_ms": None},
    )
    assert read.stop_reason == "length"
    assert read.usage == Usage(prompt_tokens=90, cached_tokens=64, image_tokens=50, completion_tokens=1)
    assert read.timing == ServerTiming(queue_ms=1.5, first_token_ms=20.0, decode_ms=0.0)


def test_token_counts_without_details_are_read() -> None:
    read = reply("cat", token_usage={"prompt_tokens": 90, "completion_tokens": 1, "prompt_tokens_details": None})
    assert read.usage == Usage(prompt_tokens=90, completion_tokens=1)


def test_the_end_of_turn_is_not_part_of_the_text() -> None:
    assert pieces(reply("人像", entry("人"), entry("像"), entry("<|im_end|>"))) == [("人", -0.5), ("像", -0.5)]


def test_a_token_without_bytes_is_known_by_its_text() -> None:
    nameless = {**entry("像", -0.25), "bytes": None}
    assert pieces(reply("人像", entry("人"), nameless)) == [("人", -0.5), ("像", -0.25)]


def test_tokens_cut_inside_a_character_keep_their_own_bytes_where_the_server_gives_them() -> None:
    head, tail = "人".encode()[:1], "人".encode()[1:]
    read = reply("人", entry(head, -1.0), entry(tail, -2.0))
    assert [(token.data, token.logprob) for token in read.tokens] == [(head, -1.0), (tail, -2.0)]


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        # As vLLM 0.32 sends them: what is unfinished is empty, and U+FFFD stands for what was lost with it.
        (["", "", "女", "", "性"], [("女", -1.5), ("性", -1.0)]),
        (["", "��物", "性"], [("食物", -1.0), ("性", -0.5)]),
        (["", "", "", "", "�拍"], [("自拍", -2.5)]),
        (["半", "", "�身", "<|im_end|>"], [("半", -0.5), ("全身", -1.0)]),
    ],
    ids=["unfinished", "lost", "lost whole", "lost after a whole one"],
)
def test_characters_that_a_server_lost_between_tokens_are_found_in_the_text(
    sent: list[str], read: list[tuple[str, float]]
) -> None:
    text = "".join(piece for piece, _ in read)
    assert pieces(reply(text, *(entry(piece) for piece in sent))) == read


def test_tokens_that_do_not_write_the_text_are_left_out() -> None:
    assert reply("cat", entry("c"), entry("ow")).tokens == ()
    assert reply("cat", entry("c")).tokens == ()
    assert reply("食物", entry("食"), entry("��物")).tokens == (), "nothing is missing that could have been lost"


def test_alternatives_with_the_same_bytes_are_one_and_forbidden_ones_none() -> None:
    top = [("a", math.log(0.5)), ("b", math.log(0.2)), ("b", math.log(0.3)), ("c", -9999.0)]
    (token,) = reply("a", entry("a", math.log(0.5), top)).tokens
    assert token.alternatives == pytest.approx({b"a": math.log(0.5), b"b": math.log(0.5)})


def lossy(tokens: list[bytes]) -> list[str]:
    """How vLLM 0.32 writes byte-level tokens as text (v1/engine/logprobs.py), in our words: a token that ends inside a
    character is read together with up to four before it, without the finished ones, or is empty if that ends there too.
    """
    texts = []
    for index, token in enumerate(tokens):
        text = token.decode(errors="replace")
        if text.endswith("\ufffd"):
            text = ""
            for reach in range(1, min(index, 4) + 1):
                before = tokens[index - reach : index]
                together = b"".join([*before, token]).decode(errors="replace")
                if not together.endswith("\ufffd"):
                    while before and before[-1].decode(errors="replace").endswith("\ufffd"):
                        before.pop()
                    text = together.removeprefix(b"".join(before).decode(errors="replace"))
                    break
        texts.append(text)
    return texts


@given(st.text('人像全身半自拍{}",:x', min_size=1, max_size=12), st.lists(st.integers(1, 7), min_size=1))
def test_whatever_a_byte_level_server_loses_the_tokens_write_the_text(text: str, lengths: list[int]) -> None:
    data = text.encode()
    tokens: list[bytes] = []
    while data:
        length = lengths[len(tokens) % len(lengths)]
        tokens.append(data[:length])
        data = data[length:]
    read = reply(text, *(entry(piece, -1.0) for piece in [*lossy(tokens), "<|im_end|>"])).tokens
    if read:
        assert b"".join(token.data for token in read) == text.encode()
        assert sum(token.logprob for token in read) == -len(tokens)
    else:
        assert any("\ufffd" in piece for piece in lossy(tokens))
