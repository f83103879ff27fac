"""What a model is sent: one prefix for all guided questions, and every question answerable."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from langchain_core.messages import messages_to_dict

from onelook.constraint import Choice
from onelook.errors import PromptError, ReplyInvalid, SettingsError
from onelook.prompts.question import Question
from onelook.prompts.questions import Prompts
from onelook.prompts.taxonomy.document import load_taxonomy, parse_taxonomy
from onelook.settings.process import PHOTOS
from onelook.types import Answer, Language, ReplyFormat

TAXONOMY = load_taxonomy(PHOTOS)
LANGUAGES: tuple[Language, ...] = TAXONOMY.languages
FORMATS: tuple[ReplyFormat, ...] = get_args(ReplyFormat)
DETAILED = [id_ for id_, category in TAXONOMY.categories.items() if category.details]
PICTURES = ["data:image/png;base64,AAAA", "data:image/png;base64,BBBB"]


def guided(prompts: Prompts) -> list[Question]:
    """Every question of the guided family."""
    return [
        *prompts.category_choice().questions,
        *(ask(reply_format) for ask in (prompts.fused, prompts.category) for reply_format in FORMATS),
        *(prompts.details(id_, reply_format) for id_ in DETAILED for reply_format in FORMATS),
        *(
            question
            for id_ in DETAILED
            for attribute in TAXONOMY.categories[id_].details
            for choice in prompts.attribute_choices(id_, attribute)
            for question in choice.questions
        ),
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_guided_questions_share_every_byte_before_their_text(language: Language) -> None:
    prefixes = set()
    texts = set()
    for question in guided(Prompts(TAXONOMY, language)) + guided(Prompts(load_taxonomy(PHOTOS), language)):
        messages = messages_to_dict(question.messages(PICTURES))
        texts.add(messages[-1]["data"]["content"].pop()["text"])
        prefixes.add(repr(messages).encode())
    assert len(prefixes) == 1
    assert len(texts) == len(guided(Prompts(TAXONOMY, language)))
    (prefix,) = prefixes
    assert all(url.encode() in prefix for url in PICTURES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_system_prompt_names_all_that_may_be_answered(language: Language) -> None:
    system = Prompts(TAXONOMY, language).system
    for category in TAXONOMY.categories.values():
        assert f"\n{category.label[language]}" in system
        assert category.when[language] in system
        for id_, attribute in category.details.items():
            assert f"\n- {id_}" in system
            assert all(label in system for label in attribute.ids(language))


def test_legacy_questions_put_the_text_first_and_guide_nothing() -> None:
    prompts = Prompts(TAXONOMY, "zh")
    for question in (prompts.legacy_category(), prompts.legacy_details("animal")):
        (message,) = question.messages(PICTURES[:1])
        assert [part["type"] for part in messages_to_dict([message])[0]["data"]["content"]] == ["text", "image_url"]
        assert question.constraint is None
        assert question.system is None


def test_the_second_try_of_a_legacy_question_says_what_was_wrong() -> None:
    prompts = Prompts(TAXONOMY, "zh")
    again = prompts.legacy_category("found no answer in the reply '嗯'")
    assert again.text.startswith(prompts.legacy_category().text)
    assert "found no answer in the reply '嗯'" in again.text
    assert "{{ 7 * 7 }} < &" in prompts.legacy_details("food", "{{ 7 * 7 }} < &").text


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_question_takes_the_answer_that_it_would_write(language: Language) -> None:
    prompts = Prompts(TAXONOMY, language)
    legacy = [prompts.legacy_category(), *(prompts.legacy_details(id_) for id_ in DETAILED)]
    answers = {
        id_: Answer(
            category=id_,
            details={key: tuple(attribute.options)[:1] for key, attribute in TAXONOMY.categories[id_].details.items()},
        )
        for id_ in DETAILED
    }
    read = 0
    for question in [*guided(prompts), *legacy]:
        for answer in answers.values():
            try:
                reply = question.write(answer)
            except KeyError:
                continue  # details of another category
            reading = question.read(reply)
            assert reading.category in (None, answer.category)
            assert len(reply.encode()) <= question.max_tokens
            read += 1
    assert read >= len(legacy) + len(guided(prompts))


def test_a_letter_stands_for_an_option() -> None:
    prompts = Prompts(TAXONOMY, "zh")
    ((gender,),) = (choice.questions for choice in prompts.attribute_choices("portrait", "gender"))
    assert gender.text == "人像，性别？A男性 B女性 C不确定"
    assert gender.constraint == Choice(("A", "B", "C"))
    assert gender.max_tokens == 1
    assert gender.read("B").details == {"gender": ("female",)}
    (category,) = prompts.category_choice().questions
    assert category.read("B").category == "animal"
    with pytest.raises(ReplyInvalid, match="'D' is not one of A, B, C"):
        gender.read("D")


def test_each_option_of_many_is_its_own_question() -> None:
    prompts = Prompts(TAXONOMY, "zh")
    selfie, *others = (
        each for choice in prompts.attribute_choices("portrait", "composition") for each in choice.questions
    )
    assert len(others) == 3
    assert "自拍" in selfie.text
    assert selfie.read("A").details == {"composition": ("selfie",)}
    assert selfie.read("B").details == {"composition": ()}
    assert selfie.read("B").spans == {("composition", "selfie"): (0, 1)}
    with pytest.raises(ReplyInvalid, match="'yes' is not one of A, B"):
        selfie.read("yes")


def test_more_options_than_letters_are_refused_only_where_letters_are_asked_for() -> None:
    def texts(word: str) -> dict[str, str]:
        return {"en": word}

    options = {f"o{number}": texts(f"word{number:03}") for number in range(401)}
    attribute = {"label": texts("kind"), "choose": "one", "options": options}
    categories: dict[str, Any] = {
        f"c{number}": {"label": texts(f"kind{number:03}"), "when": texts("any")} for number in range(401)
    }
    categories["c0"]["details"] = {"kind": attribute}
    prompts = Prompts(parse_taxonomy({"name": "wide", "languages": ["en"], "categories": categories}), "en")
    assert prompts.fused("compact").read("kind000 word400").details == {"kind": ("o400",)}
    with pytest.raises(PromptError, match="taxonomy wide has 401 options, but letters tell at most 400 apart"):
        prompts.category_choice()
    with pytest.raises(PromptError, match=r"c0\.kind has 401 options"):
        prompts.attribute_choices("c0", "kind")


def test_every_category_has_a_text_for_a_zero_shot_classifier() -> None:
    texts = Prompts(TAXONOMY, "en").zero_shot()
    assert list(texts) == list(TAXONOMY.categories)
    assert texts["animal"] == "animal photo: an animal is the main subject"


def test_a_language_that_the_taxonomy_lacks_is_refused() -> None:
    english = parse_taxonomy(
        {"name": "pets", "languages": ["en"], "categories": {"cat": {"label": {"en": "cat"}, "when": {"en": "a cat"}}}}
    )
    assert Prompts(english, "en").fused("json").read('{"primary_category":"cat","details":{}}').category == "cat"
    with pytest.raises(SettingsError, match="taxonomy pets has no labels in zh, only in en"):
        Prompts(english, "zh")
