"""Replies without guided decoding: which answers are found, and which are not."""

from __future__ import annotations

import pytest

from onelook.errors import ReplyInvalid
from onelook.prompts.replies.free_text import FreeTextCodec
from onelook.prompts.replies.scope import Scope
from onelook.prompts.taxonomy.document import load_taxonomy, parse_taxonomy
from onelook.settings.process import PHOTOS

TAXONOMY = load_taxonomy(PHOTOS)
ZH, EN = FreeTextCodec(Scope.category(TAXONOMY, "zh")), FreeTextCodec(Scope.category(TAXONOMY, "en"))
PORTRAIT = FreeTextCodec(Scope.details(TAXONOMY, "zh", "portrait"))
DETAILS = '{"gender": "女性", "composition": ["半身", "自拍"], "mood": "开心", "scene": "室外"}'


@pytest.mark.parametrize(
    ("codec", "reply", "category", "label"),
    [
        (ZH, '{"primary_category": "人像"}', "portrait", "人像"),
        (ZH, '```json\n{\n  "primary_category": "人像"\n}\n```', "portrait", "人像"),
        (ZH, '😀 {看图}，我认为是：{"primary_category": "人像"}。希望有帮助！', "portrait", "人像"),
        (ZH, '{"primary_category": "人像"} 更正格式：{"primary_category":"人像"}', "portrait", "人像"),
        (ZH, '动物？不，{"primary_category": "人像"}', "portrait", "人像"),
        (ZH, "人像", "portrait", "人像"),
        (ZH, "这张图片的主要类别是**人像**，因为人像占了大部分画面。", "portrait", "人像"),
        (EN, "The primary category is Portrait.", "portrait", "Portrait"),
        (EN, "It is a landscape, not just another photo.", "landscape", "landscape"),
    ],
)
def test_the_category_is_found(codec: FreeTextCodec, reply: str, category: str, label: str) -> None:
    reading = codec.decode(reply)
    start, end = reading.spans["category"]
    assert (reading.category, reply.encode()[start:end].decode()) == (category, label)


@pytest.mark.parametrize(
    ("codec", "reply", "found"),
    [
        (ZH, "", "no answer"),
        (ZH, "我看不清这张图片。", "no answer"),
        (ZH, "可能是人像，也可能是动物。", "2 different answers"),
        (ZH, '{"primary_category": "人像"} {"primary_category": "动物"}', "2 different answers"),
        (ZH, '{"primary_category": "房子"}', "no answer"),
        (ZH, '{"category": "汽车"}', "no answer"),
        (ZH, '{"a":' * 5000, "no answer"),
        (EN, "another day in the plants", "no answer"),
        (PORTRAIT, "女性，半身，开心，室外", "no answer"),
        (PORTRAIT, DETAILS.replace("女性", "女"), "no answer"),
        (PORTRAIT, DETAILS[:-4], "no answer"),
    ],
)
def test_what_is_not_one_answer_is_refused(codec: FreeTextCodec, reply: str, found: str) -> None:
    with pytest.raises(ReplyInvalid, match=found):
        codec.decode(reply)


@pytest.mark.parametrize(
    ("label", "text", "found"),
    [
        ("Bär", "Es ist ein Bär.", True),
        ("Bär", "_Bär_", True),
        ("Bär", "ein Bärenjunges", False),
        ("ente", "eine Löente", False),
        ("ve", "se ñve", False),
        ("猫", "これは猫です。", True),
        ("ねこ", "このねこは", True),
        ("แมว", "นี่คือแมวครับ", True),
        ("고양이", "고양이는 잔다", True),
        ("кот", "это котёнок", False),
        ("猫", "一只cat猫cat", False),
    ],
)
def test_a_label_is_a_whole_word_where_its_script_puts_spaces_between_words(label: str, text: str, found: bool) -> None:
    categories = {
        "it": {"label": {"de": label}, "when": {"de": "x"}},
        "no": {"label": {"de": "-"}, "when": {"de": "x"}},
    }
    taxonomy = parse_taxonomy({"name": "words", "languages": ["de"], "categories": categories})
    codec = FreeTextCodec(Scope.category(taxonomy, "de"))
    if found:
        assert codec.decode(text).category == "it"
    else:
        with pytest.raises(ReplyInvalid, match="no answer"):
            codec.decode(text)


def test_details_are_found_in_a_fence() -> None:
    reading = PORTRAIT.decode(f"分析如下：\n```json\n{DETAILS}\n```")
    assert reading.category is None
    assert reading.details == {
        "gender": ("female",),
        "composition": ("selfie", "half_body"),
        "mood": ("happy",),
        "scene": ("outdoor",),
    }
