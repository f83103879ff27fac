"""Compact replies: when their values can stand side by side, and the error for one that cannot be read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from onelook.constraint import Choice, Regex
from onelook.errors import ReplyInvalid, TaxonomyError
from onelook.prompts.replies.scope import Scope
from onelook.prompts.taxonomy.document import load_taxonomy, parse_taxonomy
from onelook.settings.process import PHOTOS
from onelook.types import Answer
from tests.prompts.random_taxonomies import compact

PORTRAIT = Answer(
    category="portrait",
    details={"gender": ("male",), "composition": ("selfie", "half_body"), "mood": ("happy",), "scene": ("indoor",)},
)


def document(*labels: str, many: tuple[str, ...] = (), then: tuple[str, ...] = ()) -> dict[str, Any]:
    """A Chinese taxonomy with these categories; the first has a `choose: many` and a `choose: one` after it."""
    categories: dict[str, Any] = {
        f"c{number}": {"label": {"zh": label}, "when": {"zh": "任何"}} for number, label in enumerate(labels)
    }
    details = {
        name: {
            "label": {"zh": name},
            "choose": choose,
            "options": {f"o{number}": {"zh": option} for number, option in enumerate(options)},
        }
        for name, choose, options in (("many", "many", many), ("then", "one", then))
        if options
    }
    categories["c0"]["details"] = details
    return {"name": "mine", "languages": ["zh"], "categories": categories}


@pytest.mark.parametrize(
    ("mine", "expected"),
    [
        (document("猫", "狗", many=("黑", "白"), then=("大", "小")), ""),
        # 猫 is followed by one of 黑, 白 and -, so it is not 猫头鹰.
        (document("猫", "猫头鹰", many=("黑", "白")), ""),
        (document("猫", "猫头鹰", many=("头大", "头小"), then=("鹰派", "鸽派")), ""),
        (document("猫", "猫黑", many=("黑", "白")), "|"),
        (document("猫", "狗", many=("大", "大小"), then=("小", "中")), "|"),
        # After 黑 a comma could begin another option or the next value.
        (document("猫", "狗", many=("黑", "白"), then=(",白", "大")), "|"),
    ],
)
def test_the_lightest_separator_that_leaves_one_reading_is_taken(mine: dict[str, Any], expected: str) -> None:
    assert compact(Scope.everything(parse_taxonomy(mine), "zh")).separator == expected


@pytest.mark.parametrize(
    ("mine", "parse_error"),
    [
        (
            document("猫", "猫黑", "猫|黑", many=("黑", "白")),
            "categories.c2.label.zh: '猫|黑' reads like '猫' (categories.c0.label.zh) in a compact reply",
        ),
        (
            document("猫", "狗", many=("-", "白")),
            "categories.c0.details.many.options.o0.zh: '-' reads like '-', which says that none of many is",
        ),
        (
            document("猫", "狗", many=("黑", "黑,白", "白"), then=("大", "小")),
            "categories.c0.details.many.options.o1.zh: '黑,白' reads like '黑' (categories.c0.details.many.",
        ),
    ],
)
def test_labels_that_no_separator_keeps_apart_are_refused(mine: dict[str, Any], parse_error: str) -> None:
    with pytest.raises(TaxonomyError) as caught:
        parse_taxonomy(mine)
    assert parse_error in caught.value.message


def test_a_refused_file_names_the_line(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(
        PHOTOS.read_text(encoding="utf-8").replace("selfie: {zh: 自拍", "selfie: {zh: '-'"), encoding="utf-8"
    )
    line = 1 + file.read_text(encoding="utf-8").splitlines().index("          selfie: {zh: '-', en: selfie}")
    with pytest.raises(TaxonomyError, match=rf"mine.yaml:{line}: categories.portrait.details.composition.options.self"):
        load_taxonomy(file)


@pytest.mark.parametrize(
    ("language", "reply"),
    [("zh", "人像男性自拍,半身开心室内"), ("en", "portrait male selfie,half body happy indoor")],
)
def test_the_default_taxonomy_needs_no_bars(language: Any, reply: str) -> None:
    codec = compact(Scope.everything(load_taxonomy(PHOTOS), language))
    assert codec.encode(PORTRAIT) == reply
    assert isinstance(codec.constraint, Regex)
    reading = codec.decode(reply)
    assert (reading.category, reading.details) == (PORTRAIT.category, PORTRAIT.details)
    start, end = reading.spans["composition", "half_body"]
    assert reply.encode()[start:end].decode() in ("半身", "half body")


def test_none_of_many_is_a_dash_and_a_category_without_details_stands_alone() -> None:
    codec = compact(Scope.everything(load_taxonomy(PHOTOS), "zh"))
    assert codec.decode("文档收据-").details == {"kind": ("receipt",), "contains": ()}
    assert codec.decode("建筑").details == {}


def test_the_category_alone_is_a_choice_of_labels() -> None:
    codec = compact(Scope.category(load_taxonomy(PHOTOS), "zh"))
    assert codec.constraint == Choice(("人像", "动物", "风景", "食物", "建筑", "植物", "文档", "图表", "其他"))
    assert codec.decode("动物").category == "animal"


@pytest.mark.parametrize(
    ("reply", "where"),
    [
        ("", "at its start, expected a category"),
        ("portrait", "at its start, expected a category"),
        ("人像", "after '人像', expected a value of gender"),
        ("人像男性半身,自拍开心室内", "after '人像男性半身', expected a value of mood"),
        ("人像男性自拍,自拍开心室内", "after '人像男性自拍', expected a value of mood"),
        ("人像男性-开心室", "after '人像男性-开心', expected a value of scene"),
        ("建筑男性", "after '建筑', expected its end"),
        ("人像男性-开心室内 ", "after '人像男性-开心室内', expected its end"),
    ],
)
def test_the_error_of_an_unreadable_reply_says_where_it_goes_wrong(reply: str, where: str) -> None:
    codec = compact(Scope.everything(load_taxonomy(PHOTOS), "zh"))
    with pytest.raises(ReplyInvalid) as caught:
        codec.decode(reply)
    assert caught.value.message.endswith(where)


def test_an_answer_outside_the_taxonomy_cannot_be_written() -> None:
    codec = compact(Scope.everything(load_taxonomy(PHOTOS), "zh"))
    for details in (
        {},
        PORTRAIT.details | {"gender": ("cat",)},
        PORTRAIT.details | {"gender": ()},
        PORTRAIT.details | {"weather": ("rain",)},
    ):
        with pytest.raises(KeyError):
            codec.encode(Answer(category="portrait", details=details))
    with pytest.raises(KeyError):
        codec.encode(Answer(category="house"))
