"""What a user learns about a taxonomy file of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from onelook.errors import TaxonomyError
from onelook.prompts.taxonomy.document import MOST_OF_A_KIND, load_taxonomy, parse_taxonomy
from tests.prompts.random_taxonomies import large_document

GOOD = """\
name: pets
categories:
  cat:
    label: {zh: 猫, en: cat}
    when: {zh: 有猫, en: there is a cat}
    details:
      coat:
        label: {zh: 毛色, en: coat}
        choose: one
        options:
          black: {zh: 黑, en: black}
          white: {zh: 白, en: white}
      doing:
        label: {zh: 动作, en: doing}
        choose: many
        options:
          sleep: {zh: 睡觉, en: sleeping}
          eat: {zh: 吃饭, en: eating}
  dog:
    label: {zh: 狗, en: dog}
    when: {zh: 有狗, en: there is a dog}
"""


def mistakes(tmp_path: Path, text: str) -> list[str]:
    """The lines of the error, without the file's name."""
    file = tmp_path / "pets.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(TaxonomyError) as caught:
        load_taxonomy(file)
    assert caught.value.hint
    return [line.removeprefix(f"{file}:") for line in caught.value.message.splitlines()]


def test_a_good_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "pets.yaml"
    file.write_text(GOOD, encoding="utf-8")
    taxonomy = load_taxonomy(file)
    assert taxonomy.labels("zh") == {"cat": "猫", "dog": "狗"}
    assert taxonomy.categories["cat"].details["coat"].ids("en") == {"black": "black", "white": "white"}
    assert taxonomy.categories["dog"].details == {}


def test_what_is_no_keyword_changes_no_version() -> None:
    document = yaml.safe_load(GOOD)
    plain = parse_taxonomy(document)
    marked = parse_taxonomy({**document, "not_keywords": ["coat", "dog"]})
    assert (plain.version, plain.not_keywords) == (marked.version, ())
    assert marked.not_keywords == ("coat", "dog")


WHITE, AT_WHITE = "{zh: 白, en: white}", "12: categories.cat.details.coat.options.white"
DOG, AT_DOG = "label: {zh: 狗, en: dog}", "20: categories.dog.label"


