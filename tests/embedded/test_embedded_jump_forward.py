"""Forced text in one pass: the same answers with the same probabilities as token by token, in fewer passes."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest
import torch
from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage
from PIL import Image
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from onelook.demo.checkpoint import MODEL
from onelook.engines.base import Choice, Constraint, Regex
from onelook.engines.build import build_engine
from onelook.engines.transformers.conversation import read_conversation
from onelook.engines.transformers.engine import TransformersEngine
from onelook.engines.transformers.forced_text import ForcedTokens
from onelook.engines.transformers.generation import REUSES_PREFIXES, Generated, Generator
from onelook.engines.transformers.loading import LoadOptions, load_checkpoint
from onelook.lab.album import read_labels
from onelook.prompts.questions import Prompts
from onelook.settings.process import load_settings
from onelook.tagger import build_services
from tests.embedded.architectures import MakeGenerator
from tests.embedded.questions import picture_part, question
from tools.demo_model import HELDOUT

CACHE = 10**8
PICTURES = [each.path for each in read_labels(HELDOUT)[:5]]
ALL = 10_000
"""More alternatives than there are tokens."""

JSON = Regex(r'\{"kind":"(人像|人物|动物)","parts":\[("手"(,"眼睛")?)?\],"end":true\}')
CONSTRAINTS: dict[str, Constraint | None] = {
    "choice": Choice(("人像", "人物", "动物")),
    "json": JSON,
    "may end early": Regex("人(像)?"),
    "ends in a forced text": Regex('(a|b)的照片"}'),
    "one reply": Choice(("人像",)),
    "free text": None,
}


@pytest.fixture(scope="module")
def prompts() -> Prompts:
    return build_services(load_settings(engine="vllm")).prompts["zh"]


@pytest.fixture(scope="module")
def both() -> tuple[Generator, Generator]:
    """The bundled checkpoint, with jumps and without."""
    checkpoint = load_checkpoint(str(MODEL), LoadOptions())
    jumping, stepping = (
        Generator(checkpoint, prefix_cache_bytes=CACHE, jump_forward=jump_forward) for jump_forward in (True, False)
    )
    return jumping, stepping


def answered(
    generator: Generator, messages: Sequence[BaseMessage], constraint: Constraint | None, *, max_tokens: int = 80
) -> tuple[Generated, int]:
    """The answer, and how many forward passes it took."""
    passes: list[None] = []
    hook = generator.model.register_forward_hook(lambda *_: passes.append(None))
    try:
        answer = generator.answer(
            messages, constraint, max_tokens=max_tokens, top_logprobs=ALL, cancelled=threading.Event()
        )
    finally:
        hook.remove()
    assert answer.prefill_passes + answer.decode_passes == len(passes)
    return answer, len(passes)


def text_of(generator: Generator, answer: Generated) -> str:
    written = [step.token for step in answer.steps if step.token not in generator.vocabulary.silent]
    return b"".join(generator.vocabulary.token_bytes[token] for token in written).decode()


def choices(generator: Generator, answer: Generated) -> dict[int, tuple[float, dict[int, float]]]:
    """Logprob and alternatives of each token that was chosen among several, by the byte at which it begins."""
    found, start = {}, 0
    for step in answer.steps:
        if len(step.top) > 1:
            found[start] = step.logprob, dict(step.top)
        start += len(generator.vocabulary.token_bytes[step.token])
    return found


@pytest.mark.parametrize("name", ["json", "compact"])
@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.stem)
def test_the_bundled_model_answers_the_same_with_the_same_probabilities(
    name: str, path: object, both: tuple[Generator, Generator], prompts: Prompts
) -> None:
    asked = prompts.fused("json" if name == "json" else "compact")
    with Image.open(str(path)) as image:
        part = picture_part(image.convert("RGB"))
    messages = asked.messages([part["image_url"]["url"]])  # type: ignore[index]
    jumping, stepping = both
    ours, passes = answered(jumping, messages, asked.constraint)
    theirs, steps = answered(stepping, messages, asked.constraint)
    assert text_of(jumping, ours) == text_of(stepping, theirs)
    assert ours.stop_reason == theirs.stop_reason == "stop"
    expected = choices(stepping, theirs)
    for start, (logprob, alternatives) in choices(jumping, ours).items():
        assert logprob == pytest.approx(expected[start][0], abs=1e-3)
        assert alternatives == pytest.approx(expected[start][1], abs=1e-3)
    if name == "json":
        assert passes <= steps / 2
    assert passes <= len(choices(jumping, ours)) + 1
    assert ours.forced_tokens == len(ours.steps) - passes
    assert theirs.forced_tokens == 0


@pytest.mark.parametrize("architecture", sorted(REUSES_PREFIXES))
@pytest.mark.parametrize("name", CONSTRAINTS)
def test_probabilities_are_those_of_one_pass_over_the_whole_text(
    name: str, architecture: str, make_generator: MakeGenerator
) -> None:
    """A new picture, the same picture again with its prefix cached, and no picture."""
    generator = make_generator(architecture, CACHE)
    for messages in (question([1]), question([1], "哪里？"), [SystemMessage("看"), HumanMessage("什么？")]):
        answer, _ = answered(generator, messages, CONSTRAINTS[name], max_tokens=30)
        written = torch.tensor([[step.token for step in answer.steps]])
        inputs = generator.encode(read_conversation(messages))
        prompt_tokens = inputs["input_ids"].shape[1]
        inputs["input_ids"] = torch.cat([inputs["input_ids"], written], dim=1)
        for each, fill in (("attention_mask", 1), ("mm_token_type_ids", 0)):
            inputs[each] = torch.cat([inputs[each], torch.full_like(written, fill)], dim=1)
        generator.model.model.rope_deltas = None
        with torch.no_grad():
            scores = generator.model(**inputs).logits[0, prompt_tokens - 1 :]
        for step, row in zip(answer.steps, scores, strict=False):
            allowed = [token for token, _ in step.top]
            expected = dict(zip(allowed, torch.log_softmax(row[allowed], dim=-1).tolist(), strict=True))
            assert dict(step.top) == pytest.approx(expected, abs=1e-3)
            assert step.logprob == pytest.approx(expected[step.token], abs=1e-3)


def test_a_forced_end_is_written_without_a_pass(both: tuple[Generator, Generator]) -> None:
    jumping, stepping = both
    ours, passes = answered(jumping, question([1]), Choice(("人像",)))
    theirs, _ = answered(stepping, question([1]), Choice(("人像",)))
    assert (text_of(jumping, ours), ours.stop_reason, passes) == ("人像", "stop", 0)
    assert [step.token for step in ours.steps] == [step.token for step in theirs.steps]
    assert ours.first_token_ms >= 0
    assert ours.decode_ms == 0


@pytest.mark.parametrize(("pattern", "text", "passes"), [("", "", 1), ("人像", "人像", 0), ("(人像|动物)", None, 1)])
def test_a_grammar_whose_only_continuation_is_the_end_stops_there(
    pattern: str, text: str | None, passes: int, both: tuple[Generator, Generator]
) -> None:
    """Nothing can be written at all, nothing after forced text, nothing after a choice."""
    jumping, stepping = both
    ours, taken = answered(jumping, question([1]), Regex(pattern))
    theirs, _ = answered(stepping, question([1]), Regex(pattern))
    assert (ours.stop_reason, taken) == ("stop", passes)
    assert text_of(jumping, ours) == text_of(stepping, theirs)
    assert text is None or text_of(jumping, ours) == text


def test_one_choice_with_forced_text_around_it_is_one_pass(both: tuple[Generator, Generator]) -> None:
    jumping, stepping = both
    constraint = Regex(r'\{"primary_category":"(人像|动物)","details":\{\}\}')
    ours, passes = answered(jumping, question([1]), constraint)
    theirs, _ = answered(stepping, question([1]), constraint)
    assert passes == 1
    assert text_of(jumping, ours) == text_of(stepping, theirs)


@pytest.mark.parametrize("most", [1, 2, 3, 7])
def test_forced_text_is_cut_off_where_all_text_is(most: int, both: tuple[Generator, Generator]) -> None:
    answer, _ = answered(both[0], question([1]), Regex("(人像){20}(a|b)"), max_tokens=most)
    assert (len(answer.steps), answer.stop_reason) == (most, "length")
    assert answer.first_token_ms >= 0


def word_tokenizer() -> PreTrainedTokenizerFast:
    """It knows one word, and writes all others as the unknown one."""
    words = Tokenizer(WordLevel({"[UNK]": 0, "a": 1}, unk_token="[UNK]"))
    return PreTrainedTokenizerFast(tokenizer_object=words, unk_token="[UNK]")


def test_a_tokenizer_without_the_bytes_of_a_forced_text_goes_token_by_token(
    both: tuple[Generator, Generator], monkeypatch: pytest.MonkeyPatch
) -> None:
    jumping, stepping = both
    monkeypatch.setattr(
        jumping.grammars, "forced_tokens", ForcedTokens(word_tokenizer(), jumping.vocabulary.token_bytes)
    )
    ours, passes = answered(jumping, question([1]), JSON)
    theirs, steps = answered(stepping, question([1]), JSON)
    assert [step.token for step in ours.steps] == [step.token for step in theirs.steps]
    assert passes == steps


def test_forced_text_is_tokenised_as_the_tokenizer_writes_the_whole() -> None:
    tokenizer = AutoTokenizer.from_pretrained(MODEL)
    token_bytes = [b""] * len(tokenizer)
    whole = '{"primary_category":"人像","details":{"gender":"'
    tokens: list[int] = tokenizer(whole, add_special_tokens=False)["input_ids"]
    for token in tokens:
        token_bytes[token] = str(tokenizer.decode([token])).encode()
    forced = ForcedTokens(tokenizer, token_bytes)
    head = '{"primary_category":"人像'
    assert next(token_bytes[token] for token in forced(head.encode(), whole[len(head) :])) == b'","'
    assert forced(b"", whole) == tokens
    assert forced(whole[:-1].encode(), '"') == []  # ':"' is written in one token


@pytest.mark.parametrize("switch", ["true", "false"])
async def test_the_switch_is_an_environment_variable(switch: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONELOOK_JUMP_FORWARD", switch)
    engine = build_engine(load_settings(engine="embedded", model=str(MODEL)))
    assert isinstance(engine, TransformersEngine)
    await engine.start()
    assert engine._generator is not None
    _, passes = answered(engine._generator, question([1]), Choice(("人像",)))
    assert passes == (0 if switch == "true" else 1)
    await engine.aclose()