@pytest.mark.parametrize(
    ("old", "new", "mistake"),
    [
        ("name: pets\n", "", "1: name: is missing"),
        ("name: pets", "name: pets\nlanguages: [zh, zh, en]", "2: languages: names a language twice"),
        ("name: pets", "name: pets\nlanguages: [zh, fr]", "5: categories.cat.label: has no text in fr"),
        (
            "name: pets",
            "name: pets\nlanguages: [zh, French]",
            "2: languages.1: bad language 'French', expected a tag such as en, zh or pt-BR",
        ),
        (
            "  dog:",
            "  Dog:",
            "19: categories.Dog: bad id 'Dog', expected small letters, digits and _ after a first letter",
        ),
        ("  dog:", "  cat:", "19: categories.cat: duplicate key, first on line 3"),
        ("    when: {zh: 有狗, en: there is a dog}\n", "", "19: categories.dog.when: is missing"),
        (
            "when: {zh: 有狗, en: there is a dog}",
            "when: {en: there is a dog}",
            "21: categories.dog.when: has no text in zh",
        ),
        (
            "    label: {zh: 猫, en: cat}",
            "    lable: {zh: 猫, en: cat}",
            "4: categories.cat.lable: unknown key, expected one of label, when, details, specialist, content, shared"
            " (did you mean label?)",
        ),
        (
            "name: pets",
            "name: pets\nnot_keywords: [dog, coat, cat.doing.eat, blak]",
            "2: not_keywords.3: no category, attribute or option 'blak' (did you mean black?)",
        ),
        (
            "name: pets",
            "name: pets\nnot_keywords: [coat.sleep]",
            "2: not_keywords.0: no category, attribute or option 'coat.sleep' (did you mean cat.doing.sleep?)",
        ),
        (
            "name: pets",
            "name: pets\nnot_keywords: [White]",
            "2: not_keywords.0: bad id 'White', expected one such as unclear or animal.species.cat",
        ),
        (DOG, "label: {zh: 狗}", f"{AT_DOG}: has no text in en"),
        (DOG, "label: {zh: 猫, en: dog}", f"{AT_DOG}.zh: has the label of cat, expected one of its own"),
        (DOG, "label: {zh: 狗, en: CAT}", f"{AT_DOG}.en: has the label of cat, expected one of its own"),
        (
            "label: {zh: 动作, en: doing}",
            "label: {zh: 毛色, en: doing}",
            "14: categories.cat.details.doing.label.zh: has the label of coat, expected one of its own",
        ),
        ("choose: one", "choose: two", "9: categories.cat.details.coat.choose: expected 'one' or 'many', got 'two'"),
        (
            f"          white: {WHITE}\n",
            "",
            "10: categories.cat.details.coat.options: has one option, so there is nothing to choose",
        ),
        (WHITE, "white", f"{AT_WHITE}: expected a mapping (`key: value` lines), got 'white'"),
        (WHITE, "{zh: 黑, en: white}", f"{AT_WHITE}.zh: has the label of black, expected one of its own"),
        (WHITE, "{zh: 白, en: white, fr: blanc}", f"{AT_WHITE}: has text in fr; expected zh and en only, as elsewhere"),
        (
            WHITE,
            "{zh: 白, en: white, French: blanc}",
            f"{AT_WHITE}.French: bad language 'French', expected a tag such as en, zh or pt-BR",
        ),
        (WHITE, "{zh: 白, en: ' white'}", f"{AT_WHITE}.en: ' white' has spaces at its start or end"),
        (WHITE, "{zh: 白, en: ''}", f"{AT_WHITE}.en: '' is empty"),
        (WHITE, "{zh: 白, en: 'so \"white\"'}", f"{AT_WHITE}.en: 'so \"white\"' has a quote or a backslash"),
        (
            WHITE,
            '{zh: 白, en: "a\\tb"}',
            f"{AT_WHITE}.en: 'a\\tb' has a control character, a line break or an invisible character",
        ),
        (
            WHITE,
            '{zh: 白, en: "cafe\\u0301"}',
            f"{AT_WHITE}.en: 'cafe\u0301' is not in Unicode's composed form (NFC)",
        ),
        (
            WHITE,
            "{zh: 白, en: 3}",
            f'{AT_WHITE}.en: expected text, got 3 (a number, yes/no or null needs quotes: "3")',
        ),
    ],
)
def test_a_mistake_is_reported_with_its_line(tmp_path: Path, old: str, new: str, mistake: str) -> None:
    assert GOOD.count(old) == 1
    assert mistake in mistakes(tmp_path, GOOD.replace(old, new))


def test_every_mistake_of_a_file_is_reported_at_once(tmp_path: Path) -> None:
    text = (
        GOOD.replace("choose: one", "choose: two")
        .replace("{zh: 狗, en: dog}", "{zh: 猫}")
        .replace("  coat:", "  Coat:")
    )
    assert mistakes(tmp_path, text) == [
        "7: categories.cat.details.Coat: bad id 'Coat', expected small letters, digits and _ after a first letter",
        "9: categories.cat.details.Coat.choose: expected 'one' or 'many', got 'two'",
        f"{AT_DOG}: has no text in en",
        f"{AT_DOG}.zh: has the label of cat, expected one of its own",
    ]


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("", "is empty, expected name and categories"),
        ("# nothing\n", "is empty, expected name and categories"),
        ("name: [pets", "1: is not YAML: "),
        ("name: pets\n  categories: 3", "2: is not YAML: mapping values are not allowed here"),
        ("- cat\n- dog\n", "1: document: expected a mapping (`key: value` lines), got ['cat', 'dog']"),
        ("name: pets\ncategories: {}\n", "2: categories: is empty, expected at least one entry"),
        ("name: pets\ncategories:\n", "2: categories: expected a mapping (`key: value` lines), got nothing"),
        ("name: pets\n", "1: categories: is missing"),
        ("name: &pets [*pets]\n", "1: "),
        ("name: !!python/object:os.system {}\n", "1: is not YAML: "),
        ("name: pets\x00", "is not YAML: "),
    ],
)
def test_a_file_that_is_no_taxonomy_is_refused(tmp_path: Path, text: str, mistake: str) -> None:
    assert any(line.strip().startswith(mistake) for line in mistakes(tmp_path, text))


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TaxonomyError, match="no such file"):
        load_taxonomy(tmp_path / "none.yaml")
    with pytest.raises(TaxonomyError, match="cannot be read"):
        load_taxonomy(tmp_path)
    (tmp_path / "gbk.yaml").write_bytes("name: 宠物".encode("gbk"))
    with pytest.raises(TaxonomyError, match="is not UTF-8"):
        load_taxonomy(tmp_path / "gbk.yaml")


def test_a_file_in_one_language_says_so(tmp_path: Path) -> None:
    file = tmp_path / "pets.yaml"
    english = """\
name: pets
languages: [en]
categories:
  cat: {label: {en: cat}, when: {en: a cat}}
  dog: {label: {en: dog}, when: {en: a dog}}
"""
    file.write_text(english, encoding="utf-8-sig")
    assert load_taxonomy(file).languages == ("en",)
    assert mistakes(tmp_path, english.replace("{en: a cat}", "{en: a cat, zh: 猫}")) == [
        "4: categories.cat.when: has text in zh; expected en only, as elsewhere"
    ]


ONE_LANGUAGE = """\
name: pets
categories:
  cat: {label: {fr: chat}, when: {fr: un chat}}
  dog: {label: {fr: chien}, when: {fr: un chien}}
"""


def test_the_languages_are_those_of_the_labels(tmp_path: Path) -> None:
    file = tmp_path / "pets.yaml"
    file.write_text(ONE_LANGUAGE, encoding="utf-8")
    assert load_taxonomy(file).languages == ("fr",)
    file.write_text(GOOD, encoding="utf-8")
    assert load_taxonomy(file).languages == ("zh", "en")


def test_a_slip_in_one_label_is_one_mistake(tmp_path: Path) -> None:
    assert mistakes(tmp_path, ONE_LANGUAGE.replace("{fr: chien}", "{fr: chien, en: dog}")) == [
        "4: categories.dog.label: has text in en; expected fr only, as elsewhere"
    ]
    assert mistakes(tmp_path, ONE_LANGUAGE.replace("{fr: chien}", "{fe: chien}")) == [
        "4: categories.dog.label: has no text in fr",
        "4: categories.dog.label: has text in fe; expected fr only, as elsewhere",
    ]


def test_labels_without_a_text_are_reported(tmp_path: Path) -> None:
    empty = "name: pets\ncategories:\n  cat: {label: {}, when: {}}\n"
    assert mistakes(tmp_path, empty) == [
        "3: categories.cat.label: has no text in en",
        "3: categories.cat.when: has no text in en",
    ]


def test_mistakes_of_one_kind_are_counted(tmp_path: Path) -> None:
    """A language that is declared and that no label has is one mistake of the author, and one in every label."""
    document = large_document(languages=["en"]) | {"languages": ["en", "fr"]}
    text = yaml.safe_dump(document, sort_keys=False)
    found = mistakes(tmp_path, text.replace("choose: one", "choose: two", 1))
    labels = 40 * (2 + 8 * (1 + 8))
    assert len(found) == MOST_OF_A_KIND + 1 + 1
    assert [line for line in found if "expected 'one' or 'many', got 'two'" in line]
    last = len(text.splitlines()) - 1
    assert found[-1].endswith(
        f" {labels - MOST_OF_A_KIND:,} more like that, down to line {last}:"
        " categories.category_0.label: has no text in fr"
    )


def test_the_version_changes_with_what_the_model_sees_and_with_nothing_else(tmp_path: Path) -> None:
    def version(text: str) -> str:
        file = tmp_path / "pets.yaml"
        file.write_text(text, encoding="utf-8")
        return load_taxonomy(file).version

    assert version(GOOD) == version("# mine\n" + GOOD.replace("{zh: 狗, en: dog}", "{en: dog, zh: 狗}"))
    black, white = "          black: {zh: 黑, en: black}\n", "          white: {zh: 白, en: white}\n"
    assert version(GOOD) != version(GOOD.replace(black + white, white + black))
    assert version(GOOD) != version(GOOD.replace("有狗", "有一只狗"))


def test_a_document_in_memory_is_checked_like_a_file() -> None:
    document: dict[str, Any] = {"name": "pets", "categories": {"cat": {"label": {"zh": "猫", "en": "cat"}}}}
    with pytest.raises(TaxonomyError) as caught:
        parse_taxonomy(document)
    assert caught.value.message == "taxonomy: categories.cat.when: is missing"
